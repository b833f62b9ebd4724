package zmtp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Bits of a frame's first byte (ZMTP 3.1, "Framing").
const (
	flagMore    = 1 << 0 // another frame of this message follows
	flagLong    = 1 << 1 // the size is eight bytes, not one
	flagCommand = 1 << 2 // a command of the protocol, not a part of a message
)

// frame is one part of a message, or a command.
type frame struct {
	more, command bool
	body          []byte
}

// ErrProtocol is wrapped by every error about bytes that are not ZMTP 3.
var ErrProtocol = errors.New("not ZMTP 3")

// A LimitError says which of the Limits a peer broke.
type LimitError struct {
	What       string // "frame bytes", "message bytes", "message parts"
	Limit, Got uint64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s: at most %d, got %d", e.What, e.Limit, e.Got)
}

// firstRead is how much memory a frame gets before any of its bytes have come.
const firstRead = 64 << 10

// readFrame reads one frame of at most limit bytes. Where hold is not nil it is
// asked before memory is taken.
func readFrame(r *bufio.Reader, limit int64, hold func(int64) error) (frame, error) {
	flags, err := r.ReadByte()
	if err != nil {
		return frame{}, err
	}
	if flags&^(flagMore|flagLong|flagCommand) != 0 {
		return frame{}, fmt.Errorf("%w: reserved bits set in frame flags %#02x", ErrProtocol, flags)
	}
	if flags&flagCommand != 0 && flags&flagMore != 0 {
		return frame{}, fmt.Errorf("%w: a command can't have the more flag", ErrProtocol)
	}
	var size uint64
	if flags&flagLong != 0 {
		var b [8]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return frame{}, unexpected(err)
		}
		size = binary.BigEndian.Uint64(b[:])
	} else {
		b, err := r.ReadByte()
		if err != nil {
			return frame{}, unexpected(err)
		}
		size = uint64(b)
	}
	if size > uint64(limit) {
		return frame{}, &LimitError{"frame bytes", uint64(limit), size}
	}
	body, err := readGrowing(r, int(size), hold)
	if err != nil {
		return frame{}, err
	}
	return frame{more: flags&flagMore != 0, command: flags&flagCommand != 0, body: body}, nil
}

// readGrowing reads exactly n bytes, and never holds more than twice what has
// arrived (or firstRead).
func readGrowing(r io.Reader, n int, hold func(int64) error) ([]byte, error) {
	if hold == nil {
		hold = func(int64) error { return nil }
	}
	if err := hold(int64(min(n, firstRead))); err != nil {
		return nil, err
	}
	body := make([]byte, min(n, firstRead))
	have := 0
	for {
		m, err := io.ReadFull(r, body[have:])
		have += m
		if err != nil {
			return nil, unexpected(err)
		}
		if have == n {
			return body, nil
		}
		if err := hold(int64(min(n, 2*have) - have)); err != nil {
			return nil, err
		}
		grown := make([]byte, min(n, 2*have))
		copy(grown, body)
		body = grown
	}
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// writeFrame writes one frame.
func writeFrame(w *bufio.Writer, f frame) error {
	var flags byte
	if f.more {
		flags |= flagMore
	}
	if f.command {
		flags |= flagCommand
	}
	if len(f.body) <= 255 {
		w.WriteByte(flags)
		w.WriteByte(byte(len(f.body)))
	} else {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(len(f.body)))
		w.WriteByte(flags | flagLong)
		w.Write(b[:])
	}
	_, err := w.Write(f.body) // a bufio.Writer keeps its first error
	return err
}

// command builds the body of a command: its name, then its data.
func command(name string, data []byte) frame {
	body := make([]byte, 0, 1+len(name)+len(data))
	body = append(body, byte(len(name)))
	body = append(body, name...)
	return frame{command: true, body: append(body, data...)}
}

// parseCommand splits a command's body.
func parseCommand(body []byte) (name string, data []byte, err error) {
	if len(body) == 0 || len(body) < 1+int(body[0]) || body[0] == 0 {
		return "", nil, fmt.Errorf("%w: command without a name", ErrProtocol)
	}
	n := 1 + int(body[0])
	return string(body[1:n]), body[n:], nil
}

// appendProperty adds a name and value to a command's metadata.
func appendProperty(b []byte, name, value string) []byte {
	b = append(b, byte(len(name)))
	b = append(b, name...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(value)))
	return append(b, value...)
}

// parseProperties reads a command's metadata. Names are compared without case
// (ZMTP 3.1, "Metadata"); of the properties only Socket-Type and Identity matter.
func parseProperties(b []byte) (map[string]string, error) {
	properties := map[string]string{}
	for len(b) > 0 {
		n := int(b[0])
		if n == 0 || len(b) < 1+n+4 {
			return nil, fmt.Errorf("%w: metadata cut short", ErrProtocol)
		}
		name := lower(string(b[1 : 1+n]))
		b = b[1+n:]
		size := binary.BigEndian.Uint32(b)
		b = b[4:]
		if uint64(size) > uint64(len(b)) {
			return nil, fmt.Errorf("%w: metadata value of %s cut short", ErrProtocol, name)
		}
		properties[name] = string(b[:size])
		b = b[size:]
	}
	return properties, nil
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
