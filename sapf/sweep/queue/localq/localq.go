// Package localq is a queue of jobs within one process. Its jobs are gone with
// the process; what it remembers, in a file, is how often each was tried, so that
// a job that kills the process is not tried for ever.
package localq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"sapf/sapf/sweep/queue"
)

// Options of a queue.
type Options struct {
	// Sink takes results and dead jobs.
	Sink queue.Sink
	// Tries is the file that counts attempts; "" counts in memory.
	Tries string
	// Term is how long a lease lasts; 0 means DefaultTerm.
	Term time.Duration
	// Worker is the name that dead jobs are signed with.
	Worker string
}

// DefaultTerm is how long a lease lasts without a sign of life.
const DefaultTerm = 60 * time.Second

// Queue is a queue.Queue.
type Queue struct {
	o     Options
	tries io.WriteCloser
	torn  bool // the file of tries ends within a line

	mu      sync.Mutex
	changed chan struct{} // closed, and made anew, with every change
	waiting []*entry
	entries map[string]*entry // those that wait or run
	count   map[string]int    // attempts
	running int
	dead    int
	closed  bool
}

type entry struct {
	job    queue.Job
	leased *lease // nil while it waits
}

var _ queue.Queue = (*Queue)(nil)

// Open returns an empty queue that knows of the attempts in the file of tries.
func Open(o Options) (*Queue, error) {
	if o.Term == 0 {
		o.Term = DefaultTerm
	}
	q := &Queue{o: o, changed: make(chan struct{}), entries: map[string]*entry{}, count: map[string]int{}}
	if o.Tries == "" {
		return q, nil
	}
	raw, err := os.ReadFile(o.Tries)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("attempts of jobs: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		switch id, sign, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " "); sign {
		case "+":
			q.count[id]++
		case "-":
			q.count[id]--
		} // or it is torn: the process died, or the disk was full, when it was written
	}
	q.torn = len(raw) > 0 && raw[len(raw)-1] != '\n'
	f, err := os.OpenFile(o.Tries, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("attempts of jobs: %w", err)
	}
	q.tries = f
	return q, nil
}

// begin counts an attempt. The line is in the system's hands when it returns,
// which a killed process cannot undo; after an error nothing is counted.
func (q *Queue) begin(id string) error {
	if err := q.write(id + " +\n"); err != nil {
		return err
	}
	q.count[id]++
	return nil
}

// takeBack undoes begin. Where the disk is full this process knows of it, and
// the next counts an attempt too many.
func (q *Queue) takeBack(id string) {
	q.count[id]--
	q.write(id + " -\n")
}

// write adds a line to the file of tries, behind one that was torn on a new one.
func (q *Queue) write(line string) error {
	if q.tries == nil {
		return nil
	}
	if q.torn {
		line = "\n" + line
	}
	n, err := io.WriteString(q.tries, line)
	q.torn = err != nil && (q.torn || n > 0)
	return err
}

// wake tells those who wait that something has changed.
func (q *Queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// Publish adds a job.
func (q *Queue) Publish(_ context.Context, j queue.Job) (bool, error) {
	if len(j.Body) > queue.MaxBody {
		return false, fmt.Errorf("job %s: %d bytes, expected at most %d", j.ID, len(j.Body), queue.MaxBody)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false, queue.ErrClosed
	}
	if q.entries[j.ID] != nil {
		return true, nil
	}
	e := &entry{job: j}
	q.entries[j.ID] = e
	q.waiting = append(q.waiting, e)
	q.wake()
	return false, nil
}

// Next waits for a job and leases it.
func (q *Queue) Next(ctx context.Context) (queue.Lease, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.closed {
			return nil, queue.ErrClosed
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if len(q.waiting) > 0 {
			e := q.waiting[0]
			if err := q.begin(e.job.ID); err != nil {
				return nil, fmt.Errorf("count an attempt: %w", err)
			}
			q.waiting[0] = nil // the array behind it stays
			q.waiting = q.waiting[1:]
			l := &lease{q: q, e: e, attempt: q.count[e.job.ID], left: parts}
			e.leased = l
			q.running++
			// Durations are of the monotonic clock: setting the clock changes nothing.
			l.timer = time.AfterFunc(q.o.Term/parts, l.pass)
			return l, nil
		}
		changed := q.changed
		q.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		q.mu.Lock()
	}
}

// Have reports whether there is a result of a key.
func (q *Queue) Have(_ context.Context, key string) (bool, error) { return q.o.Sink.Have(key) }

// Len counts the jobs.
func (q *Queue) Len(context.Context) (waiting, running, dead int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.entries) - q.running, q.running, q.dead, nil
}

