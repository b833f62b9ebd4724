package kernel

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"sapf/kernel/internal/toy"
	"sapf/kernel/message"
	"sapf/kernel/worker"
	"sapf/kernel/zmtp"
)

// envRole turns this test's program into a kernel, see TestMain.
const envRole = "SAPF_TEST_KERNEL"

func TestMain(m *testing.M) {
	toy.Main()
	if role := os.Getenv(envRole); role != "" && len(os.Args) > 1 {
		os.Exit(play(role, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// play is the sapf command's `kernel` and `worker-session`: as they are, or with
// a toy for an interpreter.
func play(role string, args []string) int {
	var err error
	switch {
	case args[0] == "worker-session":
		err = worker.Main(os.Stdin, os.Stdout, args[min(2, len(args)):]...)
	case args[0] == "kernel" && role == "toy":
		err = Serve(context.Background(), args[1], Options{Worker: toy.Command()})
	case args[0] == "kernel":
		options := EnvironmentOptions()
		options.Worker.Args = args[2:]
		err = Serve(context.Background(), args[1], options)
	}
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		return 2
	}
	return 0
}

// freePort finds a port that nobody has at the moment.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func newConnection(t *testing.T) Connection {
	t.Helper()
	return Connection{
		Transport: "tcp", IP: "127.0.0.1", Key: "0123-4567", SignatureScheme: "hmac-sha256",
		ShellPort: freePort(t), ControlPort: freePort(t), IOPubPort: freePort(t), StdinPort: freePort(t), HeartbeatPort: freePort(t),
	}
}

func writeConnection(t *testing.T, c Connection) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "connection.json")
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// client is a Jupyter client on zmq4, which shares no code with our sockets.
type client struct {
	t                            *testing.T
	conn                         Connection
	codec                        *message.Codec
	shell, control, stdin, iopub zmq4.Socket
	replies, answers, published  chan message.Message // shell, control, iopub
	questions                    chan message.Message // stdin
	ended                        chan struct{}        // closed at the kernel's end
}

// startKernel serves a toy kernel in this process, on ports of its own choice,
// and connects to it.
func startKernel(t *testing.T) *client {
	t.Helper()
	return startWith(t, Options{Worker: toy.Command()})
}

// startReal is startKernel with the interpreter of Go.
func startReal(t *testing.T) *client {
	t.Helper()
	return startWith(t, Options{Worker: realWorker(t)})
}

// realWorker starts this test's program as `sapf worker-session`.
func realWorker(t *testing.T) worker.Config {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return worker.Config{Command: []string{self, "worker-session"}, Env: []string{envRole + "=sapf"}}
}

func startWith(t *testing.T, opts Options) *client {
	t.Helper()
	conn := Connection{Transport: "tcp", IP: "127.0.0.1", Key: "0123-4567", SignatureScheme: "hmac-sha256"}
	opts.Log = io.Discard
	k, err := newKernel(conn, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct {
		socket *zmtp.Socket
		port   *int
	}{{k.shell, &conn.ShellPort}, {k.control, &conn.ControlPort}, {k.iopub, &conn.IOPubPort}, {k.stdin, &conn.StdinPort}, {k.heartbeat, &conn.HeartbeatPort}} {
		fmt.Sscanf(s.socket.Endpoint(), "tcp://127.0.0.1:%d", s.port)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		k.serve(ctx)
		close(ended)
	}()
	c := connect(t, conn)
	c.ended = ended
	t.Cleanup(func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(patientTime):
			t.Error("the kernel does not end")
		}
		c.close()
	})
	return c
}

func (c *client) close() {
	for _, s := range []zmq4.Socket{c.shell, c.control, c.stdin, c.iopub} {
		s.Close()
	}
}

