//go:build unix

package worker

import (
	"math"
	"syscall"
)

// mostWaiting is how much a pipe can hold where nobody with special rights
// changed that (Linux: /proc/sys/fs/pipe-max-size).
const mostWaiting = 1 << 20

// listen hands over what is written until the other end is closed.
func (c *capture) listen() {
	c.raw.Read(func(fd uintptr) bool { return c.take(fd, math.MaxInt) })
}

// settle returns when all that was written before it has been handed over.
func (c *capture) settle() {
	c.raw.Control(func(fd uintptr) { c.take(fd, mostWaiting) })
}

// take hands over what waits in the pipe, and stops after so many bytes: a
// goroutine may write without end. It says whether no more can come.
func (c *capture) take(fd uintptr, most int) (end bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for taken := 0; taken < most; {
		n, err := syscall.Read(int(fd), c.buffer) // os.Pipe made it not wait
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return false
		case n <= 0:
			return true
		default:
			c.emit(string(c.buffer[:n]))
			taken += n
		}
	}
	return false
}
