package zmtp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
)

// listen opens a socket on a port of its own.
func listen(t *testing.T, kind Kind, o Options) *Socket {
	t.Helper()
	s, err := Listen("tcp://127.0.0.1:0", kind, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(time.Second) })
	return s
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestRouterAgainstZMQ4(t *testing.T) {
	var s *Socket
	s = listen(t, Router, Options{Receive: func(peer string, frames [][]byte) {
		s.Send(peer, append([][]byte{[]byte("echo")}, frames...))
	}})
	c := zmq4.NewDealer(context.Background(), zmq4.WithID(zmq4.SocketIdentity("me")))
	defer c.Close()
	if err := c.Dial(s.Endpoint()); err != nil {
		t.Fatal(err)
	}
	long := bytes.Repeat([]byte("x"), 1<<20)
	for _, body := range [][]byte{[]byte("a"), {}, bytes.Repeat([]byte("y"), 255), bytes.Repeat([]byte("y"), 256), long} {
		if err := c.Send(zmq4.NewMsgFrom([]byte("head"), body)); err != nil {
			t.Fatal(err)
		}
		m, err := c.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Frames) != 3 || string(m.Frames[1]) != "head" || !bytes.Equal(m.Frames[2], body) {
			t.Errorf("%d bytes came back as %d frames", len(body), len(m.Frames))
		}
	}
	if err := s.Send("nobody", nil); !errors.Is(err, ErrNoPeer) {
		t.Errorf("to nobody: %v", err)
	}
}

func TestXPubAgainstZMQ4(t *testing.T) {
	topics := make(chan string, 10)
	s := listen(t, XPub, Options{Subscribed: func(_, topic string) { topics <- topic }})
	c := zmq4.NewSub(context.Background())
	defer c.Close()
	if err := c.Dial(s.Endpoint()); err != nil {
		t.Fatal(err)
	}
	if err := c.SetOption(zmq4.OptionSubscribe, "news"); err != nil {
		t.Fatal(err)
	}
	if got := <-topics; got != "news" {
		t.Errorf("subscribed to %q", got)
	}
	s.Publish([][]byte{[]byte("weather"), []byte("rain")})
	s.Publish([][]byte{[]byte("news.today"), []byte("none")})
	m, err := c.Recv()
	if err != nil || string(m.Frames[0]) != "news.today" || string(m.Frames[1]) != "none" {
		t.Errorf("got %q, %v", m.Frames, err)
	}
}

func TestRepEchoesAgainstZMQ4(t *testing.T) {
	s := listen(t, Rep, Options{})
	c := zmq4.NewReq(context.Background())
	defer c.Close()
	if err := c.Dial(s.Endpoint()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := c.Send(zmq4.NewMsgString("ping")); err != nil {
			t.Fatal(err)
		}
		if m, err := c.Recv(); err != nil || string(m.Bytes()) != "ping" {
			t.Errorf("got %q, %v", m.Frames, err)
		}
	}
}

func TestLocalSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s, err := Listen("ipc://"+path, Rep, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen("ipc://"+path, Rep, Options{}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("the same path again: %v", err)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	p := shake(t, conn, "REQ", "")
	send(t, p, "", "hello")
	if got := read(t, p); len(got) != 2 || string(got[1]) != "hello" {
		t.Errorf("got %q", got)
	}
	s.Close(time.Second)
	if _, err := net.Dial("unix", path); err == nil {
		t.Error("the socket is still there")
	}
}

// raw is a client that can misbehave.
func raw(t *testing.T, s *Socket) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.Endpoint(), "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	return conn
}

// shake does the client's side of a NULL handshake.
func shake(t *testing.T, conn net.Conn, kind, identity string) plain {
	t.Helper()
	p := plain{bufio.NewReader(conn), bufio.NewWriter(conn)}
	p.w.Write(greeting("NULL", false))
	ready := appendProperty(appendProperty(nil, "socket-type", kind), "Identity", identity)
	p.write(command("READY", ready))
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
	var theirs [greetingSize]byte
	if _, err := io.ReadFull(p.r, theirs[:]); err != nil {
		t.Fatal(err)
	}
	if f, err := p.read(1<<10, nil); err != nil || !f.command {
		t.Fatalf("READY: %v", err)
	}
	return p
}

