package session

import (
	"fmt"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"sapf/dsl/display"
)

// The magics: words that a cell can begin with, for what is no Go. They are
// few, and those that users of IPython reach for.
var magics = map[string]string{
	"%time":  "%time CODE, or %time on a line of its own: run the cell and say how long it took",
	"%whos":  "%whos: list the variables, their types and values",
	"%reset": "%reset: forget everything that cells have declared",
	"%help":  "%help: this list, and how cells differ from a Go program",
}

const helpText = `
Cells are Go. What a Go file declares and what a function does may be mixed; a
later cell may declare anything again, and functions that use it follow.
The value of the last expression is shown, unless a semicolon ends it.
Tab completes, Shift-Tab shows documentation.
`

// magicName is the magic that a cell begins with, or "".
func magicName(code string) string {
	word, _, _ := strings.Cut(strings.TrimLeft(code, " \t\n"), "\n")
	word, _, _ = strings.Cut(strings.TrimSpace(word), " ")
	if strings.HasPrefix(word, "%") {
		return word
	}
	return ""
}

// magic takes a magic off the front of a cell: the code that is left, with its
// lines where they were, and what to do around running it.
func (s *Session) magic(code string) (string, func(run func() Outcome) Outcome, *CellError) {
	name := magicName(code)
	if name == "" {
		return code, nil, nil
	}
	at := strings.Index(code, name)
	rest := strings.Repeat("\n", strings.Count(code[:at], "\n")) + strings.Repeat(" ", len(name)) + code[at+len(name):]
	if strings.TrimSpace(rest) == "" {
		rest = ""
	}
	if rest != "" && name != "%time" && magics[name] != "" {
		return "", nil, simpleError("Error", name+" stands alone in its cell")
	}
	switch name {
	case "%time":
		return rest, func(run func() Outcome) Outcome {
			start := time.Now()
			o := run()
			s.output.Write("stdout", fmt.Sprintf("time: %s\n", time.Since(start).Round(time.Microsecond)))
			return o
		}, nil
	case "%whos":
		return "", func(func() Outcome) Outcome { return textOutcome(s.whos()) }, nil
	case "%reset":
		return "", func(func() Outcome) Outcome {
			s.Reset()
			return Outcome{}
		}, nil
	case "%help":
		return "", func(func() Outcome) Outcome { return textOutcome(help()) }, nil
	}
	names := make([]string, 0, len(magics))
	for n := range magics {
		names = append(names, n)
	}
	sort.Strings(names)
	return "", nil, simpleError("Error", fmt.Sprintf("unknown magic %s; there are %s", name, strings.Join(names, ", ")))
}

func textOutcome(text string) Outcome {
	return Outcome{Value: &display.Bundle{Data: map[string]any{"text/plain": strings.TrimRight(text, "\n")}}}
}

func help() string {
	var names []string
	for n := range magics {
		names = append(names, n)
	}
	sort.Strings(names)
	var b strings.Builder
	for _, n := range names {
		b.WriteString(magics[n] + "\n")
	}
	return b.String() + helpText
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
