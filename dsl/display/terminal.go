package display

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/term"

	"sapf/models/plain"
)

// terminal is the host of a compiled program: text forms only. On a terminal
// an update rewrites the line it stands in; elsewhere only the last state of a
// display is written, when something else follows.
type terminal struct {
	mu       sync.Mutex
	out, err io.Writer
	rewrites bool
	// open is the display whose line is not ended yet, pending its last state.
	open, pending string
}

var standard = sync.OnceValue(func() *terminal {
	return &terminal{out: held{&os.Stdout}, err: held{&os.Stderr}, rewrites: term.IsTerminal(int(os.Stdout.Fd()))}
})

// held is the file that a variable holds when something is written: a program may
// have changed os.Stdout since.
type held struct{ file **os.File }

func (h held) Write(b []byte) (int, error) { return (*h.file).Write(b) }

func (t *terminal) Stream(name, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end()
	if name == "stderr" {
		fmt.Fprint(t.err, text)
		return
	}
	fmt.Fprint(t.out, text)
}

func (t *terminal) Display(b Bundle, id string) { t.show(b, id) }

func (t *terminal) Update(b Bundle, id string) { t.show(b, id) }

func (t *terminal) show(b Bundle, id string) {
	text, ok := b.Data["text/plain"].(string)
	if !ok {
		return
	}
	text = plain.Coloured(text) // names in it may come from files
	t.mu.Lock()
	defer t.mu.Unlock()
	if id == "" || t.open != id {
		t.end()
	}
	if id == "" {
		fmt.Fprintln(t.out, text)
		return
	}
	t.open, t.pending = id, text
	if t.rewrites {
		const toLineStart, eraseLine = "\r", "\x1b[K"
		fmt.Fprint(t.out, toLineStart+eraseLine+text)
	}
}

// end finishes the line of the open display.
func (t *terminal) end() {
	switch {
	case t.open == "":
		return
	case t.rewrites:
		fmt.Fprintln(t.out)
	default:
		fmt.Fprintln(t.out, t.pending)
	}
	t.open, t.pending = "", ""
}

func (t *terminal) Clear(bool) {}

func (t *terminal) Input(prompt string, _ bool) (string, error) {
	t.Stream("stdout", prompt)
	line := bufio.NewScanner(os.Stdin)
	if !line.Scan() {
		return "", errors.New("standard input is closed")
	}
	return line.Text(), nil
}
