package runner

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sapf/kernel/exit"
	"sapf/kernel/internal/toy"
	"sapf/kernel/notebook"
	"sapf/kernel/worker"
)

// TestMain serves as the process that interprets cells, when it is started as
// one: of the toy's, or of Go.
func TestMain(m *testing.M) {
	toy.Main()
	if len(os.Args) > 1 && os.Args[1] == "worker-session" {
		if err := worker.Main(os.Stdin, os.Stdout, os.Args[min(3, len(os.Args)):]...); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeNotebook makes a notebook of code cells.
func writeNotebook(t *testing.T, cells ...string) string {
	t.Helper()
	n := &notebook.Notebook{Metadata: map[string]any{}}
	for i, source := range cells {
		n.Cells = append(n.Cells, notebook.Cell{ID: string(rune('a' + i)), Type: notebook.Code, Source: source, Metadata: map[string]any{}})
	}
	path := filepath.Join(t.TempDir(), "in.ipynb")
	if err := n.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func tagged(t *testing.T, path string, cell int, tag string) {
	t.Helper()
	n, err := notebook.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n.Cells[cell].Metadata["tags"] = []any{tag}
	if err := n.WriteFile(path); err != nil {
		t.Fatal(err)
	}
}

// runToy runs a notebook and reads what came of it.
func runToy(t *testing.T, opts Options) (*notebook.Notebook, string, error) {
	t.Helper()
	opts.Output = filepath.Join(t.TempDir(), "out.ipynb")
	opts.HTML = filepath.Join(t.TempDir(), "out.html")
	opts.Worker = toy.Command()
	var log bytes.Buffer
	opts.Progress = &log
	err := Run(context.Background(), opts)
	n, readErr := notebook.ReadFile(opts.Output)
	if readErr != nil {
		t.Fatalf("no notebook was written: %v (run: %v)", readErr, err)
	}
	if _, err := os.Stat(opts.HTML); err != nil {
		t.Error(err)
	}
	return n, log.String(), err
}

func shownBy(c notebook.Cell) string {
	var parts []string
	for _, o := range c.Outputs {
		s := o.Type + ":" + o.Name + o.Text + o.ErrorValue
		if text, ok := o.Data["text/plain"].(string); ok {
			s += text
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "|")
}

func TestRun(t *testing.T) {
	n, log, err := runToy(t, Options{Path: writeNotebook(t,
		"say a\nwarn b\nsay c\nvalue 1", "show id one\nclear wait\nshow id2 two", "update id2 three", "", "say before\nclear\nsay after")})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"stream:stdouta\n|stream:stderrb\n|stream:stdoutc\n|execute_result:1", "display_data:three", "", "", "stream:stdoutafter\n"}
	for i, w := range want {
		if got := shownBy(n.Cells[i]); got != w {
			t.Errorf("cell %d: %q, want %q", i+1, got, w)
		}
	}
	if n.Cells[3].Count != 0 || n.Cells[4].Count != 4 {
		t.Errorf("counts %d and %d", n.Cells[3].Count, n.Cells[4].Count)
	}
	if !strings.Contains(log, "[1/5] say a\n      a\n") {
		t.Errorf("log\n%s", log)
	}
}

func TestRunStopsAtTheFirstError(t *testing.T) {
	path := writeNotebook(t, "say a", "fail now", "say never")
	n, log, err := runToy(t, Options{Path: path})
	var failure *CellFailure
	if !errors.As(err, &failure) || failure.Cell != 2 || exit.Code(err) != 1 {
		t.Fatalf("error %v", err)
	}
	if shownBy(n.Cells[1]) != "error:now" || n.Cells[2].Count != 0 || !strings.Contains(log, "line 1: now") {
		t.Errorf("outputs %q, log\n%s", shownBy(n.Cells[1]), log)
	}
	tagged(t, path, 1, "raises-exception")
	if n, _, err := runToy(t, Options{Path: path}); err != nil || shownBy(n.Cells[2]) != "stream:stdoutnever\n" {
		t.Errorf("raises-exception: %v, %q", err, shownBy(n.Cells[2]))
	}
	tagged(t, path, 1, "skip-execution")
	if n, _, err := runToy(t, Options{Path: path}); err != nil || n.Cells[1].Count != 0 {
		t.Errorf("skip-execution: %v", err)
	}
}

func TestRunDeathOfTheInterpreter(t *testing.T) {
	n, _, err := runToy(t, Options{Path: writeNotebook(t, "say a", "exit 3", "say b")})
	if exit.Code(err) != 1 || !strings.HasPrefix(shownBy(n.Cells[1]), "error:") {
		t.Errorf("error %v, outputs %q", err, shownBy(n.Cells[1]))
	}
}

func TestRunTimeoutAndInterrupt(t *testing.T) {
	_, _, err := runToy(t, Options{Path: writeNotebook(t, "spin"), Timeout: 100 * time.Millisecond})
	var timeout *TimeoutError
	if !errors.As(err, &timeout) || exit.Code(err) != 1 {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := filepath.Join(t.TempDir(), "out.ipynb")
	err = Run(ctx, Options{Path: writeNotebook(t, "say started", "spin", "say never"), Output: out, Worker: toy.Command(),
		Progress: started("] spin", cancel)})
	if !errors.Is(err, ErrInterrupted) || exit.Code(err) != 130 {
		t.Errorf("error %v", err)
	}
	if n, err := notebook.ReadFile(out); err != nil || shownBy(n.Cells[0]) != "stream:stdoutstarted\n" || n.Cells[2].Count != 0 {
		t.Errorf("partial notebook: %v", err)
	}
}

func TestRunRefusals(t *testing.T) {
	nb := writeNotebook(t, "say a")
	bad := filepath.Join(t.TempDir(), "bad.ipynb")
	os.WriteFile(bad, []byte("<html>"), 0o644)
	for name, o := range map[string]Options{
		"missing": {Path: "no-such.ipynb"}, "not a notebook": {Path: bad}, "no parameters": {Path: nb, Parameters: map[string]string{"k": "1"}},
		"onto itself": {Path: nb, Output: nb}, "no folder": {Path: nb, HTML: "/no/such/folder/x.html"},
	} {
		if err := Run(context.Background(), o); exit.Code(err) != 2 {
			t.Errorf("%s: exit code %d, error %v", name, exit.Code(err), err)
		}
	}
}

func TestRunScriptAndStdin(t *testing.T) {
	var stdout, stderr bytes.Buffer
	opts := Options{Path: "-", Stdin: strings.NewReader("say a\n// %%\nwarn b\nvalue 3\n"), Stdout: &stdout, Stderr: &stderr, Worker: toy.Command()}
	if err := Run(context.Background(), opts); err != nil {
		t.Fatal(err)
	}
	if stdout.String() != "a\n3\n" || stderr.String() != "b\n" {
		t.Errorf("stdout %q, stderr %q", stdout.String(), stderr.String())
	}
}

// TestRunArguments has cells see what stands behind the file.
func TestRunArguments(t *testing.T) {
	script := filepath.Join(t.TempDir(), "args.go")
	if err := os.WriteFile(script, []byte("fmt.Println(filepath.Base(os.Args[0]), os.Args[1:])\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	if err := Run(context.Background(), Options{Path: script, Args: []string{"-n", "3"}, Stdout: &stdout}); err != nil {
		t.Fatal(err)
	}
	if want := "args.go [-n 3]\n"; stdout.String() != want {
		t.Errorf("prints %q, expected %q", stdout.String(), want)
	}
}

func TestFailure76_TwiceTheSame(t *testing.T) {
	path := writeNotebook(t, "say a\nshow x 1", "update x 2\nvalue 5", "both 100")
	var pages [2]bytes.Buffer
	for i := range pages {
		opts := Options{Path: path, Output: filepath.Join(t.TempDir(), "o.ipynb"), HTML: filepath.Join(t.TempDir(), "o.html"), NoTiming: true, Worker: toy.Command()}
		if err := Run(context.Background(), opts); err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{opts.Output, opts.HTML} {
			b, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			pages[i].Write(b)
		}
	}
	if !bytes.Equal(pages[0].Bytes(), pages[1].Bytes()) {
		t.Error("two runs differ")
	}
}

func TestTerminalWritesOneLineOver(t *testing.T) {
	var b bytes.Buffer
	e := newNotebookEcho(&b, true)
	e.begin(1, 1, "// comment\nAttack()")
	e.display("p", "1%")
	e.update("p", "50%")
	e.update("p", "100%")
	e.stream("stdout", "done\n")
	e.end(0, nil)
	if got, want := b.String(), "[1/1] Attack()\n      1%\r\x1b[K      100%\n      done\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// started is a writer of progress that calls f once, when text has come by.
func started(text string, f func()) io.Writer {
	var seen strings.Builder
	return writerFunc(func(b []byte) (int, error) {
		if f != nil {
			seen.Write(b)
			if strings.Contains(seen.String(), text) {
				f()
				f = nil
			}
		}
		return len(b), nil
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
