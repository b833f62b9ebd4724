// Package queuetest holds every queue.Queue against what the interface promises.
package queuetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"sapf/sapf/attack"
	"sapf/sapf/sweep"
	"sapf/sapf/sweep/queue"
)

// brief is the term of queues whose leases are to end. Whether a lease has lasted
// depends on the machine's speed there: a test that was too slow for it holds
// nothing. lasting is the term where no lease is to end.
const (
	brief   = 2 * time.Second
	lasting = patience
)

// patience is how long anything may take on a busy machine.
const patience = 60 * time.Second

// Open makes an empty queue whose results and dead jobs go to a sink, with leases
// of a term.
type Open func(t *testing.T, sink queue.Sink, term time.Duration) queue.Queue

// Sink is a queue.Sink in memory.
type Sink struct {
	mu      sync.Mutex
	Results map[string][]byte
	Dead    map[string]queue.Dead
	Creates int
}

// NewSink returns an empty one.
func NewSink() *Sink { return &Sink{Results: map[string][]byte{}, Dead: map[string]queue.Dead{}} }

// Have reports whether there is a result of a key.
func (s *Sink) Have(key string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.Results[key]
	return ok, nil
}

// Create keeps the first result.
func (s *Sink) Create(r queue.Result) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Creates++
	old, ok := s.Results[r.Key]
	if !ok {
		s.Results[r.Key] = r.File
		return nil
	}
	a, err := sweep.Digest(old)
	if err != nil {
		return err
	}
	b, err := sweep.Digest(r.File)
	if err != nil {
		return err
	}
	if a != b {
		return &queue.DifferentError{Key: r.Key}
	}
	return nil
}

// Bury keeps a dead job.
func (s *Sink) Bury(d queue.Dead) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Dead[d.Job] = d
	return nil
}

func (s *Sink) counts() (results, dead int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.Results), len(s.Dead)
}

// Key is a key for tests.
func Key(n int) string { return fmt.Sprintf("%064x", n+1) }

// File is a result for tests; value decides what it says, seconds does not.
func File(t *testing.T, value float32, seconds float64) []byte {
	t.Helper()
	raw, err := sweep.Encode(&sweep.Kept{
		Record:  sweep.Record{Method: "toy", Status: attack.Succeeded, Seconds: seconds},
		Indices: []int{0}, Values: []float32{value}, Seconds: seconds,
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Run is the suite.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		term time.Duration
		test func(t *testing.T, q queue.Queue, s *Sink)
	}{
		{"publish", lasting, publish}, {"done", brief, done}, {"expiry", brief, expiry}, {"extend", brief, extend}, {"return", lasting, returns},
		{"retry", lasting, retry}, {"bury", brief, bury}, {"part", lasting, part}, {"second", lasting, second}, {"late", brief, late},
		{"closed", lasting, closed}, {"crowd", lasting, crowd},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := NewSink()
			c.test(t, open(t, s, c.term), s)
		})
	}
}

// inTime reports whether what began at a time was done well before a brief lease
// ends.
func inTime(t *testing.T, began time.Time) bool {
	t.Helper()
	took := time.Since(began)
	if took > brief*3/4 {
		t.Logf("this machine took %v: the lease may have ended", took)
	}
	return took <= brief*3/4
}

func put(t *testing.T, q queue.Queue, id string) bool {
	t.Helper()
	already, err := q.Publish(t.Context(), queue.Job{ID: id, Body: []byte("body of " + id)})
	if err != nil {
		t.Fatal(err)
	}
	return already
}

func next(t *testing.T, q queue.Queue) queue.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	l, err := q.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// none holds that no job comes for a while.
func none(t *testing.T, q queue.Queue, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if l, err := q.Next(ctx); err == nil {
		t.Fatalf("job %s was delivered, attempt %d", l.Job().ID, l.Attempt())
	}
}

// until waits for something to hold.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not within a minute: " + what)
		}
	}
}