func send(t *testing.T, p plain, parts ...string) {
	t.Helper()
	for i, s := range parts {
		p.write(frame{more: i+1 < len(parts), body: []byte(s)})
	}
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, p plain) [][]byte {
	t.Helper()
	var parts [][]byte
	for {
		f, err := p.read(1<<30, nil)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, f.body)
		if !f.more {
			return parts
		}
	}
}

// ended fails unless the other side closes the connection.
func ended(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the connection is not closed: %v", err)
	}
}

func TestFailure65_Frames(t *testing.T) {
	long := func(n uint64) []byte { return binary.BigEndian.AppendUint64([]byte{flagLong}, n) }
	limits := Limits{FrameBytes: 1 << 20, MessageBytes: 3 << 20, Parts: 16}
	for name, bytes := range map[string][]byte{
		"frame of 1 GB":        long(1 << 30),
		"frame of 2^62":        long(1 << 62),
		"frame of 2^64-1":      long(1<<64 - 1),
		"10^4 frames":          bytes.Repeat([]byte{flagMore, 1, 'x'}, 10000),
		"message of 4 MB":      bytes.Repeat(append([]byte{flagMore | flagLong, 0, 0, 0, 0, 0, 0x0f, 0xff, 0xff}, make([]byte, 0x0fffff)...), 4),
		"reserved flags":       {0x80, 1, 'x'},
		"command and more":     {flagCommand | flagMore, 1, 'x'},
		"command with no name": {flagCommand, 0},
		"long PING":            append([]byte{flagCommand, 100, 4}, append([]byte("PING"), make([]byte, 95)...)...),
	} {
		t.Run(name, func(t *testing.T) {
			s := listen(t, Router, Options{Limits: limits, Receive: func(string, [][]byte) { t.Error("it was delivered") }})
			conn := raw(t, s)
			shake(t, conn, "DEALER", "x")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			go conn.Write(bytes)
			ended(t, conn)
			eventually(t, "counted", func() bool { return s.Counters().Refused == 1 })
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
				t.Errorf("%d MB were allocated", grown>>20)
			}
			// The socket goes on.
			shake(t, raw(t, s), "DEALER", "y")
			eventually(t, "a new peer", func() bool { return s.Peers() == 1 })
		})
	}
}

func TestFailure65_AnnouncedBytesAreNotAllocated(t *testing.T) {
	s := listen(t, Router, Options{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 20 { // 20 peers announce 60 MB each and send ten bytes
		conn := raw(t, s)
		shake(t, conn, "DEALER", "")
		conn.Write(append(binary.BigEndian.AppendUint64([]byte{flagLong}, 60<<20), "0123456789"...))
	}
	eventually(t, "connected", func() bool { return s.Peers() == 20 })
	time.Sleep(20 * time.Millisecond)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
		t.Errorf("%d MB were allocated for 1200 MB announced", grown>>20)
	}
}

func TestHandshakeRefusals(t *testing.T) {
	ready := func(kind, identity string) []byte {
		var b bytes.Buffer
		p := plain{nil, bufio.NewWriter(&b)}
		p.w.Write(greeting("NULL", false))
		p.write(command("READY", appendProperty(appendProperty(nil, "Socket-Type", kind), "Identity", identity)))
		p.flush()
		return b.Bytes()
	}
	old := greeting("NULL", false)
	old[10] = 2
	for name, sent := range map[string][]byte{
		"HTTP":            []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + strings.Repeat("x", 64)),
		"ZMTP 2":          old,
		"PLAIN":           greeting("PLAIN", false),
		"wrong kind":      ready("SUB", ""),
		"no kind":         append(greeting("NULL", false), flagCommand, 6, 5, 'R', 'E', 'A', 'D', 'Y'),
		"metadata cut":    append(greeting("NULL", false), flagCommand, 8, 5, 'R', 'E', 'A', 'D', 'Y', 200, 'x'),
		"message first":   append(greeting("NULL", false), 0, 1, 'x'),
		"long identity":   ready("DEALER", strings.Repeat("x", 256)),
		"long READY":      append(greeting("NULL", false), flagCommand|flagLong, 0, 0, 0, 0, 0, 1, 0, 0),
		"command no name": append(greeting("NULL", false), flagCommand, 1, 9),
	} {
		s := listen(t, Router, Options{})
		conn := raw(t, s)
		conn.Write(sent)
		ended(t, conn)
		eventually(t, name+" counted", func() bool { return s.Counters().Refused == 1 })
		if s.Peers() != 0 {
			t.Errorf("%s is a peer", name)
		}
	}
}

