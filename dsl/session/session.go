// Package session runs the cells of a notebook: Go source, interpreted by
// yaegi behind a front end that makes it behave as current Go does.
//
// This package is the front of several, one a step, and the README follows a cell
// through them. Package syntax parses the cell and orders what is in it; plan
// has it checked by go/types, against what package universe knows of earlier
// cells and of compiled packages; lower turns it into the part of Go that yaegi
// runs as Go does; and machine runs that. Package assist completes and explains.
//
// # What differs from a Go program
//
// A cell may declare again what an earlier one has declared. A function is
// replaced for everybody who calls it; what mentions something whose type has
// changed is checked and lowered anew, and a note says so where that fails. A
// type that is declared in the same words stays the same type; otherwise old
// values keep the old one. A variable keeps its place if its type stays.
// Unused variables and imports of the top level are tolerated, packages import
// themselves where a cell uses them (an import of a cell's own wins), a package in
// a folder beside the notebook or in its module is interpreted as cells are, and
// read again when a file of it changes; and func main
// runs once, after the cell that declares it.
//
// # What can't be had
//
// It is refused with a message: goto in the body of a loop over a
// function, package unsafe, generic functions of compiled packages other than
// cmp, errors, iter, maps, math/rand/v2, slices, sync and sync/atomic.
// Reflection sees the
// structure of a cell's types but not their names or methods; packages that
// look at values by reflection (encoding/json, text/template) get the plain
// value.
//
// # Interrupts and tracebacks
//
// An interrupt stops the cell and the goroutines that cells have started. What is
// inside a compiled function that waits can't be stopped: after an interrupt in
//
//	resp, err := http.Get(url)
//
// the next cell starts when Get has returned. If it is a goroutine that waits
// so, nothing is held up: it ends when its call does.
//
// A traceback says where each function had come to. Of a function that calls
// itself the place of the innermost call stands for all of them.
package session

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"strings"
	"sync"
	"time"

	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"

	"sapf/dsl/display"
	"sapf/dsl/session/assist"
	"sapf/dsl/session/lower"
	"sapf/dsl/session/machine"
	"sapf/dsl/session/plan"
	"sapf/dsl/session/syntax"
	"sapf/dsl/session/universe"
	"sapf/dsl/symbols"
	"sapf/dsl/words"
)

// Cell is one piece of source to run.
type Cell struct {
	// Count is the number shown as In [Count].
	Count int
	Code  string
	// Quiet leaves the value of the last expression unshown.
	Quiet bool
}

// Outcome is how a cell ended.
type Outcome struct {
	// Value is the last expression's value, ready to show, or nil.
	Value *display.Bundle
	// Err is what stopped the cell, or nil.
	Err *CellError
	// Extend is a wish that only who runs the session can grant, or nil.
	Extend *Extend
}

// Extend asks for a program with more packages compiled in, in which the rest of
// the cell is to run.
type Extend struct {
	// Parts are import paths, with a version behind an @ or without, and folders,
	// relative to Dir.
	Parts []string `json:"parts"`
	Dir   string   `json:"dir"`
	// Rest is the code below, in its lines.
	Rest string `json:"rest,omitempty"`
}

// CellError is an error as the reader of a notebook sees it.
type CellError struct {
	// Name is the kind: "SyntaxError", "CompileError", "Panic", "Interrupted",
	// "Error".
	Name string
	// Message is one line.
	Message string
	// Line and Column count from 1 in the cell; 0 where unknown.
	Line, Column int
	// Traceback is ready to print: the source line with a caret, the
	// interpreted stack with cell numbers.
	Traceback []string
}

func (e *CellError) Error() string { return e.Name + ": " + e.Message }

// Completion is what can follow the cursor.
type Completion = assist.Completion

// Completeness is the answer to "may this cell run?".
type Completeness = syntax.Completeness

// IsComplete tells whether a cell may run as it is, is wrong whatever follows,
// or needs more: an open bracket, an operator without its right side, a block
// to come.
func (s *Session) IsComplete(code string) Completeness {
	if magicName(code) != "" || syntax.Questioned(code) != "" {
		return Completeness{Status: "complete"}
	}
	s.state.Lock()
	defer s.state.Unlock()
	return syntax.IsComplete(syntax.ShellLines(code, s.declared.Knows))
}

// Options configure a session. The zero value is the one that notebooks use.
type Options struct {
	// Symbols are the packages that cells can import besides the standard
	// library, as yaegi's extract writes them. Nil means those of dsl/symbols.
	Symbols interp.Exports
	// DotImports are imported for the user with a dot. Nil means sapf/dsl.
	DotImports []string
	// Words lists what the string that a verb takes can be, given the values of
	// the variables. Nil means those of dsl/words.
	Words func(verb string, variables []any) []string
	// OutputBytes and OutputLines limit what one cell may print; 0 means 4 MiB
	// and 100,000 lines.
	OutputBytes, OutputLines int
}

// Session is an interpreter with the state that cells have left in it. Execute
// runs one cell at a time; the other methods may be called meanwhile.
type Session struct {
	options Options
	output  *machine.Output

	running sync.Mutex // held while a cell is checked and run
	state   sync.Mutex // guards what follows against Complete and its like

	machine  *machine.Machine
	universe *universe.Universe
	declared *plan.Declared
	lowering *lower.Lowering
	fset     *token.FileSet
	sources  map[string]*syntax.Source // by the file name in positions
}

