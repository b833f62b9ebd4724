package session

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// interrupt runs a cell, cancels it after a moment, and returns what came of
// it and how long the cell took to return after that.
func interrupt(t *testing.T, s *Session, code string) (Outcome, time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var at time.Time
	go func() {
		time.Sleep(50 * time.Millisecond)
		at = time.Now()
		cancel()
	}()
	o := s.Execute(ctx, Cell{Count: 1, Code: code})
	return o, time.Since(at)
}

// TestInterrupt stops cells that would never end, and looks whether the
// session is as it was.
func TestInterrupt(t *testing.T) {
	for name, code := range map[string]string{
		"tight loop":         "for { n++ }",
		"loop in a function": "func spin() { for { n++ } }\nspin()",
		"recursion":          "func r(k int) int { if k == 0 { return 0 }; return r(k-1) + r(k-1) }\nr(60)",
		"channel":            "ch := make(chan int)\n<-ch",
		"send":               "ch := make(chan int)\nch <- 1",
		"select":             "select {}",
		"select on channels": "a, b := make(chan int), make(chan int)\nselect { case <-a: case b <- 1: }",
		"sleep":              "import \"time\"\ntime.Sleep(time.Hour)",
		"sleeping loop":      "import \"time\"\nfor { n++; time.Sleep(time.Millisecond) }",
		"mutex":              "import \"sync\"\nvar mu sync.Mutex\nmu.Lock()\nmu.Lock()",
		"wait group":         "import \"sync\"\nvar wg sync.WaitGroup\nwg.Add(1)\nwg.Wait()",
		"context":            "import \"sapf/dsl/display\"\n<-display.Context().Done()\nfor { n++ }",
		"goroutines":         "for range 3 { go func() { for { n++ } }() }\nselect {}",
		"range over func":    "import \"iter\"\nfunc all() iter.Seq[int] { return func(yield func(int) bool) { for i := 0; ; i++ { if !yield(i) { return } } } }\nfor i := range all() { n = i }",
		"literal":            "func() { for { n++ } }()",
		"compiled callback":  "import \"strings\"\nfor { n++; strings.Map(func(r rune) rune { return r }, \"abc\") }",
	} {
		t.Run(name, func(t *testing.T) {
			s, r := newSession(t)
			runCell(s, r, 1, "n := 7\nk := 1\nfunc f() int { return k }\ncounter := func() func() int { c := 0; return func() int { c++; return c } }()\ncounter()")
			o, took := interrupt(t, s, code)
			if o.Err == nil || o.Err.Name != "Interrupted" {
				t.Fatalf("outcome %+v, expected an interrupt", o.Err)
			}
			if took > 500*time.Millisecond {
				t.Errorf("returned %v after the interrupt", took)
			}
			// Functions, variables and closures of earlier cells work as before.
			if got := runCell(s, r, 2, "k = 5\nf()*10 + counter()"); got != "Out: 52\n" {
				t.Errorf("after the interrupt: %q, expected 52", got)
			}
			// What was stopped does not go on behind the next cell.
			if name != "mutex" {
				runCell(s, r, 3, "n = -1")
				time.Sleep(20 * time.Millisecond)
				if got := runCell(s, r, 4, "n"); got != "Out: -1\n" {
					t.Errorf("the stopped cell still runs: n is %q", got)
				}
			}
		})
	}
}

// TestInterruptTwice: each interrupt stops its own cell.
func TestInterruptTwice(t *testing.T) {
	s, r := newSession(t)
	runCell(s, r, 1, "n := 0")
	for i := range 3 {
		if o, _ := interrupt(t, s, "for { n++ }"); o.Err == nil || o.Err.Name != "Interrupted" {
			t.Fatalf("interrupt %d: %+v", i, o.Err)
		}
		if got := runCell(s, r, 2, "n > 0"); got != "Out: true\n" {
			t.Fatalf("after interrupt %d: %q", i, got)
		}
	}
}

// TestBusyCompiledCall: a cell inside compiled code that does not look up
// holds the next one back, and that says so when it is interrupted.
func TestBusyCompiledCall(t *testing.T) {
	s, r := newSession(t)
	// wg.Wait as a method value is the compiled one.
	runCell(s, r, 1, "import \"sync\"\nvar wg sync.WaitGroup\nwg.Add(1)\nwait := wg.Wait")
	if o, took := interrupt(t, s, "wait()"); o.Err == nil || o.Err.Name != "Interrupted" || took > 500*time.Millisecond {
		t.Fatalf("outcome %+v after %v", o.Err, took)
	}
	o, _ := interrupt(t, s, "1")
	if o.Err == nil || !strings.Contains(o.Err.Message, "still inside a compiled call") {
		t.Fatalf("outcome %+v, expected that the last cell is still running", o.Err)
	}
	s.Reset()
	if got := runCell(s, r, 2, "1 + 1"); got != "Out: 2\n" {
		t.Errorf("after a reset: %q", got)
	}
}

// TestRedefinitionFreesMemory redefines a large value and looks at the heap.
func TestRedefinitionFreesMemory(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc >> 20
	}
	for _, code := range []string{
		"big := make([]byte, 4<<20)",
		"var big = make([]byte, 4<<20)",
		"len(make([]byte, 4<<20))",
		"func() int { tmp := make([]byte, 4<<20); return len(tmp) }()",
		"if tmp := make([]byte, 4<<20); len(tmp) > 0 { }",
		"big := make([]byte, 4<<20); f := func() int { return len(big) }",
	} {
		s, r := newSession(t)
		runCell(s, r, 1, "x := 1")
		before := heap()
		for i := range 10 {
			if got := runCell(s, r, i, code); strings.Contains(got, "Error") {
				t.Fatalf("%s: %s", code, got)
			}
		}
		if grown := int(heap()) - int(before); grown > 15 {
			t.Errorf("ten times %q: the heap has grown by %d MB, expected 15 at most", code, grown)
		}
		runtime.KeepAlive(s)
	}
	// What a large network's activations take, ten times over.
	s, r := newSession(t)
	before := heap()
	for i := range 10 {
		if got := runCell(s, r, i, "large := make([]byte, 200<<20)\nlarge[100<<20] = 1"); got != "" {
			t.Fatal(got)
		}
	}
	if grown := int(heap()) - int(before); grown > 210 {
		t.Errorf("a variable of 200 MB that is redefined: the heap has grown by %d MB, expected 210 at most", grown)
	}
	s, r = newSession(t)
	before = heap()
	for i := range 10 {
		runCell(s, r, 2*i, "big := make([]byte, 4<<20)")
		runCell(s, r, 2*i+1, fmt.Sprintf("big := %d", i))
	}
	if grown := int(heap()) - int(before); grown > 15 {
		t.Errorf("a variable that changes its type: the heap has grown by %d MB", grown)
	}
	runtime.KeepAlive(s)
}

// TestOutputLimit: a cell that prints a million lines.
func TestFailure71_MillionLines(t *testing.T) {
	r := &recorder{}
	s, err := New(r, Options{OutputLines: 1000})
	if err != nil {
		t.Fatal(err)
	}
	out := runCell(s, r, 1, "import \"fmt\"\nfor i := range 100000 { fmt.Println(i) }")
	if n := strings.Count(out, "\n"); n > 1010 || n < 1000 {
		t.Errorf("%d lines, expected 1000 and a note", n)
	}
	if !strings.Contains(out, "99000 more lines") {
		t.Errorf("no note on what is left out: %q", out[max(0, len(out)-200):])
	}
	if out := runCell(s, r, 2, "fmt.Println(1)"); out != "1\n" {
		t.Errorf("the next cell shows %q", out)
	}
}
