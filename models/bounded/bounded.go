// Package bounded reads files whole, but no more of them than a reader has use
// for: a name may be that of a device without end, or of something else than was
// meant.
package bounded

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ReadFile is os.ReadFile of a file of up to limit bytes.
func ReadFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() && info.Size() > limit {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("%d bytes, expected up to %d", info.Size(), limit)}
	}
	raw, err := read(f, info, limit)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return raw, nil
}

// read reads what is known to be there at once, and what more there is.
func read(f *os.File, info fs.FileInfo, limit int64) ([]byte, error) {
	if !info.Mode().IsRegular() {
		return ReadAll(f, limit)
	}
	var b bytes.Buffer
	b.Grow(int(info.Size()) + bytes.MinRead)
	_, err := b.ReadFrom(io.LimitReader(f, limit+1))
	return within(b.Bytes(), limit, err)
}

// ReadAll is io.ReadAll of up to limit bytes.
func ReadAll(r io.Reader, limit int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, limit+1))
	return within(raw, limit, err)
}

func within(raw []byte, limit int64, err error) ([]byte, error) {
	if err != nil {
		if path, ok := err.(*fs.PathError); ok { // the caller says of which file
			err = path.Err
		}
		return nil, err
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("more than the %d bytes expected", limit)
	}
	return raw, nil
}
