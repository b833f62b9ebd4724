package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// tryFolder makes a folder for results and writes into it, before the work whose
// results it is for begins.
func tryFolder(flag, dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("%s %s: %w", flag, dir, reason(err))
	}
	f, err := os.CreateTemp(dir, ".sapf-*")
	if err != nil {
		return fmt.Errorf("%s %s: %w", flag, dir, reason(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// tryFile finds out whether a file could be written, without changing one that
// is there.
func tryFile(flag, file string) error {
	if file == "" {
		return nil
	}
	info, err := os.Stat(file)
	if err == nil && info.IsDir() {
		return fmt.Errorf("%s %s: is a folder, expected a file's name", flag, file)
	}
	if err == nil && !info.Mode().IsRegular() { // /dev/null, a pipe
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".sapf-*")
	if err != nil {
		return fmt.Errorf("%s %s: %w", flag, file, reason(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// reason is an error of the file system without the name of the file that was
// tried, which nobody asked for.
func reason(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		if dir := filepath.Dir(path.Path); strings.Contains(path.Path, ".sapf-") {
			return fmt.Errorf("folder %s: %w", dir, path.Err)
		}
		return fmt.Errorf("%s %s: %w", path.Op, path.Path, path.Err)
	}
	return err
}
