package runner

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"sapf/models/plain"
)

// echo shows on a terminal what a notebook does while it runs.
type echo interface {
	begin(nth, total int, source string)
	stream(name, text string)
	display(id, text string)
	update(id, text string)
	failure(traceback []string)
	end(took time.Duration, err error)
	// problem is what kept output from being written.
	problem() error
}

// sink keeps the first error of writing to w.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	if s.err == nil {
		s.err = err
	}
	return n, err
}

// scriptEcho is for scripts: their output and nothing else. What they print
// goes out as it is.
type scriptEcho struct{ stdout, stderr *sink }

func newScriptEcho(stdout, stderr io.Writer) echo {
	return scriptEcho{&sink{w: orDiscard(stdout)}, &sink{w: orDiscard(stderr)}}
}

func (e scriptEcho) problem() error {
	if e.stdout.err != nil {
		return fmt.Errorf("write the output: %w", e.stdout.err)
	}
	return nil
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

func (scriptEcho) begin(int, int, string)   {}
func (scriptEcho) end(time.Duration, error) {}
func (scriptEcho) update(string, string)    {}

func (e scriptEcho) stream(name, text string) {
	if name == "stderr" {
		io.WriteString(e.stderr, text)
		return
	}
	io.WriteString(e.stdout, text)
}

func (e scriptEcho) display(_, text string) {
	if text != "" {
		fmt.Fprintln(e.stdout, plain.Coloured(text))
	}
}

func (e scriptEcho) failure(traceback []string) {
	fmt.Fprintln(e.stderr, plain.Coloured(strings.Join(traceback, "\n")))
}

// notebookEcho is for notebooks: a line for each cell, its output indented, and
// a display that is updated in place where the screen allows that.
type notebookEcho struct {
	w        io.Writer // progress: errors of writing it stop nothing
	terminal bool
	fresh    bool   // at the beginning of a line
	live     string // the display whose line can be written over
	pending  string // its text, where updates are not shown
	drawn    time.Time
}

func newNotebookEcho(w io.Writer, terminal bool) echo {
	return &notebookEcho{w: orDiscard(w), terminal: terminal, fresh: true}
}

func (*notebookEcho) problem() error { return nil }

const margin = "      "

// redraw is how often at most a line is written over.
const redraw = 100 * time.Millisecond

func (e *notebookEcho) begin(nth, total int, source string) {
	line := "" // the first that is not a comment says most
	for _, l := range strings.Split(source, "\n") {
		if l = strings.TrimSpace(l); l != "" && (line == "" || strings.HasPrefix(line, "//")) {
			line = l
		}
	}
	fmt.Fprintf(e.w, "[%d/%d] %s\n", nth, total, plain.Text(clip(line, 72)))
	e.fresh = true
}

func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

func (e *notebookEcho) stream(_, text string) { e.write(text) }

func (e *notebookEcho) write(text string) {
	e.settle()
	var b strings.Builder
	for line := range strings.Lines(plain.Coloured(text)) {
		if e.fresh {
			b.WriteString(margin)
		}
		b.WriteString(line)
		e.fresh = strings.HasSuffix(line, "\n")
	}
	io.WriteString(e.w, b.String())
}

func (e *notebookEcho) display(id, text string) {
	if text == "" {
		return
	}
	e.newline()
	if id != "" && !strings.Contains(text, "\n") {
		e.live, e.pending = id, ""
		e.drawn = time.Now()
		text = plain.Coloured(text)
		if e.terminal {
			io.WriteString(e.w, margin+text)
			e.fresh = false
		} else {
			e.pending = text
		}
		return
	}
	e.write(text + "\n")
}

func (e *notebookEcho) update(id, text string) {
	if id != e.live || strings.Contains(text, "\n") {
		return
	}
	e.pending = plain.Coloured(text)
	if e.terminal && time.Since(e.drawn) >= redraw {
		e.draw()
	}
}

// draw writes the live display's newest text over the older one.
func (e *notebookEcho) draw() {
	io.WriteString(e.w, "\r\x1b[K"+margin+e.pending)
	e.pending, e.fresh, e.drawn = "", false, time.Now()
}

// settle gives the live display its last text and leaves its line.
func (e *notebookEcho) settle() {
	if e.live == "" {
		return
	}
	switch {
	case e.terminal:
		if e.pending != "" {
			e.draw()
		}
		io.WriteString(e.w, "\n")
	case e.pending != "":
		fmt.Fprintln(e.w, margin+e.pending)
	}
	e.live, e.pending, e.fresh = "", "", true
}

func (e *notebookEcho) newline() {
	e.settle()
	if !e.fresh {
		io.WriteString(e.w, "\n")
		e.fresh = true
	}
}

func (e *notebookEcho) failure(traceback []string) {
	e.newline()
	e.write(strings.Join(traceback, "\n") + "\n")
}

func (e *notebookEcho) end(took time.Duration, err error) {
	e.newline()
	if took >= time.Second || err != nil {
		outcome := "done"
		if err != nil {
			outcome = "stopped"
		}
		fmt.Fprintf(e.w, "%s%s after %.1f s\n", margin, outcome, took.Seconds())
	}
}
