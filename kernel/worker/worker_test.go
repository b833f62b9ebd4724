package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"sapf/dsl/session"
	"sapf/kernel/internal/toy"
	"sapf/kernel/worker"
)

func TestMain(m *testing.M) {
	toy.Main()
	os.Exit(m.Run())
}

// log is a sink that writes down what it gets.
type log struct {
	mu    sync.Mutex
	lines []string
	line  string // what Input answers
}

func (l *log) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "|")
}

func (l *log) Stream(name, text string)  { l.add("%s:%s", name, text) }
func (l *log) Display(c json.RawMessage) { l.add("display:%.300s", c) }
func (l *log) Update(c json.RawMessage)  { l.add("update:%.300s", c) }
func (l *log) Clear(wait bool)           { l.add("clear:%v", wait) }
func (l *log) streams() (stdout, both string) {
	return l.filter("stdout:"), l.filter("stdout:", "stderr:")
}

func (l *log) filter(prefixes ...string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, line := range l.lines {
		for _, p := range prefixes {
			if rest, ok := strings.CutPrefix(line, p); ok {
				b.WriteString(rest)
			}
		}
	}
	return b.String()
}

func (l *log) Input(ctx context.Context, prompt string, password bool) (string, error) {
	l.add("input:%s", prompt)
	if l.line == "" {
		<-ctx.Done()
		return "", ctx.Err()
	}
	return l.line, nil
}

func start(t *testing.T) *worker.Worker {
	t.Helper()
	w := worker.New(toy.Command())
	t.Cleanup(w.Close)
	return w
}

func run(t *testing.T, w *worker.Worker, sink worker.Sink, code string) worker.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return w.Execute(ctx, worker.Request{Cell: session.Cell{Count: 1, Code: code}}, sink)
}

func TestOutputComesInOrder(t *testing.T) {
	w, sink := start(t), &log{}
	r := run(t, w, sink, "say a\nshow id b\nwarn c\nosout d\nclear wait\nupdate id e\nvalue f")
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	// What compiled code writes to os.Stdout comes through a pipe, so only its
	// presence before the end is promised.
	got := strings.Replace(sink.String(), "|stdout:d\n", "", 1)
	want := `stdout:a
|display:{"data":{"text/plain":"b"},"metadata":{},"transient":{"display_id":"id"}}|stderr:c
|clear:true|update:{"data":{"text/plain":"e"},"metadata":{},"transient":{"display_id":"id"}}`
	if got != want {
		t.Errorf("output\n%s\nwant\n%s", got, want)
	}
	if stdout, _ := sink.streams(); !strings.Contains(stdout, "d\n") {
		t.Errorf("os.Stdout was lost: %q", stdout)
	}
	if string(r.Value) != `{"data":{"text/plain":"f"},"metadata":{}}` {
		t.Errorf("value %s", r.Value)
	}
}

func TestStreamsInterleaveExactly(t *testing.T) {
	w, sink := start(t), &log{}
	run(t, w, sink, "both 1000")
	var want strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&want, "%d ", i)
	}
	if _, both := sink.streams(); both != want.String() {
		t.Errorf("streams interleave as %.100q...", both)
	}
}

func TestManyLinesAreFewMessages(t *testing.T) {
	w, sink := start(t), &log{}
	run(t, w, sink, "lines 10000")
	stdout, _ := sink.streams()
	if n := strings.Count(stdout, "\n"); n != 10000 {
		t.Errorf("10000 lines written, %d arrived", n)
	}
	if len(sink.lines) > 500 {
		t.Errorf("10000 lines came as %d messages", len(sink.lines))
	}
}

func TestFailure69_DeathOfTheChild(t *testing.T) {
	for _, c := range []struct{ code, name, says string }{
		{"overflow", "StackOverflow", "recursion"},
		{"maprace", "MapRace", "sync.Mutex"},
		{"exit 3", "Exit", "exit status 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, sink := start(t), &log{}
			if r := run(t, w, sink, "set x 1\nget x"); r.Err != nil {
				t.Fatal(r.Err)
			}
			r := run(t, w, sink, c.code)
			if !r.Lost || r.Err == nil || r.Err.Name != c.name || !strings.Contains(r.Err.Message, c.says) {
				t.Fatalf("lost %v, error %v", r.Lost, r.Err)
			}
			if trace := strings.Join(r.Err.Traceback, "\n"); !strings.Contains(trace, "variables, functions and imports are gone") {
				t.Errorf("the traceback does not tell what was lost:\n%s", trace)
			}
			if r := run(t, w, sink, "value alive"); r.Err != nil {
				t.Errorf("the next cell: %v", r.Err)
			}
			if r := run(t, w, sink, "get x"); r.Err == nil {
				t.Error("a variable outlived its process")
			}
		})
	}
}

