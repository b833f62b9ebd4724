package runs

import (
	"context"
	"errors"
	"sync"
	"time"

	"sapf/sapf/sweep/queue"
)

// gate lets a job that has failed before run alone in its process, with nothing
// else even leased: if it is the one that kills processes, it takes no other job
// with it, which would then be blamed as well.
type gate struct {
	alone sync.RWMutex // held for reading from before a job is leased until it is done

	mu      sync.Mutex
	waiting map[*context.CancelFunc]bool // those who wait for a job
}

// errAgain says that there is no job now, and that one may be asked for again.
var errAgain = errors.New("no job yet")

// quiet is how long a job that is to run alone is waited for.
const quiet = time.Second

// next leases a job. leave must be called when it is done.
func (g *gate) next(ctx context.Context, q queue.Queue) (lease queue.Lease, leave func(), err error) {
	g.alone.RLock()
	wait, stop := g.wait(ctx)
	lease, err = q.Next(wait)
	woken := wait.Err() != nil
	stop()
	switch {
	case err != nil && woken && ctx.Err() == nil:
		err = errAgain
		fallthrough
	case err != nil:
		g.alone.RUnlock()
		return nil, nil, err
	case lease.Attempt() == 1 || lease.Attempt() > queue.Tries: // the latter is buried, not run
		return lease, g.alone.RUnlock, nil
	}
	err = lease.Return(context.WithoutCancel(ctx))
	g.alone.RUnlock()
	if err != nil {
		return nil, nil, err
	}
	g.wake()
	g.alone.Lock()
	short, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	if lease, err = q.Next(short); err != nil {
		g.alone.Unlock()
		if ctx.Err() == nil && short.Err() != nil {
			err = errAgain
		}
		return nil, nil, err
	}
	return lease, g.alone.Unlock, nil
}

// wait is a context for somebody who waits for a job, which wake ends. The
// function that it returns gives it back.
func (g *gate) wait(ctx context.Context) (context.Context, func()) {
	wait, cancel := context.WithCancel(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting == nil {
		g.waiting = map[*context.CancelFunc]bool{}
	}
	g.waiting[&cancel] = true
	return wait, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.waiting, &cancel)
		cancel()
	}
}

// wake has those who wait for a job let go.
func (g *gate) wake() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for cancel := range g.waiting {
		(*cancel)()
	}
}
