package judge

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"sapf/dsl/display"
	"sapf/dsl/session"
)

// Cells run in a child process, so that one that brings its process down, or
// never ends, is an answer like others.

// question is something to run.
type question struct {
	// Fresh begins a new session.
	Fresh bool
	Cells []string
	// Seconds each cell may take.
	Seconds float64
}

// answer is what came of it.
type answer struct {
	Output string
	Bytes  []byte // the output as it goes over the pipe, which may be no UTF-8
	// Error is the kind of the error that ended it, or "".
	Error     string
	Message   string
	Traceback []string
	Cell      int // that the error is of, from 1
	Line      int
}

// recorder is a host that keeps what is printed.
type recorder struct {
	mu  sync.Mutex
	log strings.Builder
}

func (r *recorder) Stream(name, text string) {
	if name == "stderr" && strings.HasPrefix(text, "note: ") {
		return // the session's own, not the program's
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.WriteString(text)
}
func (r *recorder) Display(b display.Bundle, id string) {
	r.Stream("", fmt.Sprintf("<display %v>\n", b.Data["text/plain"]))
}
func (r *recorder) Update(display.Bundle, string)      {}
func (r *recorder) Clear(bool)                         {}
func (r *recorder) Input(string, bool) (string, error) { return "", io.EOF }

func (r *recorder) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.log.String()
	r.log.Reset()
	return s
}

// serve answers questions, a line of JSON each, until there are no more.
func serve(in io.Reader, out io.Writer) error {
	var s *session.Session
	r := &recorder{}
	questions, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var q question
		if err := questions.Decode(&q); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if s == nil || q.Fresh {
			var err error
			if s, err = session.New(r, session.Options{}); err != nil {
				return err
			}
		}
		a := ask(s, r, q)
		a.Bytes, a.Output = []byte(a.Output), ""
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
}

// ask runs the cells up to the first that fails.
func ask(s *session.Session, r *recorder, q question) answer {
	var a answer
	for i, code := range q.Cells {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(q.Seconds*float64(time.Second)))
		o := s.Execute(ctx, session.Cell{Count: i + 1, Code: code})
		cancel()
		a.Output += r.take()
		if o.Value != nil {
			a.Output += fmt.Sprintf("\nOut: %v\n", o.Value.Data["text/plain"])
		}
		if o.Err != nil {
			a.Error, a.Message, a.Traceback, a.Cell, a.Line = o.Err.Name, o.Err.Message, o.Err.Traceback, i+1, o.Err.Line
			return a
		}
	}
	return a
}

// worker is a child process that answers questions.
type worker struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	asked bool
}

// workerEnv makes the test's program a worker.
const workerEnv = "SAPF_JUDGE_WORKER"

func (w *worker) start() error {
	w.cmd = exec.Command(os.Args[0])
	w.cmd.Env = append(os.Environ(), workerEnv+"=1")
	var err error
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return err
	}
	answers, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer theirs.Close()
	w.cmd.ExtraFiles = []*os.File{theirs}
	w.out = bufio.NewReader(answers)
	w.asked = false
	return w.cmd.Start()
}

func (w *worker) stop() {
	if w.cmd != nil {
		w.in.Close()
		w.cmd.Process.Kill()
		w.cmd.Wait()
		w.cmd = nil
	}
}

// fresh tells whether the next question begins a session by itself.
func (w *worker) fresh() bool { return w.cmd == nil || !w.asked }

// ask has the question answered. A process that ends or takes too long is
// replaced.
func (w *worker) ask(q question) answer {
	if w.cmd == nil {
		if err := w.start(); err != nil {
			return answer{Error: "Worker", Message: err.Error()}
		}
	}
	w.asked = true
	line := make(chan []byte, 1)
	go func() {
		text, _ := w.out.ReadBytes('\n')
		line <- text
	}()
	if err := json.NewEncoder(w.in).Encode(q); err != nil {
		w.stop()
		return answer{Error: "Died", Message: err.Error()}
	}
	select {
	case text := <-line:
		var a answer
		if err := json.Unmarshal(text, &a); err != nil {
			w.stop()
			return answer{Error: "Died", Message: "the process that runs the cells has ended"}
		}
		a.Output = string(a.Bytes)
		if a.Error == "Interrupted" {
			w.stop() // what does not end may still run
		}
		return a
	case <-time.After(time.Duration((float64(q.Seconds*float64(len(q.Cells))) + 10) * float64(time.Second))):
		w.stop()
		return answer{Error: "Hung", Message: "no answer"}
	}
}
