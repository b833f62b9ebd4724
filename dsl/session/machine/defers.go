package machine

import (
	"bytes"
	"runtime"
	"strconv"
	"strings"
)

// Defers are the deferred calls of one run of an interpreted function.
// Exported for yaegi.
type Defers struct {
	m         *Machine
	calls     []deferredCall
	panicking bool
	value     any      // of the panic
	trace     []string // the functions that the panic left before
}

// deferredCall is a call with the name of what it calls, "" for a function
// value.
type deferredCall struct {
	name string
	call func()
}

// Push defers a call.
func (d *Defers) Push(name string, call func()) {
	d.calls = append(d.calls, deferredCall{name, call})
}

// Guard runs the function's body, then the deferred calls, whether it returns,
// panics or ends its goroutine.
func (d *Defers) Guard(body func()) {
	defer func() {
		d.caught(recover())
		for len(d.calls) > 0 {
			last := len(d.calls) - 1
			c := d.calls[last]
			d.calls = d.calls[:last]
			d.run(c)
		}
		if d.panicking {
			d.m.putTrace(d.trace)
			panic(d.value)
		}
	}()
	body()
}

// caught notes a panic, if v is the value of one. It takes the place of what
// went before.
func (d *Defers) caught(v any) {
	if v != nil {
		d.panicking, d.value = true, v
		d.m.mu.Lock()
		d.trace = d.m.takeTrace()
		d.m.mu.Unlock()
	}
}

// DeferredLiteral is what recover is told of a literal that is deferred, which asks
// the list itself; DeferredCompiled, of a function that is not a cell's.
const (
	DeferredLiteral  = "literal"
	DeferredCompiled = "compiled"
)

// run makes one deferred call. Functions with names, which have no other way to the
// panic, find it under the number of the goroutine.
func (d *Defers) run(c deferredCall) {
	if d.panicking || d.m.ends() {
		var e *ending
		if d.panicking && c.name == "" {
			e = &ending{of: d, level: 2} // a function that calls it, and itself
		}
		id := goroutine()
		before := d.m.ending(id, e)
		defer d.m.ending(id, before)
	}
	defer func() { d.caught(recover()) }()
	c.call()
}

// Recover is recover in a literal that is deferred.
func (d *Defers) Recover() any {
	if !d.panicking {
		return nil
	}
	v := d.value
	d.panicking, d.value, d.trace = false, nil, nil
	return plainValue(v)
}

// RecoverFor is recover as a deferred call of the function with the calls of.
func (d *Defers) RecoverFor(of *Defers) {
	if !of.panicking {
		d.Recover()
	}
}

// ending is a deferred call of a function that panics. Only what is deferred
// itself may recover: it runs so many calls of interpreted functions from here.
type ending struct {
	of    *Defers
	level int
}

// ending sets what the goroutine is ending with, nil for nothing, and returns
// what was set before.
func (m *Machine) ending(goroutine int, e *ending) *ending {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.endings[goroutine]
	if e == nil {
		delete(m.endings, goroutine)
	} else {
		m.endings[goroutine] = e
	}
	return before
}

// ends reports whether any goroutine is ending with something.
func (m *Machine) ends() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.endings) > 0
}

// endingHere is what this goroutine is ending with, if the function at hand is what
// was deferred.
func (m *Machine) endingHere() *ending {
	if !m.ends() {
		return nil
	}
	id := goroutine()
	m.mu.Lock()
	e := m.endings[id]
	m.mu.Unlock()
	if e == nil || levels() != e.level {
		return nil
	}
	return e
}

// recoverHere is recover in a function that may have been deferred.
func (m *Machine) recoverHere() any {
	if e := m.endingHere(); e != nil {
		return e.of.Recover()
	}
	return nil
}

// forwards is told by a function of our own making that it is about to call what it
// stands for.
func (m *Machine) forwards() {
	if e := m.endingHere(); e != nil {
		e.level++
	}
}

// levels is how many interpreted functions run since the deferred call began, which
// is among the latest of the stack if it matters.
func levels() int {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for n := 0; ; {
		f, more := frames.Next()
		switch {
		case strings.HasSuffix(f.Function, "machine.(*Defers).run"):
			return n
		case strings.HasSuffix(f.Function, "yaegi/interp.runCfg"):
			n++
		case !more:
			return -1
		}
	}
}

// putTrace puts back what takeTrace took.
func (m *Machine) putTrace(trace []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trace = append([]string(nil), trace...)
}

// goroutine is the number of this goroutine, for which there is no function.
func goroutine() int {
	b := make([]byte, 64)
	b = b[:runtime.Stack(b, false)]
	b = bytes.TrimPrefix(b, []byte("goroutine "))
	end := bytes.IndexByte(b, ' ')
	if end < 0 {
		return 0
	}
	n, _ := strconv.Atoi(string(b[:end]))
	return n
}
