package engine

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// countStep counts how often each of its units runs.
type countStep struct {
	runs []atomic.Int32
	nap  time.Duration
}

func (s *countStep) prepare(*fast, int, int) []scheduled { return []scheduled{{s, len(s.runs)}} }
func (s *countStep) run(_ *worker, unit int) {
	s.runs[unit].Add(1)
	if s.nap > 0 {
		time.Sleep(s.nap)
	}
}

// TestPool runs many steps of different sizes, with pauses in which workers
// park, and expects every unit to run once before its step ends.
func TestPool(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 7} {
		p := newPool(make([]*worker, threads))
		for i := range 3000 {
			c := &countStep{runs: make([]atomic.Int32, 1+i%11)}
			if i%500 == 0 {
				c.nap = time.Millisecond
				time.Sleep(2 * spinTime)
			}
			var s step = c
			p.begin()
			p.run(&s, len(c.runs))
			p.end()
			for u := range c.runs {
				if n := c.runs[u].Load(); n != 1 {
					t.Fatalf("%d threads, step %d: unit %d ran %d times", threads, i, u, n)
				}
			}
		}
		p.close()
	}
}

// hog is a step of two units. The caller's waits until a helper has begun the
// other, which sleeps: a helper that loses its processor looks the same.
type hog struct {
	nap   time.Duration
	alone bool
	begun chan struct{}
}

func (s *hog) run(w *worker, _ int) {
	switch {
	case w != nil:
		s.begun <- struct{}{}
		time.Sleep(s.nap)
	case !s.alone:
		<-s.begun
	}
}

// TestPoolStall: after a stall the caller works alone for a while if somebody
// else is running, and then tries again; where that stalls at once, it waits
// twice as long.
func TestPoolStall(t *testing.T) {
	p := newPool([]*worker{nil, {}})
	defer p.close()
	running := 3
	p.running = func() int { return running }
	h := &hog{nap: 50 * time.Millisecond, begun: make(chan struct{})}
	var s step = h
	pass := func() {
		p.begin()
		p.run(&s, 2)
		p.end()
	}
	stall := func() {
		t.Helper()
		h.alone = false
		for i := 0; ; i++ {
			if pass(); p.stalled {
				return
			}
			if i == 20 { // the caller may lose its own processor instead
				t.Fatal("a helper that sleeps is never noticed")
			}
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	want := firstGap
	for _, running = range []int{3, 3, 0} { // 0: nobody knows
		from := time.Now()
		stall()
		if !p.alone || p.gap != want && time.Since(from) < soon/2 {
			t.Fatalf("after a stall %v go without helpers, want %v", p.gap, want)
		}
		want = 2 * p.gap
		p.until = time.Now().Add(time.Hour)
		h.alone = true
		for range 3 {
			time.Sleep(lookGap)
			if pass(); p.stalled || !p.alone {
				t.Fatal("beside a busy process helpers come back at once")
			}
		}
		p.until = time.Now() // the gap is over
		time.Sleep(lookGap)
	}
	if stall(); !p.alone {
		t.Fatal("after a stall helpers go on")
	}
	running, h.alone = 1, true
	time.Sleep(lookGap)
	if p.begin(); p.alone {
		t.Fatal("processors are free, but helpers do not come back")
	}
	if stall(); p.alone {
		t.Fatal("a stall that nobody else is to blame for sends helpers away")
	}
}
