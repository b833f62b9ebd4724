package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"sapf/models/atomicfile"
	"sapf/models/train"
	"sapf/sapf/figure"
)

// trainCmd changes the fields of the architecture's default recipe that are
// given.
type trainCmd struct {
	Arch        string   `arg:"" predictor:"recipe" help:"Architecture: cwnet, cwmnist or cnn_a."`
	Data        string   `placeholder:"NAME" help:"Data set: cifar10, fashion or mnist (default: the architecture's)."`
	Limit       int      `min:"1" placeholder:"N" help:"Training images to use (default: all there are)."`
	Epochs      *int     `min:"1" placeholder:"N" help:"Times that each image is seen."`
	Batch       *int     `min:"1" placeholder:"N" help:"Images of a step."`
	Optimizer   *string  `placeholder:"NAME" help:"sgd or adam."`
	Rate        *float64 `min:"0" placeholder:"X" help:"Highest learning rate."`
	Schedule    *string  `placeholder:"NAME" help:"onecycle, cosine, step or constant."`
	Momentum    *float64 `min:"0" placeholder:"X" help:"Momentum of SGD (Nesterov's)."`
	WeightDecay *float64 `min:"0" placeholder:"X" help:"Weight decay."`
	Dropout     *float64 `min:"0" placeholder:"X" help:"Dropout after the first dense layer."`
	Flip        *bool    `negatable:"" help:"Mirror every second image."`
	Crop        *int     `min:"0" placeholder:"PIXELS" help:"Pixels that images are moved by, at most."`
	Adversarial float64  `placeholder:"EPSILON" min:"0" help:"Train on PGD's images in a linf ball of this radius, in 1/255 (Madry: 8)."`
	Seed        uint64   `placeholder:"N" help:"Seed of all random numbers."`
	Threads     int      `min:"1" placeholder:"N" help:"Threads (default: all processors). The result does not depend on it."`
	Out         string   `placeholder:"FILE" predictor:"file" help:"Where the weights go (default: ARCH.safetensors); card, checkpoint and plot go beside them."`
	Resume      bool     `help:"Go on from the checkpoint, where there is one."`
	Every       int      `default:"100" min:"1" help:"Steps between checkpoints."`
	JSON        bool     `help:"Print JSON: a line for each epoch, and one at the end."`
}

func (c *trainCmd) recipe() (train.Recipe, error) {
	r, err := train.Default(c.Arch)
	if err != nil {
		return r, err
	}
	r.Dataset, r.Seed = cmp.Or(c.Data, r.Dataset), c.Seed
	set(&r.Epochs, c.Epochs)
	set(&r.Batch, c.Batch)
	set(&r.Optimizer, c.Optimizer)
	set(&r.Rate, c.Rate)
	set(&r.Schedule, c.Schedule)
	set(&r.Momentum, c.Momentum)
	r.Nesterov = r.Momentum > 0
	set(&r.WeightDecay, c.WeightDecay)
	set(&r.Flip, c.Flip)
	set(&r.Crop, c.Crop)
	if c.Dropout != nil {
		r.Dropout = map[string]float64{"fc1": *c.Dropout}
	}
	if c.Adversarial != 0 {
		r.Adversary = train.Madry(c.Adversarial / 255)
	}
	return r, r.Check()
}

func set[T any](field, flag *T) {
	if flag != nil {
		*field = *flag
	}
}

func (c *trainCmd) Run(ctx context.Context, out output) error {
	recipe, err := c.recipe()
	if err != nil {
		return err
	}
	file := cmp.Or(c.Out, c.Arch+".safetensors")
	base := strings.TrimSuffix(file, filepath.Ext(file))
	for _, f := range []string{file, base + ".json", base + ".checkpoint", base + ".png"} {
		if err := tryFile("--out", f); err != nil {
			return err
		}
	}
	images, err := train.Load(recipe.Dataset, c.Limit)
	if err != nil {
		return err
	}
	var curve []train.Point
	var plotErr error
	line := newStatus(out.stderr, c.JSON)
	r, err := train.Run(ctx, recipe, images, train.Options{
		Threads: c.Threads, Checkpoint: base + ".checkpoint", Every: c.Every, Resume: c.Resume,
		Progress: func(p train.Progress) {
			line.show(p)
			if p.Point == nil {
				return
			}
			curve = append(curve, *p.Point)
			if plotErr == nil {
				plotErr = plotCurve(base+".png", c.Arch, curve)
			}
			if c.JSON {
				json.NewEncoder(out.stdout).Encode(p.Point)
			}
		},
	})
	line.clear()
	if errors.Is(err, context.Canceled) {
		return interrupted(fmt.Sprintf("%v; --resume goes on from %s.checkpoint", err, base))
	}
	if err != nil {
		return failed(err)
	}
	card, err := r.Save(file)
	if err == nil {
		err = cmp.Or(plotErr, plotCurve(base+".png", c.Arch, r.Curve))
	}
	if err != nil {
		return failed(err)
	}
	if c.JSON {
		return json.NewEncoder(out.stdout).Encode(struct {
			File     string  `json:"file"`
			SHA256   string  `json:"sha256"`
			Accuracy float64 `json:"accuracy"`
			Recipe   string  `json:"recipe"`
			Steps    int     `json:"steps"`
			Seconds  float64 `json:"seconds"`
			Rate     float64 `json:"steps_per_second"`
		}{file, card.SHA256, card.Accuracy, card.Recipe, r.Steps, r.Seconds, r.StepsPerSecond()})
	}
	fmt.Fprintf(out.stdout, "%v\nwrote %s: %d steps in %.0f s, %.3g training steps a second\n", card, file, r.Steps, r.Seconds, r.StepsPerSecond())
	return nil
}

// plotCurve draws the loss of training and validation by epoch.
func plotCurve(file, title string, curve []train.Point) error {
	var x, seen, test []float64
	for _, p := range curve {
		x, seen, test = append(x, float64(p.Epoch)), append(seen, p.TrainLoss), append(test, p.Loss)
	}
	f, err := figure.Curves(figure.Axes{Title: title, X: "epoch", Y: "cross entropy"},
		figure.Curve{Name: "training", X: x, Y: seen}, figure.Curve{Name: "test", X: x, Y: test})
	if err != nil {
		return err
	}
	png, err := f.PNG()
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(file, png)
}
