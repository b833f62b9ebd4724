package runner

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"sapf/dsl/session"
	"sapf/kernel/exit"
	"sapf/kernel/kernelspec"
	"sapf/kernel/notebook"
	"sapf/kernel/worker"
	"sapf/models/atomicfile"
	"sapf/models/plain"
)

// deafness is how long a cell may take to heed the end of its time.
const deafness = 10 * time.Second

// saveEvery is how often at most a running notebook is written.
const saveEvery = 2 * time.Second

// Run executes a notebook or a script without Jupyter, in a process of
// its own. The input file is not touched. Cells tagged "skip-execution" are
// skipped, those tagged "raises-exception" may fail; otherwise the first cell
// that fails is the last that runs. When ctx is done the running cell is
// interrupted and the error is ErrInterrupted.
func Run(ctx context.Context, opts Options) error {
	n, script, err := load(ctx, opts)
	switch {
	case errors.Is(err, context.Canceled):
		return ErrInterrupted
	case err != nil:
		return exit.Wrong(err)
	}
	if err := n.Inject(opts.Parameters); err != nil {
		return exit.Wrong(err)
	}
	if err := opts.outputs().try(opts.Path); err != nil {
		return exit.Wrong(err)
	}
	cfg := opts.Worker
	if cfg.Dir == "" {
		cfg.Dir = opts.Dir
		if cfg.Dir == "" && !script && opts.Path != "-" {
			cfg.Dir = filepath.Dir(opts.Path)
		}
	}
	if cfg.Args == nil {
		cfg.Args = append([]string{opts.Path}, opts.Args...)
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
	n.Metadata["kernelspec"] = kernelspec.Metadata()
	n.Metadata["language_info"] = kernelspec.LanguageInfo()
	for i := range n.Cells {
		if c := &n.Cells[i]; c.Type == notebook.Code {
			c.Count, c.Outputs = 0, nil
		}
	}
	failed := r.cells(ctx)
	saved := r.save(true)
	return errors.Join(failed, exit.Fail(saved), exit.Fail(r.echo.problem()))
}

// run is one execution of a notebook.
type run struct {
	opts     Options
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
		r.save(false) // what can't be written now may be at the end
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

// save writes what there is so far: at the end, where it says what was written,
// and now and then before.
func (r *run) save(last bool) error {
	if !last && (time.Since(r.saved) < saveEvery || !regular(r.opts.Output)) {
		return nil
	}
	var notebook, page error
	if r.opts.Output != "" {
		notebook = r.notebook.WriteFile(r.opts.Output)
	}
	r.saved = time.Now()
	if !last {
		return notebook
	}
	if r.opts.HTML != "" {
		page = r.writePage()
	}
	var written []string
	for _, x := range []struct {
		path string
		err  error
	}{{r.opts.Output, notebook}, {r.opts.HTML, page}} {
		if x.path != "" && x.err == nil {
			written = append(written, x.path)
		}
	}
	if len(written) > 0 && r.opts.Progress != nil {
		fmt.Fprintln(r.opts.Progress, "wrote", plain.Text(strings.Join(written, " and ")))
	}
	return errors.Join(notebook, page)
}

func (r *run) writePage() error {
	page, err := r.notebook.HTML(notebook.Page{Title: r.title, HideCode: r.opts.HideCode})
	if err != nil {
		return fmt.Errorf("page %s: %w", r.opts.HTML, err)
	}
	return atomicfile.WriteFile(r.opts.HTML, page)
}
