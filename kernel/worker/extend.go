package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sapf/dsl/display"
	"sapf/dsl/session"
)

// Extender makes programs whose cells can import further packages.
type Extender interface {
	// Start is what children are to start with, and a note to the user if there
	// is something to say.
	Start() (e Extended, note string)
	// Extend is the program with more than another has. Relative folders are those
	// of dir; report gets a line now and then on how far it is.
	Extend(ctx context.Context, have, more []string, dir string, report func(string)) (Extended, error)
}

// Extended is a program with further packages.
type Extended struct {
	// Command starts it; nil is the usual child.
	Command []string
	// Parts are what it was extended by.
	Parts []string
	// Text says what cells can import now.
	Text string
}

// startExtended has the first child be what its user has extended it to.
func (w *Worker) startExtended() {
	if w.cfg.Extender == nil || w.cfg.Command != nil {
		return
	}
	e, note := w.cfg.Extender.Start()
	w.cfg.Command, w.parts, w.note, w.cfg.extended = e.Command, e.Parts, note, e.Command != nil
}

// extend gives the worker a child with more packages, unless it has them.
func (w *Worker) extend(ctx context.Context, more session.Extend, sink Sink) *session.CellError {
	if w.cfg.Extender == nil {
		return extendError(errors.New("%extend: this program can't build others"))
	}
	w.mu.Lock()
	have, before := w.parts, w.cfg.Command
	w.mu.Unlock()
	shown := progress{sink: sink, id: fmt.Sprintf("extend-%d", w.id())}
	started := time.Now()
	e, err := w.cfg.Extender.Extend(ctx, have, more.Parts, more.Dir, func(line string) { shown.show("%extend: " + line) })
	if err != nil {
		shown.show("%extend: not done")
		if ctx.Err() != nil {
			msg := fmt.Sprintf("stopped after %s", time.Since(started).Round(time.Millisecond))
			return &session.CellError{Name: "Interrupted", Message: msg, Traceback: []string{"Interrupted: " + msg}}
		}
		return extendError(err)
	}
	if slices.Equal(e.Command, before) {
		shown.show(e.Text)
		return nil
	}
	w.restart(e, more.Dir)
	shown.show(e.Text + "\nThe interpreter was restarted: variables, functions and imports are gone.")
	return nil
}

// restart puts another program in the place of the child.
func (w *Worker) restart(e Extended, dir string) {
	w.mu.Lock()
	old := w.process
	w.process, w.parts = nil, e.Parts
	w.cfg.Command, w.cfg.Dir, w.cfg.extended = e.Command, dir, true
	w.mu.Unlock()
	go w.child()
	if old != nil {
		old.end("the interpreter was extended")
	}
}

func extendError(err error) *session.CellError {
	trace := []string{"ExtendError: " + err.Error()}
	var long interface{ Output() []string } // what a compiler said, say
	if errors.As(err, &long) {
		trace = append(trace, long.Output()...)
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return &session.CellError{Name: "ExtendError", Message: first, Traceback: trace}
}

// progress is a line that is shown in one place.
type progress struct {
	sink  Sink
	id    string
	shown bool
}

func (p *progress) show(text string) {
	body := encodeBundle(display.Bundle{Data: map[string]any{"text/plain": text}}, p.id)
	if p.shown {
		p.sink.Update(body)
		return
	}
	p.shown = true
	p.sink.Display(body)
}
