// Package session runs the cells of a notebook: Go source, interpreted by
// yaegi behind a front end that makes it behave as current Go does.
//
// A cell goes through these steps. It is parsed (parse.go), its declarations
// hoisted and its statements put in order (plan.go), and all of it checked by
// go/types against what earlier cells declared and what compiled packages
// export (check.go, universe.go). Only then is it lowered to the part of Go
// that yaegi runs correctly (lower*.go, emit.go) and run (run.go).
package session

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
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
	links     map[types.Object]string // variables by which closures call functions
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
}

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

// program is a cell ready to run.
type program struct {
	src  *source
	body *interp.Program
}

// prepare checks and lowers a cell, and declares what it declares.
func (s *Session) prepare(c Cell, code string) (prog *program, failed *CellError) {
	s.state.Lock()
	defer s.state.Unlock()
	src := &source{file: s.fresh("cell"), name: fmt.Sprintf("In [%d]", c.Count), code: code, written: c.Code}
	s.sources[src.file] = src
	p, err := parse(s.fset, src)
	if err != nil {
		return nil, s.syntaxError(src, err)
	}
	pl, cellErr := s.makePlan(p)
	if cellErr != nil {
		return nil, cellErr
	}
	if len(p.parts) == 0 { // imports alone
		s.scope = pl.scope
		return &program{src: src}, nil
	}
	pl.pos = p.parts[0].node().Pos()
	s.out = &emitted{}
	s.depth = 0
	old := s.enact(pl)
	defer func() {
		if r := recover(); r != nil {
			no, ok := r.(refuse)
			if !ok {
				panic(r)
			}
			failed = s.errorAt(src, no.pos, "CompileError", no.msg)
		}
		if failed != nil {
			prog = nil
			old()
			for i := len(s.out.undo) - 1; i >= 0; i-- {
				s.out.undo[i]()
			}
		}
	}()
	body := s.lowerCell(pl)
	if err := s.machine.declare(s.out.imports, s.out.decls); err != nil {
		return nil, s.backEndError(src, err)
	}
	for _, note := range pl.notes {
		s.output.write("stderr", note+"\n")
	}
	if body == nil {
		return &program{src: src}, nil
	}
	compiled, err := s.machine.compile(body)
	if err != nil {
		return nil, s.backEndError(src, err)
	}
	return &program{src: src, body: compiled}, nil
}

// enact makes the plan's changes to the session and returns how to take them
// back.
func (s *Session) enact(pl *plan) (takeBack func()) {
	oldScope, oldOrder := s.scope, s.order
	var undo []func()
	for _, d := range pl.decls {
		before, was := s.decls[d.obj]
		obj := d.obj
		undo = append(undo, func() {
			if was {
				s.decls[obj] = before
			} else {
				delete(s.decls, obj)
			}
		})
		s.decls[obj] = d
	}
	s.order = append(s.order[:len(s.order):len(s.order)], pl.decls...)
	for _, v := range pl.vars {
		s.symbols[v] = s.fresh(v.Name())
	}
	for v, old := range pl.same {
		s.symbols[v] = s.symbols[old]
	}
	s.scope = pl.scope
	return func() {
		s.scope, s.order = oldScope, oldOrder
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
	}
}

