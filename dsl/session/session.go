// Package session runs the cells of a notebook: Go source, interpreted by
// yaegi behind a front end that makes it behave as current Go does.
//
// A cell goes through these steps. It is parsed (parse.go), its declarations
// hoisted and its statements put in order (schedule.go, plan.go), and all of it checked by
// go/types against what earlier cells declared and what compiled packages
// export (check.go, universe.go). Only then is it lowered to the part of Go
// that yaegi runs correctly (lower*.go, emit.go) and run (run.go).
//
// # What differs from a Go program
//
// A cell may declare again what an earlier one has declared. A function is
// replaced for everybody who calls it; what mentions something whose type has
// changed is checked and lowered anew, and a note says so where that fails. A
// type that is declared in the same words stays the same type; otherwise old
// values keep the old one. A variable keeps its place if its type stays.
// Unused variables and imports of the top level are tolerated, and func main
// runs once, after the cell that declares it.
//
// # What can't be had
//
// It is refused with a message: goto in the body of a loop over a
// function, package unsafe, generic functions of compiled packages other than
// cmp, errors, iter, maps, math/rand/v2, slices, sync and sync/atomic, and
// variables of types that their package does not export. Reflection sees the
// structure of a cell's types but not their names or methods; packages that
// look at values by reflection (encoding/json, text/template) get the plain
// value. An interrupt stops goroutines of cells too, but for one that is inside
// a compiled call that waits; the cell's own such call holds the next cell
// back. In the traceback of a recursion the innermost place stands for all.
package session

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"
	"golang.org/x/tools/go/types/typeutil"

	"sapf/dsl/display"
	"sapf/dsl/symbols"
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

// Completion is what can follow the cursor. Positions are byte offsets.
type Completion struct {
	Matches    []string
	Start, End int
	// Kinds has one word a match: "function", "type", "variable", ...
	Kinds []string
}

// Completeness is the answer to "may this cell run?": "complete",
// "incomplete" (Indent is what the next line should begin with) or "invalid".
type Completeness struct {
	Status, Indent string
}

// Options configure a session. The zero value is the one that notebooks use.
type Options struct {
	// Symbols are the packages that cells can import besides the standard
	// library, as yaegi's extract writes them. Nil means those of dsl/symbols.
	Symbols interp.Exports
	// DotImports are imported for the user with a dot. Nil means sapf/dsl.
	DotImports []string
	// OutputBytes and OutputLines limit what one cell may print; 0 means 4 MiB
	// and 100,000 lines.
	OutputBytes, OutputLines int
}

// Session is an interpreter with the state that cells have left in it. Execute
// runs one cell at a time; the other methods may be called meanwhile.
type Session struct {
	options Options
	out     *emitted
	output  *output

	running sync.Mutex // held while a cell is checked and run
	state   sync.Mutex // guards what follows against Complete and its like

	machine  *machine
	universe *universe
	fset     *token.FileSet
	scope    scope
	order    []*decl                // every declaration there has been, oldest first
	decls    map[types.Object]*decl // the present declaration of an object
	sources  map[string]*source     // by the file name in positions

	symbols   map[types.Object]string // yaegi's names of variables
	instances map[string]string       // of functions and types, by key
	typeIDs   *typeutil.Map           // the machine's numbers of types
	imported  map[string]string       // yaegi's names of packages, by path
	literals  []literal               // the function literals of cells
	links     map[types.Object]string // variables by which closures call functions, and cells find those of packages
	pinned    map[types.Object]bool   // variables that closures or pointers may hold
	serial    int
	depth     int // of instances within instances
}

