package atomicfile

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// temporary matches the names that create gives. They are 27 bytes long
// whatever the target's, which may be 255.
var temporary = regexp.MustCompile(`^\.sapf-[0-9a-f]{8}-[0-9a-f]{8}\.tmp$`)

// IsTemporary reports whether a file of this name is one that a Write is
// writing, or has left behind when its program was killed.
func IsTemporary(name string) bool { return temporary.MatchString(filepath.Base(name)) }

// prefix begins the names of the temporary files for a target: it holds a
// digest of the target's own name.
func prefix(target string) string {
	h := fnv.New32a()
	h.Write([]byte(filepath.Base(target)))
	return fmt.Sprintf(".sapf-%08x-", h.Sum32())
}

// create opens a new file beside target.
func create(target string, perm fs.FileMode) (*os.File, error) {
	for {
		name := fmt.Sprintf("%s%08x.tmp", prefix(target), rand.Uint32())
		f, err := os.OpenFile(filepath.Join(filepath.Dir(target), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// Sweep removes what killed writers of path have left. The caller knows that
// nobody is writing path now.
func Sweep(path string) error {
	target, err := follow(path)
	if err != nil {
		return fmt.Errorf("sweep %s: %w", path, err)
	}
	return sweep(filepath.Dir(target), func(f fs.FileInfo) bool { return strings.HasPrefix(f.Name(), prefix(target)) })
}

// SweepFolder removes the temporary files in a folder that nobody has written
// to for the time given.
func SweepFolder(dir string, unused time.Duration) error {
	return sweep(dir, func(f fs.FileInfo) bool { return time.Since(f.ModTime()) >= unused })
}

// sweep removes those temporary files of a folder that are stray. A folder
// that is not there has none.
func sweep(dir string, stray func(fs.FileInfo) bool) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	for _, e := range entries {
		if !IsTemporary(e.Name()) {
			continue
		}
		f, gone := e.Info()
		if gone != nil || !f.Mode().IsRegular() || !stray(f) {
			continue
		}
		if e := os.Remove(filepath.Join(dir, f.Name())); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}
