package worker

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"sapf/dsl/session"
)

// Kinds of packet. The first group goes to the child, the second comes from it.
const (
	kindExecute  = "execute"  // ID, Cell, Expressions -> done
	kindCancel   = "cancel"   // ID
	kindComplete = "complete" // ID, Cell.Code, Cursor -> answer
	kindInspect  = "inspect"  // ID, Cell.Code, Cursor, Detail -> answer
	kindWhole    = "whole"    // ID, Cell.Code -> answer
	kindReply    = "reply"    // Text or Failure: the line that input asked for

	kindReady   = "ready"   // the interpreter can take cells; Failure if it can't
	kindStream  = "stream"  // Name, Text
	kindDisplay = "display" // body: content of display_data
	kindUpdate  = "update"  // body: content of update_display_data
	kindClear   = "clear"   // Wait
	kindInput   = "input"   // Text, Password -> reply
	kindDone    = "done"    // ID, Err, Answers, Extend; body: {"data", "metadata"} of the value
	kindAnswer  = "answer"  // ID, Completion | Completeness | body: bundle of an inspection
)

// packet is everything that passes between the two, most of it absent.
type packet struct {
	Kind         string                     `json:"kind"`
	ID           uint64                     `json:"id,omitempty"`
	Cell         *session.Cell              `json:"cell,omitempty"`
	Expressions  map[string]string          `json:"expressions,omitempty"`
	Cursor       int                        `json:"cursor,omitempty"`
	Detail       int                        `json:"detail,omitempty"`
	Name         string                     `json:"name,omitempty"`
	Text         string                     `json:"text,omitempty"`
	Wait         bool                       `json:"wait,omitempty"`
	Password     bool                       `json:"password,omitempty"`
	Failure      string                     `json:"failure,omitempty"`
	Err          *session.CellError         `json:"err,omitempty"`
	Answers      map[string]json.RawMessage `json:"answers,omitempty"`
	Extend       *session.Extend            `json:"extend,omitempty"`
	Completion   *session.Completion        `json:"completion,omitempty"`
	Completeness *session.Completeness      `json:"completeness,omitempty"`

	body []byte
}

// maxHead and maxBody bound what one side makes the other allocate.
const (
	maxHead = 128 << 20
	maxBody = 1 << 30
)

// pipe writes packets, one at a time, from any goroutine.
type pipe struct {
	mu sync.Mutex
	w  *bufio.Writer
}

func newPipe(w io.Writer) *pipe { return &pipe{w: bufio.NewWriterSize(w, 32<<10)} }

func (p *pipe) send(k packet) error {
	head, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("packet %s: %w", k.Kind, err)
	}
	if len(head) > maxHead || len(k.body) > maxBody {
		return fmt.Errorf("packet %s of %d and %d bytes is too long", k.Kind, len(head), len(k.body))
	}
	var sizes [8]byte
	binary.BigEndian.PutUint32(sizes[:4], uint32(len(head)))
	binary.BigEndian.PutUint32(sizes[4:], uint32(len(k.body)))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.w.Write(sizes[:])
	p.w.Write(head)
	p.w.Write(k.body)
	return p.w.Flush() // keeps the first error of the writes
}

// receive reads one packet.
func receive(r *bufio.Reader) (packet, error) {
	var sizes [8]byte
	if _, err := io.ReadFull(r, sizes[:]); err != nil {
		return packet{}, err
	}
	n, m := binary.BigEndian.Uint32(sizes[:4]), binary.BigEndian.Uint32(sizes[4:])
	if n > maxHead || m > maxBody {
		return packet{}, fmt.Errorf("packet of %d and %d bytes is too long", n, m)
	}
	buffer := make([]byte, n)
	if _, err := io.ReadFull(r, buffer); err != nil {
		return packet{}, err
	}
	var k packet
	if err := json.Unmarshal(buffer, &k); err != nil {
		return packet{}, fmt.Errorf("packet: %w", err)
	}
	if m > 0 {
		k.body = make([]byte, m)
		if _, err := io.ReadFull(r, k.body); err != nil {
			return packet{}, err
		}
	}
	return k, nil
}
