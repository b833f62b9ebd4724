package localq

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"sapf/sapf/sweep/queue"
	"sapf/sapf/sweep/queue/queuetest"
)

func TestConformance(t *testing.T) {
	queuetest.Run(t, func(t *testing.T, sink queue.Sink, term time.Duration) queue.Queue {
		q, err := Open(Options{Sink: sink, Term: term, Tries: filepath.Join(t.TempDir(), "tries")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { q.Close() })
		return q
	})
}

// TestTriesOutliveTheProcess: attempts are counted on, also behind a torn line.
func TestTriesOutliveTheProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tries")
	attempt := func() int {
		q, err := Open(Options{Sink: queuetest.NewSink(), Tries: file})
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		if _, err := q.Publish(t.Context(), queue.Job{ID: "a"}); err != nil {
			t.Fatal(err)
		}
		l, err := q.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return l.Attempt()
	}
	if a, b := attempt(), attempt(); a != 1 || b != 2 {
		t.Errorf("attempts %d and %d", a, b)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("a")
	f.Close()
	if a, b := attempt(), attempt(); a != 3 || b != 4 {
		t.Errorf("attempts %d and %d behind a torn line", a, b)
	}
}

// stuck is a file on a disk that is full after some bytes.
type stuck struct {
	written []byte
	room    int
}

func (s *stuck) Write(p []byte) (int, error) {
	n := min(len(p), s.room)
	s.written, s.room = append(s.written, p[:n]...), s.room-n
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (s *stuck) Close() error { return nil }

// TestFullDisk: an attempt that cannot be written down is not made and does not
// count, however often it is asked for; a line that was torn by the full disk
// takes no other along.
func TestFullDisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tries")
	q, err := Open(Options{Sink: queuetest.NewSink(), Tries: file})
	if err != nil {
		t.Fatal(err)
	}
	disk := &stuck{room: 7}
	q.tries.Close()
	q.tries = disk
	for _, id := range []string{"abc", "xyz"} {
		if _, err := q.Publish(t.Context(), queue.Job{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	first, err := q.Next(t.Context())
	if err != nil || first.Attempt() != 1 {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := q.Next(t.Context()); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("an attempt was not written down, and: %v", err)
		}
	}
	if err := first.Return(t.Context()); err != nil { // although that cannot be written down either
		t.Errorf("give a job back: %v", err)
	}
	disk.room = 1 << 20
	for range 2 {
		l, err := q.Next(t.Context())
		if err != nil || l.Attempt() != 1 {
			t.Errorf("%v, attempt %d of a job that was not tried", err, l.Attempt())
		}
	}
	if err := os.WriteFile(file, disk.written, 0o644); err != nil { // and here the process is killed
		t.Fatal(err)
	}
	again, err := Open(Options{Sink: queuetest.NewSink(), Tries: file})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.count["xyz"] != 1 || again.count["abc"] != 2 { // one of them was given back, which is not known
		t.Errorf("%v from %q", again.count, disk.written)
	}
}

// TestLostLease: a lease whose term has passed is nobody's: neither can it be
// extended, nor does giving it back take the job from the worker that has it now.
func TestLostLease(t *testing.T) {
	q, err := Open(Options{Sink: queuetest.NewSink(), Term: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if _, err := q.Publish(t.Context(), queue.Job{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	first, err := q.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range parts {
		first.(*lease).pass()
	}
	second, err := q.Next(t.Context())
	if err != nil || second.Attempt() != 2 {
		t.Fatal(second, err)
	}
	for what, f := range map[string]func() error{
		"extended":   func() error { return first.Extend(t.Context()) },
		"put off":    func() error { return first.Retry(t.Context(), 0) },
		"given back": func() error { return first.Return(t.Context()) },
		"parted":     func() error { return first.Part(t.Context(), nil) },
		"buried":     func() error { return first.Bury(t.Context(), "x") },
	} {
		if err := f(); !errors.Is(err, errLost) {
			t.Errorf("a lost lease is %s: %v", what, err)
		}
	}
	waiting, running, dead, err := q.Len(t.Context())
	if err != nil || waiting != 0 || running != 1 || dead != 0 || second.Extend(t.Context()) != nil {
		t.Errorf("%d wait, %d run, %d are dead (%v): the other worker's lease is gone", waiting, running, dead, err)
	}
}
