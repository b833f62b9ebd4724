package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"sort"
	"sync"

	"sapf/dsl/display"
	"sapf/dsl/session"
)

// Interpreter is what a child runs; *session.Session is one. Execute is called
// for one cell at a time, the rest also while a cell runs.
type Interpreter interface {
	Execute(ctx context.Context, c session.Cell) session.Outcome
	Complete(code string, cursor int) session.Completion
	Inspect(code string, cursor, detail int) (display.Bundle, bool)
	IsComplete(code string) session.Completeness
}

// maxStack is how deep a cell may recurse before its process ends, in bytes of
// one goroutine's stack: a quarter of Go's own limit, reached in about a second.
const maxStack = 256 << 20

// Serve is the life of a child: it makes the interpreter and obeys packets
// until in ends, which it does when the supervisor closes it or dies. From then
// on os.Stdout and os.Stderr are the running cell's, so out must be got at
// before (os.Stdout itself will do).
func Serve(in io.Reader, out io.Writer, start func(display.Host) (Interpreter, error)) error {
	signal.Ignore(os.Interrupt) // it is for the supervisor, which cancels the cell
	debug.SetMaxStack(maxStack)
	limitMemory()
	c := &child{host: newHost(newPipe(out))}
	if err := c.host.captureStandard(); err != nil {
		return err
	}
	var err error
	c.interpreter, err = start(c.host)
	ready := packet{Kind: kindReady}
	if err != nil {
		ready.Failure = err.Error()
	}
	if err := c.host.pipe.send(ready); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	r := bufio.NewReaderSize(in, 32<<10)
	for {
		k, err := receive(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		c.obey(k)
	}
}

// child is the interpreter with what runs on it.
type child struct {
	host        *host
	interpreter Interpreter

	mu      sync.Mutex
	running uint64 // the cell's packet, 0 for none
	cancel  context.CancelFunc
}

func (c *child) obey(k packet) {
	switch k.Kind {
	case kindExecute:
		ctx, cancel := context.WithCancel(context.Background())
		c.mu.Lock()
		c.running, c.cancel = k.ID, cancel
		c.mu.Unlock()
		c.host.begin(ctx)
		go func() {
			defer cancel()
			c.host.pipe.send(c.execute(ctx, k))
		}()
	case kindCancel:
		c.mu.Lock()
		if c.running == k.ID && c.cancel != nil {
			c.cancel()
		}
		c.mu.Unlock()
	case kindReply:
		c.host.reply(k)
	default:
		go func() { c.host.pipe.send(c.answer(k)) }()
	}
}

// execute runs one cell, then the user's expressions if it went well.
func (c *child) execute(ctx context.Context, k packet) packet {
	done := packet{Kind: kindDone, ID: k.ID}
	outcome := c.run(ctx, *k.Cell)
	if outcome.Err == nil && len(k.Expressions) > 0 {
		done.Answers = c.evaluate(ctx, k)
	}
	c.host.settle()
	done.Err, done.Extend = outcome.Err, outcome.Extend
	if outcome.Value != nil {
		done.body = encodeBundle(*outcome.Value, "")
	}
	return done
}

// run is Execute with a net under it: a panic that comes out of the
// interpreter is a bug of it, and still only ends the cell.
func (c *child) run(ctx context.Context, cell session.Cell) (outcome session.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			outcome = session.Outcome{Err: &session.CellError{
				Name: "InternalError", Message: fmt.Sprint(p),
				Traceback: []string{fmt.Sprintf("InternalError: %v", p), string(debug.Stack())},
			}}
		}
	}()
	return c.interpreter.Execute(ctx, cell)
}

// evaluate answers an execute_request's user_expressions, in the order of
// their names.
func (c *child) evaluate(ctx context.Context, k packet) map[string]json.RawMessage {
	names := make([]string, 0, len(k.Expressions))
	for name := range k.Expressions {
		names = append(names, name)
	}
	sort.Strings(names)
	answers := map[string]json.RawMessage{}
	for _, name := range names {
		outcome := c.run(ctx, session.Cell{Count: k.Cell.Count, Code: k.Expressions[name]})
		switch {
		case outcome.Err != nil:
			answers[name] = encode(map[string]any{"status": "error", "ename": outcome.Err.Name,
				"evalue": outcome.Err.Message, "traceback": nonNil(outcome.Err.Traceback)})
		case outcome.Value != nil:
			answers[name] = encode(map[string]any{"status": "ok", "data": outcome.Value.Data, "metadata": metadata(*outcome.Value)})
		default:
			answers[name] = encode(map[string]any{"status": "ok", "data": map[string]any{}, "metadata": map[string]any{}})
		}
	}
	return answers
}

// answer is for the questions that an editor asks. A panic answers nothing.
func (c *child) answer(k packet) (answer packet) {
	answer = packet{Kind: kindAnswer, ID: k.ID}
	defer func() {
		if p := recover(); p != nil {
			answer = packet{Kind: kindAnswer, ID: k.ID, Failure: fmt.Sprint(p)}
		}
	}()
	if k.Cell == nil {
		answer.Failure = "packet " + k.Kind + " has no cell"
		return answer
	}
	switch k.Kind {
	case kindComplete:
		completion := c.interpreter.Complete(k.Cell.Code, k.Cursor)
		answer.Completion = &completion
	case kindInspect:
		if bundle, ok := c.interpreter.Inspect(k.Cell.Code, k.Cursor, k.Detail); ok {
			answer.body = encodeBundle(bundle, "")
		}
	case kindWhole:
		completeness := c.interpreter.IsComplete(k.Cell.Code)
		answer.Completeness = &completeness
	default:
		answer.Failure = "packet " + k.Kind + " is unknown"
	}
	return answer
}

func nonNil(lines []string) []string {
	if lines == nil {
		return []string{}
	}
	return lines
}
