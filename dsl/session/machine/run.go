// Package machine runs lowered cells: yaegi with what it takes to stop it and
// start it again, the functions that lowered source calls, the types that values
// of cells have at run time, and a cell's output.
package machine

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"regexp"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/traefik/yaegi/interp"
	"golang.org/x/tools/go/types/typeutil"

	"sapf/dsl/display"
	"sapf/dsl/session/universe"
)

// Machine is yaegi with what it takes to stop it and start it again.
//
// yaegi stops by raising a number that every frame of the interpreter is
// compared with. A frame that had the old number never runs again, and so
// neither would any closure that an earlier cell made. So the number is put
// back once everything that was told to stop has stopped; until then the next
// cell waits. The channel that yaegi closes to wake channel operations belongs
// to a run with a context; a program that only waits is that run (a
// generation), and cells run beside it.
type Machine struct {
	yaegi  *interp.Interpreter
	output *Output
	id     *uint64 // yaegi's number

	mu         sync.Mutex
	generation *generation
	ended      chan struct{} // closed when the last cell has really ended
	goroutines sync.WaitGroup
	active     atomic.Int64 // goroutines of cells that run

	registry registry
	keys     sync.Map   // adapters that are keys of maps: see key
	repMu    sync.Mutex // guards what follows
	reps     *reps
	views    *reps
	names    map[reflect.Type]string // by which lowered source can name types
	adapters int                     // made so far

	reflecteds *typeutil.Map               // *reflected by types.Type
	viewed     map[reflect.Type]types.Type // what types made by view stand for, nil for several

	current *run            // the cell at hand
	trace   []string        // functions that the latest panic left, innermost first
	marks   map[string]*int // the places that functions have come to
	endings map[int]*ending // what each goroutine that panics is doing about it
	// report presents the panic of a goroutine.
	Report func(value any, trace []string) string
}

// generation is the time between two interrupts.
type generation struct {
	stop    context.CancelFunc
	stopped chan struct{} // closed when cells are told to stop
	quit    chan struct{} // ends the waiting program
	over    chan struct{} // closed when yaegi has been told
}

// run is one run of a cell's body.
type run struct {
	shown    []display.Bundle
	finished bool // it has come to its end
	panicked bool
	value    any // of the panic
}

// Result is how a run ended.
type Result struct {
	Interrupted, Panicked bool
	Value                 any
	Trace                 []string
	Shown                 []display.Bundle
}

func New(out *Output, symbols interp.Exports) *Machine {
	m := &Machine{output: out, ended: closed(), marks: map[string]*int{}, endings: map[int]*ending{}}
	m.yaegi = interp.New(interp.Options{
		Stdout: &stream{out, "stdout"},
		Stderr: (*traceWriter)(m),
		Stdin:  &stdin{out: out},
	})
	m.yaegi.Use(m.standard())
	m.yaegi.Use(symbols)
	m.yaegi.Use(folded(symbols))
	m.yaegi.Use(m.runtime())
	m.id = yaegiNumber(m.yaegi)
	return m
}

// Know gives the machine the types of compiled packages.
func (m *Machine) Know(u *universe.Universe) {
	m.names = map[reflect.Type]string{}
	m.reps, m.views = newReps(u, false), newReps(u, true)
	m.registry = registry{methods: map[int]map[string]reflect.Value{}, funcs: map[string]reflect.Value{}, outer: map[*types.TypeName][]types.Type{}, universe: u}
}

// FileSet has the positions in what has been compiled.
func (m *Machine) FileSet() *token.FileSet { return m.yaegi.FileSet() }

// Globals are the values of yaegi's global variables, by their names there.
func (m *Machine) Globals() map[string]reflect.Value { return m.yaegi.Globals() }

// yaegiNumber is the address of the interpreter's run number, which has no
// accessor (yaegi v0.16.1, interp.Interpreter.id).
func yaegiNumber(i *interp.Interpreter) *uint64 {
	f := reflect.ValueOf(i).Elem().FieldByName("id")
	if f.Kind() != reflect.Uint64 {
		panic("session: this version of yaegi keeps its run number elsewhere")
	}
	return (*uint64)(unsafe.Pointer(f.UnsafeAddr()))
}

// Forget lets go of functions that nothing mentions any more, by their symbols.
func (m *Machine) Forget(symbols []string) {
	m.mu.Lock()
	for _, name := range symbols {
		delete(m.marks, name)
	}
	m.mu.Unlock()
	m.registry.mu.Lock()
	for _, name := range symbols {
		delete(m.registry.funcs, name)
	}
	m.registry.mu.Unlock()
	for _, scope := range m.yaegiScopes() {
		if f := scope.FieldByName("sym"); f.Kind() == reflect.Map {
			table := reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
			for _, name := range symbols {
				table.SetMapIndex(reflect.ValueOf(name), reflect.Value{})
			}
		}
	}
}

