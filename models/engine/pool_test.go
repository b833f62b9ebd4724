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
			p.run(&s, len(c.runs))
			for u := range c.runs {
				if n := c.runs[u].Load(); n != 1 {
					t.Fatalf("%d threads, step %d: unit %d ran %d times", threads, i, u, n)
				}
			}
		}
		p.close()
	}
}
