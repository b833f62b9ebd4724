//go:build !unix

package worker

import "syscall"

// listen hands over what is written until the other end is closed.
func (c *capture) listen() {
	c.raw.Read(func(fd uintptr) bool {
		for {
			n, err := syscall.Read(syscall.Handle(fd), c.buffer)
			if n <= 0 || err != nil {
				return true
			}
			c.mu.Lock()
			c.emit(string(c.buffer[:n]))
			c.mu.Unlock()
		}
	})
}

// settle only waits for what was read already: here a pipe can't be read
// without waiting.
func (c *capture) settle() {
	c.mu.Lock()
	c.mu.Unlock()
}
