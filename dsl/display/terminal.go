package display

import (
	"bufio"
	"errors"
	"fmt"
	"os"
)

// terminal is the host of a compiled program: text forms only.
type terminal struct{}

func (terminal) Stream(name, text string) {
	if name == "stderr" {
		fmt.Fprint(os.Stderr, text)
		return
	}
	fmt.Fprint(os.Stdout, text)
}

func (terminal) Display(b Bundle, _ string) {
	if text, ok := b.Data["text/plain"].(string); ok {
		fmt.Fprintln(os.Stdout, text)
	}
}

func (t terminal) Update(b Bundle, id string) { t.Display(b, id) }

func (terminal) Clear(bool) {}

func (terminal) Input(prompt string, _ bool) (string, error) {
	fmt.Fprint(os.Stdout, prompt)
	line := bufio.NewScanner(os.Stdin)
	if !line.Scan() {
		return "", errors.New("input: standard input is closed")
	}
	return line.Text(), nil
}
