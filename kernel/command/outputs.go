package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sapf/models/atomicfile"
)

// tryFolder makes a folder for results and writes into it, before the work whose
// results it is for begins. What a killed run has left in it goes.
func tryFolder(flag, dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("%s %s: %w", flag, dir, atomicfile.Reason(dir, err))
	}
	if err := atomicfile.SweepFolder(dir, 0); err != nil && !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s %s: %w", flag, dir, err)
	}
	if err := atomicfile.Try(filepath.Join(dir, "result.json")); err != nil {
		return fmt.Errorf("%s %s: %w", flag, dir, errors.Unwrap(err)) // the file in it nobody named
	}
	return nil
}

// tryFile finds out whether a file could be written, without changing one that
// is there. What a killed run has left beside it goes.
func tryFile(flag, file string) error {
	if file == "" {
		return nil
	}
	if err := atomicfile.Ready(file); err != nil {
		return fmt.Errorf("%s %s: %w", flag, file, errors.Unwrap(err)) // the file is named once
	}
	return nil
}
