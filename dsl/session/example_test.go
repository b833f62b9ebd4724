package session_test

import (
	"context"
	"fmt"

	"sapf/dsl/display"
	"sapf/dsl/session"
)

// terminal is a host that prints what cells print.
type terminal struct{}

func (terminal) Stream(name, text string)                    { fmt.Print(text) }
func (terminal) Display(b display.Bundle, id string)         {}
func (terminal) Update(b display.Bundle, id string)          {}
func (terminal) Clear(wait bool)                             {}
func (terminal) Input(prompt string, _ bool) (string, error) { return "", fmt.Errorf("nobody to ask") }

// Cells share what they declare, a function follows when what it calls is
// declared anew, and the value of a cell's last expression is its outcome.
func Example() {
	s, err := session.New(terminal{}, session.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, code := range []string{
		"import \"fmt\"\nfunc step() float64 { return 0.5 }\nfunc twice() float64 { return 2 * step() }\nfmt.Println(\"declared\")",
		"func step() float64 { return 0.125 }",
		"twice()",
		"twice() + nothing",
	} {
		o := s.Execute(context.Background(), session.Cell{Count: i + 1, Code: code})
		if o.Value != nil {
			fmt.Println("Out:", o.Value.Data["text/plain"])
		}
		if o.Err != nil {
			fmt.Println(o.Err)
		}
	}
	// Output:
	// declared
	// Out: 0.25
	// CompileError: undefined: nothing
}
