package session

import (
	"fmt"
	"go/token"
	"regexp"
	"strings"

	"github.com/traefik/yaegi/interp"

	"sapf/dsl/session/machine"
	"sapf/dsl/session/plan"
	"sapf/dsl/session/syntax"
)

// program is a cell ready to run.
type program struct {
	src  *syntax.Source
	body *interp.Program
}

// prepare checks and lowers a cell, and declares what it declares.
func (s *Session) prepare(c Cell, code string) (*program, *CellError) {
	s.state.Lock()
	defer s.state.Unlock()
	src := &syntax.Source{File: s.lowering.Fresh("cell"), Name: fmt.Sprintf("In [%d]", c.Count), Code: code, Written: c.Code}
	s.sources[src.File] = src
	p, err := syntax.Parse(s.fset, src)
	if err != nil {
		return nil, s.syntaxError(src, err)
	}
	pl, err := s.declared.Plan(p)
	if err != nil {
		return nil, s.refused(src, err)
	}
	if pl.Idle() { // imports alone
		s.declared.Scope = pl.Scope
		return &program{src: src}, nil
	}
	for _, read := range pl.Read() {
		s.sources[read.File] = read
	}
	takeBack := s.declared.Enact(pl)
	prog, failed := s.compile(src, pl)
	if failed != nil {
		takeBack()
		s.lowering.TakeBack()
	}
	return prog, failed
}

// compile lowers a plan and hands it to the machine. A fault of ours on the way ends
// the cell and not the session.
func (s *Session) compile(src *syntax.Source, pl *plan.Plan) (prog *program, failed *CellError) {
	defer func() {
		if r := recover(); r != nil {
			prog, failed = nil, s.backEndError(src, fmt.Errorf("runtime error: %v", r))
		}
	}()
	body, err := s.lowering.Cell(pl)
	if err != nil {
		return nil, s.refused(src, err)
	}
	if err := s.machine.Declare(s.lowering.Out.Imports, s.lowering.Out.Decls); err != nil {
		return nil, s.backEndError(src, err)
	}
	for _, note := range pl.Notes {
		s.output.Write("stderr", note+"\n")
	}
	if body == nil {
		return &program{src: src}, nil
	}
	compiled, err := s.machine.Compile(body)
	if err != nil {
		return nil, s.backEndError(src, err)
	}
	return &program{src: src, body: compiled}, nil
}

// backEndError presents what yaegi says of lowered source: something that the
// lowerer should have refused or worked around.
func (s *Session) backEndError(src *syntax.Source, err error) *CellError {
	msg := err.Error()
	p := token.Position{}
	if m := backEndPosition.FindStringSubmatch(msg); m != nil {
		p.Filename = m[1]
		fmt.Sscan(m[2], &p.Line)
		fmt.Sscan(m[3], &p.Column)
		msg = m[4]
	}
	if internals.MatchString(msg) {
		msg = "it has a fault here; write the statement another way, in smaller steps"
	}
	return s.located(src, p, "CompileError", "the interpreter can't run this: "+strings.TrimSpace(plainWords(msg)))
}

// internals are words of the interpreter's own that say nothing to the author of
// a cell.
var internals = regexp.MustCompile(`interp\.|unsafe2|\*?node\b|CFG|reflect[:.]|interface conversion|runtime error|valueInterface`)

// plainWords takes the interpreter's names out of a message: numbers behind names,
// and the letter in front of fields.
func plainWords(msg string) string {
	return strings.ReplaceAll(hashNumber.ReplaceAllString(msg, ""), machine.UnexportedPrefix, "")
}
