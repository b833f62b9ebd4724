package session

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestTimeit measures a value, a call without one, and a body of statements.
func TestTimeit(t *testing.T) {
	s, r := newSession(t)
	line := regexp.MustCompile(`^\s*\d+\s+[\d.]+ ns/op\s+\d+ B/op\s+\d+ allocs/op\n$`)
	for i, code := range []string{"%timeit 1 + 2", "%timeit runtime.Gosched()", "%%timeit\nx := 0\nfor i := range 10 {\n\tx += i\n}\n_ = x"} {
		if got := runCell(s, r, i+1, code); !line.MatchString(got) {
			t.Errorf("%q gives %q", code, got)
		}
	}
	if got := runCell(s, r, 9, "%%timeit\nx := nosuch"); !strings.Contains(got, "undefined: nosuch") || !strings.Contains(got, "In [9], line 2") {
		t.Errorf("an error in the body gives %q", got)
	}
	if got := runCell(s, r, 10, "%timeit"); !strings.Contains(got, "needs code") {
		t.Errorf("no code gives %q", got)
	}
}

// TestShellInterrupt stops a command, and what it has started.
func TestShellInterrupt(t *testing.T) {
	s, _ := newSession(t)
	for _, code := range []string{"!sleep 100 & wait", "%%bash\nsleep 100 &\nwait"} {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		start := time.Now()
		o := s.Execute(ctx, Cell{Count: 1, Code: code})
		cancel()
		if o.Err == nil || o.Err.Name != "Interrupted" {
			t.Errorf("%q ends with %v", code, o.Err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%q was stopped after %s", code, took)
		}
	}
}

// TestQuestion asks about names as users of IPython do.
func TestQuestion(t *testing.T) {
	s, r := newSession(t)
	runCell(s, r, 1, "// Twice doubles.\nfunc Twice(n int) int { return 2 * n }")
	for code, want := range map[string]string{"strings.Repeat?": "func Repeat(", "Twice?": "Twice doubles.", "Twice??": "return 2 * n", "nosuch?": "nothing is known of nosuch"} {
		if got := runCell(s, r, 2, code); !strings.Contains(got, want) {
			t.Errorf("%s gives %q, expected %q in it", code, got, want)
		}
	}
}

// TestChangeFolder goes into a folder and back.
func TestChangeFolder(t *testing.T) {
	before, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	defer os.Chdir(before)
	s, r := newSession(t)
	dir := t.TempDir()
	if got := runCell(s, r, 1, "%cd "+dir+"\n!pwd"); got != dir+"\n"+dir+"\n" {
		t.Errorf("goes to %q, expected %q", got, dir)
	}
	if got := runCell(s, r, 2, "%cd nosuch"); !strings.Contains(got, "nosuch: no such file") {
		t.Errorf("a folder that is not there gives %q", got)
	}
	if got := runCell(s, r, 3, "%cd"); strings.Contains(got, dir) || strings.Contains(got, "Error") {
		t.Errorf("goes home to %q", got)
	}
}
