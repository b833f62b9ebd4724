package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strconv"
	"strings"

	"sapf/sapf"
	"sapf/sapf/baseline"
	"sapf/sapf/sweep"
)

// jobFlags name an attack's model, image and target.
type jobFlags struct {
	Model  string `required:"" help:"Model: a name (see 'sapf models') or a file."`
	Arch   string `help:"Architecture, where the model's file does not say."`
	Image  string `required:"" help:"Image: a file, a sample (cat) or a record (cifar10:17)."`
	Resize bool   `help:"Scale a picture of another size to the model's."`
	Target string `help:"Target: a class's name or index."`
}

func (f jobFlags) job() sweep.Job {
	return sweep.Job{Model: f.Model, Arch: f.Arch, Image: f.Image, Resize: f.Resize, Target: f.Target}
}

type attackCmd struct {
	jobFlags   `embed:""`
	Method     string            `default:"sapf" help:"Attack: sapf, sapf-matched (k as --set to=ATTACK needs) or a baseline."`
	Preset     string            `help:"Preset of the method (sapf: reference, paper)."`
	K          *int              `help:"Entries that may change (sapf: 200)."`
	Set        map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"Set an option; repeat for more."`
	Groups     string            `placeholder:"FILE" help:"Picture whose colours are the groups of SAPF-GS, instead of superpixels."`
	Trace      string            `placeholder:"F.csv" help:"Write a row of the solver's state every --trace-every steps."`
	TraceEvery int               `default:"50" help:"Steps between rows of the trace."`
	Checkpoint string            `placeholder:"FILE" help:"Keep the state of a long SAPF attack there, and go on from it."`
	Out        string            `placeholder:"DIR" help:"Write pictures, delta.npy and result.json there."`
	JSON       bool              `help:"Print the result as JSON."`
}

func (c *attackCmd) Run(ctx context.Context, out output) error {
	job := c.job()
	job.Method, job.Preset, job.Set, job.Groups = c.Method, c.Preset, maps.Clone(c.Set), c.Groups
	if c.K != nil {
		if job.Set == nil {
			job.Set = map[string]string{}
		}
		job.Set["k"] = strconv.Itoa(*c.K)
	}
	task, err := job.Prepare()
	if err != nil {
		return err
	}
	var traceErr error
	if c.Trace != "" {
		f, err := os.Create(c.Trace)
		if err != nil {
			return err
		}
		defer f.Close()
		ctx = sapf.WithTrace(ctx, c.TraceEvery, sapf.TraceCSV(f, &traceErr))
	}
	if c.Checkpoint != "" {
		if ctx, err = sweep.WithCheckpointFile(ctx, c.Checkpoint, sweep.CheckpointEvery); err != nil {
			return err
		}
	}
	bar := newBar(out.stderr, c.JSON)
	o, err := task.Run(sapf.WithProgress(ctx, bar.show))
	bar.clear()
	if err != nil {
		return err
	}
	if c.Checkpoint != "" && ctx.Err() == nil {
		if err := os.Remove(c.Checkpoint); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return failed(fmt.Errorf("remove the checkpoint of a finished attack: %w", err))
		}
	}
	if traceErr != nil {
		return failed(fmt.Errorf("write trace %s: %w", c.Trace, traceErr))
	}
	if c.Out != "" {
		if err := o.Save(c.Out); err != nil {
			return failed(fmt.Errorf("save the result: %w", err))
		}
	}
	var shown any = o
	if c.JSON {
		shown = o.Record()
	}
	if err := out.print(c.JSON, shown); err != nil {
		return failed(err)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !o.Measured.Success:
		return failed(c.missed(o.Result, task.Attack))
	}
	return nil
}

// missed says that an attack failed, what it noted, and, where it ran with its
// defaults, which presets it has: some defaults are meant to be quick.
func (c *attackCmd) missed(r sapf.Result, a sapf.Attack) error {
	text := fmt.Sprintf("%s did not reach the goal (status %s)", a.Name(), r.Status)
	if r.Note != "" {
		text += ": " + r.Note
	}
	if presets := baseline.Presets(a); c.Preset == "" && len(presets) > 0 {
		text += "; it has --preset " + strings.Join(presets, " and ")
	}
	return errors.New(text)
}

type gradientCmd struct {
	jobFlags `embed:""`
	Loss     string `enum:"cw,ce" default:"cw" help:"Loss to the target: cw (hinge on logits) or ce (cross entropy)."`
	JSON     bool   `help:"Print JSON, the gradient as base64."`
}

func (c *gradientCmd) Run(out output) error {
	g, err := c.job().ComputeGradient(c.Loss)
	if err != nil {
		return err
	}
	return out.print(c.JSON, g)
}
