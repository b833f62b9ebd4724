package command

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"sapf/kernel/internal/leave"
	"sapf/models"
	"sapf/models/data"
	"sapf/sapf"
	"sapf/sapf/attack"
	"sapf/sapf/sweep"
)

// jobFlags name an attack's model, image and target.
type jobFlags struct {
	Model     string `required:"" placeholder:"NAME|FILE" predictor:"model" help:"Model: a name (see 'sapf models') or a file."`
	loadFlags `embed:""`
	Image     string `required:"" placeholder:"IMAGE" predictor:"image" help:"Image: a file, a sample (cat) or a record (cifar10:17); an array (x.npy, batch.npz:17); for attack also several: a folder, a pattern (photos/*.png), an array of images."`
	Resize    bool   `help:"Scale a picture of another size to the model's; for a model of one channel it becomes grey (0.299 R + 0.587 G + 0.114 B)."`
	Target    string `placeholder:"CLASS" predictor:"class" help:"Target: a class's name or index; for several images also stated, as labels.csv or a .npz says."`
}

func (f jobFlags) job() (sweep.Job, error) {
	o, err := f.options()
	return sweep.Job{Model: f.Model, Load: o, Image: f.Image, Resize: f.Resize, Target: f.Target}, err
}

type attackCmd struct {
	jobFlags   `embed:""`
	Method     string            `default:"sapf" predictor:"method" help:"Attack: sapf (Algorithm 1), best (the one to use for small changes of k entries), fewest (for few entries), sapf-matched (k as --set to=ATTACK needs) or a baseline."`
	Preset     string            `placeholder:"NAME" predictor:"preset" help:"Preset of the method (sapf: default, reference, paper; best: quick, thorough)."`
	K          *int              `help:"Entries that may change (sapf: 200)."`
	Set        map[string]string `mapsep:"none" predictor:"option" placeholder:"NAME=VALUE" help:"Set an option; repeat for more."`
	Groups     string            `placeholder:"FILE" predictor:"file" help:"Picture whose colours are the groups of SAPF-GS, instead of superpixels."`
	Options    listOptions       `help:"List the options of --method, with what they may be and mean, and stop."`
	Trace      string            `placeholder:"F.csv" predictor:"file" help:"Write a row of the solver's state every --trace-every steps."`
	TraceEvery int               `default:"50" min:"1" help:"Steps between rows of the trace."`
	Checkpoint string            `placeholder:"FILE" predictor:"file" help:"Keep the state of a long SAPF attack there, and go on from it."`
	Out        string            `placeholder:"DIR" predictor:"file" help:"Write pictures, delta_chw.npy, adversarial_chw.npy and result.json there; of several images also adversarial_nchw.npy and results.csv."`
	JSON       bool              `help:"Print the result as JSON."`
}

