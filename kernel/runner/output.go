package runner

import (
	"fmt"
	"os"
	"path/filepath"

	"sapf/models/atomicfile"
)

// outputs are files that a run will write.
type outputs []string

// try refuses, before any work is done, outputs that can't be written: the
// input itself, a folder, one file for two outputs, a full disk. It removes
// what a killed run has left beside them.
func (o outputs) try(input string) error {
	for i, path := range o {
		if sameFile(path, input) {
			return fmt.Errorf("output %s is the input", path)
		}
		for _, other := range o[:i] {
			if sameFile(path, other) {
				return fmt.Errorf("outputs %s and %s are one file", other, path)
			}
		}
		if err := atomicfile.Ready(path); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	}
	return nil
}

// sameFile says whether two names are of one regular file, be it there or not.
// Devices can be written twice.
func sameFile(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	switch {
	case errA == nil && errB == nil:
		return x.Mode().IsRegular() && os.SameFile(x, y)
	case errA == nil || errB == nil:
		return false
	}
	return full(a) == full(b)
}

// full is a file's name with the links to its folder followed.
func full(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(dir, filepath.Base(path))
	}
	return path
}

// regular says whether a file can be written again and again: a pipe and a
// terminal would show each writing.
func regular(path string) bool {
	info, err := os.Stat(path)
	return err != nil || info.Mode().IsRegular()
}
