package command

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sapf/models/atomicfile"
)

// tryFolder makes a folder for results and writes into it, before the work whose
// results it is for begins.
func tryFolder(flag, dir string) error {
	if dir == "" {
		return nil
	}
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = atomicfile.Try(filepath.Join(dir, "result.json"))
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", flag, dir, reason(err))
	}
	return nil
}

// tryFile finds out whether a file could be written, without changing one that
// is there.
func tryFile(flag, file string) error {
	if file == "" {
		return nil
	}
	if err := atomicfile.Try(file); err != nil {
		return fmt.Errorf("%s %s: %w", flag, file, reason(err))
	}
	return nil
}

// reason is an error of the file system without the name of the file that was
// tried, which nobody asked for.
func reason(err error) error {
	var path *os.PathError
	switch {
	case errors.As(err, &path) && atomicfile.IsTemporary(filepath.Base(path.Path)):
		return fmt.Errorf("folder %s: %w", filepath.Dir(path.Path), path.Err)
	case errors.As(err, &path):
		return fmt.Errorf("%s %s: %w", path.Op, path.Path, path.Err)
	}
	return cmp.Or(errors.Unwrap(err), err)
}
