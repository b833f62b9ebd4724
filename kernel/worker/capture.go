package worker

import (
	"fmt"
	"os"
	"sync"
	"syscall"
)

// capture is a file whose other end is read into a function: by a goroutine
// when something comes, and by settle at once.
type capture struct {
	w    *os.File
	raw  syscall.RawConn // of the other end
	emit func(string)

	mu     sync.Mutex // held from the reading of some bytes until they are handed over
	buffer []byte
}

func newCapture(emit func(string)) (*capture, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("capture output: %w", err)
	}
	raw, err := r.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("capture output: %w", err)
	}
	c := &capture{w: w, raw: raw, emit: emit, buffer: make([]byte, 32<<10)}
	go func() {
		defer r.Close()
		c.listen()
	}()
	return c, nil
}