func TestSilentPeerIsDisconnected(t *testing.T) {
	s := listen(t, Router, Options{Limits: Limits{Handshake: 30 * time.Millisecond, Peers: 2}})
	a, b := raw(t, s), raw(t, s)
	ended(t, a)
	ended(t, b)
	eventually(t, "both refused", func() bool { return s.Counters().Refused == 2 })
}

// TestStrangersDoNotShutOthersOut: where all places are taken, those go that
// shake hands for ever or have not shown that they know the key.
func TestStrangersDoNotShutOthersOut(t *testing.T) {
	got := make(chan string, 10)
	s := listen(t, Router, Options{Limits: Limits{Peers: 4}, Receive: func(peer string, f [][]byte) { got <- peer }})
	friend := shake(t, raw(t, s), "DEALER", "friend")
	send(t, friend, "signed")
	s.Vouch(<-got)
	silent := []net.Conn{raw(t, s), raw(t, s)}
	idle := raw(t, s)
	shake(t, idle, "DEALER", "idle")
	for i := range 2 { // each takes the place of the oldest stranger
		p := shake(t, raw(t, s), "DEALER", fmt.Sprint("new", i))
		send(t, p, "signed")
		s.Vouch(<-got)
		ended(t, silent[i])
	}
	send(t, shake(t, raw(t, s), "DEALER", "last"), "signed")
	s.Vouch(<-got)
	ended(t, idle)
	ended(t, raw(t, s)) // all four are known: one more is too many
	send(t, friend, "again")
	if peer := <-got; peer != "friend" {
		t.Errorf("%s is there, friend is not", peer)
	}
	eventually(t, "four refused", func() bool { return s.Counters().Refused == 4 })
}

// TestSubscribersDoNotShutOthersOut: subscribing proves nothing, so that a full
// XPub has room for one more as well.
func TestSubscribersDoNotShutOthersOut(t *testing.T) {
	subscribed := make(chan string, 10)
	s := listen(t, XPub, Options{Limits: Limits{Peers: 3}, Subscribed: func(_, topic string) { subscribed <- topic }})
	for i := range 5 {
		send(t, shake(t, raw(t, s), "SUB", ""), fmt.Sprint("\x01", i))
		if topic := <-subscribed; topic != fmt.Sprint(i) {
			t.Errorf("subscription to %q, want %d", topic, i)
		}
	}
	eventually(t, "three peers", func() bool { return s.Peers() == 3 })
}

// TestBudget: unfinished messages have so much room together; the largest
// stranger's goes first, then the largest of all.
func TestBudget(t *testing.T) {
	budget := NewBudget(10 << 20)
	limits := Limits{FrameBytes: 20 << 20, MessageBytes: 20 << 20}
	got := make(chan string, 10)
	sockets := [2]*Socket{}
	for i := range sockets {
		sockets[i] = listen(t, Router, Options{Limits: limits, Budget: budget, Receive: func(peer string, f [][]byte) { got <- peer }})
	}
	begin := func(s *Socket, name string, vouched bool, mb int) net.Conn {
		conn := raw(t, s)
		p := shake(t, conn, "DEALER", name)
		if vouched {
			send(t, p, "signed")
			s.Vouch(<-got)
		}
		// More follows, and never comes.
		go conn.Write(append(binary.BigEndian.AppendUint64([]byte{flagMore | flagLong}, uint64(mb)<<20), make([]byte, mb<<20)...))
		eventually(t, name+"'s bytes", func() bool { return budget.now(name) == int64(mb)<<20 })
		return conn
	}
	friend := begin(sockets[0], "friend", true, 4)
	large := begin(sockets[1], "large", false, 3)
	small := begin(sockets[1], "small", false, 2)
	begin(sockets[0], "another", false, 2) // too much: large has to go
	ended(t, large)
	eventually(t, "8 MB", func() bool { return budget.now("") == 8<<20 })
	begin(sockets[0], "friend2", true, 6) // both strangers have to go
	ended(t, small)
	eventually(t, "10 MB", func() bool { return budget.now("") == 10<<20 })
	begin(sockets[0], "friend3", true, 3) // the largest friend has to go
	eventually(t, "7 MB", func() bool { return budget.now("") == 7<<20 })
	friend.Close()
	eventually(t, "3 MB", func() bool { return budget.now("") == 3<<20 })
}

