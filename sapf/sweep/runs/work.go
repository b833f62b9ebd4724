package runs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"sapf/sapf/sweep/queue"
	"sapf/sapf/sweep/spec"
)

// Worker takes jobs from a queue and runs them.
type Worker struct {
	Queue    queue.Queue
	Executor *Executor
	// Slots is how many jobs run at a time.
	Slots int
	// Grace is how long jobs that cannot be resumed may go on when the context
	// ends; 0 means DefaultGrace.
	Grace time.Duration
	// Began and Ended, where set, are told when a group is at work and no more;
	// Finished when its results are handed in, Found of results that were there
	// before; Notice what a user ought to know. They are called by several
	// goroutines.
	Began, Ended func(g spec.Group)
	Finished     func(results []queue.Result)
	Found        func(key string)
	Notice       func(text string)

	gate gate
}

// DefaultGrace is less than the 30 seconds that Slurm and Kubernetes leave
// between SIGTERM and SIGKILL.
const DefaultGrace = 20 * time.Second

// The waits between attempts to hand in a result that could not be: a full disk,
// a broker that cannot be reached.
const (
	firstWait = 500 * time.Millisecond
	lastWait  = 15 * time.Second
)

// EncodeJob is the job of a group.
func EncodeJob(g spec.Group) (queue.Job, error) {
	body, err := json.Marshal(g)
	return queue.Job{ID: g.ID, Body: body}, err
}

// DecodeJob reads the group of a job.
func DecodeJob(j queue.Job) (spec.Group, error) {
	var g spec.Group
	err := json.Unmarshal(j.Body, &g)
	if err == nil && len(g.Units) == 0 {
		err = errors.New("no attacks in it, expected at least one")
	}
	if err != nil {
		return g, fmt.Errorf("job %s: %w", j.ID, err)
	}
	return g, nil
}

