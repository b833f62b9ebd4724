package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"sapf/models/plain"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
)

type sweepCmd struct {
	Plan   sweepPlanCmd   `cmd:"" help:"Say what a sweep would do: attacks, what is done, how long the rest takes."`
	Run    sweepRunCmd    `cmd:"" help:"Run a sweep on this machine, or go on with it."`
	Serve  sweepServeCmd  `cmd:"" help:"Hand a sweep's jobs to workers elsewhere (sapf worker) and collect their results."`
	Status sweepStatusCmd `cmd:"" help:"Say how far a sweep is."`
	Table  sweepTableCmd  `cmd:"" help:"Print the results as a table."`
	Audit  sweepAuditCmd  `cmd:"" help:"Recompute success and norms of every result with other arithmetic."`
	Replay sweepReplayCmd `cmd:"" help:"Run one attack again and compare bytes."`
	Diff   sweepDiffCmd   `cmd:"" help:"Compare two sweeps."`
	Pack   sweepPackCmd   `cmd:"" help:"Put all results into one file."`
}

type sweepPlanCmd struct {
	Spec    string `arg:"" predictor:"file" help:"Specification, YAML; - reads it from standard input."`
	Out     string `short:"o" placeholder:"DIR" predictor:"file" help:"Folder of the sweep, to count what is done."`
	Slots   int    `min:"1" placeholder:"N" help:"Attacks at a time that the estimate is for (default: processors)."`
	Measure bool   `negatable:"" default:"true" help:"Run one attack of each method to estimate the time."`
	JSON    bool   `help:"Print JSON."`
}

func (c *sweepPlanCmd) Run(ctx context.Context, out output) error {
	s, err := spec.Read(c.Spec)
	if err != nil {
		return err
	}
	plan, err := spec.Resolve(ctx, s, spec.Registry)
	if err != nil {
		return err
	}
	status := newStatus(out.stderr, c.JSON)
	e, err := runs.Estimate(ctx, plan, runs.EstimateOptions{Dir: c.Out, Slots: c.Slots, Measure: c.Measure, Notice: func(text string) {
		status.clear()
		fmt.Fprint(status.w, text)
		if !status.terminal {
			fmt.Fprintln(status.w)
		}
	}})
	status.clear()
	if err != nil {
		return err
	}
	return out.print(c.JSON, e)
}

type sweepRunCmd struct {
	Spec    string        `arg:"" optional:"" predictor:"file" help:"Specification, YAML (- reads standard input); without one, the sweep of the folder goes on."`
	Out     string        `short:"o" required:"" placeholder:"DIR" predictor:"file" help:"Folder of the sweep: its plan and results."`
	Shard   string        `placeholder:"I/N" help:"Run only part I (from 0) of N, beside others on the same folder."`
	Slots   int           `min:"1" placeholder:"N" help:"Jobs at a time (default: processors)."`
	Threads int           `min:"1" placeholder:"N" help:"Processors for each job (default: 1)."`
	Lease   time.Duration `default:"60s" min:"1ms" help:"A job that makes no step for so long is tried again, and then given up."`
	Grace   time.Duration `default:"20s" min:"0s" help:"Time that jobs without a state to go on from may take to end after an interrupt."`
	Retry   bool          `help:"Try again what was given up."`
	JSON    bool          `help:"Print the end as JSON, and no progress."`
}

func (c *sweepRunCmd) Run(ctx context.Context, out output) error {
	shard, err := parseShard(c.Shard)
	if err != nil {
		return err
	}
	d, err := c.open(ctx, shard)
	if err != nil {
		return err
	}
	defer d.Close()
	line := newLine(out.stderr, c.JSON)
	line.former(d)
	defer context.AfterFunc(ctx, func() { line.say("ending the jobs at hand; once more to leave at once") })()
	p, err := d.Run(ctx, runs.Options{
		Shard: shard, Slots: c.Slots, Threads: c.Threads, Term: c.Lease, Grace: c.Grace,
		Progress: func(p runs.Progress) { line.show(p.String(), false) }, Notice: line.say,
	})
	line.clear()
	if err != nil && ctx.Err() == nil {
		return failed(err)
	}
	return finish(ctx, out, c.JSON, p, c.Out)
}

