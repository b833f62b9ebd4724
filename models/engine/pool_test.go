package engine

import (
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

// TestPoolStall: after a stall the caller works alone for a while, and then
// tries again.
func TestPoolStall(t *testing.T) {
	p := newPool([]*worker{nil, {}})
	defer p.close()
	h := &hog{nap: 50 * time.Millisecond, begun: make(chan struct{})}
	var s step = h
	pass := func() {
		p.begin()
		p.run(&s, 2)
		p.end()
	}
	for i := 0; p.alone == 0; i++ {
		if i == 20 { // the caller may lose its own processor instead
			t.Fatal("a helper that sleeps is never noticed")
		}
		pass()
	}
	if !p.stalled || p.alone != firstGap {
		t.Fatalf("after a stall %d passes go without helpers, want %d", p.alone, firstGap)
	}
	h.alone = true
	for range firstGap {
		pass()
		if p.stalled {
			t.Fatal("a pass without helpers stalls")
		}
	}
	if p.alone != 0 || p.gap != firstGap {
		t.Fatalf("then %d more, and the next gap from %d; want 0 and %d", p.alone, p.gap, firstGap)
	}
}
