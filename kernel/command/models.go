package command

import (
	"cmp"
	"context"
	"fmt"

	"sapf/kernel/internal/leave"
	"sapf/models"
	"sapf/sapf/sweep/spec"
)

type modelsCmd struct {
	List    modelsListCmd    `cmd:"" default:"1" help:"List the models known by name."`
	Show    modelsShowCmd    `cmd:"" help:"Print layers, shapes, parameters, operations and digest."`
	Verify  modelsVerifyCmd  `cmd:"" help:"Measure the accuracy on clean images."`
	Convert modelsConvertCmd `cmd:"" help:"Write a model's weights as safetensors, with its card."`
}

type modelsListCmd struct {
	JSON bool `help:"Print JSON, a model a line."`
}

func (c *modelsListCmd) Run(out output) error {
	w := out.table()
	for _, l := range models.List() {
		if c.JSON {
			if err := out.print(true, l); err != nil {
				return err
			}
			continue
		}
		where := cmp.Or(l.File, "not on this machine")
		if l.Embedded {
			where = "embedded"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d classes\t%s\t%s\n", l.Name, l.Architecture, l.Input, l.Classes, where, l.About)
	}
	return w.Flush()
}

// loadFlags say how a model's file is read.
type loadFlags struct {
	Arch          string    `placeholder:"NAME" predictor:"architecture" help:"Architecture, where the model's file does not say."`
	Classes       string    `placeholder:"LIST|FILE" predictor:"file" help:"Names of the classes: imagenet, cifar10, cifar100, fashion, mnist, or a file (a name a line, JSON, CSV)."`
	Mean          []float64 `placeholder:"M,M,M" help:"Mean to subtract from images in [0,1] first, for a network whose normalisation is outside."`
	Std           []float64 `placeholder:"S,S,S" help:"Deviation to divide by then."`
	Scale         float64   `placeholder:"X" help:"Factor of the image before that: 255 for a network of pixels from 0 to 255."`
	LogitScale    float64   `placeholder:"X" help:"Divide the logits by this, where probabilities underflow."`
	Output        string    `placeholder:"NAME" help:"Output of an ONNX file that has the logits."`
	Input         string    `placeholder:"CxHxW" help:"Shape of the images, where an ONNX file leaves it open."`
	Binary        bool      `help:"Take the single output of an ONNX file for the log odds of class 1 against class 0."`
	Probabilities bool      `help:"Keep a softmax or sigmoid at the end of an ONNX file."`
}

// words are the flags as specifications have them.
func (f loadFlags) words() spec.Load {
	return spec.Load{
		Arch: f.Arch, Classes: f.Classes, Mean: f.Mean, Std: f.Std, Scale: f.Scale, LogitScale: f.LogitScale,
		Output: f.Output, Input: f.Input, Binary: f.Binary, Probabilities: f.Probabilities,
	}
}

func (f loadFlags) options() (models.LoadOptions, error) { return f.words().Options() }

// modelFlags name a model.
type modelFlags struct {
	Model     string `arg:"" predictor:"model" help:"Model: a name or a file."`
	loadFlags `embed:""`
}

// load loads the model, or gives up when ctx is done: a file may be large, or a
// pipe that nobody writes to.
func (f modelFlags) load(ctx context.Context) (*models.Model, error) {
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	return leave.When(ctx, func() (*models.Model, error) { return models.Load(f.Model, o) })
}

type modelsShowCmd struct {
	modelFlags `embed:""`
	JSON       bool `help:"Print JSON."`
}

func (c *modelsShowCmd) Run(ctx context.Context, out output) error {
	m, err := c.load(ctx)
	if err != nil {
		return err
	}
	in, err := m.Inspect()
	if err != nil {
		return err
	}
	return out.print(c.JSON, in)
}

type modelsVerifyCmd struct {
	modelFlags `embed:""`
	Data       string `default:"cifar10" help:"Data set, or a folder of pictures with labels.csv."`
	Limit      int    `min:"1" placeholder:"N" help:"First records only."`
	JSON       bool   `help:"Print JSON."`
}

func (c *modelsVerifyCmd) Run(ctx context.Context, out output) error {
	m, err := c.load(ctx)
	if err != nil {
		return err
	}
	bar := newBar(out.stderr, c.JSON)
	v, err := models.Verify(ctx, m, models.VerifyOptions{Data: c.Data, Limit: c.Limit, Progress: func(done, total int) {
		bar.set(done, total, "images")
	}})
	bar.clear()
	if err != nil {
		return err
	}
	return out.print(c.JSON, v)
}

type modelsConvertCmd struct {
	modelFlags `embed:""`
	Out        string `arg:"" predictor:"file" help:"File to write, .safetensors."`
	JSON       bool   `help:"Print the card as JSON."`
}

func (c *modelsConvertCmd) Run(ctx context.Context, out output) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	card, err := leave.When(ctx, func() (models.Card, error) { return models.Convert(c.Model, c.Out, o) })
	if err != nil {
		return err
	}
	return out.print(c.JSON, card)
}
