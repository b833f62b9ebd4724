package extend

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// Source is this program's sources: the files of its module.
type Source struct {
	// FS has go.mod at its top; nil if there are no sources.
	FS fs.FS
	// Dir is where they lie for the compiler, "" if they are still to be laid out.
	Dir string
}

// Checkout is the sources in a folder.
func Checkout(dir string) (Source, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Source{}, err
	}
	s := Source{FS: os.DirFS(dir), Dir: dir}
	text, err := fs.ReadFile(s.FS, "go.mod")
	if err != nil {
		return Source{}, fmt.Errorf("sources in %s: %w", dir, err)
	}
	if path := modfile.ModulePath(text); path != "sapf" {
		return Source{}, fmt.Errorf("sources in %s: they are of module %q, expected sapf", dir, path)
	}
	return s, nil
}

// roots are what the interpreter is built of.
var roots = []string{"go.mod", "go.sum", "dsl", "kernel", "models", "sapf"}

// walk calls visit for each file that the compiler needs, in a fixed order.
func (s Source) walk(visit func(path string) error) error {
	if s.FS == nil {
		return ErrNoSource
	}
	for _, root := range roots {
		err := fs.WalkDir(s.FS, root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
				return fs.SkipDir
			case d.IsDir(), strings.HasSuffix(path, "_test.go"), strings.HasPrefix(d.Name(), "."):
				return nil
			}
			return visit(path)
		})
		if err != nil {
			return fmt.Errorf("sources: %w", err)
		}
	}
	return nil
}

// digest tells sources apart.
func (s Source) digest() (string, error) {
	h := sha256.New()
	err := s.walk(func(path string) error {
		text, err := fs.ReadFile(s.FS, path)
		if err == nil {
			put(h, path, text)
		}
		return err
	})
	return sum(h), err
}

// put enters a named text into a digest, unlike any other pair.
func put(h hash.Hash, name string, text []byte) {
	fmt.Fprintf(h, "%d %d\n%s", len(name), len(text), name)
	h.Write(text)
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:16]) }

// layOut puts the sources where the compiler can read them, and says where.
func (s Source) layOut(cache, digest string) (string, error) {
	if s.Dir != "" {
		return s.Dir, nil
	}
	dir := filepath.Join(cache, sourcePrefix+digest)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	staging, err := os.MkdirTemp(cache, stagingPrefix)
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(staging)
	err = s.walk(func(path string) error {
		text, err := fs.ReadFile(s.FS, path)
		if err != nil {
			return err
		}
		to := filepath.Join(staging, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return write(to, text)
	})
	if err != nil {
		return "", err
	}
	return dir, os.Rename(staging, dir)
}

// write writes a file that is on the disk when it returns: what is renamed later
// must be whole after a power cut too.
func write(path string, text []byte) error { return copyTo(path, bytes.NewReader(text), 0o644) }

func copyTo(path string, from io.Reader, perm fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Sync(), f.Close())
}
