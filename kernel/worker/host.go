package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"sapf/dsl/display"
)

const (
	// gather is how long text may wait for more of it: long enough that ten
	// thousand lines become a few messages, short enough that nobody sees it.
	gather = 20 * time.Millisecond
	// gatherBytes is how much text is sent without waiting.
	gatherBytes = 64 << 10
)

// host is the child's end of a cell's output: it gathers text and sends
// everything on in the order it came.
type host struct {
	pipe           *pipe
	stdout, stderr *capture
	// kept is the process's own standard files: were they forgotten, the
	// collector would close them, and the runtime's last words go nowhere.
	kept [3]*os.File

	asking  sync.Mutex // one question at a time
	replies chan packet

	ctxMu sync.Mutex
	ctx   context.Context // of the cell

	mu       sync.Mutex
	name     string // the stream that text is of
	text     []byte
	sent     time.Time // when text last left
	awaiting bool      // a timer will flush
}

var _ display.Host = (*host)(nil)

func newHost(p *pipe) *host {
	return &host{pipe: p, replies: make(chan packet, 1), ctx: context.Background()}
}

// begin tells the host of a new cell, whose end also ends waiting for input.
func (h *host) begin(ctx context.Context) {
	h.ctxMu.Lock()
	h.ctx = ctx
	h.ctxMu.Unlock()
}

// Stream sends text at once if none was sent lately, otherwise with what comes
// within the next moments.
func (h *host) Stream(name, text string) {
	if text == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.name != name {
		h.flush(true)
		h.name = name
	}
	h.text = append(h.text, text...)
	switch {
	case len(h.text) >= gatherBytes || time.Since(h.sent) >= gather:
		h.flush(false)
	case !h.awaiting:
		h.awaiting = true
		time.AfterFunc(gather, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.awaiting = false
			h.flush(false)
		})
	}
}

// flush sends the gathered text; h.mu is held. Unless whole, the beginning of a
// character whose rest has not come yet stays.
func (h *host) flush(whole bool) {
	keep := 0
	if !whole {
		keep = unfinished(h.text)
	}
	if n := len(h.text) - keep; n > 0 {
		h.pipe.send(packet{Kind: kindStream, Name: h.name, Text: string(h.text[:n])})
		h.text = append(h.text[:0], h.text[n:]...)
		h.sent = time.Now()
	}
}

// unfinished is how many bytes at the end of b begin a UTF-8 character without
// ending it.
func unfinished(b []byte) int {
	for i := 1; i <= 3 && i <= len(b); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-i:]) {
				return i
			}
			return 0
		}
	}
	return 0
}

func (h *host) Display(b display.Bundle, id string) { h.show(kindDisplay, b, id) }
func (h *host) Update(b display.Bundle, id string)  { h.show(kindUpdate, b, id) }

func (h *host) show(kind string, b display.Bundle, id string) {
	body := encodeBundle(b, id)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flush(true)
	h.pipe.send(packet{Kind: kind, body: body})
}

func (h *host) Clear(wait bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flush(true)
	h.pipe.send(packet{Kind: kindClear, Wait: wait})
}

// Input asks the client and waits for its line or the end of the cell.
func (h *host) Input(prompt string, password bool) (string, error) {
	h.asking.Lock()
	defer h.asking.Unlock()
	h.ctxMu.Lock()
	ctx := h.ctx
	h.ctxMu.Unlock()
	select {
	case <-h.replies: // the answer to a question that its cell no longer waited for
	default:
	}
	h.settle()
	if err := h.pipe.send(packet{Kind: kindInput, Text: prompt, Password: password}); err != nil {
		return "", err
	}
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case k := <-h.replies:
		if k.Failure != "" {
			return "", errors.New(k.Failure)
		}
		return k.Text, nil
	}
}

func (h *host) reply(k packet) {
	select {
	case h.replies <- k:
	default: // nobody asked
	}
}

// settle sends everything a cell wrote so far, what compiled code wrote to
// os.Stdout and os.Stderr included.
func (h *host) settle() {
	for _, c := range []*capture{h.stdout, h.stderr} {
		if c != nil {
			c.settle()
		}
	}
	h.mu.Lock()
	h.flush(true)
	h.mu.Unlock()
}

// captureStandard points os.Stdout, os.Stderr and the log at the running cell,
// for compiled code that writes there, and gives os.Stdin nothing to read.
func (h *host) captureStandard() error {
	var err error
	if h.stdout, err = newCapture(func(s string) { h.Stream("stdout", s) }); err != nil {
		return err
	}
	if h.stderr, err = newCapture(func(s string) { h.Stream("stderr", s) }); err != nil {
		return err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	h.kept = [...]*os.File{os.Stdin, os.Stdout, os.Stderr}
	os.Stdin, os.Stdout, os.Stderr = null, h.stdout.w, h.stderr.w
	log.SetOutput(os.Stderr)
	return nil
}

// encode is JSON as browsers like it: with <, > and & as they are.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return encode(map[string]any{"status": "error", "ename": "DisplayError", "evalue": err.Error(), "traceback": []string{}})
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// encodeBundle is the content of a display_data, or without id that of an
// execute_result but for its count. Binary forms become base64. A form that is
// no JSON (a NaN in it, say) is left out, and a note says so.
func encodeBundle(b display.Bundle, id string) json.RawMessage {
	data := map[string]json.RawMessage{}
	var failed error
	for kind, v := range b.Data {
		var buffer bytes.Buffer
		e := json.NewEncoder(&buffer)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			failed = fmt.Errorf("%s: %w", kind, err)
			continue
		}
		data[kind] = bytes.TrimRight(buffer.Bytes(), "\n")
	}
	if failed != nil && data["text/plain"] == nil {
		data["text/plain"] = encode("can't show " + failed.Error())
	}
	content := map[string]any{"metadata": metadata(b)}
	if id != "" {
		content["transient"] = map[string]any{"display_id": id}
	}
	head := encode(content)
	// The data go in front by hand: RawMessage would scan a long picture again.
	var out bytes.Buffer
	out.WriteString(`{"data":{`)
	for i, kind := range sortedKeys(data) {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(encode(kind))
		out.WriteByte(':')
		out.Write(data[kind])
	}
	out.WriteString(`},`)
	out.Write(head[1:])
	return out.Bytes()
}

func metadata(b display.Bundle) map[string]any {
	if b.Metadata == nil {
		return map[string]any{}
	}
	return b.Metadata
}