// now is what a peer holds, or, with no name, all.
func (b *Budget) now(name string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if name == "" {
		return b.used
	}
	for p, n := range b.held {
		if p.identity == name {
			return n
		}
	}
	return 0
}

func TestIdentityIsTakenOver(t *testing.T) {
	got := make(chan string, 10)
	s := listen(t, Router, Options{Receive: func(peer string, f [][]byte) { got <- peer + ":" + string(f[0]) }})
	first := raw(t, s)
	send(t, shake(t, first, "DEALER", "me"), "1")
	if m := <-got; m != "me:1" {
		t.Error(m)
	}
	second := shake(t, raw(t, s), "DEALER", "me")
	send(t, second, "2")
	if m := <-got; m != "me:2" {
		t.Error(m)
	}
	ended(t, first)
	if err := s.Send("me", [][]byte{[]byte("reply")}); err != nil {
		t.Error(err)
	}
	if m := read(t, second); string(m[0]) != "reply" {
		t.Errorf("got %q", m)
	}
	if s.Peers() != 1 {
		t.Errorf("%d peers", s.Peers())
	}
}

func TestPing(t *testing.T) {
	s := listen(t, Router, Options{})
	p := shake(t, raw(t, s), "DEALER", "")
	p.write(command("PING", []byte("\x00\x64context")))
	p.flush()
	f, err := p.read(100, nil)
	if err != nil || !f.command {
		t.Fatal(err)
	}
	if name, data, _ := parseCommand(f.body); name != "PONG" || string(data) != "context" {
		t.Errorf("got %s %q", name, data)
	}
}

func TestSlowSubscriberDoesNotStallOthers(t *testing.T) {
	subscribed := make(chan string, 2)
	s := listen(t, XPub, Options{
		Limits: Limits{QueueBytes: 8 << 20}, Subscribed: func(_, topic string) { subscribed <- topic },
	})
	join := func() plain { // one after the other: waiting counts by age
		p := shake(t, raw(t, s), "SUB", "")
		send(t, p, "\x01") // as ZMTP 3.0 subscribes
		<-subscribed
		return p
	}
	join()
	quick := join()
	const count = 100
	body := make([]byte, 1<<20)
	done := make(chan int)
	go func() {
		n := 0
		for range count {
			f, err := quick.read(2<<20, nil)
			if err != nil {
				break
			}
			n += len(f.body)
		}
		done <- n
	}()
	start := time.Now()
	for range count {
		s.Publish([][]byte{body})
		for s.waiting(1) > 4<<20 { // the quick one is given the time it needs
			time.Sleep(time.Millisecond)
		}
	}
	if n := <-done; n != count<<20 {
		t.Errorf("the quick subscriber got %d bytes of %d", n, count<<20)
	}
	if s.Counters().Dropped == 0 {
		t.Error("100 MB were kept for a subscriber that reads nothing")
	}
	t.Logf("100 MB beside a subscriber that reads nothing: %v, %d messages dropped for it", time.Since(start), s.Counters().Dropped)
}

// waiting is how much waits for the i-th peer.
func (s *Socket) waiting(i int) int64 {
	s.mu.Lock()
	p := s.order[i]
	s.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes
}

func TestCloseSendsWhatWaits(t *testing.T) {
	s := listen(t, Router, Options{})
	p := shake(t, raw(t, s), "DEALER", "me")
	eventually(t, "a peer", func() bool { return s.Peers() == 1 })
	for i := range 100 {
		s.Send("me", [][]byte{fmt.Append(nil, i), make([]byte, 10000)})
	}
	go s.Close(5 * time.Second)
	for i := range 100 {
		if m := read(t, p); string(m[0]) != fmt.Sprint(i) {
			t.Fatalf("message %d is %q", i, m[0])
		}
	}
	if _, err := p.read(10, nil); err == nil {
		t.Error("still open")
	}
}

