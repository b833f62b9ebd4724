package attack

import (
	"sync"
)

// Share makes a classifier one whose single passes can be shared (see Fork),
// and returns what gives its buffers back. The classifier that Together hands to
// an attack is one already.
func Share(m Classifier) (Classifier, func()) {
	if _, ok := m.(*member); ok {
		return m, func() {}
	}
	p := newPool(m, 1)
	return &member{p, 0}, p.close
}

// Fork runs f for every i below n at once, each with a classifier of its own,
// and waits for all. Their single passes are served in batches, together with
// those of whatever else shares m; the caller, who has m, makes none meanwhile.
// What each finds does not depend on the others. The error is the first in the
// order of i.
func Fork(m Classifier, n int, f func(i int, m Classifier) error) error {
	shared, done := Share(m)
	defer done()
	if n == 0 {
		return nil
	}
	caller := shared.(*member)
	caller.p.join(n - 1) // the caller's own place is taken by one of them
	errs := make([]error, n)
	left := n
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			defer caller.p.leaveFork(&left)
			errs[i] = f(i, &member{caller.p, caller.index})
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// join adds n to those whose passes a round waits for.
func (p *pool) join(n int) {
	p.mu.Lock()
	p.live += n
	p.mu.Unlock()
}

// leaveFork takes one of a fork out of the round; the last gives its place back
// to the caller.
func (p *pool) leaveFork(left *int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if *left--; *left > 0 {
		p.live--
		p.serveIfAllWait()
	}
}
