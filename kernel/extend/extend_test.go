package extend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sapf/dsl/session"
	"sapf/kernel/worker"
)

// envBuild has this test's program build the extension of TestExtend in the
// folder that it names.
const envBuild = "SAPF_TEST_EXTEND"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker-session" {
		if err := worker.Main(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	if dir := os.Getenv(envBuild); dir != "" {
		parts, err := ParseParts(wanted, dir)
		if err == nil {
			_, err = (&Builder{Source: checkout(), Cache: filepath.Join(dir, "cache")}).Extend(context.Background(), parts, func(string) {})
		}
		fmt.Println(err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// wanted is what TestExtend compiles in.
var wanted = []string{"gonum.org/v1/gonum/graph", "./mypkg"}

func checkout() Source {
	s, err := Checkout("../..")
	if err != nil {
		panic(err)
	}
	return s
}

const mypkgText = `// Package mypkg is a user's own.
package mypkg

import "gonum.org/v1/gonum/graph/simple"

// Ring is a ring of n nodes.
func Ring(n int) *simple.UndirectedGraph {
	g := simple.NewUndirectedGraph()
	for i := range n {
		g.SetEdge(g.NewEdge(simple.Node(i), simple.Node((i+1)%n)))
	}
	return g
}

// Shape is what has an area.
type Shape interface{ Area() float64 }

// Total is the sum of areas.
func Total(shapes ...Shape) (t float64) {
	for _, s := range shapes {
		t += s.Area()
	}
	return t
}

// Version tells builds apart.
const Version = 1
`

// show collects what a cell shows.
type show struct {
	mu   sync.Mutex
	text strings.Builder
	last map[string]string // of displays
}

func (s *show) Stream(_, text string) { s.mu.Lock(); defer s.mu.Unlock(); s.text.WriteString(text) }
func (s *show) Clear(bool)            {}
func (s *show) Display(raw json.RawMessage) {
	var d struct {
		Data      map[string]any
		Transient map[string]string
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		panic(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last = map[string]string{}
	}
	s.last[d.Transient["display_id"]] = fmt.Sprint(d.Data["text/plain"])
}
func (s *show) Update(raw json.RawMessage) { s.Display(raw) }
func (s *show) Input(context.Context, string, bool) (string, error) {
	return "", errors.New("nobody is there")
}

// run runs a cell and returns what it printed, what its displays ended with, and
// its error.
func run(t *testing.T, w *worker.Worker, code string) (printed, displayed string, failed *session.CellError) {
	t.Helper()
	s := &show{}
	r := w.Execute(t.Context(), worker.Request{Cell: session.Cell{Count: 1, Code: code}}, s)
	for _, text := range s.last {
		displayed += text
	}
	return s.text.String(), displayed, r.Err
}

// TestExtend: a build that is killed leaves nothing torn; the next one works, in
// a running kernel, whose cells use what was asked for; again it is at once, and
// a folder that has changed is compiled anew.
func TestExtend(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	dir := t.TempDir()
	cache := filepath.Join(dir, "cache")
	file := filepath.Join(dir, "mypkg", "mypkg.go")
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(mypkgText), 0o644); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b := &Builder{Source: checkout(), Cache: cache}
	kills := []time.Duration{200 * time.Millisecond, 2 * time.Second}
	if os.Getenv("SAPF_LONG") != "" {
		random := rand.New(rand.NewPCG(1, 1))
		for range 48 {
			kills = append(kills, time.Duration(random.Float64()*float64(20*time.Second)))
		}
	}
	for _, after := range kills {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), envBuild+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		cmd.Process.Kill()
		cmd.Wait()
		all, err := b.All()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all { // on a quick machine it may have been done
			if text, err := exec.Command(e.Program).CombinedOutput(); err != nil {
				t.Errorf("killed after %v: the program that is left does not start: %v %s", after, err, text)
			}
		}
	}

	w := worker.New(worker.Config{Command: []string{self, "worker-session"}, Dir: dir, Extender: Extender{b}})
	defer w.Close()
	if _, _, failed := run(t, w, "kept := 7"); failed != nil {
		t.Fatal(failed)
	}
	if _, _, failed := run(t, w, `import "gonum.org/v1/gonum/graph"`); failed == nil || !strings.Contains(failed.Message, "run %extend gonum.org/v1/gonum/graph") {
		t.Errorf("a package that is missing: %v", failed)
	}
	const use = `import (
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/path"
	"mypkg"
)
type square struct{ a float64 }
func (s square) Area() float64 { return s.a * s.a }
var g graph.Undirected = mypkg.Ring(7)
shortest := path.DijkstraFrom(g.Node(0), g)
fmt.Println(shortest.WeightTo(3), mypkg.Total(square{2}, square{3}), mypkg.Version)`
	printed, displayed, failed := run(t, w, "%extend "+strings.Join(wanted, " ")+"\n"+use)
	if failed != nil {
		if strings.Contains(strings.Join(failed.Traceback, "\n"), "dial tcp") {
			t.Skip("no network, and modules that are not in the cache: ", failed.Message)
		}
		t.Fatal(failed.Message, failed.Traceback)
	}
	if printed != "3 13 1\n" {
		t.Errorf("a cell that uses both printed %q", printed)
	}
	for _, want := range []string{"extended by gonum.org/v1/gonum v", "mypkg (" + filepath.Join(dir, "mypkg") + ")", "built in", "variables, functions and imports are gone"} {
		if !strings.Contains(displayed, want) {
			t.Errorf("the display ends with %q, expected %q in it", displayed, want)
		}
	}
	if _, _, failed := run(t, w, "fmt.Println(kept)"); failed == nil || !strings.Contains(failed.Message, "undefined: kept") {
		t.Errorf("a variable of before: %v", failed)
	}
	if left, err := filepath.Glob(filepath.Join(cache, stagingPrefix+"*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	completion, err := w.Complete(t.Context(), "mypkg.R", 7)
	if err != nil || len(completion.Matches) != 1 || completion.Matches[0] != "Ring" {
		t.Errorf("completion of mypkg.R: %+v, %v", completion, err)
	}
	if doc, err := w.Inspect(t.Context(), "mypkg.Ring", 10, 0); err != nil || !strings.Contains(string(doc), "is a ring of n nodes") {
		t.Errorf("documentation of mypkg.Ring: %s, %v", doc, err)
	}

	// Again: at once, and the variables stay.
	_, displayed, failed = run(t, w, "%extend ./mypkg")
	if failed != nil || strings.Contains(displayed, "are gone") || strings.Contains(displayed, "built in") {
		t.Errorf("the second time: %v, %q", failed, displayed)
	}
	if printed, _, failed := run(t, w, "fmt.Println(g.Node(0).ID())"); failed != nil || printed != "0\n" {
		t.Errorf("a variable after the second time: %q %v", printed, failed)
	}

	// A folder that has changed.
	if err := os.WriteFile(file, []byte(strings.Replace(mypkgText, "Version = 1", "Version = 2", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if printed, _, failed = run(t, w, "%extend ./mypkg\n"+use); failed != nil || printed != "3 13 2\n" {
		t.Errorf("after the folder changed: %q %v", printed, failed)
	}

	// New kernels start with what was made current.
	all, err := b.All()
	if err != nil || len(all) != 2 {
		t.Fatalf("%d extensions in the cache, expected 2 (%v)", len(all), err)
	}
	parts, err := ParseParts(wanted, dir)
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.Extend(t.Context(), parts, func(string) {})
	if err != nil || e.Built {
		t.Fatalf("not found in the cache: %v", err)
	}
	if err := b.SetCurrent(e); err != nil {
		t.Fatal(err)
	}
	fresh := worker.New(worker.Config{Dir: dir, Extender: Extender{b}})
	defer fresh.Close()
	if printed, _, failed := run(t, fresh, use); failed != nil || printed != "3 13 2\n" {
		t.Errorf("in a new kernel: %q %v", printed, failed)
	}

	if os.Getenv("SAPF_LONG") != "" { // the kills did not show
		undisturbed, err := (&Builder{Source: checkout(), Cache: filepath.Join(dir, "other")}).Extend(t.Context(), parts, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(undisturbed.Program)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(e.Program); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d and %d bytes: not the program of an undisturbed build (%v)", len(got), len(want), err)
		}
	}

	// What does not compile is told as the compiler tells it, and all stays.
	if err := os.WriteFile(file, []byte("package mypkg\n\nfunc F() int { return \"no\" }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, failed = run(t, w, "%extend ./mypkg")
	if failed == nil || failed.Name != "ExtendError" || !strings.Contains(strings.Join(failed.Traceback, "\n"), "mypkg.go:3:23: cannot use \"no\"") {
		t.Errorf("a package that does not compile: %+v", failed)
	}
	if printed, _, failed := run(t, w, "fmt.Println(mypkg.Version)"); failed != nil || printed != "2\n" {
		t.Errorf("after a failed extension: %q %v", printed, failed)
	}

	if err := b.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if parts, e, err := b.Current(); err != nil || e != nil || parts != nil {
		t.Errorf("after Clear: %v %v %v", parts, e, err)
	}
}