// lowerCell lowers the plan: its declarations into s.out.decls, its statements
// into the body of a function that the machine can run, or nil.
func (s *Session) lowerCell(pl *plan) ast.Stmt {
	base := s.lowerer(newInfo())
	for _, v := range pl.vars {
		spec := &ast.ValueSpec{Names: []*ast.Ident{ident(v.Pos(), s.symbols[v])}, Type: base.typeExpr(v.Pos(), v.Type())}
		s.out.decls = append(s.out.decls, &ast.GenDecl{TokPos: v.Pos(), Tok: token.VAR, Specs: []ast.Spec{spec}})
	}
	for _, d := range pl.decls {
		s.lowerDecl(base, pl, d)
	}
	var body []ast.Stmt
	mark, ok := s.instances[bodyName]
	if !ok {
		mark = s.newMark(pl.pos, bodyName)
		s.remember(bodyName, mark)
	}
	for i, c := range pl.chunks {
		l := s.lowerer(c.info)
		s.pin(c)
		l.captured = capturedInLoops(c.info, &ast.BlockStmt{List: c.stmts})
		l.fn.sig = types.NewSignatureType(nil, nil, nil, nil, nil, false)
		l.fn.mark = mark
		l.statements = true
		last := pl.show && i == len(pl.chunks)-1
		stmts := c.stmts
		if last {
			stmts = stmts[:len(stmts)-1]
		}
		body = append(body, l.stmts(stmts)...)
		if i == len(pl.chunks)-1 {
			body = append(body, s.release(base, pl)...)
		}
		if last {
			body = append(body, l.lastExpression(c.stmts[len(c.stmts)-1], pl.quiet)...)
		}
	}
	if pl.main != nil {
		body = append(body, &ast.ExprStmt{X: call(pl.main.Pos(), base.object(pl.main.Pos(), pl.main))})
	}
	s.drain()
	if len(s.out.links) > 0 {
		body = append(s.out.links, body...)
	}
	if len(body) == 0 {
		return nil
	}
	pos := pl.pos
	// A function with a name, the same for every cell, so that the last cell's
	// can go: a literal would take a copy of the global frame along.
	fn := &ast.FuncDecl{Name: ident(pos, bodyName), Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}}, Body: &ast.BlockStmt{Lbrace: pos, List: body, Rbrace: pos}}
	s.out.decls = append(s.out.decls, fn)
	return &ast.ExprStmt{X: base.runtimeCall(pos, "Run", ident(pos, bodyName))}
}

// bodyName is yaegi's name of the function that a cell's statements become.
const bodyName = "cell#"

// lowerDecl lowers what a declaration needs right away: functions, and new
// methods of types that exist. The rest comes when it is used.
func (s *Session) lowerDecl(l *lowerer, pl *plan, d *decl) {
	fn, ok := d.node.(*ast.FuncDecl)
	if !ok {
		if t, ok := d.obj.(*types.TypeName); ok && !d.generic() && !t.IsAlias() {
			if iface, ok := t.Type().Underlying().(*types.Interface); !ok || iface.IsMethodSet() {
				l.typeExpr(t.Pos(), t.Type())
			}
		}
		return
	}
	if d.generic() {
		return
	}
	obj := d.obj.(*types.Func)
	if d.recv == nil {
		sym := s.funcSymbol(l, fn.Pos(), obj, nil)
		if link, ok := s.links[pl.follows[obj]]; ok {
			s.links[obj] = link
			s.out.links = append(s.out.links, assign(fn.Pos(), ident(fn.Pos(), link), ident(fn.Pos(), sym)))
		}
		return
	}
	named := d.recv.Type().(*types.Named)
	if d.flat == nil {
		return // the type is new too, and brings its methods
	}
	key := l.key(fn.Pos(), obj, nil)
	if old, ok := s.instances[key]; ok {
		delete(s.instances, key)
		s.out.undo = append(s.out.undo, func() { s.instances[key] = old })
	}
	l.typeExpr(fn.Pos(), named)
	m := types.NewMethodSet(types.NewPointer(named)).Lookup(obj.Pkg(), obj.Name())
	if m != nil {
		s.out.queue = append(s.out.queue, func() { s.registerMethod(l, fn.Pos(), named, m) })
	}
}

// backEndError presents what yaegi says of lowered source: something that the
// lowerer should have refused or worked around.
func (s *Session) backEndError(src *source, err error) *CellError {
	msg := err.Error()
	p := token.Position{}
	if m := backEndPosition.FindStringSubmatch(msg); m != nil {
		p.Filename = m[1]
		fmt.Sscan(m[2], &p.Line)
		fmt.Sscan(m[3], &p.Column)
		msg = m[4]
	}
	msg = hashNumber.ReplaceAllString(msg, "")
	return s.located(src, p, "CompileError", "the interpreter can't run this: "+strings.TrimSpace(msg))
}
