package localq

import (
	"os"
	"path/filepath"
	"testing"

	"sapf/sapf/sweep/queue"
	"sapf/sapf/sweep/queue/queuetest"
)

func TestConformance(t *testing.T) {
	queuetest.Run(t, func(t *testing.T, sink queue.Sink) queue.Queue {
		q, err := Open(Options{Sink: sink, Term: queuetest.Term, Tries: filepath.Join(t.TempDir(), "tries")})
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
