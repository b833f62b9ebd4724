package remote

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"sapf/sapf/sweep/internal/toy"
	"sapf/sapf/sweep/queue/natsq"
	"sapf/sapf/sweep/runs"
)

// way is a queue that a sweep is run over.
type way struct {
	name string
	// run runs what is missing of a folder to the end.
	run func(ctx context.Context, dir string, o wayOptions) (runs.Progress, error)
}

// wayOptions are those of a run over any queue.
type wayOptions struct {
	term   time.Duration // 0: patience
	notice func(string)
	url    string // of the server of the way "server"
}

// local is the queue within one process; embedded a NATS server within it; server
// one in a process of its own.
var (
	local = way{"local", func(ctx context.Context, dir string, o wayOptions) (runs.Progress, error) {
		d, err := runs.Resume(dir, runs.Shard{})
		if err != nil {
			return runs.Progress{}, err
		}
		defer d.Close()
		return d.Run(ctx, runs.Options{Catalogue: toy.Catalogue, Slots: 2, Term: o.term, Notice: o.notice})
	}}
	embedded = way{"embedded", func(ctx context.Context, dir string, o wayOptions) (runs.Progress, error) {
		store, err := os.MkdirTemp("", "queue-")
		if err != nil {
			return runs.Progress{}, err
		}
		defer os.RemoveAll(store)
		s, err := natsq.Start(natsq.ServerOptions{Store: store})
		if err != nil {
			return runs.Progress{}, err
		}
		defer s.Close()
		nc, err := s.Connect()
		if err != nil {
			return runs.Progress{}, err
		}
		defer nc.Close()
		return together(ctx, dir, nc, o)
	}}
	server = way{"server", func(ctx context.Context, dir string, o wayOptions) (runs.Progress, error) {
		nc, err := connect(o.url)
		if err != nil {
			return runs.Progress{}, err
		}
		defer nc.Close()
		return together(ctx, dir, nc, o)
	}}
)

// together is a hub and a worker in this process.
func together(ctx context.Context, dir string, nc *nats.Conn, o wayOptions) (runs.Progress, error) {
	d, err := runs.Resume(dir, runs.Shard{})
	if err != nil {
		return runs.Progress{}, err
	}
	defer d.Close()
	work, stop := context.WithCancel(ctx)
	defer stop()
	name, err := Name(d)
	if err != nil {
		return runs.Progress{}, err
	}
	worked := make(chan error, 1)
	go func() {
		_, err := Work(work, WorkOptions{Conn: nc, Sweep: name, Slots: 2, Catalogue: toy.Catalogue, Notice: o.notice})
		worked <- err
	}()
	p, err := Serve(ctx, d, ServeOptions{Conn: nc, Term: o.term, Look: time.Second, Catalogue: toy.Catalogue, Notice: o.notice})
	if err != nil || p.Total == p.Kept+p.Dead { // there was nothing to hear of for a worker
		stop()
	}
	if e := <-worked; !errors.Is(e, context.Canceled) {
		err = errors.Join(err, e)
	}
	return p, err
}

// everywhere runs a test over each queue.
func everywhere(t *testing.T, test func(t *testing.T, run func(dir string, o wayOptions) (runs.Progress, error))) {
	for _, w := range []way{local, embedded, server} {
		t.Run(w.name, func(t *testing.T) {
			url := ""
			if w.name == "server" {
				url = natsServer(t)
			}
			test(t, func(dir string, o wayOptions) (runs.Progress, error) {
				t.Helper()
				if o.term == 0 {
					o.term = patience
				}
				if o.notice == nil {
					o.notice = notices(t)
				}
				o.url = url
				ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
				defer cancel()
				return w.run(ctx, dir, o)
			})
		})
	}
}

// apart runs a test with hub and workers in processes of their own: over the
// server within the hub, and over one that has a process for itself. hub starts
// the hub of a folder.
func apart(t *testing.T, test func(t *testing.T, url string, hub func(dir string) *child)) {
	t.Run(embedded.name, func(t *testing.T) {
		port := freePort(t)
		test(t, "nats://127.0.0.1:"+port, func(dir string) *child { return start(t, "hub", dir, port) })
	})
	t.Run(server.name, func(t *testing.T) {
		url := natsServer(t)
		test(t, url, func(dir string) *child { return start(t, "hub", dir, url) })
	})
}

// natsServer starts a server in a process of its own.
func natsServer(t *testing.T) string {
	t.Helper()
	port := freePort(t)
	start(t, "nats", port, filepath.Join(t.TempDir(), "store"))
	url := "nats://127.0.0.1:" + port
	answers(t, url)
	return url
}

// answers waits for a server that does.
func answers(t *testing.T, url string) {
	t.Helper()
	until(t, "a server that answers", func() bool {
		nc, err := nats.Connect(url)
		if err == nil {
			nc.Close()
		}
		return err == nil
	})
}

// notices keeps what is said, for when the test fails.
func notices(t *testing.T) func(string) {
	var mu sync.Mutex
	var said []string
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if t.Failed() {
			t.Logf("said: %q", said[max(0, len(said)-20):])
		}
	})
	return func(s string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, s)
	}
}
