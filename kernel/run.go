package kernel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sapf/dsl/session"
	"sapf/kernel/notebook"
	"sapf/kernel/worker"
)

// RunOptions says what to run and what to leave behind.
type RunOptions struct {
	// Path is a notebook (.ipynb) or a script (.go, or anything else); "-" reads
	// either from Stdin, telling them apart by their first character.
	Path  string
	Stdin io.Reader
	// Parameters sets variables of the cell tagged "parameters".
	Parameters map[string]string
	// Output is where the executed notebook goes, HTML where its page goes; ""
	// means nowhere. What ran so far is there after every cell, however it ends.
	Output, HTML string
	// Timeout is how long a cell may take; 0 means as long as it likes.
	Timeout time.Duration
	// AllowErrors goes on after a cell that failed, as if it had the tag
	// "raises-exception".
	AllowErrors bool
	// NoTiming leaves the times out of the executed notebook, so that two runs
	// give the same bytes.
	NoTiming bool
	// Dir is the directory that cells run in; "" means the notebook's own for a
	// notebook, the current one for a script.
	Dir string
	// Progress gets a notebook's progress and output as text, nil nothing.
	// Terminal says that it is a screen on which a line can be written over.
	Progress io.Writer
	Terminal bool
	// Stdout and Stderr get what a script writes; nil discards it.
	Stdout, Stderr io.Writer
	// Worker starts the interpreter's process.
	Worker worker.Config
}

// CellFailure is the error of a run whose cell failed.
type CellFailure struct {
	Cell  int // counts from 1, Markdown cells too
	Err   *session.CellError
	Lines []string // traceback, ready to print
}

func (e *CellFailure) Error() string { return fmt.Sprintf("cell %d: %v", e.Cell, e.Err) }
func (e *CellFailure) Unwrap() error { return e.Err }

// TimeoutError is the error of a run whose cell took longer than it may.
type TimeoutError struct {
	Cell  int // counts from 1, Markdown cells too
	Limit time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("cell %d: not done after %v", e.Cell, e.Limit)
}

// ErrInterrupted is the error of a run that was stopped from outside.
var ErrInterrupted = errors.New("interrupted")

// RequestError wraps what is wrong with a request before anything ran.
type RequestError struct{ Err error }

func (e *RequestError) Error() string { return e.Err.Error() }
func (e *RequestError) Unwrap() error { return e.Err }

// ExitCode is the exit code that the error of a run stands for: 0 none, 1 the
// run failed, 2 the request was wrong, 130 interrupted.
func ExitCode(err error) int {
	var request *RequestError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &request):
		return 2
	case errors.Is(err, ErrInterrupted):
		return 130
	}
	return 1
}

// deafness is how long a cell may take to heed the end of its time.
const deafness = 10 * time.Second

// saveEvery is how often at most a running notebook is written.
const saveEvery = 2 * time.Second

// RunNotebook executes a notebook or a script without Jupyter, in a process of
// its own. The input file is not touched. Cells tagged "skip-execution" are
// skipped, those tagged "raises-exception" may fail; otherwise the first cell
// that fails is the last that runs. When ctx is done the running cell is
// interrupted and the error is ErrInterrupted.
func RunNotebook(ctx context.Context, opts RunOptions) error {
	n, script, err := load(opts)
	if err != nil {
		return &RequestError{err}
	}
	if err := n.Inject(opts.Parameters); err != nil {
		return &RequestError{err}
	}
	for _, path := range []string{opts.Output, opts.HTML} {
		if path != "" {
			if err := writable(path, opts.Path); err != nil {
				return &RequestError{err}
			}
		}
	}
	cfg := opts.Worker
	if cfg.Dir == "" {
		cfg.Dir = opts.Dir
		if cfg.Dir == "" && !script && opts.Path != "-" {
			cfg.Dir = filepath.Dir(opts.Path)
		}
	}
	if cfg.Log == nil {
		cfg.Log = opts.Stderr
	}
	r := &run{opts: opts, notebook: n, title: title(opts.Path), worker: worker.New(cfg)}
	defer r.worker.Close()
	if script {
		r.echo = newScriptEcho(opts.Stdout, opts.Stderr)
	} else {
		r.echo = newNotebookEcho(opts.Progress, opts.Terminal)
	}
	n.Metadata["kernelspec"] = map[string]any{"name": "sapf", "display_name": "Go (sapf)", "language": "go"}
	n.Metadata["language_info"] = kernelInfo()["language_info"]
	for i := range n.Cells {
		if c := &n.Cells[i]; c.Type == notebook.Code {
			c.Count, c.Outputs = 0, nil
		}
	}
	failed := r.cells(ctx)
	if err := r.save(true); err != nil {
		return errors.Join(failed, err)
	}
	return failed
}

