// Package judge holds what cells print against what Go prints.
//
// A grammar (types.go, expressions.go, contexts.go, places.go) makes small
// programs: an expression of a type, in a context that takes it, at a place in
// a program. They are drawn from a seed, always the same ones for the same
// seed. Hundreds of them make one program that Go compiles and runs, and what
// each prints there is what it has to print in a session, where it is run as
// cells cut in one of several ways (layout.go). The same is done with whole
// programs from the Go distribution's own tests and from yaegi's (suite.go).
//
// What comes out is one of three: the same; refused, which is an error that
// says so; or wrong, which is anything else.
package judge

import (
	"fmt"
	"strings"
)

// A verdict is what a program's cells came to, beside Go.
type verdict int

const (
	same verdict = iota
	refused
	wrong
)

func (v verdict) String() string { return [...]string{"same", "refused", "wrong"}[v] }

// judge compares what cells did with what Go printed.
func judge(want string, got answer) verdict {
	if got.Error == "CompileError" || got.Error == "SyntaxError" {
		return refused
	}
	if tidy(got.text()) == tidy(want) {
		return same
	}
	return wrong
}

// tidy drops what may differ: blanks at the ends of lines, the name of the
// package that a type is of, and which panic of several a runtime names first.
func tidy(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.ReplaceAll(l, "main.", ""), " \t\r")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// text is what a program printed; a panic is its last line.
func (a answer) text() string {
	switch {
	case a.Error == "":
		return a.Output
	case a.Error == "Panic":
		return a.Output + "\npanic: " + a.Message
	}
	return a.Output + "\n" + a.Error + ": " + a.Message
}

// report shows one program with both answers.
func report(p *program, want string, got answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", p.key())
	if p.earlier != nil {
		for i, c := range p.earlier.cells() {
			fmt.Fprintf(&b, "--- earlier cell %d\n%s\n", i+1, c)
		}
	}
	for i, c := range p.cells() {
		fmt.Fprintf(&b, "--- cell %d\n%s\n", i+1, c)
	}
	fmt.Fprintf(&b, "--- Go prints\n%s\n--- the cells print\n%s\n", want, got.text())
	return b.String()
}
