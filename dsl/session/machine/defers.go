package machine

import (
	"bytes"
	"runtime"
	"strconv"
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

// DeferredLiteral is what recover is told of a literal that is deferred: it
// asks the list itself.
const DeferredLiteral = "literal"

// run makes one deferred call. Calls of functions with names, which have no
// other way to the panic, find it under the number of the goroutine.
func (d *Defers) run(c deferredCall) {
	if d.panicking && c.name != DeferredLiteral {
		id := goroutine()
		before := d.m.ending(id, &ending{d, c.name})
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

// ending is a deferred call of a function that panics.
type ending struct {
	of   *Defers
	name string
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

// recoverIn is recover in a function of that name, "" for a literal.
func (m *Machine) recoverIn(name string) any {
	m.mu.Lock()
	none := len(m.endings) == 0
	m.mu.Unlock()
	if none {
		return nil
	}
	id := goroutine()
	m.mu.Lock()
	e := m.endings[id]
	m.mu.Unlock()
	if e == nil || e.name != name && e.name != "" {
		return nil
	}
	return e.of.Recover()
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
