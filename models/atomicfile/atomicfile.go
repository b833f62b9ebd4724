// Package atomicfile writes a file that is, whenever the program or the
// machine stops, either the old one or the new one as a whole.
//
// What is written goes beside the target, under a name of fixed length
// (".sapf-" and two short numbers), to the disk, and then takes the target's
// name; the folder goes to the disk last, for only then is the new name
// durable. A writer that was killed leaves that temporary file, a stray, which
// Sweep and SweepFolder remove.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// linkLimit is how many symbolic links in a row are followed, as on Linux.
const linkLimit = 40

// step is called between the steps of a Write; tests stop the program there.
var step = func(name string) {}

// toDisk brings a file or folder to the disk; tests look whether it is asked.
var toDisk = (*os.File).Sync

// Write gives the file called path the content that write produces: all of it,
// or, if write or the disk has an error, none, and the old file stays. A new
// file gets the permissions perm less the umask; one that is there keeps its
// own. A symbolic link is followed, its target written. What is there and is
// not a regular file, a pipe or /dev/stdout, is written into, not replaced.
func Write(path string, perm fs.FileMode, write func(io.Writer) error) error {
	if err := put(path, perm, write); err != nil {
		return fmt.Errorf("write %s: %w", path, Reason(path, err))
	}
	return nil
}

// WriteFile is Write of bytes that are there already, for a file that everybody
// may read (0644).
func WriteFile(path string, content []byte) error {
	return Write(path, 0o644, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

var errNoName = errors.New("no name, expected a file's")

func put(path string, perm fs.FileMode, write func(io.Writer) error) error {
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
	case !there.Mode().IsRegular() || !same(there, target):
		return into(path, write)
	}
	f, err := create(target, perm)
	if err != nil {
		return err
	}
	step("created")
	err = fill(f, there, write)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		step("closed")
		err = os.Rename(f.Name(), target)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	step("renamed")
	return syncFolder(filepath.Dir(target))
}

// follow returns the name at the end of path's symbolic links, which need not
// be there yet.
func follow(path string) (string, error) {
	for range linkLimit {
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		next, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(next) {
			// The link is relative to its own folder, wherever that really is.
			dir, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return "", err
			}
			next = filepath.Join(dir, next)
		}
		path = next
	}
	return "", fmt.Errorf("more than %d symbolic links in a row", linkLimit)
}

// same reports whether target is the file of info. It is not where a link
// leads to an open file that has no name, as those of /proc/self/fd may.
func same(info fs.FileInfo, target string) bool {
	other, err := os.Lstat(target)
	return err == nil && os.SameFile(info, other)
}

// into writes to a pipe or a device.
func into(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(buffered(f, write), f.Close())
}

// fill writes the temporary file's content and brings it to the disk. There is
// the file that it will replace, nil if none.
func fill(f *os.File, there fs.FileInfo, write func(io.Writer) error) error {
	if there != nil {
		if err := f.Chmod(there.Mode().Perm()); err != nil {
			return err
		}
	}
	if err := buffered(f, write); err != nil {
		return err
	}
	step("written")
	return toDisk(f)
}

func buffered(f *os.File, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(f, 1<<16)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

// syncFolder makes a rename durable. A folder that cannot be opened for
// reading, and a file system that has no such operation, are let be.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil || runtime.GOOS == "windows" {
		return nil
	}
	defer d.Close()
	if err := toDisk(d); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