// Work runs jobs until the queue is closed or the context ends. Then no job is
// begun; those at hand keep their state and go back, or, where their method
// keeps none, go on to their end, for as long as Grace. Another run's result
// that differs is the error.
func (w *Worker) Work(ctx context.Context) error {
	if w.Grace == 0 {
		w.Grace = DefaultGrace
	}
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(w.Grace):
			cancel()
		case <-hard.Done():
		}
	})
	defer stop()
	errs := make([]error, w.Slots)
	var wg sync.WaitGroup
	for i := range w.Slots {
		wg.Go(func() { errs[i] = w.slot(ctx, hard) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// slot runs one job after another.
func (w *Worker) slot(ctx, hard context.Context) error {
	var different error
	wait := firstWait
	for ctx.Err() == nil {
		lease, leave, err := w.gate.next(ctx, w.Queue)
		switch {
		case errors.Is(err, errAgain):
			continue
		case errors.Is(err, queue.ErrClosed), ctx.Err() != nil && err != nil:
			return different
		case err != nil:
			w.notice("no job from the queue: %v", err)
			sleep(ctx, wait)
			wait = min(2*wait, lastWait)
			continue
		}
		wait = firstWait
		err = w.job(ctx, hard, lease)
		leave()
		var setup *SetupError
		if errors.As(err, &setup) {
			return err
		}
		var d *queue.DifferentError
		if errors.As(err, &d) {
			different = err
			w.notice("%v", err)
		} else if err != nil && !errors.Is(err, queue.ErrClosed) {
			w.notice("job %.12s: %v", lease.Job().ID, err)
		}
	}
	return different
}

// job runs the job of one lease.
func (w *Worker) job(ctx, hard context.Context, lease queue.Lease) error {
	g, err := DecodeJob(lease.Job())
	if err == nil && slices.ContainsFunc(g.Units, func(u spec.Unit) bool { return !w.Executor.Plan.Valid(u) }) {
		err = errors.New("it asks for attacks that are not in the plan of this sweep")
	}
	if err != nil {
		return lease.Bury(hard, err.Error())
	}
	missing, err := w.missing(ctx, g)
	switch {
	case err != nil:
		return errors.Join(err, lease.Return(context.WithoutCancel(hard)))
	case len(missing) == 0: // whoever had it before was killed after its results were handed in
		return lease.Done(hard, nil)
	case lease.Attempt() > 1 && len(g.Units) > 1:
		return w.part(hard, lease, missing)
	case lease.Attempt() > queue.Tries:
		return lease.Bury(hard, fmt.Sprintf("poison: it was begun %d times, and each time its process died or its steps stood still", lease.Attempt()-1))
	}
	if w.Began != nil {
		w.Began(g)
	}
	results, err, hung := w.run(ctx, hard, lease, g, missing)
	if w.Ended != nil {
		w.Ended(g)
	}
	if hung { // its lease ends by itself
		w.notice("%s: no step for %v, given up", w.Executor.Plan.Describe(missing[0]), lease.Term())
		return nil
	}
	if err != nil {
		return w.failed(ctx, context.WithoutCancel(hard), lease, g, err)
	}
	if len(results) < len(missing) {
		if ctx.Err() == nil {
			return w.failed(ctx, context.WithoutCancel(hard), lease, g, errors.New("it ended without a result, and nobody had interrupted it"))
		}
		return lease.Return(context.WithoutCancel(hard))
	}
	return w.handIn(ctx, hard, lease, results)
}

// missing are the attacks of a group without a result. A queue that cannot say so
// now is asked again.
func (w *Worker) missing(ctx context.Context, g spec.Group) ([]spec.Unit, error) {
	var out []spec.Unit
	for _, u := range g.Units {
		have, err := w.Queue.Have(ctx, u.Key)
		for wait := firstWait; err != nil && !errors.Is(err, queue.ErrClosed); wait = min(2*wait, lastWait) {
			w.notice("%v", err)
			if !sleep(ctx, wait) {
				break
			}
			have, err = w.Queue.Have(ctx, u.Key)
		}
		if err != nil {
			return nil, err
		}
		switch {
		case !have:
			out = append(out, u)
		case w.Found != nil:
			w.Found(u.Key)
		}
	}
	return out, nil
}

// part makes a job of each attack that a failed job has not done, so that the
// one to blame does not take the others with it.
func (w *Worker) part(ctx context.Context, lease queue.Lease, missing []spec.Unit) error {
	var jobs []queue.Job
	for _, u := range missing {
		j, err := EncodeJob(spec.NewGroup([]spec.Unit{u}))
		if err != nil {
			return errors.Join(err, lease.Return(ctx))
		}
		jobs = append(jobs, j)
	}
	return lease.Part(ctx, jobs)
}

// full reports whether an error is one of the disk's, which other jobs would
// meet as well.
func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO)
}

// failed has a job tried again whose run ended with an error, or buries it.
func (w *Worker) failed(ctx, hard context.Context, lease queue.Lease, g spec.Group, err error) error {
	var setup *SetupError
	if errors.As(err, &setup) {
		return errors.Join(err, lease.Return(hard))
	}
	if full(err) {
		w.notice("%v: the job goes back", err)
		defer sleep(ctx, lastWait)
		return lease.Return(hard)
	}
	if lease.Attempt() < queue.Tries || len(g.Units) > 1 {
		return lease.Retry(hard, firstWait)
	}
	return lease.Bury(hard, err.Error())
}

// run runs the missing attacks of a group. The lease is extended as long as
// steps are made; hung says that none was for a whole term, and that whoever
// does not answer has been left behind.
func (w *Worker) run(ctx, hard context.Context, lease queue.Lease, g spec.Group, missing []spec.Unit) (results []queue.Result, err error, hung bool) {
	if w.Executor.Resumes(g) && len(missing) == len(g.Units) {
		hard = ctx // nothing is lost when it stops at once
	}
	running, cancel := context.WithCancel(hard)
	defer cancel()
	var steps atomic.Int64
	type answer struct {
		results []queue.Result
		err     error
	}
	done := make(chan answer, 1)
	go func() {
		results, err := w.Executor.Run(running, g, missing, &steps)
		done <- answer{results, err}
	}()
	tick := time.NewTicker(lease.Term() / 3)
	defer tick.Stop()
	seen, still := int64(0), 0
	for {
		select {
		case a := <-done:
			return a.results, a.err, false
		case <-tick.C:
		}
		if now := steps.Load(); now != seen {
			seen, still = now, 0
			if err := lease.Extend(context.WithoutCancel(hard)); err != nil {
				w.notice("lease of job %.12s: %v", g.ID, err) // it goes on: the first result counts
			}
			continue
		}
		if still++; still < 3 {
			continue
		}
		cancel()
		select {
		case a := <-done: // it heard, or has just ended
			return a.results, a.err, len(a.results) < len(missing) && a.err == nil
		case <-time.After(lease.Term() / 3):
			return nil, nil, true
		}
	}
}

// handIn hands results in, again and again if that cannot be done now.
func (w *Worker) handIn(ctx, hard context.Context, lease queue.Lease, results []queue.Result) error {
	whole := func(err error) bool {
		var d *queue.DifferentError
		return err == nil || errors.As(err, &d)
	}
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		err := lease.Done(context.WithoutCancel(hard), results)
		if whole(err) {
			if w.Finished != nil {
				w.Finished(results)
			}
			return err
		}
		if errors.Is(err, queue.ErrClosed) || hard.Err() != nil {
			return err
		}
		w.notice("%d results wait to be handed in: %v", len(results), err)
		if !sleep(ctx, wait) {
			// Interrupted while waiting: one last attempt, then the job goes back.
			err := lease.Done(context.WithoutCancel(hard), results)
			if !whole(err) {
				return errors.Join(err, lease.Return(context.WithoutCancel(hard)))
			}
			if w.Finished != nil {
				w.Finished(results)
			}
			return err
		}
		lease.Extend(context.WithoutCancel(hard)) // where it is lost, the first result counts
	}
}

func (w *Worker) notice(format string, args ...any) {
	if w.Notice != nil {
		w.Notice(fmt.Sprintf(format, args...))
	}
}

// sleep waits, and reports whether the context still holds.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
