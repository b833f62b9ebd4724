package dsl

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"sapf/dsl/display"
	"sapf/models"
	"sapf/sapf/attack"
	"sapf/sapf/metric"
	"sapf/sapf/sweep"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
	"sapf/sapf/sweep/table"
)

// Sweep is many attacks: every method on every image and target. Its results are
// kept in the folder Dir under keys of all that decides them, so that a second
// Run goes on where the first one stopped, also after the kernel is gone.
//
//	s := Sweep{Dir: "runs/x", Model: "cwnet", Images: []string{"cat"}, Methods: []Method{Options{K: 200}, baseline.FMNL0{}}}
//	r := s.Run()
//	r.Wait()
//	Show(r.Table1())
type Sweep struct {
	// Dir is the folder of the sweep.
	Dir string
	// Spec is the specification in YAML, as `sapf sweep run` takes it. It stands
	// in place of the fields below.
	Spec string
	// Model is a name or a file, Load how it is loaded where that does not say;
	// Images are samples, records (cifar10:17), files
	// and patterns. Or Set is a data set, of which the First images are taken
	// that the model gets right.
	Model  string
	Load   models.LoadOptions
	Images []string
	Set    string
	First  int
	// Targets are classes; none are all but the image's own. Untargeted wants any
	// other class.
	Targets    []string
	Untargeted bool
	// Methods are attacks with their options.
	Methods []Method
}

// SweepRun is a sweep that runs, or has run, in a folder.
type SweepRun struct {
	dir  string
	over chan error // of a run in this process
}

// Run starts the sweep, in a process of its own that outlives the notebook, and
// returns at once. Where it runs already, it is found.
func (s Sweep) Run() *SweepRun {
	r, err := s.run()
	if err != nil {
		fail("Sweep.Run", err)
	}
	return r
}

func (s Sweep) run() (*SweepRun, error) {
	if s.Dir == "" {
		return nil, errors.New("no Dir, expected the folder that keeps the results")
	}
	sp, err := s.spec()
	if err != nil {
		return nil, err
	}
	plan, err := spec.Resolve(display.Context(), sp, spec.Registry)
	if err != nil {
		return nil, err
	}
	if s.Dir, err = filepath.Abs(s.Dir); err != nil { // a later cell may change the folder
		return nil, err
	}
	r := &SweepRun{dir: s.Dir}
	d, err := runs.Create(s.Dir, plan, runs.Shard{})
	var held *runs.HeldError
	if errors.As(err, &held) {
		return r, r.matches(plan) // it is at work
	}
	if err != nil {
		return nil, err
	}
	program, err := commandLine()
	if err != nil { // a program without the command line
		r.over = make(chan error, 1)
		go func() {
			_, err := d.Run(context.Background(), runs.Options{})
			r.over <- errors.Join(err, d.Close())
		}()
		return r, nil
	}
	if err := d.Close(); err != nil {
		return nil, err
	}
	return r, r.start(program)
}

// matches refuses a folder whose sweep is another one than the plan's.
func (r *SweepRun) matches(plan *spec.Plan) error {
	d, err := runs.Open(r.dir)
	if err != nil {
		return err
	}
	defer d.Close()
	now, err := d.Plan.Encode()
	if err != nil {
		return err
	}
	if wanted, err := plan.Encode(); err != nil || !bytes.Equal(now, wanted) {
		return errors.Join(fmt.Errorf("another sweep runs in %s: wait for it, or choose another Dir", r.dir), err)
	}
	return nil
}

