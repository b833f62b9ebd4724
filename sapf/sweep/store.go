package sweep

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"

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

// Kept is an outcome as it is kept: the record, and the entries of the
// adversarial image that differ from the image's, with their values. Both make
// the outcome whole again, but for what only the method has to tell.
type Kept struct {
	Record  Record    `json:"record"`
	Indices []int     `json:"indices"`
	Values  []float32 `json:"values"`
	// Seconds are the record's, not rounded.
	Seconds float64 `json:"seconds"`
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
// two digits. A file is a line with the SHA-256 of the rest, and the outcome as
// JSON. It is written whole or not at all; one that was damaged is put aside
// (in the folder corrupt), and its task is run again.
type Folder struct{ dir string }

// OpenFolder makes the folder if need be.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("folder of results: %w", err)
	}
	return &Folder{dir}, nil
}

// Path is the file of a key.
func (s *Folder) Path(key string) string {
	return filepath.Join(s.dir, key[:2], key+".json")
}

// Get reads what is kept under a key.
func (s *Folder) Get(key string) (*Kept, error) {
	raw, err := os.ReadFile(s.Path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a kept result: %w", err)
	}
	k, err := decodeKept(raw)
	if err != nil {
		return nil, s.putAside(key)
	}
	return k, nil
}

// putAside moves a damaged file out of the way, where it can be looked at.
func (s *Folder) putAside(key string) error {
	aside := filepath.Join(s.dir, "corrupt")
	if err := os.MkdirAll(aside, 0o755); err != nil {
		return err
	}
	return os.Rename(s.Path(key), filepath.Join(aside, key+".json"))
}

// Put writes a file.
func (s *Folder) Put(key string, k *Kept) error {
	raw, err := encodeKept(k)
	if err != nil {
		return err
	}
	path := s.Path(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteFile(path, raw)
}

// encodeKept puts the checksum in front.
func encodeKept(k *Kept) ([]byte, error) {
	body, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	body = append(body, '\n')
	sum := sha256.Sum256(body)
	return append([]byte(hex.EncodeToString(sum[:])+"\n"), body...), nil
}

// decodeKept refuses what is not what encodeKept wrote.
func decodeKept(raw []byte) (*Kept, error) {
	head, body, ok := bytes.Cut(raw, []byte("\n"))
	sum := sha256.Sum256(body)
	if !ok || string(head) != hex.EncodeToString(sum[:]) {
		return nil, errors.New("the checksum does not fit")
	}
	k := &Kept{}
	if err := json.Unmarshal(body, k); err != nil {
		return nil, err
	}
	if len(k.Indices) != len(k.Values) || k.Record.Method == "" {
		return nil, fmt.Errorf("%d indices and %d values of method %q", len(k.Indices), len(k.Values), k.Record.Method)
	}
	return k, nil
}