// finish says how a sweep ended.
func finish(ctx context.Context, out output, asJSON bool, p runs.Progress, dir string) error {
	if err := out.print(asJSON, p); err != nil {
		return failed(err)
	}
	switch {
	case ctx.Err() != nil && !p.Over():
		return interrupted(fmt.Sprintf("%d attacks are left, run it again to go on", p.Total-p.Done-p.Dead))
	case p.Dead > 0:
		return failed(fmt.Errorf("%d attacks were given up: `sapf sweep status %s` says why, --retry tries them again", p.Dead, dir))
	}
	return nil
}

// former says that a folder had another plan.
func (l *line) former(d *runs.Dir) {
	if d.Former != nil {
		l.say(d.Path + " had another plan: its results stay, and count where this one has the same attacks")
	}
}

// open plans the sweep, or opens the folder of one that is to go on, and has what
// was given up tried again where that is asked for.
func (c *sweepRunCmd) open(ctx context.Context, shard runs.Shard) (*runs.Dir, error) {
	d, err := c.plan(ctx, shard)
	if err != nil || !c.Retry {
		return d, err
	}
	if err := d.Revive(); err != nil {
		d.Close()
		return nil, failed(err)
	}
	return d, nil
}

// plan makes or opens the folder.
func (c *sweepRunCmd) plan(ctx context.Context, shard runs.Shard) (*runs.Dir, error) {
	if c.Spec == "" {
		return runs.Resume(c.Out, shard)
	}
	s, err := spec.Read(c.Spec)
	if err != nil {
		return nil, err
	}
	plan, err := spec.Resolve(ctx, s, spec.Registry)
	if err != nil {
		return nil, err
	}
	return runs.Create(c.Out, plan, shard)
}

// parseShard reads "3/64".
func parseShard(s string) (runs.Shard, error) {
	if s == "" {
		return runs.Shard{}, nil
	}
	i, n, ok := strings.Cut(s, "/")
	index, err1 := strconv.Atoi(i)
	count, err2 := strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || count < 1 || index < 0 || index >= count {
		return runs.Shard{}, fmt.Errorf("shard %q, expected I/N with I from 0 to N-1", s)
	}
	return runs.Shard{Index: index, Count: count}, nil
}

// line is a line of progress: rewritten on a terminal, elsewhere one now and
// then. It may be used by several goroutines.
type line struct {
	mu sync.Mutex
	s  *status
	at time.Time
}

func newLine(w io.Writer, quiet bool) *line { return &line{s: newStatus(w, quiet)} }

// show replaces the line, if it is time to.
func (l *line) show(text string, now bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	every := statusEvery
	if l.s.terminal {
		every = 100 * time.Millisecond
	}
	if !now && time.Since(l.at) < every {
		return
	}
	l.at = time.Now()
	l.s.clear()
	fmt.Fprint(l.s.w, plain.Text(text))
	if !l.s.terminal {
		fmt.Fprintln(l.s.w)
	}
}

// say prints something that stays.
func (l *line) say(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.s.clear()
	fmt.Fprintln(l.s.w, plain.Text(text))
}

func (l *line) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.s.clear()
}

// sweepFolder opens the folder of a sweep for reading.
type sweepFolder struct {
	Dir string `arg:"" predictor:"file" help:"Folder of the sweep."`
}

func (f sweepFolder) open() (*runs.Dir, error) { return runs.Open(f.Dir) }

type sweepStatusCmd struct {
	sweepFolder `embed:""`
	JSON        bool `help:"Print JSON."`
}

func (c *sweepStatusCmd) Run(out output) error {
	d, err := c.open()
	if err != nil {
		return err
	}
	defer d.Close()
	s, err := d.Status()
	if err != nil {
		return failed(err)
	}
	return out.print(c.JSON, s)
}

type sweepPackCmd struct {
	sweepFolder `embed:""`
}

func (c *sweepPackCmd) Run(out output) error {
	d, err := runs.Resume(c.Dir, runs.Shard{})
	if err != nil {
		return err
	}
	n, err := d.Pack()
	if err = errors.Join(err, d.Close()); err != nil {
		return failed(err)
	}
	return out.print(false, fmt.Sprintf("%d results in %s", n, d.Path))
}
