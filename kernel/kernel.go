package kernel

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"sapf/kernel/message"
	"sapf/kernel/worker"
	"sapf/kernel/zmtp"
)

// Options changes how a kernel serves. The zero value is the safe one.
type Options struct {
	// AllowRemote lets the kernel listen where other machines can reach it.
	AllowRemote bool
	// AllowUnsigned accepts an empty key, with which nothing is signed.
	AllowUnsigned bool
	// Worker starts the interpreter's process.
	Worker worker.Config
	// Limits bounds what clients can make the kernel hold.
	Limits zmtp.Limits
	// UnfinishedBytes is how much messages that are still arriving may take
	// together, over all sockets; 0 means 256 MiB.
	UnfinishedBytes int64
	// Log gets warnings, a line each; nil means os.Stderr.
	Log io.Writer
}

// linger is how long replies may take to leave when the kernel ends.
const linger = time.Second

// EnvironmentOptions are the zero Options with what the environment allows:
// SAPF_ALLOW_REMOTE=1 and SAPF_ALLOW_UNSIGNED=1 lift the checks of the same
// names.
func EnvironmentOptions() Options {
	return Options{
		AllowRemote:   os.Getenv("SAPF_ALLOW_REMOTE") == "1",
		AllowUnsigned: os.Getenv("SAPF_ALLOW_UNSIGNED") == "1",
	}
}

// Serve serves a connection file until a client asks for shutdown, ctx is done,
// the process that started it is gone, or SIGTERM or SIGHUP comes. SIGINT interrupts the
// running cell.
func Serve(ctx context.Context, connectionFile string, opts Options) error {
	c, warnings, err := ReadConnection(connectionFile, opts.AllowRemote, opts.AllowUnsigned)
	if err != nil {
		return err
	}
	k, err := newKernel(c, opts)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		k.log.Print(w)
	}
	k.serve(ctx)
	return nil
}

// serve answers clients until a client asks for shutdown, ctx is done, the
// parent process is gone or SIGTERM or SIGHUP comes, and then closes the kernel.
func (k *kernel) serve(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // it is where nohup started us
		signal.Notify(signals, syscall.SIGHUP)
	}
	defer signal.Stop(signals)
	if os.Getenv("JPY_PARENT_PID") != "" {
		go watchParent(ctx, stop)
	}
	var loops sync.WaitGroup
	loops.Go(func() { k.introspectLoop(ctx) })
	loops.Go(func() { k.executeLoop(ctx) })
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-k.stopped:
			stop()
		case s := <-signals:
			if s == os.Interrupt {
				k.interrupt()
			} else {
				stop()
			}
		}
	}
	k.close() // ends the interpreter, whatever it does, and so the loops
	loops.Wait()
}

// watchParent calls gone when the process that started this one is no more:
// the kernel then belongs to someone else.
func watchParent(ctx context.Context, gone func()) {
	parent := os.Getppid()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if os.Getppid() != parent {
				gone()
				return
			}
		}
	}
}

// kernel is a running kernel.
type kernel struct {
	opts   Options
	log    *log.Logger
	codec  *message.Codec
	worker *worker.Worker
	id     string

	shell, control, stdin, iopub, heartbeat *zmtp.Socket
	// opened is closed when all of the above are there, or none will be (there is
	// no worker then): clients may be quicker than the last socket.
	opened chan struct{}

	history  history
	inputs   inputs
	refusals refusals

	// stopped holds one token when a client asked for shutdown.
	stopped chan struct{}

	// questions are what an editor asks; they never wait for a cell.
	questions chan request

	mu      sync.Mutex
	queue   []request
	arrived chan struct{} // holds one token when the queue may have work
	count   int           // In [count]
	running *cell
}

// maxUnfinished is twice the longest message that zmtp takes by default.
const maxUnfinished = 256 << 20

// maxSign is the longest message taken where only short ones have a meaning.
const maxSign = 64 << 10

// signsOnly are limits for a socket that nobody sends more than a few bytes.
func signsOnly(l zmtp.Limits) zmtp.Limits {
	l.FrameBytes, l.MessageBytes = maxSign, maxSign
	return l
}

