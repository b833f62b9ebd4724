package sweep

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"sapf/models/atomicfile"
)

// Store keeps what came of tasks under their keys.
type Store interface {
	// Get returns what is kept under a key, or nil if there is nothing, or
	// nothing whole.
	Get(key string) (*Kept, error)
	// Put keeps an outcome: all of it, or nothing with an error.
	Put(key string, k *Kept) error
}

// NewMemory returns a store that lasts as long as the program.
func NewMemory() *Memory { return &Memory{kept: map[string]*Kept{}} }

// Memory is a store in memory. It may be used by several goroutines.
type Memory struct {
	mu   sync.Mutex
	kept map[string]*Kept
}

// Get returns what is kept under a key, or nil.
func (s *Memory) Get(key string) (*Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[key], nil
}

// Put keeps an outcome.
func (s *Memory) Put(key string, k *Kept) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[key] = k
	return nil
}

// All returns everything kept, by key.
func (s *Memory) All() map[string]*Kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.kept)
}

// Folder is a store of files, one a key, named KEY.json in folders of its first
// two digits, each as Encode makes it. A file is written whole or not at all;
// one that was damaged is put aside, and its task is run again.
type Folder struct{ dir, corrupt string }

// OpenFolder makes the folder if need be. Damaged files are put aside in its
// folder corrupt.
func OpenFolder(dir string) (*Folder, error) {
	return OpenFolderAside(dir, filepath.Join(dir, "corrupt"))
}

// OpenFolderAside is OpenFolder with another folder for damaged files.
func OpenFolderAside(dir, corrupt string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("folder of results: %w", err)
	}
	return &Folder{dir, corrupt}, nil
}

// Path is the file of a key.
func (s *Folder) Path(key string) string {
	return filepath.Join(s.dir, key[:2], key+".json")
}

// Get reads what is kept under a key.
func (s *Folder) Get(key string) (*Kept, error) {
	raw, err := s.Raw(key)
	if raw == nil || err != nil {
		return nil, err
	}
	return Decode(raw)
}

// Raw reads the file of a key, or nil if there is none; one that is damaged is
// put aside, where that can be done, and is nil too.
func (s *Folder) Raw(key string) ([]byte, error) {
	if !ValidKey(key) {
		return nil, fmt.Errorf("result %q: the name is no key, expected 64 digits of a SHA-256 in small hex", key)
	}
	raw, err := os.ReadFile(s.Path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the kept result %.12s: %w", key, err)
	}
	if Check(raw) != nil {
		err := s.putAside(key)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) { // to somebody who may only read it is missing
			err = nil
		}
		return nil, err
	}
	return raw, nil
}

// putAside moves a damaged file out of the way, where it can be looked at.
func (s *Folder) putAside(key string) error {
	if err := os.MkdirAll(s.corrupt, 0o755); err != nil {
		return err
	}
	err := os.Rename(s.Path(key), filepath.Join(s.corrupt, key+".json"))
	if errors.Is(err, fs.ErrNotExist) { // another reader did it
		return nil
	}
	if err != nil {
		os.Remove(s.corrupt) // if there is nothing in it
	}
	return err
}

// Put writes a file.
func (s *Folder) Put(key string, k *Kept) error {
	raw, err := Encode(k)
	if err != nil {
		return err
	}
	return s.PutRaw(key, raw)
}

// PutRaw writes a file that Encode made.
func (s *Folder) PutRaw(key string, raw []byte) error {
	if !ValidKey(key) {
		return fmt.Errorf("result %q: the name is no key, expected 64 digits of a SHA-256 in small hex", key)
	}
	if err := Check(raw); err != nil {
		return fmt.Errorf("result %s: %w", key, err)
	}
	path := s.Path(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteFile(path, raw)
}
