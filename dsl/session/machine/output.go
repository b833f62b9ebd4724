package machine

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"sapf/dsl/display"
)

// Output is gathered for a moment before it goes to the host: a loop of prints
// becomes a few messages. What a person waits for is not held up noticeably.
const (
	gatherTime  = 20 * time.Millisecond
	gatherBytes = 16 << 10
)

// Limits of what one cell may print, unless Options say otherwise: a million
// lines would make a browser unusable.
const (
	DefaultOutputBytes = 4 << 20
	DefaultOutputLines = 100_000
)

// Output orders everything a cell shows. It is the host that verbs see.
type Output struct {
	mu      sync.Mutex
	Host    display.Host
	name    string // of the stream that pending belongs to
	pending strings.Builder
	timer   *time.Timer

	MaxBytes, MaxLines int
	bytes, lines       int // printed by this cell
	cutBytes, cutLines int // left out
}

// stream is one of the session's standard streams as a writer.
type stream struct {
	out  *Output
	name string
}

func (w *stream) Write(p []byte) (int, error) {
	w.out.Write(w.name, string(p))
	return len(p), nil
}

// WriteString is Write for a string.
func (w *stream) WriteString(s string) (int, error) {
	w.out.Write(w.name, s)
	return len(s), nil
}

// Sync sends what is pending.
func (w *stream) Sync() error {
	w.out.mu.Lock()
	defer w.out.mu.Unlock()
	w.out.flush()
	return nil
}

func (o *Output) Write(name, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	text = o.cap(text)
	if text == "" {
		return
	}
	if o.name != name {
		o.flush()
		o.name = name
	}
	o.pending.WriteString(text)
	switch {
	case o.pending.Len() >= gatherBytes:
		o.flush()
	case o.timer == nil:
		o.timer = time.AfterFunc(gatherTime, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.flush()
		})
	}
}

// cap cuts text where the cell has printed enough.
func (o *Output) cap(text string) string {
	if o.cutBytes > 0 {
		o.cutBytes += len(text)
		o.cutLines += strings.Count(text, "\n")
		return ""
	}
	keep := len(text)
	if room := o.MaxBytes - o.bytes; keep > room {
		keep = room
	}
	lines := strings.Count(text[:keep], "\n")
	for o.lines+lines > o.MaxLines {
		keep = strings.LastIndexByte(text[:keep], '\n')
		lines--
	}
	o.bytes += keep
	o.lines += lines
	o.cutBytes = len(text) - keep
	o.cutLines = strings.Count(text[keep:], "\n")
	return text[:keep]
}

// flush sends what is pending. The caller holds the lock.
func (o *Output) flush() {
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	if o.pending.Len() == 0 {
		return
	}
	text := o.pending.String()
	o.pending.Reset()
	o.Host.Stream(o.name, text)
}

// Begin starts the account of a cell.
func (o *Output) Begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	o.bytes, o.lines, o.cutBytes, o.cutLines = 0, 0, 0, 0
}

// End sends the rest and says what was left out.
func (o *Output) End() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	if o.cutBytes > 0 {
		o.Host.Stream("stderr", fmt.Sprintf("\n[the cell printed too much: %d more lines, %d bytes, are left out]\n", o.cutLines, o.cutBytes))
	}
}

func (o *Output) Stream(name, text string) { o.Write(name, text) }

func (o *Output) Display(b display.Bundle, id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	o.Host.Display(b, id)
}

func (o *Output) Update(b display.Bundle, id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	o.Host.Update(b, id)
}

func (o *Output) Clear(wait bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	o.Host.Clear(wait)
}

func (o *Output) Input(prompt string, password bool) (string, error) {
	o.mu.Lock()
	o.flush()
	o.mu.Unlock()
	return o.Host.Input(prompt, password)
}

var _ display.Host = (*Output)(nil)

// stdin reads lines from the person in front, one request a line.
type stdin struct {
	out  *Output
	rest []byte
}

func (r *stdin) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		line, err := r.out.Input("", false)
		if err != nil {
			return 0, err
		}
		r.rest = []byte(line + "\n")
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
