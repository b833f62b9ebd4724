package extend

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// goCommand runs the Go command in the module that is being made.
type goCommand struct {
	program string
	dir     string
}

// findGo finds the Go command.
func findGo() (string, error) {
	program, err := exec.LookPath("go")
	if err != nil {
		return "", errors.New("an extension is compiled, and there is no `go` command on the PATH: install Go 1.26 or newer")
	}
	return program, nil
}

// environment is the user's, but for what would make another module of ours.
func (g goCommand) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "GOFLAGS=") || strings.HasPrefix(v, "GOWORK=") || strings.HasPrefix(v, "GO111MODULE=") || strings.HasPrefix(v, "PWD=")
	})
	return append(env, "GOFLAGS=-mod=mod -buildvcs=false", "GOWORK=off", "PWD="+g.dir)
}

// run runs `go ARGS`, gives its standard output, and reports what it prints of
// its progress.
func (g goCommand) run(ctx context.Context, report func(string), args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, g.program, args...)
	cmd.Dir, cmd.Env = g.dir, g.environment()
	together(cmd)
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout = &out
	r, w := io.Pipe()
	cmd.Stderr = w
	said := make(chan []string)
	go func() { said <- follow(r, report) }()
	err := cmd.Run()
	w.Close()
	lines := <-said
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", &GoError{Args: args, Lines: lines, err: err}
	}
	return out.String(), nil
}

// follow reports what the Go command says that it does, and keeps the rest.
func follow(r io.Reader, report func(string)) []string {
	var lines []string
	compiled := 0
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		line := in.Text()
		switch {
		case strings.HasPrefix(line, "go: downloading "), strings.HasPrefix(line, "go: finding "):
			report(strings.TrimPrefix(line, "go: "))
		case strings.HasPrefix(line, "go: found "), strings.HasPrefix(line, "go: added "), strings.HasPrefix(line, "go: upgraded "):
		case line != "" && !strings.ContainsAny(line, " \t:#"): // -v names a package
			compiled++
			report(fmt.Sprintf("compiling: package %d, %s", compiled, line))
		default:
			lines = append(lines, line)
		}
	}
	io.Copy(io.Discard, r) // a line too long
	return lines
}

// GoError is what the Go command failed with.
type GoError struct {
	Args  []string
	Lines []string
	err   error
}

// Error is one line.
func (e *GoError) Error() string {
	text := strings.Join(slices.DeleteFunc(slices.Clone(e.Lines), func(l string) bool { return strings.HasPrefix(l, "# ") }), "; ")
	if text == "" {
		text = e.err.Error()
	}
	const long = 600
	if len(text) > long {
		text = text[:long] + "..."
	}
	return "go " + e.Args[0] + ": " + text
}

// Output is all that was said.
func (e *GoError) Output() []string { return e.Lines }

func (e *GoError) Unwrap() error { return e.err }

// steps reports steps, with the time that they take: again every few seconds, so
// that one sees that it goes on.
type steps struct {
	mu      sync.Mutex
	report  func(string)
	started time.Time
	current string
	stop    chan struct{}
}

const stepsEvery = time.Second

func newSteps(report func(string)) *steps {
	s := &steps{report: report, started: time.Now(), stop: make(chan struct{})}
	go func() {
		tick := time.NewTicker(stepsEvery)
		defer tick.Stop()
		for {
			select {
			case <-s.stop:
				return
			case <-tick.C:
				s.mu.Lock()
				s.tell()
				s.mu.Unlock()
			}
		}
	}()
	return s
}

// step begins another step.
func (s *steps) step(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = what
	s.tell()
}

func (s *steps) tell() {
	if s.current != "" {
		s.report(fmt.Sprintf("%s (%s)", s.current, time.Since(s.started).Round(time.Second)))
	}
}

func (s *steps) end() time.Duration {
	close(s.stop)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = ""
	return time.Since(s.started)
}
