package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// tried is how many bytes Try writes: a block of most file systems.
const tried = 4096

// Try reports what would keep Write from putting a file at path, as far as that
// can be known before there is anything to write: a folder that is missing or
// read-only, a name too long, a full disk. Long work that ends in a file asks
// first. What is at path stays as it is.
func Try(path string) error {
	if err := try(path); err != nil {
		return fmt.Errorf("write %s: %w", path, Reason(path, err))
	}
	return nil
}

// Ready is Try of a file that nobody is writing now, once what killed writers of it
// have left is gone.
func Ready(path string) error {
	if err := Sweep(path); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return Try(path)
}

func try(path string) error {
	if path == "" {
		return errNoName
	}
	target, err := follow(path)
	if err != nil {
		return err
	}
	there, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case there.IsDir():
		return errors.New("it is a folder, expected a file")
	case there.Mode()&fs.ModeNamedPipe != 0:
		return nil // opening it would wait for a reader
	case !there.Mode().IsRegular() || !same(there, target):
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return f.Close()
	}
	f, err := create(target, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, tried))
	return errors.Join(err, f.Sync(), f.Close())
}

// Reason is why a file of the disk was refused, for a message that names the
// file already: an error of package os without its name, and without that of a
// temporary file beside it, which nobody asked for. An error about another file
// stays as it is.
func Reason(path string, err error) error {
	var cause error
	var names []string
	switch e := err.(type) {
	case *fs.PathError:
		cause, names = e.Err, []string{e.Path}
	case *os.LinkError:
		cause, names = e.Err, []string{e.Old, e.New}
	default:
		return err
	}
	for _, name := range names {
		switch base := filepath.Base(name); {
		case filepath.Clean(name) == filepath.Clean(path):
			return cause
		case IsTemporary(base):
			return fmt.Errorf("folder %s: %w", filepath.Dir(name), cause)
		}
	}
	return err
}