// The collector must not close standard error, on which the runtime says what a
// process dies of.
func TestLastWordsAfterCollections(t *testing.T) {
	w, sink := start(t), &log{}
	if r := run(t, w, sink, "collect\nmaprace"); r.Err == nil || r.Err.Name != "MapRace" {
		t.Errorf("got %v", r.Err)
	}
}

func TestFailure69_PanicOfTheInterpreterEndsOnlyTheCell(t *testing.T) {
	w, sink := start(t), &log{}
	run(t, w, sink, "set x 1")
	if r := run(t, w, sink, "panic at the disco"); r.Err == nil || r.Err.Name != "InternalError" || r.Lost {
		t.Fatalf("got %+v", r)
	}
	if r := run(t, w, sink, "get x"); r.Err != nil {
		t.Error(r.Err)
	}
}

func TestDeathBetweenCellsIsSaid(t *testing.T) {
	w, sink := start(t), &log{}
	run(t, w, sink, "die 1")
	for deadline := time.Now().Add(2 * time.Minute); w.Pid() != 0; {
		if time.Now().After(deadline) {
			t.Fatal("the child lives on")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if r := run(t, w, sink, "value 1"); r.Err != nil {
		t.Fatal(r.Err)
	}
	if s := sink.String(); !strings.Contains(s, "ended after the last cell") || !strings.Contains(s, "map") {
		t.Errorf("output %q", s)
	}
}

func TestInterrupt(t *testing.T) {
	for _, code := range []string{"spin", "sleep 60000", "ask anything?"} {
		w, sink := start(t), &log{}
		run(t, w, sink, "set x 1")
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(50*time.Millisecond, cancel)
		r := w.Execute(ctx, worker.Request{Cell: session.Cell{Code: code}}, sink)
		if r.Err == nil || r.Lost {
			t.Errorf("%s: %+v", code, r)
		}
		if r := run(t, w, sink, "get x"); r.Err != nil {
			t.Errorf("after %s: %v", code, r.Err)
		}
	}
}

func TestKillEndsADeafCell(t *testing.T) {
	w, sink := start(t), &log{}
	go func() {
		for !strings.Contains(sink.String(), "begun") { // before, it could be the start that is ended
			time.Sleep(time.Millisecond)
		}
		w.Kill("it was deaf")
	}()
	if r := run(t, w, sink, "say begun\ndeaf"); r.Err == nil || r.Err.Name != "Killed" || r.Err.Message != "it was deaf" {
		t.Errorf("got %+v", r.Err)
	}
}

func TestQuestionsWhileACellRuns(t *testing.T) {
	w, sink := start(t), &log{}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan worker.Result)
	go func() { ended <- w.Execute(ctx, worker.Request{Cell: session.Cell{Code: "sleep 60000"}}, sink) }()
	c, err := w.Complete(context.Background(), "s", 1)
	if err != nil || len(c.Matches) != 4 {
		t.Errorf("complete: %v, %v", c, err)
	}
	if b, err := w.Inspect(context.Background(), "say", 3, 0); err != nil || !strings.Contains(string(b), "writes TEXT") {
		t.Errorf("inspect: %s, %v", b, err)
	}
	if c, err := w.IsComplete(context.Background(), "say \\"); err != nil || c.Status != "incomplete" || c.Indent != "  " {
		t.Errorf("is complete: %v, %v", c, err)
	}
	cancel()
	<-ended
}

func TestInput(t *testing.T) {
	w, sink := start(t), &log{line: "42"}
	if r := run(t, w, sink, "ask the answer?"); r.Err != nil {
		t.Fatal(r.Err)
	}
	if got := sink.String(); got != "input:the answer?|stdout:got 42\n" {
		t.Errorf("got %q", got)
	}
}

func TestLateOutputGoesToItsCell(t *testing.T) {
	w, first := start(t), &log{}
	run(t, w, first, "late 20 hello")
	for deadline := time.Now().Add(2 * time.Minute); first.String() != "stdout:hello\n"; {
		if time.Now().After(deadline) {
			t.Fatalf("got %q", first)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestExpressions(t *testing.T) {
	w := start(t)
	r := w.Execute(context.Background(), worker.Request{
		Cell: session.Cell{Code: "set x 5"}, Expressions: map[string]string{"a": "get x", "b": "get y"},
	}, &log{})
	if got := string(r.Answers["a"]); got != `{"data":{"text/plain":"5"},"metadata":{},"status":"ok"}` {
		t.Errorf("a is %s", got)
	}
	if got := string(r.Answers["b"]); !strings.Contains(got, `"status":"error"`) || !strings.Contains(got, "undefined: y") {
		t.Errorf("b is %s", got)
	}
}

func TestClosed(t *testing.T) {
	w := start(t)
	run(t, w, &log{}, "say hello")
	w.Close()
	if r := run(t, w, &log{}, "say hello"); r.Err == nil || !strings.Contains(r.Err.Message, worker.ErrClosed.Error()) {
		t.Errorf("after Close: %v", r.Err)
	}
	if _, err := w.Complete(context.Background(), "s", 1); !errors.Is(err, worker.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
