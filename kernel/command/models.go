package command

import (
	"cmp"
	"context"
	"fmt"

	"sapf/kernel/internal/leave"
	"sapf/models"
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

// modelFlags name a model.
type modelFlags struct {
	Model string `arg:"" predictor:"model" help:"Model: a name or a file."`
	Arch  string `help:"Architecture, where the file does not say."`
}

// load loads the model, or gives up when ctx is done: a file may be large, or a
// pipe that nobody writes to.
func (f modelFlags) load(ctx context.Context) (*models.Model, error) {
	return leave.When(ctx, func() (*models.Model, error) {
		return models.Load(f.Model, models.LoadOptions{Arch: f.Arch})
	})
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
	Limit      int    `help:"First records only."`
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
	Out        string `arg:"" help:"File to write, .safetensors."`
	JSON       bool   `help:"Print the card as JSON."`
}

func (c *modelsConvertCmd) Run(ctx context.Context, out output) error {
	card, err := leave.When(ctx, func() (models.Card, error) {
		return models.Convert(c.Model, c.Out, models.LoadOptions{Arch: c.Arch})
	})
	if err != nil {
		return err
	}
	return out.print(c.JSON, card)
}
