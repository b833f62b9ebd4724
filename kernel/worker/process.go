package worker

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"sapf/dsl/session"
)

// process is one child and the goroutines that listen to it.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	pipe  *pipe
	ready chan struct{} // closed when it can take cells, or can't
	dead  chan struct{} // closed when it has ended; cause is set then
	cause session.CellError
	// reported says that some cell was told of the death (Worker.mu).
	reported bool

	mu      sync.Mutex
	failure string // why the interpreter did not start
	why     string // why it was killed
	answers map[uint64]chan packet
	sink    Sink
	sinkCtx context.Context
}

func startProcess(cfg Config) (*process, error) {
	argv := cfg.Command
	if argv == nil {
		var err error
		if argv, err = command(); err != nil {
			return nil, err
		}
	}
	if len(cfg.Args) > 0 {
		argv = append(append(argv[:len(argv):len(argv)], "--"), cfg.Args...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), cfg.Env...)
	if cfg.extended {
		if self, err := command(); err == nil {
			cmd.Env = append(cmd.Env, "SAPF_COMMAND="+self[0])
		}
	}
	cmd.Dir = cfg.Dir
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the interpreter's process: %w", err)
	}
	p := &process{
		cmd: cmd, stdin: stdin, pipe: newPipe(stdin),
		ready: make(chan struct{}), dead: make(chan struct{}),
		answers: map[uint64]chan packet{},
	}
	last := &lastWords{log: cfg.Log}
	var readers sync.WaitGroup
	readers.Add(2)
	go func() { defer readers.Done(); io.Copy(last, stderr) }()
	go func() { defer readers.Done(); p.listen(bufio.NewReaderSize(stdout, 64<<10)) }()
	go func() {
		readers.Wait() // both ends are read out before the process is buried
		cmd.Wait()
		p.mu.Lock()
		p.cause = autopsy(last.String(), cmd.ProcessState, p.why)
		p.mu.Unlock()
		close(p.dead)
	}()
	return p, nil
}

// listen hands on what the child sends until its end.
func (p *process) listen(r *bufio.Reader) {
	for {
		k, err := receive(r)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				p.kill("its output can't be read: " + err.Error())
			}
			return
		}
		p.mu.Lock()
		sink, ctx := p.sink, p.sinkCtx
		p.mu.Unlock()
		switch k.Kind {
		case kindReady:
			p.mu.Lock()
			p.failure = k.Failure
			p.mu.Unlock()
			close(p.ready)
		case kindDone, kindAnswer:
			p.mu.Lock()
			answer := p.answers[k.ID]
			delete(p.answers, k.ID)
			p.mu.Unlock()
			if answer != nil {
				answer <- k // has room for its one answer
			}
		case kindInput:
			go p.input(ctx, sink, k)
		default:
			if sink != nil { // before the first cell there is nobody to show anything to
				show(sink, k)
			}
		}
	}
}

// show gives a packet of output to sink.
func show(sink Sink, k packet) {
	switch k.Kind {
	case kindStream:
		sink.Stream(k.Name, k.Text)
	case kindDisplay:
		sink.Display(k.body)
	case kindUpdate:
		sink.Update(k.body)
	case kindClear:
		sink.Clear(k.Wait)
	}
}

func (p *process) input(ctx context.Context, sink Sink, k packet) {
	reply := packet{Kind: kindReply}
	if sink == nil {
		reply.Failure = "no cell runs"
	} else if line, err := sink.Input(ctx, k.Text, k.Password); err != nil {
		reply.Failure = err.Error()
	} else {
		reply.Text = line
	}
	p.pipe.send(reply)
}

func (p *process) setSink(ctx context.Context, s Sink) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sink, p.sinkCtx = s, ctx
}

// expect makes a place for the answer to a packet.
func (p *process) expect(id uint64) chan packet {
	answer := make(chan packet, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers[id] = answer
	return answer
}

func (p *process) forget(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.answers, id)
}

