package zmtp

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
)

// greetingSize is the length of the greeting each side opens with: signature
// (10), version (2), mechanism (20), as-server (1), filler (31).
const greetingSize = 64

// maxIdentity is the longest identity a peer may choose (ZMTP 3.1, "READY").
const maxIdentity = 255

// handshakeFrame bounds the commands of a handshake; CURVE's longest is a few
// hundred bytes plus the metadata.
const handshakeFrame = 8 << 10

// channel reads and writes frames after the handshake: plain, or sealed.
type channel interface {
	// read reads a frame of at most limit bytes; hold, which may be nil, is asked
	// before memory is taken for so many more.
	read(limit int64, hold func(int64) error) (frame, error)
	write(frame) error
	flush() error
}

// plain is the channel of the NULL mechanism.
type plain struct {
	r *bufio.Reader
	w *bufio.Writer
}

func (p plain) read(limit int64, hold func(int64) error) (frame, error) {
	return readFrame(p.r, limit, hold)
}
func (p plain) write(f frame) error { return writeFrame(p.w, f) }
func (p plain) flush() error        { return p.w.Flush() }

// handshake greets a connection as the listening side, and returns the channel
// to talk over and the properties that the peer told of itself.
func handshake(conn net.Conn, kind Kind, keys *Keys) (channel, map[string]string, error) {
	r, w := bufio.NewReaderSize(conn, 32<<10), bufio.NewWriterSize(conn, 32<<10)
	mechanism := "NULL"
	if keys != nil {
		mechanism = "CURVE"
	}
	w.Write(greeting(mechanism, keys != nil))
	if err := w.Flush(); err != nil {
		return nil, nil, err
	}
	var theirs [greetingSize]byte
	if _, err := io.ReadFull(r, theirs[:]); err != nil {
		return nil, nil, unexpected(err)
	}
	if err := checkGreeting(theirs[:], mechanism); err != nil {
		return nil, nil, err
	}
	ours := appendProperty(nil, "Socket-Type", kind.String())
	ours = appendProperty(ours, "Identity", "")
	if keys != nil {
		return curveHandshake(plain{r, w}, keys, ours)
	}
	p := plain{r, w}
	if err := p.write(command("READY", ours)); err != nil {
		return nil, nil, err
	}
	if err := p.flush(); err != nil {
		return nil, nil, err
	}
	f, err := p.read(handshakeFrame, nil)
	if err != nil {
		return nil, nil, unexpected(err)
	}
	name, data, err := parseCommand(f.body)
	switch {
	case err != nil:
		return nil, nil, err
	case !f.command || name != "READY":
		return nil, nil, fmt.Errorf("%w: READY expected, got %.20q", ErrProtocol, name)
	}
	properties, err := parseProperties(data)
	return p, properties, err
}

func greeting(mechanism string, server bool) []byte {
	g := make([]byte, greetingSize)
	g[0], g[8], g[9] = 0xff, 1, 0x7f // libzmq's padding: an empty ZMTP 1 identity
	g[10], g[11] = 3, 1
	copy(g[12:32], mechanism)
	if server {
		g[32] = 1
	}
	return g
}

func checkGreeting(g []byte, mechanism string) error {
	switch {
	case g[0] != 0xff || g[9] != 0x7f:
		return fmt.Errorf("%w: greeting begins with % x", ErrProtocol, g[:10])
	case g[10] < 3:
		return fmt.Errorf("%w: version %d", ErrProtocol, g[10])
	}
	if theirs := string(bytes.TrimRight(g[12:32], "\x00")); theirs != mechanism {
		return fmt.Errorf("mechanism %s expected, got %.20q", mechanism, theirs)
	}
	return nil
}

// checkPeer refuses kinds of socket that can't talk to ours (ZMTP 3.1, "The
// READY Command").
func checkPeer(kind Kind, properties map[string]string) error {
	theirs := properties["socket-type"]
	for _, ok := range kind.peers() {
		if theirs == ok {
			if n := len(properties["identity"]); n > maxIdentity {
				return fmt.Errorf("%w: identity of %d bytes", ErrProtocol, n)
			}
			return nil
		}
	}
	return fmt.Errorf("%w: a %.20q socket can't talk to %s", ErrProtocol, theirs, kind)
}
