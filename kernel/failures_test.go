package kernel

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"sapf/kernel/internal/toy"
	"sapf/kernel/message"
	"sapf/kernel/zmtp"
)

// alive fails unless the kernel answers a new client.
func alive(t *testing.T, c *client) {
	t.Helper()
	if r := c.execute("value 1"); r.reply["status"] != "ok" {
		t.Errorf("the kernel answers %v", r.reply)
	}
}

func TestFailure65_HostileFramesOnEveryChannel(t *testing.T) {
	c := startKernel(t)
	for _, port := range []int{c.conn.ShellPort, c.conn.ControlPort, c.conn.StdinPort, c.conn.IOPubPort, c.conn.HeartbeatPort} {
		for _, garbage := range [][]byte{
			[]byte("GET / HTTP/1.0\r\n\r\n"), bytes.Repeat([]byte{0xff}, 4096), {}, bytes.Repeat([]byte{0}, 1<<20),
		} {
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				t.Fatal(err)
			}
			conn.Write(garbage)
			conn.Close()
		}
	}
	for _, s := range []zmq4.Socket{c.shell, c.control, c.stdin} { // well framed, and no messages
		s.Send(zmq4.NewMsgFrom([]byte("x")))
		s.Send(zmq4.NewMsgFrom([]byte("<IDS|MSG>")))
		s.Send(zmq4.NewMsgFrom(make([][]byte, 50)...))
	}
	alive(t, c)
}

// TestFailure65_UnfinishedMessagesOfStrangers: local peers without the key can
// fill neither memory nor places; who has it is served all the while.
func TestFailure65_UnfinishedMessagesOfStrangers(t *testing.T) {
	const mb = 1 << 20
	c := startWith(t, Options{Worker: toy.Command(), UnfinishedBytes: 8 * mb, Limits: zmtp.Limits{MessageBytes: 8 * mb, FrameBytes: 8 * mb, Peers: 16}})
	alive(t, c)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	announced := append(binary.BigEndian.AppendUint64([]byte{3}, 7*mb), make([]byte, 6*mb)...) // the last MB never comes
	var strangers sync.WaitGroup
	defer strangers.Wait()
	for i := range 24 {
		conn := stranger(t, c.conn.ShellPort, "DEALER")
		strangers.Go(func() { conn.Write(announced) }) // until it is cut off
		if i%8 == 0 {
			alive(t, c)
		}
	}
	ports := []int{c.conn.ShellPort, c.conn.ControlPort, c.conn.StdinPort, c.conn.IOPubPort, c.conn.HeartbeatPort}
	for _, port := range ports { // as many again as there are places say nothing
		for range 20 {
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
		}
	}
	alive(t, c)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc) - int64(len(announced)); held > 24*mb {
		t.Errorf("strangers make the kernel hold %d MB, 8 MB are allowed", held/mb)
	}
	second := connect(t, c.conn)
	alive(t, second)
	second.close()
	alive(t, c)
}

// stranger shakes hands on a port, and has no key.
func stranger(t *testing.T, port int, kind string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	hello := make([]byte, 64) // ZMTP 3.1, NULL
	hello[0], hello[9], hello[10], hello[11] = 0xff, 0x7f, 3, 1
	copy(hello[12:], "NULL")
	ready := "\x05READY\x0bSocket-Type" + string(binary.BigEndian.AppendUint32(nil, uint32(len(kind)))) + kind
	conn.Write(append(append(hello, 4, byte(len(ready))), ready...))
	return conn
}

// TestFailure65_HeartbeatsNobodyReads: what a heartbeat brings is short, and
// waits for nobody.
func TestFailure65_HeartbeatsNobodyReads(t *testing.T) {
	c := startKernel(t)
	conn := stranger(t, c.conn.HeartbeatPort, "DEALER")
	beat := append([]byte{2, 0, 0, 0, 0, 0, 0, 0x80, 0}, make([]byte, 1<<15)...) // 32 KB
	conn.SetWriteDeadline(time.Now().Add(patientTime))
	for range 64 << 20 / len(beat) { // 64 MB, far more than the system keeps
		if _, err := conn.Write(beat); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Write(append([]byte{2, 0, 0, 0, 0, 0, 1, 0, 1}, make([]byte, 1<<16+1)...)); err == nil {
		conn.SetReadDeadline(time.Now().Add(patientTime))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a heartbeat of 64 KB and one byte was taken")
		}
	}
	alive(t, c)
}

