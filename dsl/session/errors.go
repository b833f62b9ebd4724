package session

import (
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"go/types"
	"regexp"
	"strings"

	"sapf/dsl/session/plan"
	"sapf/dsl/session/syntax"
	"sapf/dsl/session/universe"
)

// errorAt is an error at a place in a cell, this one's or an earlier one's.
func (s *Session) errorAt(src *syntax.Source, pos token.Pos, name, msg string) *CellError {
	p := s.fset.Position(pos)
	return s.located(src, p, name, msg)
}

func (s *Session) located(src *syntax.Source, p token.Position, name, msg string) *CellError {
	msg = strings.TrimSpace(msg)
	first, rest, _ := strings.Cut(msg, "\n")
	e := &CellError{Name: name, Message: first}
	if !p.IsValid() {
		e.Traceback = []string{name + ": " + msg}
		return e
	}
	at := s.sources[p.Filename]
	cell := p.Filename
	if src != nil && p.Filename == src.File {
		at = src
		e.Line, e.Column = p.Line, p.Column
	}
	if at != nil {
		cell = at.Name
	}
	e.Traceback = append(e.Traceback, fmt.Sprintf("%s: %s", name, first))
	for _, l := range strings.Split(rest, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			e.Traceback = append(e.Traceback, "    "+l)
		}
	}
	e.Traceback = append(e.Traceback, fmt.Sprintf("%s, line %d:", cell, p.Line))
	if at != nil {
		e.Traceback = append(e.Traceback, excerpt(at, p.Line, p.Column)...)
	}
	return e
}

// excerpt shows a line of a cell with a caret under the column (in bytes).
func excerpt(src *syntax.Source, line, column int) []string {
	text := src.Line(line)
	head := fmt.Sprintf("%5d | ", line)
	out := []string{head + text}
	if column < 1 || column > len(text)+1 {
		return out
	}
	// Keep tabs, so that the caret stands below its character however wide a
	// tab is shown.
	var pad strings.Builder
	for _, r := range text[:column-1] {
		if r == '\t' {
			pad.WriteByte('\t')
		} else {
			pad.WriteByte(' ')
		}
	}
	return append(out, strings.Repeat(" ", len(head)-2)+"| "+pad.String()+"^")
}

// refused presents why a cell can't be: an error of the type checker, or a
// refusal.
func (s *Session) refused(src *syntax.Source, err error) *CellError {
	var e types.Error
	var no *plan.Refusal
	switch {
	case errors.As(err, &e):
		return s.typeError(src, e)
	case errors.As(err, &no):
		return s.errorAt(src, no.Pos, "CompileError", no.Msg)
	}
	return simpleError("CompileError", err.Error())
}

// typeError presents an error of the type checker.
func (s *Session) typeError(src *syntax.Source, e types.Error) *CellError {
	msg := strings.ReplaceAll(e.Msg, universe.ShowName, "the last expression")
	if name, ok := strings.CutPrefix(msg, "undefined: "); ok {
		msg += s.hint(name)
	}
	if m := noMember.FindStringSubmatch(e.Msg); m != nil {
		msg += s.hintMember(m[1]+m[4], strings.TrimLeft(m[2]+m[3], "*"))
	}
	if strings.HasSuffix(msg, " is not used") {
		msg += " (only the last expression of a cell is shown)"
	}
	msg = strings.ReplaceAll(msg, "main.", "")
	if m := twoTypes.FindStringSubmatch(msg); m != nil && m[1] == m[2] {
		msg += " (" + m[1] + " has been declared again since this one was made)"
	}
	return s.errorAt(src, e.Pos, "CompileError", msg)
}

// twoTypes is how the checker says that a value has another type of the same
// name.
var twoTypes = regexp.MustCompile(`type (\S+)\) as (\S+) value`)

// noMember is how the checker says that a type has no field or method of a name.
var noMember = regexp.MustCompile(`^unknown field (\w+) in struct literal of type (\S+)$|undefined \(type (\S+) has no field or method (\w+)\)$`)

