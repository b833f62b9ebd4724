package session

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"sapf/dsl/display"
)

// magic is a word that a cell can begin with, for what is no Go. They are those
// that users of IPython reach for.
type magic struct {
	help string
	// around magics run the Go code that follows; the rest take their line, or
	// the cell if they begin with %%.
	around bool
	run    func(s *Session, m magicCall) Outcome
}

// magicCall is one use of a magic.
type magicCall struct {
	ctx   context.Context
	count int
	// args is what stands behind the word, below what stands on the lines below.
	args, below string
	// code is the cell without the word, its lines and columns as they were, and
	// execute runs such code.
	code    string
	execute func(code string) Outcome
}

var magics map[string]magic

func init() {
	magics = map[string]magic{
		"%time":       {"%time CODE, or %time on a line of its own: run the cell and say how long it took", true, timed},
		"%timeit":     {"%timeit CODE: run it again and again, as a Go benchmark does, and say how long one time takes", true, benchmarked},
		"%whos":       {"%whos: list the variables, their types and values", false, func(s *Session, _ magicCall) Outcome { return textOutcome(s.whos()) }},
		"%reset":      {"%reset: forget everything that cells have declared", false, func(s *Session, _ magicCall) Outcome { s.Reset(); return Outcome{} }},
		"%help":       {"%help: this list, and how cells differ from a Go program", false, func(*Session, magicCall) Outcome { return textOutcome(help()) }},
		"%cd":         {"%cd FOLDER: work there; without a folder, at home", false, changeFolder},
		"%pwd":        {"%pwd: the folder that cells work in", false, func(*Session, magicCall) Outcome { return workingFolder() }},
		"%env":        {"%env, %env NAME, %env NAME=VALUE: list, show or set variables of the environment", false, environment},
		"%%bash":      {"%%bash: the lines below are a script for bash", false, script("bash")},
		"%%sh":        {"%%sh: the lines below are a script for sh", false, script("sh")},
		"%extend":     {"%extend PATH[@VERSION]...: have packages compiled in, or folders like ./p; variables are gone", false, extended},
		"%%writefile": {"%%writefile [-a] FILE: the lines below go into a file (-a: to its end)", false, writeFile},
	}
	// The forms with two signs that IPython has.
	magics["%%time"], magics["%%timeit"] = magics["%time"], magics["%timeit"]
}

const helpText = `!COMMAND on a line of its own: run it in the shell
NAME?: what is known of a name
`

const helpCells = `
Cells are Go. What a Go file declares and what a function does may be mixed; a
later cell may declare anything again, and functions that use it follow.
Packages import themselves when they are used.
The value of the last expression is shown, unless a semicolon ends it.
Tab completes, Shift-Tab shows documentation.
`

// magicName is the magic that a cell begins with, or "".
func magicName(code string) string {
	word, _, _ := strings.Cut(strings.TrimLeft(code, " \t\r\n"), "\n")
	word, _, _ = strings.Cut(strings.TrimSpace(word), " ")
	if strings.HasPrefix(word, "%") {
		return word
	}
	return ""
}

// run runs a cell: the magics that it begins with, one a line, and what follows.
func (s *Session) run(ctx context.Context, c Cell, code string) Outcome {
	name := magicName(code)
	if name == "" {
		return s.runGo(ctx, c, code)
	}
	m, ok := magics[name]
	if !ok {
		return Outcome{Err: simpleError("Error", fmt.Sprintf("unknown magic %s; there are %s", name, strings.Join(slices.Sorted(maps.Keys(magics)), ", ")))}
	}
	at := strings.Index(code, name)
	end := at + len(name)
	line, below, _ := strings.Cut(code[end:], "\n")
	call := magicCall{
		ctx: ctx, count: c.Count, args: strings.TrimSpace(line), below: below,
		code:    blanked(code[:at]) + strings.Repeat(" ", len(name)) + code[end:],
		execute: func(code string) Outcome { return s.run(ctx, c, code) },
	}
	if m.around {
		return m.run(s, call)
	}
	o := m.run(s, call)
	if o.Extend != nil {
		o.Extend.Rest = strings.Repeat("\n", strings.Count(code[:end], "\n")+1) + below
		return o
	}
	if strings.HasPrefix(name, "%%") || o.Err != nil || strings.TrimSpace(below) == "" {
		return o
	}
	if o.Value != nil {
		s.output.Write("stdout", fmt.Sprintln(o.Value.Data["text/plain"]))
	}
	return s.run(ctx, c, blanked(code[:end])+strings.Repeat(" ", len(line))+"\n"+below)
}

// blanked keeps the lines of a text.
func blanked(text string) string { return strings.Repeat("\n", strings.Count(text, "\n")) }

func textOutcome(text string) Outcome {
	return Outcome{Value: &display.Bundle{Data: map[string]any{"text/plain": strings.TrimRight(text, "\n")}}}
}

func help() string {
	var b strings.Builder
	for _, n := range slices.Sorted(maps.Keys(magics)) {
		if strings.HasPrefix(magics[n].help, n) {
			b.WriteString(magics[n].help + "\n")
		}
	}
	return b.String() + helpText + helpCells
}

// whos is the table of variables.
func (s *Session) whos() string {
	list := s.Variables()
	if len(list) == 0 {
		return "no variables"
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "Variable\tType\tValue")
	for _, v := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.Name, v.Type, v.Value)
	}
	w.Flush()
	return b.String()
}