func TestFailure66_BadSignaturesAreDropped(t *testing.T) {
	c := startKernel(t)
	stranger, err := message.NewCodec("hmac-sha256", []byte("guess"))
	if err != nil {
		t.Fatal(err)
	}
	evil := encode(content{"code": "say evil"})
	frames := stranger.Encode("execute_request", nil, nil, evil)
	c.shell.Send(zmq4.NewMsgFrom(frames...))
	c.control.Send(zmq4.NewMsgFrom(stranger.Encode("shutdown_request", nil, nil, nil)...))
	again := c.codec.Encode("execute_request", nil, nil, encode(content{"code": "say once"}))
	c.shell.Send(zmq4.NewMsgFrom(again...))
	c.shell.Send(zmq4.NewMsgFrom(again...)) // replayed
	alive(t, c)
	once := 0
	for len(c.published) > 0 {
		<-c.published
	}
	c.execute("say end")
	for len(c.replies) > 0 {
		if fields(<-c.replies)["execution_count"] == 1.0 {
			once++
		}
	}
	if got := c.ask("history", content{"hist_access_type": "tail", "n": 10})["history"]; len(got.([]any)) != 3 {
		t.Errorf("cells that ran: %v (want: say once, value 1, say end)", got)
	}
}

func TestFailure66_EmptyKey(t *testing.T) {
	conn := newConnection(t)
	conn.Key = ""
	path := writeConnection(t, conn)
	if err := Serve(context.Background(), path, Options{Worker: toy.Command()}); err == nil || !strings.Contains(err.Error(), "key is empty") {
		t.Errorf("error %v", err)
	}
	if _, _, err := ReadConnection(path, false, true); err != nil {
		t.Errorf("allowed explicitly: %v", err)
	}
}

func TestFailure67_SignedNonsenseGetsAnErrorReply(t *testing.T) {
	c := startKernel(t)
	for _, body := range []any{content{}, content{"code": 7}, content{"code": nil}, content{"code": strings.Repeat("x", maxCell+1)}} {
		if reply := c.ask("execute", body); reply["status"] != "error" || reply["ename"] != "MessageError" {
			t.Errorf("got %.200v", reply)
		}
	}
	for _, kind := range []string{"complete", "inspect", "is_complete"} {
		if reply := c.ask(kind, content{"code": []int{1}}); reply["status"] != "error" {
			t.Errorf("%s: %v", kind, reply)
		}
	}
	for _, cursor := range []int{-5, 1000000} {
		if reply := c.ask("complete", content{"code": "sa", "cursor_pos": cursor}); reply["status"] != "ok" {
			t.Errorf("cursor %d: %v", cursor, reply)
		}
	}
	if reply := c.ask("history", content{"hist_access_type": "everything"}); reply["status"] != "error" {
		t.Errorf("history: %v", reply)
	}
	if reply := c.ask("no_such", content{}); reply["status"] != "error" {
		t.Errorf("unknown request: %v", reply)
	}
	// Content that is no object, signed all the same.
	frames := c.codec.Encode("execute_request", nil, nil, json.RawMessage(`[1]`))
	c.shell.Send(zmq4.NewMsgFrom(frames...))
	if reply := fields(c.wait(c.replies, "execute_reply", "")); reply["ename"] != "MessageError" {
		t.Errorf("content that is a list: %v", reply)
	}
	alive(t, c)
}

func TestFailure67_CellOf50MB(t *testing.T) {
	c := startKernel(t)
	r := c.execute(strings.Repeat("say x\n", 50<<20/6))
	if r.reply["status"] != "error" || !strings.Contains(r.reply["evalue"].(string), "at most") {
		t.Errorf("got %.200v", r.reply)
	}
	// Front ends show what comes on iopub, not replies.
	if r.kinds() != "error" || !strings.Contains(fields(r.outputs[0])["evalue"].(string), "at most") {
		t.Errorf("outputs %s", r.kinds())
	}
	alive(t, c)
}

