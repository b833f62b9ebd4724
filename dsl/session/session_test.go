package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sapf/dsl/display"
)

// recorder is a host that writes down what it is shown.
type recorder struct {
	mu     sync.Mutex
	log    strings.Builder
	last   string
	inputs []string
}

func (r *recorder) Stream(name, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.WriteString(text)
	r.last = name
}
func (r *recorder) Display(b display.Bundle, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(&r.log, "<display %v>\n", b.Data["text/plain"])
}
func (r *recorder) Update(b display.Bundle, id string) {}
func (r *recorder) Clear(wait bool)                    {}
func (r *recorder) Input(prompt string, password bool) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.inputs) == 0 {
		return "", errors.New("no input")
	}
	line := r.inputs[0]
	r.inputs = r.inputs[1:]
	return line, nil
}

func (r *recorder) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.log.String()
	r.log.Reset()
	return s
}

func newSession(t testing.TB) (*Session, *recorder) {
	t.Helper()
	r := &recorder{}
	s, err := New(r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

// runCell runs a cell and writes down all that came of it.
func runCell(s *Session, r *recorder, n int, code string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute) // a loaded machine is slow
	defer cancel()
	o := s.Execute(ctx, Cell{Count: n, Code: code})
	out := r.take()
	if out != "" && !strings.HasSuffix(out, "\n") {
		out += "\n"
	}
	if o.Value != nil {
		out += fmt.Sprintf("Out: %v\n", o.Value.Data["text/plain"])
	}
	if o.Err != nil {
		out += strings.Join(o.Err.Traceback, "\n") + "\n"
	}
	return out
}

// TestCells runs the scripts of testdata: cells, each followed by what it must
// show. A script's cells share a session.
//
//	=== what is tested       a new session
//	cell
//	---
//	what it shows
//	+++                      the next cell
func TestCells(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.cells")
	if len(files) == 0 {
		t.Fatal("no testdata/*.cells")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var rewritten strings.Builder
		scripts := strings.Split("\n"+string(text), "\n=== ")[1:]
		ran := 0
		for _, script := range scripts {
			title, body, _ := strings.Cut(script, "\n")
			body = strings.TrimSuffix(body, "\n")
			rewritten.WriteString("=== " + title + "\n")
			t.Run(strings.TrimSuffix(filepath.Base(file), ".cells")+"/"+title, func(t *testing.T) {
				ran++
				s, r := newSession(t)
				for i, cell := range strings.Split(body, "\n+++\n") {
					code, want, _ := strings.Cut(cell+"\n", "\n---\n")
					want = strings.TrimRight(want, "\n")
					got := strings.TrimRight(runCell(s, r, i+1, code), "\n")
					if i > 0 {
						rewritten.WriteString("+++\n")
					}
					rewritten.WriteString(code + "\n---\n")
					if got != "" {
						rewritten.WriteString(got + "\n")
					}
					if got != want && os.Getenv("UPDATE") == "" {
						t.Errorf("cell %d:\n%s\ngot:\n%s\nwant:\n%s", i+1, code, got, want)
					}
				}
			})
		}
		if os.Getenv("UPDATE") != "" && ran == len(scripts) {
			if err := os.WriteFile(file, []byte(rewritten.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