func (c *attackCmd) Run(ctx context.Context, out output) error {
	job, err := c.job()
	if err != nil {
		return err
	}
	job.Method, job.Preset, job.Set, job.Groups = c.Method, c.Preset, maps.Clone(c.Set), c.Groups
	if set, twice := c.Set["k"]; twice && c.K != nil {
		return fmt.Errorf("k is given twice, by --k %d and --set k=%s: expected one", *c.K, set)
	}
	if set, twice := c.Set["preset"]; twice && c.Preset != "" {
		return fmt.Errorf("the preset is given twice, by --preset %s and --set preset=%s: expected one", c.Preset, set)
	}
	if c.K != nil {
		if job.Set == nil {
			job.Set = map[string]string{}
		}
		job.Set["k"] = strconv.Itoa(*c.K)
	}
	if err := errors.Join(tryFolder("--out", c.Out), tryFile("--checkpoint", c.Checkpoint), tryFile("--trace", c.Trace)); err != nil {
		return err
	}
	if data.IsSeveral(c.Image) {
		return c.many(ctx, out, job)
	}
	var m *models.Model
	task, err := leave.When(ctx, func() (task attack.Task, err error) {
		m, task, err = job.Prepare()
		return task, err
	})
	if err != nil {
		return err
	}
	if !task.Goal.Targeted() && !c.JSON {
		fmt.Fprintln(out.stderr, "no --target: any other class will do")
	}
	var options sweep.Options
	if c.Checkpoint != "" {
		if options.Checkpoint, err = sweep.OpenCheckpoint(c.Checkpoint, 0); err != nil {
			return err
		}
	}
	var trace *sapf.TraceWriter
	if c.Trace != "" {
		f, err := os.Create(c.Trace)
		if err != nil {
			return err
		}
		defer f.Close()
		trace = sapf.NewTraceWriter(f)
		options.TraceEvery, options.Trace = c.TraceEvery, func(_ int, row sapf.TraceRow) { trace.Write(row) }
	}
	bar := newBar(out.stderr, c.JSON)
	options.Progress = func(p sweep.Progress) { bar.show(p.Attack) }
	o, err := sweep.One(ctx, m, task, options)
	bar.clear()
	if err != nil {
		return err
	}
	if err := c.deliver(o, out); err != nil {
		return failed(err)
	}
	if trace != nil && trace.Err() != nil {
		return failed(fmt.Errorf("write trace %s: %w", c.Trace, trace.Err()))
	}
	if ctx.Err() != nil {
		kept := "the best so far is above" + c.whereKept()
		if options.Checkpoint != nil {
			kept += "; the same command goes on from " + c.Checkpoint
		}
		return interrupted(kept)
	}
	if options.Checkpoint != nil { // last: whatever went wrong above, the state is there
		if err := options.Checkpoint.Remove(); err != nil {
			return failed(err)
		}
	}
	if !o.Measured.Success {
		return failed(c.missed(o.Result, task.Attack))
	}
	return nil
}

// deliver saves and prints an outcome. What could not be saved is printed all
// the same.
func (c *attackCmd) deliver(o *sweep.Outcome, out output) error {
	var saved error
	if c.Out != "" {
		if saved = o.Save(c.Out); saved != nil {
			saved = fmt.Errorf("save the result: %w", saved)
		}
	}
	var shown any = o
	if c.JSON {
		shown = o.Record()
	}
	err := out.print(c.JSON, shown)
	if r := o.Result; r.Detail != nil && r.Selected > 0 && r.Selected != r.K {
		fmt.Fprintf(out.stderr, "%d ones in G for a k of %d: rounded at one half, as the authors' program does; --set round=topk keeps k\n", r.Selected, r.K)
	}
	return errors.Join(saved, err)
}

// whereKept says where results are besides on the screen.
func (c *attackCmd) whereKept() string {
	if c.Out == "" {
		return ""
	}
	return ", and kept in " + c.Out
}

// missed says that an attack failed, what it noted, and, where it ran with its
// defaults, which presets it has: some defaults are meant to be quick.
func (c *attackCmd) missed(r attack.Result, a attack.Attack) error {
	text := fmt.Sprintf("%s did not reach the goal (status %s)", a.Name(), r.Status)
	if r.Note != "" {
		text += ": " + r.Note
	}
	presets := slices.DeleteFunc(attack.Presets(a), func(p string) bool { return p == r.Preset })
	if c.Preset == "" && len(presets) > 0 && r.Forwards+r.Gradients > 1 { // it ran
		text += "; it has --preset " + strings.Join(presets, " and ")
	}
	return errors.New(text)
}

type gradientCmd struct {
	jobFlags `embed:""`
	Loss     string `enum:"cw,ce" default:"cw" help:"Loss to the target: cw (hinge on logits) or ce (cross entropy)."`
	JSON     bool   `help:"Print JSON, the gradient as base64."`
}

func (c *gradientCmd) Run(ctx context.Context, out output) error {
	job, err := c.job()
	if err != nil {
		return err
	}
	g, err := leave.When(ctx, func() (sweep.Gradient, error) { return job.ComputeGradient(c.Loss) })
	if err != nil {
		return err
	}
	return out.print(c.JSON, g)
}