func TestFailure68_ConnectionFiles(t *testing.T) {
	good := newConnection(t)
	write := func(c Connection, mode os.FileMode) string {
		path := writeConnection(t, c)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if _, warnings, err := ReadConnection(write(good, 0o644), false, false); err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "0600 expected") {
		t.Errorf("mode 0644: %v, %v", warnings, err)
	}
	for _, mode := range []os.FileMode{0o666, 0o620, 0o602, 0o660} {
		if _, _, err := ReadConnection(write(good, mode), false, false); err == nil || !strings.Contains(err.Error(), "lets others write") {
			t.Errorf("mode %#o: %v", mode, err)
		}
	}
	for says, change := range map[string]func(*Connection){
		"other machines": func(c *Connection) { c.IP = "0.0.0.0" }, "10.0.0.7": func(c *Connection) { c.IP = "10.0.0.7" },
		"tcp or ipc": func(c *Connection) { c.Transport = "udp" }, "shell_port": func(c *Connection) { c.ShellPort = 70000 },
		"the same port": func(c *Connection) { c.StdinPort = c.ShellPort }, "go together": func(c *Connection) { c.CurvePublicKey = "x" },
	} {
		c := good
		change(&c)
		if _, _, err := ReadConnection(write(c, 0o600), false, false); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	for _, ip := range []string{"127.0.0.1", "::1", "localhost", "127.8.8.8"} {
		c := good
		c.IP = ip
		if _, _, err := ReadConnection(write(c, 0o600), false, false); err != nil {
			t.Errorf("%s: %v", ip, err)
		}
	}
	remote := good
	remote.IP = "0.0.0.0"
	if _, _, err := ReadConnection(write(remote, 0o600), true, false); err != nil {
		t.Errorf("remote, allowed: %v", err)
	}
	bad := filepath.Join(t.TempDir(), "c.json")
	for _, text := range []string{"", "[]", "{", strings.Repeat(" ", maxConnectionFile+1)} {
		os.WriteFile(bad, []byte(text), 0o600)
		if _, _, err := ReadConnection(bad, false, false); err == nil {
			t.Errorf("%.20q was taken", text)
		}
	}
	if _, _, err := ReadConnection(filepath.Join(t.TempDir(), "none.json"), false, false); err == nil || !strings.Contains(err.Error(), "none.json") {
		t.Errorf("missing file: %v", err)
	}
	if os.Geteuid() == 0 { // only root can give a file away
		path := write(good, 0o600)
		if err := os.Chown(path, 12345, -1); err == nil {
			if _, _, err := ReadConnection(path, false, false); err == nil || !strings.Contains(err.Error(), "owned by user 12345") {
				t.Errorf("another's file: %v", err)
			}
		}
	}
}

func TestFailure68_PortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn := newConnection(t)
	conn.ShellPort = l.Addr().(*net.TCPAddr).Port
	err = Serve(context.Background(), writeConnection(t, conn), Options{Worker: toy.Command()})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(conn.ShellPort)) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("error %v", err)
	}
}

func TestFailure69_NothingACellDoesEndsTheKernel(t *testing.T) {
	c := startKernel(t)
	for code, name := range map[string]string{"overflow": "StackOverflow", "maprace": "MapRace", "exit 1": "Exit", "panic x": "InternalError"} {
		if r := c.execute(code); r.reply["ename"] != name {
			t.Errorf("%s: %v", code, r.reply)
		}
		alive(t, c)
	}
}

func TestFailure74_ClientVanishesAndAnotherComes(t *testing.T) {
	c := startKernel(t)
	id := c.send(c.shell, "execute_request", content{"code": "sleep 100\nset x kept"})
	c.wait(c.published, "execute_input", id) // closed before that, a connection may take the request with it
	c.close()
	second := connect(t, c.conn)
	if r := second.execute("get x"); r.reply["status"] != "ok" {
		t.Errorf("what the vanished client ran is lost: %v", r.reply)
	}
	second.close()
}

func TestFailure74_RestartDuringARun(t *testing.T) {
	c := startKernel(t)
	c.execute("set x 1")
	id := c.send(c.shell, "execute_request", content{"code": "deaf"})
	c.wait(c.published, "execute_input", id)
	start := time.Now()
	c.send(c.control, "shutdown_request", content{"restart": true})
	select {
	case <-c.ended:
	case <-time.After(patientTime):
		t.Fatal("the kernel waits for its cell")
	}
	t.Logf("shut down around a cell that heeds nothing in %v", time.Since(start))
}

// FuzzReceive lets a client that has the key say anything.
func FuzzReceive(f *testing.F) {
	for _, kind := range []string{"complete_request", "history_request", "inspect_request", "comm_open", "debug_request", "interrupt_request", "is_complete_request"} {
		f.Add(kind, []byte(`{"code":"say","cursor_pos":1,"hist_access_type":"search","pattern":"[","n":-1}`), 1)
	}
	codec, err := message.NewCodec("", nil)
	if err != nil {
		f.Fatal(err)
	}
	var conn Connection
	conn.Transport, conn.IP, conn.Key = "tcp", "127.0.0.1", "k"
	k, err := newKernel(conn, Options{Worker: toy.Command(), Log: &bytes.Buffer{}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(k.close)
	k.codec = codec
	ctx, cancel := context.WithCancel(context.Background())
	f.Cleanup(cancel)
	go k.introspectLoop(ctx)
	f.Fuzz(func(t *testing.T, kind string, body []byte, ch int) {
		frames := codec.Encode(kind, nil, nil, body)
		k.receive(channel(uint(ch)%3+1), "peer", frames)
	})
}
