package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"sync"

	"sapf/dsl/session"
)

// Sink takes a cell's output, in order, from one goroutine. The JSON it gets is
// its to keep.
type Sink interface {
	// Stream appends text to "stdout" or "stderr".
	Stream(name, text string)
	// Display shows content: {"data", "metadata", "transient"}.
	Display(content json.RawMessage)
	// Update replaces the display that transient.display_id names.
	Update(content json.RawMessage)
	// Clear removes the cell's outputs, at once or when the next one comes.
	Clear(wait bool)
	// Input asks for a line. It may take its time: it has its own goroutine.
	Input(ctx context.Context, prompt string, password bool) (string, error)
}

// Config says how children are started.
type Config struct {
	// Command starts a child; nil means this program with "worker-session".
	Command []string
	// Args are os.Args in cells; nil means the program's name alone.
	Args []string
	// Env is added to the environment, Dir is the working directory ("" ours).
	Env []string
	Dir string
	// Extender builds children with more packages, for %extend; nil means that
	// there are none.
	Extender Extender
	// extended says that Command is an extender's.
	extended bool
	// Log gets what children write to their real standard error beside the
	// traces of their deaths; nil discards it.
	Log io.Writer
}

// Request is one cell to run.
type Request struct {
	Cell session.Cell
	// Expressions are evaluated after a cell that went well.
	Expressions map[string]string
}

// Result is how a cell ended.
type Result struct {
	// Value is {"data", "metadata"} of the last expression, or nil.
	Value json.RawMessage
	Err   *session.CellError
	// Answers has a reply for each of the request's expressions.
	Answers map[string]json.RawMessage
	// Lost says that the interpreter's process ended, and all variables with it.
	Lost bool
}

// Worker supervises a child. Execute is for one caller at a time; the other
// methods may be called at any time.
type Worker struct {
	cfg Config

	mu      sync.Mutex
	process *process
	epitaph string   // why the last process ended, if between cells
	note    string   // for the next cell
	parts   []string // that the child's program was extended by
	closed  bool
	nextID  uint64
}

// takeNote is what the next cell is to be told first.
func (w *Worker) takeNote() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	note := w.note
	w.note = ""
	if w.epitaph != "" {
		note += fmt.Sprintf("The interpreter ended after the last cell: %s.\nA new one was started; variables, functions and imports are gone.\n", w.epitaph)
		w.epitaph = ""
	}
	return note
}

// ErrClosed is what a Worker says after Close.
var ErrClosed = errors.New("worker closed")

// New makes a worker and starts its child in the background.
func New(cfg Config) *Worker {
	w := &Worker{cfg: cfg}
	w.startExtended()
	go w.child()
	return w
}

// child is the live child, started now if there is none.
func (w *Worker) child() (*process, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, ErrClosed
	}
	if w.process != nil && !w.process.gone() {
		return w.process, nil
	}
	if old := w.process; old != nil && !old.reported {
		w.epitaph = old.cause.Message
	}
	p, err := startProcess(w.cfg)
	if err != nil {
		return nil, err
	}
	w.process = p
	return p, nil
}

func (w *Worker) id() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nextID++
	return w.nextID
}

// Execute runs a cell and returns when it has ended and all its output has
// been given to sink. When ctx is done the cell is interrupted.
func (w *Worker) Execute(ctx context.Context, r Request, sink Sink) Result {
	for {
		result, more := w.execute(ctx, r, sink)
		if more == nil {
			return result
		}
		if err := w.extend(ctx, *more, sink); err != nil {
			return Result{Err: err}
		}
		if strings.TrimSpace(more.Rest) == "" {
			return Result{}
		}
		r.Cell.Code = more.Rest
	}
}