func connect(t *testing.T, conn Connection) *client {
	t.Helper()
	codec, err := message.NewCodec(conn.SignatureScheme, []byte(conn.Key))
	if err != nil {
		t.Fatal(err)
	}
	id := zmq4.SocketIdentity("client-" + message.ID())
	ctx := context.Background()
	quick := zmq4.WithDialerRetry(20 * time.Millisecond)
	many := zmq4.WithDialerMaxRetries(250)
	c := &client{
		t: t, conn: conn, codec: codec,
		shell: zmq4.NewDealer(ctx, zmq4.WithID(id), quick, many), control: zmq4.NewDealer(ctx, zmq4.WithID(id), quick, many),
		stdin: zmq4.NewDealer(ctx, zmq4.WithID(id), quick, many), iopub: zmq4.NewSub(ctx, quick, many),
		replies: make(chan message.Message, 100), answers: make(chan message.Message, 100),
		questions: make(chan message.Message, 100), published: make(chan message.Message, 100000),
	}
	for _, s := range []struct {
		socket zmq4.Socket
		port   int
		to     chan message.Message
	}{{c.iopub, conn.IOPubPort, c.published}, {c.shell, conn.ShellPort, c.replies}, {c.control, conn.ControlPort, c.answers}, {c.stdin, conn.StdinPort, c.questions}} {
		if err := s.socket.Dial(conn.endpoint(s.port)); err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				m, err := s.socket.Recv()
				if err != nil {
					return
				}
				if got, err := codec.Decode(m.Frames); err == nil {
					s.to <- got
				} else {
					t.Errorf("a message can't be read: %v: %.100q", err, m.Frames)
				}
			}
		}()
	}
	if err := c.iopub.SetOption(zmq4.OptionSubscribe, ""); err != nil {
		t.Fatal(err)
	}
	c.wait(c.published, "iopub_welcome", "")
	return c
}

// patientTime is how long a test waits for what must come: as long as a machine
// with far too much to do may take.
const patientTime = 2 * time.Minute

// wait returns the next message of a type that answers parent ("" any), and
// fails if none comes.
func (c *client) wait(from chan message.Message, kind, parent string) message.Message {
	c.t.Helper()
	deadline := time.After(patientTime)
	for {
		select {
		case m := <-from:
			if m.Header.Type == kind && (parent == "" || parentOf(m) == parent) {
				return m
			}
		case <-deadline:
			c.t.Fatalf("no %s came", kind)
		}
	}
}

func parentOf(m message.Message) string {
	var parent message.Header
	json.Unmarshal(m.Parent, &parent)
	return parent.ID
}

// send sends a message and returns its id.
func (c *client) send(to zmq4.Socket, kind string, body any) string {
	c.t.Helper()
	frames := c.codec.Encode(kind, nil, nil, encode(body))
	var header message.Header
	if err := json.Unmarshal(frames[2], &header); err != nil {
		c.t.Fatal(err)
	}
	if err := to.Send(zmq4.NewMsgFrom(frames...)); err != nil {
		c.t.Fatal(err)
	}
	return header.ID
}

// ask sends a request on the shell channel and returns the reply's content.
func (c *client) ask(kind string, body any) map[string]any {
	c.t.Helper()
	id := c.send(c.shell, kind+"_request", body)
	return fields(c.wait(c.replies, kind+"_reply", id))
}

func fields(m message.Message) map[string]any {
	var f map[string]any
	json.Unmarshal(m.Content, &f)
	return f
}

// ran is what one cell made of itself.
type ran struct {
	reply   map[string]any
	outputs []message.Message // between busy and idle
}

func (r ran) text(stream string) string {
	var b strings.Builder
	for _, m := range r.outputs {
		if f := fields(m); m.Header.Type == "stream" && (stream == "" || f["name"] == stream) {
			b.WriteString(f["text"].(string))
		}
	}
	return b.String()
}

// kinds is the types of the outputs, in order.
func (r ran) kinds() string {
	var kinds []string
	for _, m := range r.outputs {
		kinds = append(kinds, m.Header.Type)
	}
	return strings.Join(kinds, " ")
}

func (c *client) execute(code string) ran {
	c.t.Helper()
	return c.outcome(c.send(c.shell, "execute_request", content{"code": code}))
}

// outcome collects what an execute_request led to.
func (c *client) outcome(id string) ran {
	c.t.Helper()
	var r ran
	deadline := time.After(patientTime)
	busy := false
	for {
		select {
		case m := <-c.published:
			if parentOf(m) != id {
				continue
			}
			if m.Header.Type == "status" {
				if state := fields(m)["execution_state"]; state == "idle" {
					r.reply = fields(c.wait(c.replies, "execute_reply", id))
					return r
				} else if state == "busy" {
					busy = true
				}
				continue
			}
			if !busy {
				c.t.Errorf("%s before busy", m.Header.Type)
			}
			r.outputs = append(r.outputs, m)
		case <-deadline:
			c.t.Fatal("the cell does not become idle")
		}
	}
}
