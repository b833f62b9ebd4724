package natsq

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sapf/sapf/sweep/queue"
	"sapf/sapf/sweep/queue/queuetest"
)

// TestMain is a NATS server in a process of its own where a test asks for one:
// SAPF_TEST_NATS is its port and store.
func TestMain(m *testing.M) {
	if v := os.Getenv("SAPF_TEST_NATS"); v != "" {
		port, store, _ := strings.Cut(v, " ")
		o := ServerOptions{Store: store, Host: "127.0.0.1"}
		fmt.Sscan(port, &o.Port)
		if _, err := Start(o); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		select {}
	}
	os.Exit(m.Run())
}

var sweeps atomic.Int64

// open makes a queue on a connection, with a hub that collects.
func open(t *testing.T, nc *nats.Conn, sink queue.Sink, term time.Duration) queue.Queue {
	t.Helper()
	q, err := Create(t.Context(), nc, Options{Sweep: fmt.Sprintf("s%d", sweeps.Add(1)), Term: term})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- q.Collect(ctx, sink, func(*queue.Result, *queue.Dead, error) {}) }()
	t.Cleanup(func() {
		stop()
		if err := <-over; err != nil {
			t.Errorf("collect: %v", err)
		}
		q.Close()
	})
	return q
}

// embedded is a server in this process, and a connection to it.
func embedded(t *testing.T, o ServerOptions) (*Server, *nats.Conn) {
	t.Helper()
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	nc, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return s, nc
}

func TestConformanceEmbedded(t *testing.T) {
	_, nc := embedded(t, ServerOptions{Store: t.TempDir()})
	queuetest.Run(t, func(t *testing.T, sink queue.Sink, term time.Duration) queue.Queue { return open(t, nc, sink, term) })
}

func TestConformanceRemote(t *testing.T) {
	nc, err := nats.Connect(process(t, queuetest.FreePort(t), t.TempDir()), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for end := time.Now().Add(time.Minute); !nc.IsConnected(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the server's process does not answer")
		}
	}
	queuetest.Run(t, func(t *testing.T, sink queue.Sink, term time.Duration) queue.Queue { return open(t, nc, sink, term) })
}

// process starts a server in a process of its own and returns its address.
func process(t *testing.T, port int, store string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("SAPF_TEST_NATS=%d %s", port, store), "TMPDIR="+t.TempDir())
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return fmt.Sprintf("nats://127.0.0.1:%d", port)
}

// TestCollectEnded: a context that ends while the collection begins, or has ended
// before, ends it without an error, as one does that ends later.
func TestCollectEnded(t *testing.T) {
	_, nc := embedded(t, ServerOptions{Store: t.TempDir()})
	q, err := Create(t.Context(), nc, Options{Sweep: "ended", Term: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	for _, after := range []time.Duration{0, 100 * time.Microsecond, time.Millisecond, 10 * time.Millisecond} {
		ctx, stop := context.WithTimeout(t.Context(), after)
		if err := q.Collect(ctx, queuetest.NewSink(), func(*queue.Result, *queue.Dead, error) {}); err != nil {
			t.Errorf("ended after %v: %v", after, err)
		}
		stop()
	}
}

// TestListOfADeletedBucket: a bucket that is deleted while it is listed ends the
// list with an error; the server never says that it was all.
func TestListOfADeletedBucket(t *testing.T) {
	_, nc := embedded(t, ServerOptions{Store: t.TempDir()})
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "listed", Storage: jetstream.MemoryStorage})
	if err != nil {
		t.Fatal(err)
	}
	const entries = 2000 // more than the server sends before it hears that some have come
	for i := range entries {
		if _, err := kv.Put(t.Context(), fmt.Sprint(i), make([]byte, 8<<10)); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	err = list(t.Context(), kv, time.Second, func(jetstream.KeyValueEntry) error {
		if n++; n == 1 {
			return js.DeleteKeyValue(t.Context(), "listed")
		}
		return nil
	})
	if !errors.Is(err, nats.ErrTimeout) || n == entries {
		t.Errorf("%d entries of %d, %v", n, entries, err)
	}
}