// yaegiScopes are yaegi's scopes of packages (interp.Interpreter.scopes).
func (m *Machine) yaegiScopes() []reflect.Value {
	var out []reflect.Value
	if f := reflect.ValueOf(m.yaegi).Elem().FieldByName("scopes"); f.Kind() == reflect.Map {
		for it := f.MapRange(); it.Next(); {
			if s := it.Value(); s.Kind() == reflect.Pointer && s.Elem().Kind() == reflect.Struct {
				out = append(out, s.Elem())
			}
		}
	}
	return out
}

// forgetSyntax lets go of the syntax trees of what has been compiled, which yaegi
// keeps for its debugger (interp.Interpreter.roots).
func (m *Machine) forgetSyntax() {
	if f := reflect.ValueOf(m.yaegi).Elem().FieldByName("roots"); f.Kind() == reflect.Slice {
		*(*[]unsafe.Pointer)(unsafe.Pointer(f.UnsafeAddr())) = nil
	}
	for _, scope := range m.yaegiScopes() {
		if f := scope.FieldByName("child"); f.Kind() == reflect.Slice {
			*(*[]unsafe.Pointer)(unsafe.Pointer(f.UnsafeAddr())) = nil
		}
	}
}

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// Declare runs imports and declarations.
func (m *Machine) Declare(imports, decls []ast.Decl) (err error) {
	defer recovered(&err)
	defer m.forgetSyntax()
	// yaegi ties imports to the file they are in, by the name of the file that
	// the root's position is in. Without a position they are everybody's.
	for _, list := range append([][]ast.Decl{imports}, apart(decls)...) {
		if len(list) == 0 {
			continue
		}
		file := &ast.File{Name: ast.NewIdent("main"), Decls: list}
		file.Package = file.Decls[0].Pos()
		p, err := m.yaegi.CompileAST(file)
		if err != nil {
			return err
		}
		if _, err = m.yaegi.Execute(p); err != nil {
			return err
		}
	}
	return nil
}

// Compile compiles the call that runs a cell's body: it stands alone, since
// what yaegi evaluates at the top level stays in its global frame for ever.
func (m *Machine) Compile(st ast.Stmt) (p *interp.Program, err error) {
	defer recovered(&err)
	defer m.forgetSyntax()
	return m.yaegi.CompileAST(&ast.BlockStmt{Lbrace: st.Pos(), List: []ast.Stmt{st}, Rbrace: st.End()})
}

// recovered makes an error of a panic of the interpreter itself.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%v", r)
	}
}

// errStillRunning is why a cell can't start: the one that was interrupted is
// inside compiled code that does not look up.
var errStillRunning = errors.New("the interrupted cell is still inside a compiled call; wait for it, or restart the kernel")