// newKernel opens the sockets and starts the interpreter in the background.
func newKernel(c Connection, opts Options) (*kernel, error) {
	if opts.Log == nil {
		opts.Log = os.Stderr
	}
	codec, err := message.NewCodec(c.SignatureScheme, []byte(c.Key))
	if err != nil {
		return nil, err
	}
	keys, err := c.keys()
	if err != nil {
		return nil, err
	}
	k := &kernel{
		opts: opts, codec: codec, id: message.ID(), stopped: make(chan struct{}, 1), opened: make(chan struct{}),
		log:       log.New(opts.Log, "sapf kernel: ", 0),
		questions: make(chan request, 1024), arrived: make(chan struct{}, 1),
	}
	k.inputs.init()
	budget := zmtp.NewBudget(cmp.Or(opts.UnfinishedBytes, maxUnfinished))
	for _, s := range []struct {
		socket  **zmtp.Socket
		port    int
		kind    zmtp.Kind
		receive func(channel, string, [][]byte)
		channel channel
	}{
		{&k.heartbeat, c.HeartbeatPort, zmtp.Rep, nil, 0},
		{&k.iopub, c.IOPubPort, zmtp.XPub, nil, 0},
		{&k.stdin, c.StdinPort, zmtp.Router, k.receive, stdinChannel},
		{&k.control, c.ControlPort, zmtp.Router, k.receive, controlChannel},
		{&k.shell, c.ShellPort, zmtp.Router, k.receive, shellChannel},
	} {
		o := zmtp.Options{Limits: opts.Limits, Budget: budget, Keys: keys, Listener: c.opened(s.port)}
		if s.receive == nil { // a subscription or a sign of life is all that comes
			o.Limits = signsOnly(o.Limits)
		}
		if s.kind == zmtp.Rep {
			o.Limits.QueueBytes = maxSign
		}
		if s.receive != nil {
			o.Receive = func(peer string, frames [][]byte) {
				if <-k.opened; k.worker != nil {
					s.receive(s.channel, peer, frames)
				}
			}
		}
		if s.kind == zmtp.XPub {
			o.Subscribed = func(peer, topic string) {
				if <-k.opened; k.worker != nil {
					k.welcome(peer, topic)
				}
			}
		}
		if *s.socket, err = zmtp.Listen(c.endpoint(s.port), s.kind, o); err != nil {
			close(k.opened)
			k.closeSockets()
			return nil, err
		}
	}
	if opts.Worker.Log == nil {
		opts.Worker.Log = opts.Log
	}
	k.worker = worker.New(opts.Worker)
	close(k.opened)
	k.publish("status", nil, content{"execution_state": "starting"})
	return k, nil
}

func (k *kernel) close() {
	k.closeSockets()
	k.worker.Close()
}

func (k *kernel) closeSockets() {
	var all sync.WaitGroup
	for _, s := range []*zmtp.Socket{k.shell, k.control, k.stdin, k.iopub, k.heartbeat} {
		if s != nil {
			all.Go(func() { s.Close(linger) })
		}
	}
	all.Wait()
}

// content is what a message says, before it is JSON.
type content map[string]any

func encode(c any) json.RawMessage {
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err) // only strings, numbers and JSON that was checked go in
	}
	return raw
}

// note makes a message for everybody on iopub. parent is the header of the
// request that it belongs to, nil for none.
func (k *kernel) note(kind string, parent json.RawMessage, c content) [][]byte {
	return k.noteRaw(kind, parent, encode(c))
}

func (k *kernel) noteRaw(kind string, parent, c json.RawMessage) [][]byte {
	topic := []byte("kernel." + k.id + "." + kind)
	return append([][]byte{topic}, k.codec.Encode(kind, parent, nil, c)...)
}

// statusNote says what the kernel does for the request with this header.
func (k *kernel) statusNote(state string, parent json.RawMessage) [][]byte {
	return k.note("status", parent, content{"execution_state": state})
}

// publish sends everybody on iopub one message.
func (k *kernel) publish(kind string, parent json.RawMessage, c content) {
	k.publishRaw(kind, parent, encode(c))
}

func (k *kernel) publishRaw(kind string, parent, c json.RawMessage) {
	k.iopub.Publish(k.noteRaw(kind, parent, c))
}

// welcome greets a new subscriber of iopub: from here on it misses nothing
// (protocol 5.5). The topic is the subscription itself, so that it passes.
func (k *kernel) welcome(peer, topic string) {
	frames := k.codec.Encode("iopub_welcome", nil, nil, encode(content{"subscription": topic}))
	k.iopub.Send(peer, append([][]byte{[]byte(topic)}, frames...))
}

// refusals counts messages that were not obeyed, and logs the first of each
// reason and then every time the count doubles, so that a hostile client can't
// fill the log.
type refusals struct {
	mu sync.Mutex
	n  map[string]int
}

func (r *refusals) add(l *log.Logger, err error) {
	reason := err.Error()
	for _, known := range []error{message.ErrFrames, message.ErrSignature, message.ErrReplay, message.ErrJSON} {
		if errors.Is(err, known) {
			reason = known.Error()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n == nil {
		r.n = map[string]int{}
	}
	r.n[reason]++
	if n := r.n[reason]; n&(n-1) == 0 {
		l.Printf("dropped a message: %s (%d so far)", strings.ReplaceAll(fmt.Sprintf("%.200s", err), "\n", " "), n)
	}
}
