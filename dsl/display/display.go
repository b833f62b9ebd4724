// Package display carries what a cell shows to whoever looks: a Jupyter
// client, the notebook runner or a terminal.
package display

import (
	"context"
	"sync"
	"sync/atomic"
)

// Bundle is one thing to show, in every form it has: MIME type to data (string
// for text, []byte for binary, any JSON value for application/json).
type Bundle struct {
	Data     map[string]any
	Metadata map[string]any
}

// Host receives what a cell shows. Calls come in the order of the cell's
// statements; a Host is safe for use by several goroutines.
type Host interface {
	// Stream appends text to "stdout" or "stderr".
	Stream(name, text string)
	// Display shows b. A display with an id can be replaced by Update.
	Display(b Bundle, id string)
	// Update replaces the display with that id, wherever it is.
	Update(b Bundle, id string)
	// Clear removes the cell's outputs, at once or when the next one comes.
	Clear(wait bool)
	// Input asks the person in front for a line.
	Input(prompt string, password bool) (string, error)
}

type current struct {
	ctx  context.Context
	host Host
}

var now atomic.Pointer[current]

// Bind makes host and ctx the ones that verbs use from here on. The session
// calls it before each cell; a compiled program need not: without it, verbs
// write to the terminal and are stopped by nothing. With a nil host it is so again.
func Bind(ctx context.Context, host Host) {
	if host == nil {
		now.Store(nil)
		return
	}
	now.Store(&current{ctx, host})
}

// Context is the running cell's context: done when the user interrupts.
func Context() context.Context {
	if c := now.Load(); c != nil {
		return c.ctx
	}
	return context.Background()
}

var verbs atomic.Int64

// Verb says that a long verb has begun, which heeds an interrupt within a step
// and then shows how it ended; the function that it returns says that it is over.
// An interrupted cell waits a moment for its verbs, so that what they show last
// is there before the cell's end.
func Verb() (over func()) {
	verbs.Add(1)
	return sync.OnceFunc(func() { verbs.Add(-1) })
}

// Verbs is how many verbs are underway.
func Verbs() int { return int(verbs.Load()) }

var source atomic.Pointer[func() string]

// BindSource makes f say what the running cell means: see Source. The session
// calls it before each cell.
func BindSource(f func() string) { source.Store(&f) }

// Source is a digest of all that decides what the running cell does: its text,
// that of the declarations that it mentions, directly or not, and the values of
// the variables among them. It is "" in a compiled program.
func Source() string {
	if f := source.Load(); f != nil {
		return (*f)()
	}
	return ""
}

// To is the host that verbs show things to.
func To() Host {
	if c := now.Load(); c != nil {
		return c.host
	}
	return standard()
}