// Idle waits until the last cell has really ended, and puts the interpreter
// back to work if that cell was interrupted.
func (m *Machine) Idle(ctx context.Context) error {
	m.mu.Lock()
	ended := m.ended
	m.mu.Unlock()
	select {
	case <-ended:
	default:
		select {
		case <-ended:
		case <-ctx.Done():
			return errStillRunning
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if g := m.generation; g != nil {
		select {
		case <-g.stopped:
			<-g.over
			m.settle()
			atomic.AddUint64(m.id, ^uint64(0))
			close(g.quit)
			m.generation = nil
		default:
		}
	}
	return nil
}

// settleTime is how long goroutines of cells get to notice an interrupt. One
// that is inside a compiled call for longer lives on.
const settleTime = 200 * time.Millisecond

func (m *Machine) settle() {
	done := make(chan struct{})
	go func() {
		m.goroutines.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(settleTime):
	}
}

// begin starts a generation if there is none.
func (m *Machine) begin() (*generation, error) {
	if m.generation != nil {
		return m.generation, nil
	}
	ctx, stop := context.WithCancel(context.Background())
	g := &generation{stop: stop, stopped: make(chan struct{}), quit: make(chan struct{}), over: make(chan struct{})}
	ready := make(chan struct{})
	m.yaegi.Use(interp.Exports{waitPath + "/wait": {"Wait": reflect.ValueOf(func() {
		close(ready)
		<-g.quit
	})}})
	name := fmt.Sprintf("wait%p", g)
	if _, err := m.yaegi.Eval(fmt.Sprintf("import %s %q", name, waitPath)); err != nil {
		return nil, err
	}
	p, err := m.yaegi.Compile(name + ".Wait()")
	if err != nil {
		return nil, err
	}
	go func() {
		m.yaegi.ExecuteWithContext(ctx, p)
		close(g.over)
	}()
	<-ready
	m.generation = g
	return g, nil
}

const waitPath = "session/wait"

// Run runs a compiled body until it ends or ctx does.
func (m *Machine) Run(ctx context.Context, body *interp.Program) Result {
	m.mu.Lock()
	g, err := m.begin()
	if err != nil {
		m.mu.Unlock()
		return Result{Panicked: true, Value: err}
	}
	r := &run{}
	ended := make(chan struct{})
	m.current, m.ended, m.trace = r, ended, nil
	m.mu.Unlock()
	go func() {
		defer close(ended)
		_, err := m.yaegi.Execute(body)
		if err != nil && !r.panicked {
			r.panicked, r.value = true, err
			var p interp.Panic
			if errors.As(err, &p) {
				r.value = p.Value
			}
		}
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		m.mu.Lock()
		close(g.stopped)
		g.stop()
		m.mu.Unlock()
		// Most cells stop at once; then what they printed last is still theirs.
		select {
		case <-ended:
		case <-time.After(promptly):
			m.lastWords(ended)
		}
		return Result{Interrupted: true}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return Result{Panicked: r.panicked, Value: r.value, Trace: m.takeTrace(), Shown: r.shown}
}

// promptly is how long an interrupt waits for the cell before it is reported.
const promptly = 10 * time.Millisecond

// patience is how long one waits for a verb of the cell, which heeds the
// interrupt after its step and then shows how far it came.
const patience = time.Second

// lastWords waits until a stopped cell has ended, as long as a verb is underway.
func (m *Machine) lastWords(ended <-chan struct{}) {
	for start := time.Now(); display.Verbs() > 0 && time.Since(start) < patience; {
		select {
		case <-ended:
			return
		case <-time.After(promptly):
		}
	}
	// A verb that is just over leaves the cell the moment that it takes to end.
	select {
	case <-ended:
	case <-time.After(promptly):
	}
}

// Abandon stops whatever runs and leaves it behind.
func (m *Machine) Abandon() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g := m.generation; g != nil {
		select {
		case <-g.stopped:
		default:
			close(g.stopped)
			g.stop()
			<-g.over
		}
		close(g.quit)
		m.generation = nil
	}
}

// stopping is closed when cells are told to stop.
func (m *Machine) stopping() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.generation == nil {
		return nil
	}
	return m.generation.stopped
}

// traceWriter is what yaegi knows as stderr: it takes out the lines by which
// yaegi reports the functions that a panic leaves.
type traceWriter Machine

func (w *traceWriter) Write(p []byte) (int, error) {
	m := (*Machine)(w)
	if !TraceLine.Match(p) {
		m.output.Write("stderr", string(p))
		return len(p), nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.trace) < maxTrace {
		m.trace = append(m.trace, string(p))
	}
	return len(p), nil
}

// takeTrace returns the trace and starts it anew. The caller holds the lock.
func (m *Machine) takeTrace() []string {
	t := m.trace
	m.trace = nil
	return t
}

// maxTrace is how many functions of a stack are kept; a runaway recursion has
// millions.
const maxTrace = 50

// runGuarded runs the body of a cell for yaegi.
func (m *Machine) runGuarded(body func()) {
	m.mu.Lock()
	r := m.current
	m.mu.Unlock()
	defer func() {
		if v := recover(); v != nil {
			r.panicked, r.value = true, plainValue(v)
		}
	}()
	body()
	if !r.finished {
		r.panicked, r.value = true, ErrUnfinished
	}
}

// ErrUnfinished is the end of a cell whose last statement has not been reached.
var ErrUnfinished = errors.New("the interpreter left the cell here, before its last statement; this is a fault of its own: write the statement another way, in smaller steps")

// finish notes that the cell at hand has come to its end.
func (m *Machine) finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current != nil {
		m.current.finished = true
	}
}

// start runs f as a goroutine of a cell. Its panic ends only itself.
func (m *Machine) start(f func()) {
	m.goroutines.Add(1)
	go func() {
		defer m.goroutines.Done()
		defer func() {
			if v := recover(); v != nil {
				m.mu.Lock()
				trace, report := m.takeTrace(), m.Report
				m.mu.Unlock()
				m.output.Write("stderr", report(plainValue(v), trace))
			}
		}()
		f()
	}()
}

// TraceLine is what the interpreter prints for each function that a panic
// leaves.
var TraceLine = regexp.MustCompile(`^(?:(?:(.*):)?(\d+):(\d+)|-): panic: (.*)\(\.\.\.\)\n$`)