// execute is Execute up to a wish for more packages, which it returns.
func (w *Worker) execute(ctx context.Context, r Request, sink Sink) (Result, *session.Extend) {
	p, err := w.child()
	if err == nil {
		err = p.waitReady(ctx)
	}
	if err != nil {
		return failed(err), nil
	}
	if note := w.takeNote(); note != "" {
		sink.Stream("stderr", note)
	}
	id := w.id()
	answer := p.expect(id)
	p.setSink(ctx, sink)
	if err := p.pipe.send(packet{Kind: kindExecute, ID: id, Cell: &r.Cell, Expressions: r.Expressions}); err != nil {
		p.kill("") // a pipe that breaks means it is dying; wait for what it says
	}
	interrupted := ctx.Done()
	for {
		select {
		case k := <-answer:
			return Result{Value: k.body, Err: k.Err, Answers: k.Answers}, k.Extend
		case <-interrupted:
			interrupted = nil
			p.pipe.send(packet{Kind: kindCancel, ID: id})
		case <-p.dead:
			select { // the answer may have been its last word
			case k := <-answer:
				return Result{Value: k.body, Err: k.Err, Answers: k.Answers}, k.Extend
			default:
			}
			w.mu.Lock()
			p.reported = true
			w.mu.Unlock()
			go w.child() // be ready for the next cell
			return Result{Err: lost(p.cause), Lost: true}, nil
		}
	}
}

func failed(err error) Result {
	name := "InterpreterError"
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		name = "Interrupted"
	}
	return Result{Err: &session.CellError{Name: name, Message: err.Error(), Traceback: []string{name + ": " + err.Error()}}}
}

// lost is the error of the cell during which the interpreter ended.
func lost(cause session.CellError) *session.CellError {
	e := cause
	e.Traceback = append([]string{e.Name + ": " + e.Message}, cause.Traceback...)
	e.Traceback = append(e.Traceback, "The interpreter's process ended and a new one was started: variables, functions and imports are gone.")
	return &e
}

// ask puts one of the editor's questions to the child.
func (w *Worker) ask(ctx context.Context, k packet) (packet, error) {
	p, err := w.child()
	if err == nil {
		err = p.waitReady(ctx)
	}
	if err != nil {
		return packet{}, err
	}
	k.ID = w.id()
	answer := p.expect(k.ID)
	defer p.forget(k.ID)
	if err := p.pipe.send(k); err != nil {
		return packet{}, err
	}
	select {
	case got := <-answer:
		if got.Failure != "" {
			return got, errors.New(got.Failure)
		}
		return got, nil
	case <-p.dead:
		return packet{}, errors.New(p.cause.Message)
	case <-ctx.Done():
		return packet{}, ctx.Err()
	}
}

// Complete asks what can follow the cursor, a byte offset in code.
func (w *Worker) Complete(ctx context.Context, code string, cursor int) (session.Completion, error) {
	got, err := w.ask(ctx, packet{Kind: kindComplete, Cell: &session.Cell{Code: code}, Cursor: cursor})
	if err != nil || got.Completion == nil {
		return session.Completion{Start: cursor, End: cursor}, err
	}
	return *got.Completion, nil
}

// Inspect asks what is known of the name at the cursor, a byte offset in code:
// {"data", "metadata"}, or nil if nothing.
func (w *Worker) Inspect(ctx context.Context, code string, cursor, detail int) (json.RawMessage, error) {
	got, err := w.ask(ctx, packet{Kind: kindInspect, Cell: &session.Cell{Code: code}, Cursor: cursor, Detail: detail})
	return got.body, err
}

// IsComplete asks whether code may run as it is.
func (w *Worker) IsComplete(ctx context.Context, code string) (session.Completeness, error) {
	got, err := w.ask(ctx, packet{Kind: kindWhole, Cell: &session.Cell{Code: code}})
	if err != nil || got.Completeness == nil {
		return session.Completeness{Status: "unknown"}, err
	}
	return *got.Completeness, nil
}

// Kill ends the child, and with it a cell that does not heed an interrupt; why
// is what that cell's error says. The next cell gets a new child.
func (w *Worker) Kill(why string) {
	w.mu.Lock()
	p := w.process
	w.mu.Unlock()
	if p != nil {
		p.kill(why)
	}
}

// Pid is the child's process, 0 if there is none.
func (w *Worker) Pid() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.process == nil || w.process.gone() {
		return 0
	}
	return w.process.cmd.Process.Pid
}

// Close ends the child: politely, and after a moment not so.
func (w *Worker) Close() {
	w.mu.Lock()
	w.closed = true
	p := w.process
	w.mu.Unlock()
	if p == nil {
		return
	}
	p.end("the kernel was shut down")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// command is how a child is started by default.
func command() ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	return []string{self, "worker-session"}, nil
}