// load reads what is to be run, and says whether it is a script.
func load(opts RunOptions) (n *notebook.Notebook, script bool, err error) {
	var text []byte
	if opts.Path == "-" {
		if opts.Stdin == nil {
			return nil, false, errors.New("standard input is closed")
		}
		text, err = io.ReadAll(opts.Stdin)
	} else {
		text, err = os.ReadFile(opts.Path)
	}
	if err != nil {
		return nil, false, err
	}
	source := string(text)
	if strings.HasSuffix(opts.Path, ".ipynb") || opts.Path == "-" && strings.HasPrefix(strings.TrimSpace(source), "{\"") ||
		opts.Path == "-" && strings.HasPrefix(strings.TrimSpace(source), "{\n") {
		n, err := notebook.Read(strings.NewReader(source))
		if err != nil {
			return nil, false, fmt.Errorf("read %s: %w", opts.Path, err)
		}
		return n, false, nil
	}
	return notebook.FromScript(source), true, nil
}

// writable refuses an output that is the input, or whose folder is missing.
func writable(path, input string) error {
	if a, err := os.Stat(path); err == nil {
		if b, err := os.Stat(input); err == nil && os.SameFile(a, b) {
			return fmt.Errorf("output %s is the input", path)
		}
		if a.IsDir() {
			return fmt.Errorf("output %s is a folder", path)
		}
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return fmt.Errorf("output %s: %w", path, err)
	}
	return nil
}

func title(path string) string {
	if path == "-" {
		return "notebook"
	}
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

// run is one execution of a notebook.
type run struct {
	opts     RunOptions
	notebook *notebook.Notebook
	title    string
	worker   *worker.Worker
	echo     echo
	count    int
	saved    time.Time
}

// cells executes the code cells in order.
func (r *run) cells(ctx context.Context) error {
	total := 0
	for _, c := range r.notebook.Cells {
		if c.Type == notebook.Code {
			total++
		}
	}
	displays := displays{}
	nth := 0
	for i := range r.notebook.Cells {
		c := &r.notebook.Cells[i]
		if c.Type != notebook.Code {
			continue
		}
		nth++
		if c.Tagged("skip-execution") || strings.TrimSpace(c.Source) == "" {
			continue
		}
		r.count++
		c.Count = r.count
		r.echo.begin(nth, total, c.Source)
		started := time.Now()
		err := r.cell(ctx, i, &collector{cell: c, displays: displays, echo: r.echo})
		r.echo.end(time.Since(started), err)
		if !r.opts.NoTiming {
			c.Metadata["execution"] = map[string]any{
				"shell.execute_reply.started": started.UTC().Format(time.RFC3339Nano),
				"shell.execute_reply":         time.Now().UTC().Format(time.RFC3339Nano),
			}
		} else {
			delete(c.Metadata, "execution")
		}
		var failure *CellFailure
		if errors.As(err, &failure) && (r.opts.AllowErrors || c.Tagged("raises-exception")) {
			err = nil
		}
		if err != nil {
			return err
		}
		if err := r.save(false); err != nil {
			return err
		}
	}
	return nil
}

// cell executes one cell within its time.
func (r *run) cell(ctx context.Context, i int, c *collector) error {
	cellCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	if r.opts.Timeout > 0 {
		cellCtx, cancel = context.WithTimeout(ctx, r.opts.Timeout)
		defer cancel()
	}
	done := make(chan struct{})
	defer close(done)
	go func() { // the end of its time is an interrupt first, and then the end of its process
		select {
		case <-done:
			return
		case <-cellCtx.Done():
		}
		select {
		case <-done:
		case <-time.After(deafness):
			r.worker.Kill("the cell went on after its time was up")
		}
	}()
	result := r.worker.Execute(cellCtx, worker.Request{Cell: session.Cell{Count: r.count, Code: c.cell.Source}}, c)
	c.finish(r.count, result)
	switch {
	case ctx.Err() != nil:
		return ErrInterrupted
	case cellCtx.Err() != nil && result.Err != nil:
		return &TimeoutError{Cell: i + 1, Limit: r.opts.Timeout}
	case result.Err != nil:
		return &CellFailure{Cell: i + 1, Err: result.Err, Lines: result.Err.Traceback}
	}
	return nil
}

// save writes what there is so far: at the end, and now and then before.
func (r *run) save(last bool) error {
	if !last && time.Since(r.saved) < saveEvery {
		return nil
	}
	r.saved = time.Now()
	if r.opts.Output != "" {
		if err := r.notebook.WriteFile(r.opts.Output); err != nil {
			return err
		}
	}
	if r.opts.HTML != "" && last {
		page, err := r.notebook.HTML(r.title)
		if err != nil {
			return fmt.Errorf("page %s: %w", r.opts.HTML, err)
		}
		return notebook.WriteAtomic(r.opts.HTML, page)
	}
	return nil
}
