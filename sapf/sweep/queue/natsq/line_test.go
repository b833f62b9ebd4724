package natsq

import (
	"bytes"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// slowLine is the address of a line to a server that lets so many bytes a second
// through, each way.
func slowLine(t *testing.T, server string, rate int) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			here, err := l.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", u.Host)
			if err != nil {
				here.Close()
				return
			}
			go drip(there, here, rate)
			go drip(here, there, rate)
		}
	}()
	return "nats://" + l.Addr().String()
}

func drip(to, from net.Conn, rate int) {
	defer to.Close()
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// TestLargeObjectOverASlowLine: a model takes the time that it takes, up to the
// server and down from it; the client's own patience is five seconds.
func TestLargeObjectOverASlowLine(t *testing.T) {
	t.Parallel()
	s, near := embedded(t, ServerOptions{Store: t.TempDir(), Host: "127.0.0.1", Port: -1})
	if _, err := Create(t.Context(), near, Options{Sweep: "slow"}); err != nil {
		t.Fatal(err)
	}
	far, err := nats.Connect(slowLine(t, s.URL(), 256<<10), nats.IgnoreDiscoveredServers())
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	q, err := Open(t.Context(), far, Options{Sweep: "slow"})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	model := bytes.Repeat([]byte("a model "), 200<<10) // 6.25 seconds
	if err := q.PutBlob(t.Context(), "model", model); err != nil {
		t.Fatalf("up: %v", err)
	}
	if got, err := q.Blob(t.Context(), "model"); err != nil || !bytes.Equal(got, model) {
		t.Errorf("down: %d bytes of %d, %v", len(got), len(model), err)
	}
}