// must refuses an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func publish(t *testing.T, q queue.Queue, _ *Sink) {
	if put(t, q, "a") || !put(t, q, "a") || put(t, q, "b") {
		t.Error("a job that waits was added again, or one that does not was not")
	}
	l := next(t, q)
	if l.Job().ID != "a" || string(l.Job().Body) != "body of a" || l.Attempt() != 1 || l.Term() != lasting {
		t.Errorf("%+v, attempt %d, term %v", l.Job(), l.Attempt(), l.Term())
	}
	if !put(t, q, "a") {
		t.Error("a job that runs was added again")
	}
	if _, err := q.Publish(t.Context(), queue.Job{ID: "c", Body: make([]byte, queue.MaxBody+1)}); err == nil {
		t.Error("a body too large was taken")
	}
	w, r, d, err := q.Len(t.Context())
	if err != nil || w != 1 || r != 1 || d != 0 {
		t.Errorf("%d wait, %d run, %d dead, %v", w, r, d, err)
	}
}

func done(t *testing.T, q queue.Queue, s *Sink) {
	large := make([]float32, 30_000) // more than a message may hold inline
	raw, err := sweep.Encode(&sweep.Kept{Record: sweep.Record{Method: "toy"}, Indices: make([]int, len(large)), Values: large})
	must(t, err)
	put(t, q, "a")
	began := time.Now()
	l := next(t, q)
	if have, err := q.Have(t.Context(), Key(0)); have || err != nil {
		t.Errorf("a result before it is made: %v", err)
	}
	must(t, l.Done(t.Context(), []queue.Result{{Key: Key(0), File: File(t, 1, 1)}, {Key: Key(1), File: raw}}))
	held := inTime(t, began)
	for i := range 2 {
		if have, err := q.Have(t.Context(), Key(i)); !have || err != nil {
			t.Errorf("result %d is not there: %v", i, err)
		}
	}
	until(t, "both results in the sink", func() bool { n, _ := s.counts(); return n == 2 })
	if string(s.Results[Key(1)]) != string(raw) {
		t.Error("the large result has changed on its way")
	}
	if !held {
		return
	}
	none(t, q, brief+brief/2)
	if put(t, q, "a") {
		t.Error("a job that is done cannot be added anew")
	}
	if l := next(t, q); l.Job().ID != "a" {
		t.Error("the job added anew does not come")
	}
}

func expiry(t *testing.T, q queue.Queue, _ *Sink) {
	put(t, q, "a")
	start := time.Now()
	next(t, q)
	if l := next(t, q); l.Attempt() != 2 {
		t.Errorf("attempt %d after a lease that ended", l.Attempt())
	}
	if d := time.Since(start); d < brief/2 {
		t.Errorf("delivered again after %v", d)
	}
}

func extend(t *testing.T, q queue.Queue, s *Sink) {
	put(t, q, "a")
	last := time.Now()
	l := next(t, q)
	for range 8 { // two terms
		time.Sleep(brief / 4)
		err := l.Extend(t.Context())
		if !inTime(t, last) {
			return
		}
		must(t, err)
		last = time.Now()
	}
	must(t, l.Done(t.Context(), []queue.Result{{Key: Key(0), File: File(t, 1, 1)}}))
	if inTime(t, last) {
		none(t, q, brief/2)
	}
}

func returns(t *testing.T, q queue.Queue, _ *Sink) {
	put(t, q, "a")
	for range 4 {
		l := next(t, q)
		if l.Attempt() != 1 {
			t.Fatalf("attempt %d of a job that was given back", l.Attempt())
		}
		must(t, l.Return(t.Context()))
	}
}

func retry(t *testing.T, q queue.Queue, _ *Sink) {
	const after = 300 * time.Millisecond
	put(t, q, "a")
	l := next(t, q)
	asked := time.Now()
	must(t, l.Retry(t.Context(), after))
	if l := next(t, q); l.Attempt() != 2 {
		t.Errorf("attempt %d after a retry", l.Attempt())
	}
	if d := time.Since(asked); d < after*9/10 { // servers have clocks of their own
		t.Errorf("delivered again after %v, was to wait for %v", d, after)
	}
}

func bury(t *testing.T, q queue.Queue, s *Sink) {
	put(t, q, Key(7))
	began := time.Now()
	must(t, next(t, q).Bury(t.Context(), "why not"))
	held := inTime(t, began)
	until(t, "the dead job in the sink", func() bool { _, n := s.counts(); return n == 1 })
	if d := s.Dead[Key(7)]; d.Reason != "why not" || d.Deliveries != 1 || string(d.Body) != "body of "+Key(7) {
		t.Errorf("%+v", d)
	}
	if held {
		none(t, q, brief+brief/2)
	}
	if _, _, dead, err := q.Len(t.Context()); dead != 1 || err != nil {
		t.Errorf("%d dead, %v", dead, err)
	}
}