// waitReady waits until the interpreter can take cells.
func (p *process) waitReady(ctx context.Context) error {
	select {
	case <-p.ready:
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.failure != "" {
			return errors.New("start the interpreter: " + p.failure)
		}
		return nil
	case <-p.dead:
		return errors.New("start the interpreter: " + p.cause.Message)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end ends the process: politely, and after a moment not so.
func (p *process) end(why string) {
	p.stdin.Close()
	select {
	case <-p.dead:
	case <-time.After(200 * time.Millisecond):
		p.kill(why)
		<-p.dead
	}
}

func (p *process) gone() bool {
	select {
	case <-p.dead:
		return true
	default:
		return false
	}
}

// kill ends the process; the first reason given stands.
func (p *process) kill(why string) {
	p.mu.Lock()
	if p.why == "" {
		p.why = why
	}
	p.mu.Unlock()
	p.cmd.Process.Kill()
}

// lastWords keeps the beginning of what a process says on standard error once
// it is dying, and passes the rest of its life on to a log.
type lastWords struct {
	log   io.Writer
	mu    sync.Mutex
	line  []byte
	dying bool
	text  strings.Builder
}

// lastWordsBytes is how much of a dying process's trace is kept: the reason and
// the first goroutine's frames.
const lastWordsBytes = 16 << 10

func (l *lastWords) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(b)
	for len(b) > 0 {
		line, rest := b, []byte(nil)
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			line, rest = b[:i+1], b[i+1:]
		}
		if len(l.line) < lastWordsBytes {
			l.line = append(l.line, line...)
		}
		b = rest
		if line[len(line)-1] != '\n' {
			break
		}
		l.take(string(l.line))
		l.line = l.line[:0]
	}
	return n, nil
}

// take sorts one line: the runtime's messages of death begin so.
func (l *lastWords) take(line string) {
	for _, sign := range []string{"fatal error: ", "runtime: ", "panic: ", "unexpected fault address", "SIG"} {
		l.dying = l.dying || strings.HasPrefix(line, sign)
	}
	switch {
	case l.dying && l.text.Len() < lastWordsBytes:
		l.text.WriteString(line)
	case !l.dying && l.log != nil:
		io.WriteString(l.log, line)
	}
}

func (l *lastWords) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String() + string(l.line)
}

// autopsy says what a process died of.
func autopsy(words string, state *os.ProcessState, why string) session.CellError {
	has := func(s string) bool { return strings.Contains(words, s) }
	first := firstLine(words)
	switch {
	case why != "":
		return session.CellError{Name: "Killed", Message: why}
	case has("stack overflow") || has("goroutine stack exceeds"):
		return session.CellError{Name: "StackOverflow", Message: fmt.Sprintf("the recursion never ended (stack above %d MB)", maxStack>>20)}
	case has("concurrent map"):
		return session.CellError{Name: "MapRace", Message: "two goroutines used a map at the same time, one of them writing (" + first + "): guard it with a sync.Mutex"}
	case has("out of memory") || has("cannot allocate memory"):
		return session.CellError{Name: "OutOfMemory", Message: "a cell asked for more memory than this process may have"}
	case has("all goroutines are asleep"):
		return session.CellError{Name: "Deadlock", Message: "all goroutines are asleep"}
	case words != "":
		return session.CellError{Name: "Crash", Message: first, Traceback: strings.Split(strings.TrimSpace(words), "\n")}
	case state != nil && !state.Exited():
		return session.CellError{Name: "Killed", Message: "the interpreter's process was ended from outside (" + state.String() + "; the system does so when memory runs out)"}
	case state != nil:
		return session.CellError{Name: "Exit", Message: "the interpreter's process ended (" + state.String() + ")"}
	}
	return session.CellError{Name: "Exit", Message: "the interpreter's process ended"}
}

func firstLine(words string) string {
	for _, line := range strings.Split(words, "\n") {
		if rest, ok := strings.CutPrefix(line, "fatal error: "); ok {
			return rest
		}
	}
	line, _, _ := strings.Cut(strings.TrimSpace(words), "\n")
	return line
}