func TestSubscriptionsAreCounted(t *testing.T) {
	s := listen(t, XPub, Options{})
	p := shake(t, raw(t, s), "SUB", "")
	for _, c := range []string{"SUBSCRIBE", "SUBSCRIBE", "CANCEL"} {
		p.write(command(c, []byte("a")))
	}
	p.flush()
	heard := make(chan bool, 1)
	go func() {
		m, err := p.read(10, nil)
		heard <- err == nil && string(m.body) == "a"
	}()
	eventually(t, "subscribed", func() bool {
		s.Publish([][]byte{[]byte("a")})
		select {
		case ok := <-heard:
			return ok
		default:
			return false
		}
	})
	p.write(command("CANCEL", []byte("a")))
	for i := range maxTopics + 1 {
		p.write(command("SUBSCRIBE", fmt.Append(nil, i)))
	}
	p.flush()
	eventually(t, "a peer that subscribes without end is refused", func() bool { return s.Counters().Refused == 1 })
}

// TestALongMessageDoesNotTakeAShortOneAlong: a result that finds no room must
// not cost a slow peer the idle that is published with it.
func TestALongMessageDoesNotTakeAShortOneAlong(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	p := newPeer(newOutlet(ours), plain{}, 1000)
	p.subscribe("", true)
	p.bytes = 500 // wait already
	s := &Socket{order: []*peer{p}}
	s.Publish([][]byte{make([]byte, 2000)}, [][]byte{[]byte("idle")})
	if n := s.Counters().Dropped; n != 1 || len(p.waiting) != 1 || string(p.waiting[0].body) != "idle" {
		t.Errorf("%d dropped, %d frames wait, want 1 and the short message", n, len(p.waiting))
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte{0, 1, 'x'})
	f.Add([]byte{flagLong, 0, 0, 0, 0, 0, 0, 0, 2, 'x', 'y'})
	f.Add([]byte{flagCommand, 5, 4, 'P', 'I', 'N', 'G'})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReader(bytes.NewReader(b))
		for {
			fr, err := readFrame(r, 1<<16, nil)
			if err != nil {
				return
			}
			if len(fr.body) > 1<<16 {
				t.Fatal("limit broken")
			}
			var w bytes.Buffer
			bw := bufio.NewWriter(&w)
			writeFrame(bw, fr)
			bw.Flush()
			again, err := readFrame(bufio.NewReader(&w), 1<<16, nil)
			if err != nil || !bytes.Equal(again.body, fr.body) || again.more != fr.more || again.command != fr.command {
				t.Fatalf("%v came back as %v, %v", fr, again, err)
			}
			if fr.command {
				if _, data, err := parseCommand(fr.body); err == nil {
					parseProperties(data)
				}
			}
		}
	})
}

// FuzzPeer lets a peer say anything after its handshake, to each kind of socket.
func FuzzPeer(f *testing.F) {
	f.Add([]byte{0, 1, 1}, 1)
	f.Add([]byte{1, 1, 'a', 0, 1, 'b'}, 0)
	f.Add([]byte{flagCommand, 7, 4, 'P', 'I', 'N', 'G', 0, 0}, 2)
	f.Fuzz(func(t *testing.T, b []byte, kind int) {
		s := &Socket{kind: Kind(uint(kind) % 3), peers: map[string]*peer{}, opts: Options{
			Limits: Limits{FrameBytes: 1 << 16}.withDefaults(), Receive: func(string, [][]byte) {}, Subscribed: func(string, string) {},
		}}
		ours, theirs := net.Pipe()
		theirs.Close()
		p := newPeer(newOutlet(ours), plain{bufio.NewReader(bytes.NewReader(b)), bufio.NewWriter(io.Discard)}, 1<<20)
		s.join(p, "")
		if err := s.readLoop(p); err == nil {
			t.Fatal("it never ended")
		}
		s.Publish([][]byte{b})
		s.leave(p)
	})
}