// New returns a session whose cells show things to host.
func New(host display.Host, opts Options) (*Session, error) {
	if opts.Symbols == nil {
		opts.Symbols = symbols.Symbols
	}
	if opts.DotImports == nil && opts.Symbols[syntax.DSLPath+"/dsl"] != nil {
		opts.DotImports = []string{syntax.DSLPath}
	}
	if opts.Words == nil {
		opts.Words = words.For
	}
	if opts.OutputBytes == 0 {
		opts.OutputBytes = machine.DefaultOutputBytes
	}
	if opts.OutputLines == 0 {
		opts.OutputLines = machine.DefaultOutputLines
	}
	s := &Session{
		options: opts,
		output:  &machine.Output{Host: host, MaxBytes: opts.OutputBytes, MaxLines: opts.OutputLines},
	}
	for _, path := range opts.DotImports {
		if opts.Symbols[path+"/"+pathBase(path)] == nil {
			return nil, fmt.Errorf("no symbols of %s, which cells are to see", path)
		}
	}
	// It takes some milliseconds, which whoever starts us can use.
	s.state.Lock()
	go func() {
		defer s.state.Unlock()
		s.start()
	}()
	return s, nil
}

func pathBase(p string) string { return p[strings.LastIndexByte(p, '/')+1:] }

// start gives the session an empty state.
func (s *Session) start() {
	s.machine = machine.New(s.output, s.options.Symbols)
	s.machine.Report = s.goroutinePanic
	s.fset = s.machine.FileSet()
	s.universe = universe.New(s.fset, stdlib.Symbols, machine.Corrections, s.options.Symbols)
	s.machine.Know(s.universe)
	s.declared = &plan.Declared{Universe: s.universe, Scope: universe.Scope{}}
	s.lowering = lower.New(s.universe, s.machine)
	s.sources = map[string]*syntax.Source{}
	for _, path := range s.options.DotImports {
		if pkg, err := s.universe.Import(path); err == nil { // New has seen to it
			plan.DotImport(s.declared.Scope, pkg)
		}
	}
	// gophernotes has a package display that need not be imported.
	if pkg, err := s.universe.Import(syntax.DisplayPath); err == nil && len(s.options.DotImports) > 0 {
		s.declared.Scope[pkg.Name()] = types.NewPkgName(token.NoPos, nil, pkg.Name(), pkg)
	}
}

// Reset forgets all that cells have declared. A cell that is running is
// abandoned.
func (s *Session) Reset() {
	s.state.Lock()
	defer s.state.Unlock()
	s.machine.Abandon()
	s.start()
}

// Execute runs a cell. When ctx ends it returns at once; the next Execute
// waits until the cell has really ended.
func (s *Session) Execute(ctx context.Context, c Cell) (result Outcome) {
	s.running.Lock()
	defer s.running.Unlock()
	s.state.Lock()
	machine := s.machine
	s.state.Unlock()
	if err := machine.Idle(ctx); err != nil {
		return Outcome{Err: simpleError("Interrupted", err.Error())}
	}
	s.output.Begin()
	defer s.output.End()
	display.Bind(ctx, s.output)
	if name := syntax.Questioned(c.Code); name != "" {
		return s.explain(name)
	}
	return s.run(ctx, c, c.Code)
}

func simpleError(name, msg string) *CellError {
	return &CellError{Name: name, Message: firstLine(msg), Traceback: []string{name + ": " + msg}}
}

// explain shows what is known of a name.
func (s *Session) explain(name string) Outcome {
	b, ok := s.Inspect(name, len(name), 1)
	if !ok {
		return Outcome{Err: simpleError("Error", "nothing is known of "+name)}
	}
	return Outcome{Value: &b}
}

// runGo runs a cell that begins with no magic.
func (s *Session) runGo(ctx context.Context, c Cell, code string) Outcome {
	s.state.Lock()
	code = syntax.ShellLines(code, s.declared.Knows)
	s.state.Unlock()
	display.BindSource(func() string { return s.meaning(code) })
	program, err := s.prepare(c, code)
	if err != nil {
		return Outcome{Err: err}
	}
	if program.body == nil {
		return Outcome{}
	}
	started := time.Now()
	r := s.machine.Run(ctx, program.body)
	switch {
	case r.Interrupted:
		msg := fmt.Sprintf("stopped after %s", time.Since(started).Round(time.Millisecond))
		return Outcome{Err: simpleError("Interrupted", msg)}
	case r.Panicked:
		return Outcome{Err: s.panicked(program.src, r)}
	}
	if c.Quiet || len(r.Shown) == 0 {
		return Outcome{}
	}
	return Outcome{Value: machine.Together(r.Shown)}
}

// panicked presents what a cell died of.
func (s *Session) panicked(src *syntax.Source, r machine.Result) *CellError {
	name, msg := "Panic", machine.DescribePanic(r.Value)
	var failure *display.Failure
	if err, ok := r.Value.(error); ok && errors.As(err, &failure) {
		name = "Error"
		if errors.Is(err, context.Canceled) {
			name = "Interrupted"
		}
	}
	s.state.Lock()
	defer s.state.Unlock()
	frames := s.frames(r.Trace)
	if r.Value == machine.ErrUnfinished {
		name = "InternalError"
		frames = append(frames, traceFrame{pos: s.fset.Position(token.Pos(s.machine.Place(lower.BodyName)))})
	}
	return s.panicError(src, name, msg, frames)
}

// goroutinePanic presents what a goroutine of a cell died of.
func (s *Session) goroutinePanic(value any, trace []string) string {
	s.state.Lock()
	defer s.state.Unlock()
	e := s.panicError(nil, "panic in a goroutine", machine.DescribePanic(value), s.frames(trace))
	return strings.Join(e.Traceback, "\n") + "\n"
}
