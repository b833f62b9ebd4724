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

// terminal is the host of a compiled program: text forms only, each written when
// it is shown, so that it stands in order with what the program prints itself.
// Progress is no result: it goes to standard error.
type terminal struct {
	mu       sync.Mutex
	out, err io.Writer
	// rewrites says that standard error is a terminal, where a line of progress is
	// replaced; elsewhere only how it ended is written.
	rewrites bool
	// open says that a line of progress is not ended yet.
	open bool
}

var standard = sync.OnceValue(func() *terminal {
	return &terminal{out: held{&os.Stdout}, err: held{&os.Stderr}, rewrites: term.IsTerminal(int(os.Stderr.Fd()))}
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

func (t *terminal) Display(b Bundle, _ string) { t.show(b) }

func (t *terminal) Update(b Bundle, _ string) { t.show(b) }

func (t *terminal) show(b Bundle) {
	text, ok := b.Data["text/plain"].(string)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end()
	fmt.Fprintln(t.out, plain.Coloured(text)) // names in it may come from files
}

// Progress writes how far something is, in place of what it wrote before.
func (t *terminal) Progress(text string, over bool) {
	text = plain.Coloured(text)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rewrites {
		const toLineStart, eraseLine = "\r", "\x1b[K"
		fmt.Fprint(t.err, toLineStart+eraseLine+text)
		if t.open = true; over {
			t.end()
		}
	} else if over {
		fmt.Fprintln(t.err, text)
	}
}

// end finishes a line of progress.
func (t *terminal) end() {
	if t.open {
		fmt.Fprintln(t.err)
		t.open = false
	}
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
