package zmtp

import (
	"net"
	"syscall"
)

// outlet is a connection with a second way to write: while eager, Write takes
// everything, gives the system what that has room for and keeps the rest.
// Writing is for one goroutine at a time.
type outlet struct {
	net.Conn
	raw   syscall.RawConn // nil where there is none
	eager bool
	rest  []byte
}

func newOutlet(conn net.Conn) *outlet {
	o := &outlet{Conn: conn}
	if c, ok := conn.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			o.raw = raw
		}
	}
	return o
}

// Write writes b behind what was kept.
func (o *outlet) Write(b []byte) (int, error) {
	if o.eager {
		n := 0
		if o.raw != nil && len(o.rest) == 0 {
			// An error is not lost: the rest, written the usual way, meets it again.
			o.raw.Write(func(fd uintptr) bool {
				n = max(0, writeNow(fd, b))
				return true
			})
		}
		o.rest = append(o.rest, b[n:]...)
		return len(b), nil
	}
	if err := o.finish(); err != nil {
		return 0, err
	}
	return o.Conn.Write(b)
}

// finish writes what was kept.
func (o *outlet) finish() error {
	if len(o.rest) == 0 {
		return nil
	}
	_, err := o.Conn.Write(o.rest)
	o.rest = nil
	return err
}