// Close ends the queue.
func (q *Queue) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil
	}
	q.closed = true
	for _, e := range q.entries {
		if e.leased != nil {
			e.leased.timer.Stop()
		}
	}
	q.wake()
	if q.tries == nil {
		return nil
	}
	return q.tries.Close()
}

// lease is a queue.Lease.
type lease struct {
	q       *Queue
	e       *entry
	attempt int
	timer   *time.Timer
	left    int // parts of the term
}

// parts are those in which a term passes. One goes by while the process is
// stopped (Ctrl-Z, a machine asleep), however long: whoever has the job stood
// still as well.
const parts = 6

var errLost = errors.New("the lease has ended, another worker may have the job")

func (l *lease) Job() queue.Job      { return l.e.job }
func (l *lease) Attempt() int        { return l.attempt }
func (l *lease) Term() time.Duration { return l.q.o.Term }

// held runs f with the queue locked if the lease still holds.
func (l *lease) held(f func() error) error {
	l.q.mu.Lock()
	defer l.q.mu.Unlock()
	if l.q.closed {
		return queue.ErrClosed
	}
	if l.e.leased != l {
		return errLost
	}
	return f()
}

// free ends the lease; the job waits again if it is to.
func (l *lease) free(again bool) {
	l.timer.Stop()
	l.e.leased = nil
	l.q.running--
	if again {
		l.q.waiting = append(l.q.waiting, l.e)
	} else {
		delete(l.q.entries, l.e.job.ID)
		delete(l.q.count, l.e.job.ID)
	}
	l.q.wake()
}

// pass counts a part of the term; after the last one the job is the next one's.
func (l *lease) pass() {
	l.held(func() error { // a lease that was given back meanwhile has nothing to lose
		if l.left--; l.left > 0 {
			l.timer.Reset(l.q.o.Term / parts)
		} else {
			l.free(true)
		}
		return nil
	})
}

func (l *lease) Extend(context.Context) error {
	return l.held(func() error {
		l.left = parts
		l.timer.Reset(l.q.o.Term / parts)
		return nil
	})
}

// Done keeps the results whether the lease still holds or not: they are there,
// and the first one of a key stays.
func (l *lease) Done(_ context.Context, results []queue.Result) error {
	var different error
	for _, r := range results {
		err := l.q.o.Sink.Create(r)
		var d *queue.DifferentError
		if errors.As(err, &d) {
			different = err
		} else if err != nil {
			return err
		}
	}
	err := l.held(func() error {
		l.free(false)
		return nil
	})
	if err != nil && !errors.Is(err, errLost) {
		return err
	}
	return different
}

func (l *lease) Retry(_ context.Context, after time.Duration) error {
	return l.held(func() error {
		l.left = 1
		l.timer.Reset(after)
		return nil
	})
}

func (l *lease) Return(context.Context) error {
	return l.held(func() error {
		l.q.takeBack(l.e.job.ID)
		l.free(true)
		return nil
	})
}

func (l *lease) Part(ctx context.Context, jobs []queue.Job) error {
	for _, j := range jobs {
		if _, err := l.q.Publish(ctx, j); err != nil {
			return err
		}
	}
	return l.held(func() error {
		l.q.takeBack(l.e.job.ID)
		l.free(false)
		return nil
	})
}

func (l *lease) Bury(_ context.Context, reason string) error {
	return l.held(func() error {
		j := l.e.job
		if err := l.q.o.Sink.Bury(queue.Dead{Job: j.ID, Reason: reason, Deliveries: l.attempt, Worker: l.q.o.Worker, Body: j.Body}); err != nil {
			return err
		}
		l.q.dead++
		for l.q.count[j.ID] > 0 { // whoever revives it begins anew
			l.q.takeBack(j.ID)
		}
		l.free(false)
		return nil
	})
}