// commandLine is the program sapf: this one, or that which has extended itself to
// this one for more packages.
func commandLine() (string, error) {
	if program := os.Getenv("SAPF_COMMAND"); program != "" {
		return program, nil
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Path != "sapf" {
		return "", errors.New("this program is not sapf")
	}
	return os.Executable()
}

// start starts `sapf sweep run`, which is not this process's child for long.
func (r *SweepRun) start(program string) error {
	log, err := os.Create(filepath.Join(r.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(program, "sweep", "run", "-o", r.dir)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, apart()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the sweep: %w", err)
	}
	go cmd.Wait() // so that the system forgets it; how it ended is in its folder
	return nil
}

// spec is the sweep as a specification.
func (s Sweep) spec() (spec.Spec, error) {
	if s.Spec != "" {
		return spec.Parse([]byte(s.Spec))
	}
	load, err := spec.LoadOf(s.Load)
	if err != nil {
		return spec.Spec{}, err
	}
	out := spec.Spec{
		Models:  []spec.Model{{Name: cmp.Or(s.Model, "cwnet"), Load: load}},
		Images:  spec.Images{Names: s.Images, Set: s.Set, First: s.First, Correct: s.Set != ""},
		Targets: spec.Targets{None: s.Untargeted, Classes: s.Targets},
	}
	for _, m := range s.Methods {
		method, err := wordsOf(m)
		if err != nil {
			return out, err
		}
		out.Methods = append(out.Methods, method)
	}
	return out, nil
}

// ofNotebook reports attacks that cells have made.
func ofNotebook(m Method) bool {
	switch m.(type) {
	case Options:
		return false
	case *own:
		return true
	}
	return sweep.IsOwn(m)
}

// wordsOf is a method with those of its options that are not the defaults, which
// a process elsewhere can make again.
func wordsOf(m Method) (spec.Method, error) {
	out := spec.Method{Name: m.Name(), Preset: attack.PresetName(m), Options: map[string]string{}}
	if ofNotebook(m) {
		return out, fmt.Errorf("%s is an attack of this notebook, which the sweep's own process does not have: MeasureAll(dir, m, cases...) runs it here, and keeps each case too", m.Name())
	}
	values, err := attack.Options(m)
	if err != nil {
		return out, err
	}
	plain, err := sweep.NewAttack(out.Name, out.Preset, nil)
	if err != nil {
		return out, fmt.Errorf("a sweep knows attacks by their names: %w", err)
	}
	defaults, err := attack.Options(plain)
	if err != nil {
		return out, err
	}
	for name, v := range values {
		if !reflect.DeepEqual(v, defaults[name]) {
			out.Options[name] = fmt.Sprint(v)
		}
	}
	made, err := sweep.NewAttack(out.Name, out.Preset, out.Options)
	if err != nil {
		return out, err
	}
	if again, err := attack.Options(made); err != nil || !reflect.DeepEqual(values, again) {
		return out, errors.Join(err, fmt.Errorf("%s has settings that are no options, which a sweep cannot write down", out.Name))
	}
	return out, nil
}

// OpenSweep finds a sweep in its folder, whether it runs or not.
//
//	r := OpenSweep("runs/x")
func OpenSweep(dir string) *SweepRun {
	whole, err := filepath.Abs(dir)
	if err != nil {
		fail("OpenSweep", err)
	}
	d, err := runs.Open(dir)
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		fail("OpenSweep", err)
	}
	return &SweepRun{dir: whole}
}

// Status says how far the sweep is.
func (r *SweepRun) Status() runs.Status {
	var s runs.Status
	r.with("Status", func(d *runs.Dir) (err error) {
		s, err = d.Status()
		return err
	})
	return s
}

// with opens the folder for a verb.
func (r *SweepRun) with(verb string, f func(*runs.Dir) error) {
	d, err := runs.Open(r.dir)
	if err == nil {
		err = errors.Join(f(d), d.Close())
	}
	if err != nil {
		fail("SweepRun."+verb, err)
	}
}

// look is how often a sweep's folder is looked into, and patience for how many
// looks nobody may run it: a process takes a moment to start.
const (
	look     = 500 * time.Millisecond
	patience = 20
)

// Wait shows the sweep's progress, and views of it below, until it is done. An
// interrupt ends the waiting; the sweep goes on.
//
//	r.Wait(func() any { return r.By("method") }, func() any { return r.Distances("l2") })
func (r *SweepRun) Wait(views ...func() any) runs.Status {
	bar := newProgress("Sweep")
	defer bar.fail()
	return r.follow(display.Context(), bar, views, func() {})
}

// Live shows the sweep's progress, and views of it below, which are replaced as
// results come. It returns at once, and goes on while other cells run.
//
//	r := Sweep{...}.Run().Live(func() any { return r.By("method") })
func (r *SweepRun) Live(views ...func() any) *SweepRun {
	bar := newProgress("Sweep")
	bar.detach()
	shown := make(chan struct{})
	go func() {
		// What goes wrong while nobody waits is said where the progress was.
		defer func() {
			if v := recover(); v != nil {
				bar.finish(bar.fraction, fmt.Sprint(v))
			}
		}()
		r.follow(context.Background(), bar, views, func() { close(shown) })
	}()
	select {
	case <-shown: // so that the displays stand in this cell
	case <-time.After(time.Minute):
	case <-display.Context().Done():
	}
	return r
}

// follow shows how far the sweep is until it is over or the context ends;
// begun is called when all displays are there.
func (r *SweepRun) follow(ctx context.Context, bar *progress, views []func() any, begun func()) runs.Status {
	var begin sync.Once
	defer begin.Do(begun)
	handles := make([]*Handle, len(views))
	drawn := -1
	draw := func(done int) {
		if done == drawn {
			return
		}
		drawn = done
		for i, view := range views {
			if handles[i] == nil {
				handles[i] = Show(view())
			} else {
				handles[i].Update(view())
			}
		}
	}
	for idle := 0; ; {
		s := r.Status()
		text := fmt.Sprintf("%d of %d attacks, %d succeeded", s.Done, s.Total, s.Succeeded)
		if s.Dead > 0 {
			text += fmt.Sprintf(", %d given up", s.Dead)
		}
		if idle++; s.Holder != "" {
			idle = 0
		}
		if s.Missing == 0 || idle > patience || ctx.Err() != nil {
			if s.Missing > 0 && ctx.Err() == nil {
				text += "; nobody runs it: " + filepath.Join(r.dir, "log")
			}
			bar.finish(float64(s.Done)/float64(max(s.Total, 1)), text)
			draw(s.Done)
			return s
		}
		bar.step(s.Done, s.Total, text)
		draw(s.Done)
		begin.Do(begun)
		// A large sweep is looked at less often: a look reads every result.
		pause := max(look, time.Duration(s.Done)*time.Millisecond/5)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// Distances plots, of each method, the share of its attacks so far that reach
// their goals within a distance: "l0", "l1", "l2" or "linf".
//
//	Show(r.Distances("l2"))
func (r *SweepRun) Distances(norm string) *Figure {
	methods := map[string][]metric.Row{}
	var order []string
	for _, row := range r.Rows() {
		if methods[row.Method] == nil {
			order = append(order, row.Method)
		}
		methods[row.Method] = append(methods[row.Method], row)
	}
	var curves []Curve
	for _, m := range order {
		c := Curve{Name: m}
		var at []float64
		for _, row := range methods[m] {
			if !row.Success {
				continue
			}
			d, err := distance(row, norm)
			if err != nil {
				fail("SweepRun.Distances", err)
			}
			at = append(at, d)
		}
		slices.Sort(at)
		for i, d := range at {
			c.X, c.Y = append(c.X, d), append(c.Y, float64(i+1)/float64(len(methods[m])))
		}
		curves = append(curves, c)
	}
	return Plot(Axes{Title: "Attacks that succeed within a distance", X: norm, Y: "share"}, curves...)
}

func distance(r metric.Row, norm string) (float64, error) {
	switch norm {
	case "l0":
		return float64(r.L0), nil
	case "l1":
		return r.L1, nil
	case "l2":
		return r.L2, nil
	case "linf":
		return r.Linf, nil
	}
	return 0, fmt.Errorf("norm %q, expected l0, l1, l2 or linf", norm)
}

// Table1 is the paper's Table 1 of the results so far.
func (r *SweepRun) Table1() *Results {
	return r.table("Table1", func(d *runs.Dir, attacks []table.Attack, snapshot string) (*table.Table, error) {
		return table.Table1(d.Plan.Dataset, metric.L2, attacks, snapshot), nil
	})
}

// By is a table of the results so far with a row for each combination of values
// of columns or options: "method", "k".
func (r *SweepRun) By(columns ...string) *Results {
	return r.table("By", func(d *runs.Dir, attacks []table.Attack, snapshot string) (*table.Table, error) {
		return table.By(columns, attacks, snapshot, table.Planned(d.Plan)...)
	})
}

// Results is a table of the results so far with a row for each attack, to show
// and to save.
func (r *SweepRun) Results() *Results {
	return r.table("Results", func(_ *runs.Dir, attacks []table.Attack, snapshot string) (*table.Table, error) {
		return table.Rows(attacks, snapshot)
	})
}

// Rows are the results so far, in the order of the plan, to compute with.
func (r *SweepRun) Rows() []metric.Row {
	var rows []metric.Row
	r.with("Rows", func(d *runs.Dir) error {
		attacks, _, err := table.Read(d)
		for _, a := range attacks {
			rows = append(rows, a.Row())
		}
		return err
	})
	return rows
}

func (r *SweepRun) table(verb string, make func(*runs.Dir, []table.Attack, string) (*table.Table, error)) *Results {
	out := &Results{}
	r.with(verb, func(d *runs.Dir) error {
		attacks, snapshot, err := table.Read(d)
		if err != nil {
			return err
		}
		out.Table, err = make(d, attacks, snapshot)
		return err
	})
	return out
}

// MimeBundle shows how far the sweep is.
func (r *SweepRun) MimeBundle() display.Bundle {
	return display.Bundle{Data: map[string]any{"text/plain": r.Status().String()}}
}