// part: jobs in the place of one, which is as if it had not been tried.
func part(t *testing.T, q queue.Queue, _ *Sink) {
	put(t, q, "a")
	must(t, next(t, q).Part(t.Context(), []queue.Job{{ID: "b"}, {ID: "c"}}))
	for _, id := range []string{"b", "c"} {
		l := next(t, q)
		if l.Job().ID != id || l.Attempt() != 1 {
			t.Errorf("job %s, attempt %d, want %s", l.Job().ID, l.Attempt(), id)
		}
		must(t, l.Done(t.Context(), nil))
	}
	put(t, q, "a")
	if l := next(t, q); l.Attempt() != 1 {
		t.Errorf("attempt %d of a job that was parted before", l.Attempt())
	}
}

// second: two workers finish one job. The first result stays; the second is the
// same but for its time, or is an error.
func second(t *testing.T, q queue.Queue, s *Sink) {
	for i, id := range []string{"a", "b", "c"} {
		put(t, q, id)
		value := float32(1)
		if i == 2 {
			value = 2
		}
		err := next(t, q).Done(t.Context(), []queue.Result{{Key: Key(0), File: File(t, value, float64(i))}})
		var d *queue.DifferentError
		if different := errors.As(err, &d); different != (i == 2) || !different && err != nil {
			t.Errorf("result %d: %v", i, err)
		}
	}
	until(t, "the result in the sink", func() bool { n, _ := s.counts(); return n == 1 })
	if string(s.Results[Key(0)]) != string(File(t, 1, 0)) {
		t.Error("the first result did not stay")
	}
	none(t, q, brief/2)
}

// late: a worker that lost its lease hands in all the same.
func late(t *testing.T, q queue.Queue, s *Sink) {
	put(t, q, "a")
	slow := next(t, q)
	quick := next(t, q) // after the term
	began := time.Now()
	must(t, quick.Done(t.Context(), []queue.Result{{Key: Key(0), File: File(t, 1, 1)}}))
	held := inTime(t, began)
	if err := slow.Done(t.Context(), []queue.Result{{Key: Key(0), File: File(t, 1, 9)}}); err != nil {
		t.Logf("the late one was told: %v", err) // it may be; the results count
	}
	until(t, "one result", func() bool { n, _ := s.counts(); return n == 1 })
	if held {
		none(t, q, brief+brief/2)
	}
}

func closed(t *testing.T, q queue.Queue, _ *Sink) {
	got := make(chan error, 1)
	go func() {
		_, err := q.Next(context.Background())
		got <- err
	}()
	time.Sleep(50 * time.Millisecond)
	must(t, q.Close())
	select {
	case err := <-got:
		if !errors.Is(err, queue.ErrClosed) {
			t.Errorf("Next of a closed queue: %v", err)
		}
	case <-time.After(patience):
		t.Error("Close did not wake Next")
	}
	if _, err := q.Publish(t.Context(), queue.Job{ID: "a"}); !errors.Is(err, queue.ErrClosed) {
		t.Errorf("Publish to a closed queue: %v", err)
	}
	must(t, q.Close())
}

// crowd: several workers, each job done once.
func crowd(t *testing.T, q queue.Queue, s *Sink) {
	const jobs = 60
	for i := range jobs {
		put(t, q, fmt.Sprintf("j%d", i))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var mu sync.Mutex
	deliveries := 0
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				l, err := q.Next(ctx)
				if err != nil {
					return
				}
				var n int
				fmt.Sscanf(l.Job().ID, "j%d", &n)
				if err := l.Done(ctx, []queue.Result{{Key: Key(n), File: File(t, float32(n), 1)}}); err != nil {
					t.Error(err)
				}
				mu.Lock()
				if deliveries++; deliveries == jobs {
					cancel()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	until(t, "all results", func() bool { n, _ := s.counts(); return n == jobs })
	if deliveries != jobs || s.Creates != jobs {
		t.Errorf("%d jobs, %d deliveries, %d results", jobs, deliveries, s.Creates)
	}
}