// hintMember says which field or method of a type, as messages call it, a name
// may have meant.
func (s *Session) hintMember(name, typ string) string {
	typ = strings.TrimPrefix(typ, "main.")
	obj := s.declared.Scope[typ]
	if pkg, member, ok := strings.Cut(typ, "."); ok {
		if p := s.universe.PackageFor(pkg, map[string]bool{member: true}); p != nil {
			obj = p.Scope().Lookup(member)
		}
	}
	if obj == nil {
		return ""
	}
	var known []string
	if st, ok := obj.Type().Underlying().(*types.Struct); ok {
		for f := range st.Fields() {
			if f.Exported() || f.Pkg() == nil || f.Pkg().Path() == "main" {
				known = append(known, f.Name())
			}
		}
	}
	methods := types.NewMethodSet(types.NewPointer(obj.Type()))
	for m := range methods.Methods() {
		if m.Obj().Exported() {
			known = append(known, m.Obj().Name())
		}
	}
	return universe.DidYouMean(name, known)
}

// hint says what an undefined name may have meant.
func (s *Session) hint(name string) string {
	if pkg, member, ok := strings.Cut(name, "."); ok {
		if p := s.universe.PackageFor(pkg, nil); p != nil {
			return universe.DidYouMean(member, p.Scope().Names())
		}
	}
	for _, path := range s.universe.Paths() {
		if path == name || strings.HasSuffix(path, "/"+name) {
			return fmt.Sprintf(" (import %q is missing)", path)
		}
	}
	var known []string
	for n := range s.declared.Scope {
		known = append(known, n)
	}
	return universe.DidYouMean(name, known)
}

// syntaxError presents what the parser says.
func (s *Session) syntaxError(src *syntax.Source, err error) *CellError {
	if list, ok := err.(scanner.ErrorList); ok && len(list) > 0 {
		pos, msg := list[0].Pos, list[0].Msg
		lines := strings.Count(src.Code, "\n") + 1
		if pos.Line > lines { // in what was added to the cell to parse it
			pos.Line, pos.Column = lines, len(src.Line(lines))+1
			msg, _, _ = strings.Cut(msg, ", found")
			msg += ", found the end of the cell"
		}
		return s.located(src, pos, "SyntaxError", msg)
	}
	return &CellError{Name: "SyntaxError", Message: err.Error(), Traceback: []string{"SyntaxError: " + err.Error()}}
}

// frame is one interpreted function on the stack of a panic.
type traceFrame struct {
	pos  token.Position
	name string
}

// panicError presents a panic with the interpreted functions it went through,
// innermost first.
func (s *Session) panicError(src *syntax.Source, name, msg string, frames []traceFrame) *CellError {
	msg = plainWords(msg)
	e := &CellError{Name: name, Message: firstLine(msg)}
	e.Traceback = append(e.Traceback, name+": "+msg)
	for i, f := range frames {
		if !f.pos.IsValid() {
			continue
		}
		at := s.sources[f.pos.Filename]
		if at == nil {
			continue // in a package in source form, or in code of our own making
		}
		if e.Line == 0 && at == src {
			e.Line, e.Column = f.pos.Line, f.pos.Column
		}
		where := fmt.Sprintf("%s, line %d", at.Name, f.pos.Line)
		if f.name != "" {
			where += ", in " + f.name
		}
		e.Traceback = append(e.Traceback, where+":")
		column := 0 // the caret only where it stopped
		if i == 0 {
			column = f.pos.Column
		}
		e.Traceback = append(e.Traceback, excerpt(at, f.pos.Line, column)...)
	}
	return e
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

var (
	backEndPosition = regexp.MustCompile(`(?s)^(cell#\d+):(\d+):(\d+): (.*)$`)
	hashNumber      = regexp.MustCompile(`#\d+`)
)