// New returns a session whose cells show things to host.
func New(host display.Host, opts Options) (*Session, error) {
	if opts.Symbols == nil {
		opts.Symbols = symbols.Symbols
	}
	if opts.DotImports == nil && opts.Symbols["sapf/dsl/dsl"] != nil {
		opts.DotImports = []string{"sapf/dsl"}
	}
	if opts.OutputBytes == 0 {
		opts.OutputBytes = defaultOutputBytes
	}
	if opts.OutputLines == 0 {
		opts.OutputLines = defaultOutputLines
	}
	s := &Session{
		options: opts,
		output:  &output{host: host, maxBytes: opts.OutputBytes, maxLines: opts.OutputLines},
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
	s.machine = newMachine(s.output, s.options.Symbols)
	s.machine.report = s.goroutinePanic
	s.universe = newUniverse(stdlib.Symbols, s.options.Symbols)
	s.fset = s.machine.yaegi.FileSet()
	s.scope = scope{}
	s.order = nil
	s.decls = map[types.Object]*decl{}
	s.universe.sources.fset = s.fset
	s.universe.sources.register = func(d *decl) { s.decls[d.obj] = d }
	s.sources = map[string]*source{}
	s.symbols = map[types.Object]string{}
	s.instances = map[string]string{}
	s.typeIDs = newTypeIDs()
	s.machine.registry = registry{methods: map[int]map[string]reflect.Value{}, named: map[*types.Named]int{}, universe: s.universe}
	s.imported = map[string]string{}
	s.literals = nil
	s.links = map[types.Object]string{}
	s.pinned = map[types.Object]bool{}
	for _, path := range s.options.DotImports {
		if pkg, err := s.universe.Import(path); err == nil { // New has seen to it
			s.dotImport(s.scope, pkg)
		}
	}
	// gophernotes has a package display that need not be imported.
	if pkg, err := s.universe.Import(displayPath); err == nil && len(s.options.DotImports) > 0 {
		s.scope[pkg.Name()] = types.NewPkgName(token.NoPos, nil, pkg.Name(), pkg)
	}
}

const displayPath = "sapf/dsl/display"

// Reset forgets all that cells have declared. A cell that is running is
// abandoned.
func (s *Session) Reset() {
	s.state.Lock()
	defer s.state.Unlock()
	s.machine.abandon()
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
	if err := machine.idle(ctx); err != nil {
		return Outcome{Err: simpleError("Interrupted", err.Error())}
	}
	s.output.begin()
	defer s.output.end()
	display.Bind(ctx, s.output)
	code, magic, cellErr := s.magic(c.Code)
	if cellErr != nil {
		return Outcome{Err: cellErr}
	}
	if magic != nil && code == "" {
		return magic(func() Outcome { return Outcome{} })
	}
	run := func() Outcome { return s.execute(ctx, c, code) }
	if magic != nil {
		return magic(run)
	}
	return run()
}

func simpleError(name, msg string) *CellError {
	return &CellError{Name: name, Message: firstLine(msg), Traceback: []string{name + ": " + msg}}
}

func (s *Session) execute(ctx context.Context, c Cell, code string) Outcome {
	program, err := s.prepare(c, code)
	if err != nil {
		return Outcome{Err: err}
	}
	if program.body == nil {
		return Outcome{}
	}
	started := time.Now()
	r := s.machine.run(ctx, program.body)
	switch {
	case r.interrupted:
		msg := fmt.Sprintf("stopped after %s", time.Since(started).Round(time.Millisecond))
		return Outcome{Err: simpleError("Interrupted", msg)}
	case r.panicked:
		return Outcome{Err: s.panicked(program.src, r)}
	}
	if c.Quiet || len(r.shown) == 0 {
		return Outcome{}
	}
	return Outcome{Value: together(r.shown)}
}

// panicked presents what a cell died of.
func (s *Session) panicked(src *source, r result) *CellError {
	name, msg := "Panic", describePanic(r.value)
	var failure *display.Failure
	if err, ok := r.value.(error); ok && errors.As(err, &failure) {
		name = "Error"
		if errors.Is(err, context.Canceled) {
			name = "Interrupted"
		}
	}
	s.state.Lock()
	defer s.state.Unlock()
	return s.panicError(src, name, msg, s.frames(r.trace))
}

// goroutinePanic presents what a goroutine of a cell died of.
func (s *Session) goroutinePanic(value any, trace []string) string {
	s.state.Lock()
	defer s.state.Unlock()
	e := s.panicError(nil, "panic in a goroutine", describePanic(value), s.frames(trace))
	return strings.Join(e.Traceback, "\n") + "\n"
}
