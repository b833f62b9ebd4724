// Package toy is an interpreter for tests of what is around the interpreter: a
// line of a cell is a command, and there is one for each thing that a cell can
// do to its process. It needs no time to start and no knowledge of Go.
package toy

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"sapf/dsl/display"
	"sapf/dsl/session"
	"sapf/kernel/worker"
)

// EnvRole is set for a test's own program to make it a child.
const EnvRole = "SAPF_TEST_ROLE"

// Command is a worker.Config that starts this test program as a toy's child;
// its TestMain must call Main first.
func Command() worker.Config {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return worker.Config{Command: []string{self}, Env: []string{EnvRole + "=toy"}}
}

// Main serves as a child and exits, if this process was started as one.
func Main() {
	if os.Getenv(EnvRole) != "toy" {
		return
	}
	err := worker.Serve(os.Stdin, os.Stdout, func(h display.Host) (worker.Interpreter, error) {
		return &toy{host: h, variables: map[string]string{}}, nil
	})
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

type toy struct {
	host display.Host

	mu        sync.Mutex
	variables map[string]string
}

func (t *toy) Execute(ctx context.Context, c session.Cell) session.Outcome {
	var outcome session.Outcome
	for i, line := range strings.Split(c.Code, "\n") {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		value, err := t.do(ctx, verb, rest)
		if err != nil {
			return session.Outcome{Err: &session.CellError{Name: "Error", Message: err.Error(), Line: i + 1, Column: 1,
				Traceback: []string{fmt.Sprintf("cell %d, line %d: %v", c.Count, i+1, err)}}}
		}
		if ctx.Err() != nil {
			return session.Outcome{Err: &session.CellError{Name: "Interrupted", Message: "interrupted", Line: i + 1,
				Traceback: []string{"Interrupted"}}}
		}
		outcome.Value = value
	}
	if c.Quiet {
		outcome.Value = nil
	}
	return outcome
}

func text(s string) *display.Bundle {
	return &display.Bundle{Data: map[string]any{"text/plain": s}}
}

func (t *toy) do(ctx context.Context, verb, rest string) (*display.Bundle, error) {
	n, _ := strconv.Atoi(rest)
	switch verb {
	case "", "#":
	case "say":
		t.host.Stream("stdout", rest+"\n")
	case "warn":
		t.host.Stream("stderr", rest+"\n")
	case "lines":
		for i := range n {
			t.host.Stream("stdout", fmt.Sprintf("line %d\n", i))
		}
	case "both": // alternating streams
		for i := range n {
			t.host.Stream([]string{"stdout", "stderr"}[i%2], fmt.Sprintf("%d ", i))
		}
	case "osout":
		fmt.Fprintln(os.Stdout, rest)
	case "value":
		return text(rest), nil
	case "fail":
		return nil, fmt.Errorf("%s", rest)
	case "panic":
		panic(rest)
	case "overflow":
		return nil, fmt.Errorf("depth %d", overflow(1))
	case "maprace":
		race()
	case "allocate":
		t.variables["big"] = string(make([]byte, n<<30))
	case "collect":
		runtime.GC()
		runtime.GC()
	case "exit":
		os.Exit(n)
	case "spin":
		for ctx.Err() == nil {
		}
	case "deaf": // heeds no interrupt
		for {
			time.Sleep(time.Hour)
		}
	case "sleep":
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(n) * time.Millisecond):
		}
	case "picture":
		t.host.Display(display.Bundle{Data: map[string]any{"image/png": make([]byte, n), "text/plain": "a picture"}}, "")
	case "show", "update":
		id, body, _ := strings.Cut(rest, " ")
		b := display.Bundle{Data: map[string]any{"text/plain": body}}
		if verb == "show" {
			t.host.Display(b, id)
		} else {
			t.host.Update(b, id)
		}
	case "clear":
		t.host.Clear(rest == "wait")
	case "ask":
		line, err := t.host.Input(rest, false)
		if err != nil {
			return nil, err
		}
		t.host.Stream("stdout", "got "+line+"\n")
	case "late":
		after, body, _ := strings.Cut(rest, " ")
		n, _ := strconv.Atoi(after)
		time.AfterFunc(time.Duration(n)*time.Millisecond, func() { t.host.Stream("stdout", body+"\n") })
	case "die": // later, when the cell is over
		time.AfterFunc(time.Duration(n)*time.Millisecond, race)
	case "set":
		name, value, _ := strings.Cut(rest, " ")
		t.mu.Lock()
		t.variables[name] = value
		t.mu.Unlock()
	case "get":
		t.mu.Lock()
		defer t.mu.Unlock()
		if v, ok := t.variables[rest]; ok {
			return text(v), nil
		}
		return nil, fmt.Errorf("undefined: %s", rest)
	default:
		return nil, fmt.Errorf("unknown command %q", verb)
	}
	return nil, nil
}

func overflow(n int) int {
	var room [64]int
	room[n%64] = n
	return overflow(n+1) + room[(n+1)%64]
}

func race() {
	m := map[int]int{}
	for range 4 {
		go func() {
			for i := 0; ; i++ {
				m[i%10] = i
			}
		}()
	}
	time.Sleep(10 * time.Second)
}

func (t *toy) Complete(code string, cursor int) session.Completion {
	start := strings.LastIndexAny(code[:cursor], " \n") + 1
	c := session.Completion{Start: start, End: cursor}
	for _, verb := range []string{"say", "set", "sleep", "spin"} {
		if strings.HasPrefix(verb, code[start:cursor]) {
			c.Matches, c.Kinds = append(c.Matches, verb), append(c.Kinds, "function")
		}
	}
	return c
}

func (t *toy) Inspect(code string, cursor, detail int) (display.Bundle, bool) {
	if strings.Contains(code, "say") {
		return *text("say TEXT writes TEXT to stdout"), true
	}
	return display.Bundle{}, false
}

func (t *toy) IsComplete(code string) session.Completeness {
	switch {
	case strings.HasSuffix(code, "\\"):
		return session.Completeness{Status: "incomplete", Indent: "  "}
	case strings.HasPrefix(code, ")"):
		return session.Completeness{Status: "invalid"}
	}
	return session.Completeness{Status: "complete"}
}
