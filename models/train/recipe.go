// Package train trains the classifiers that attacks are run on: plain, and
// adversarially as in Madry et al., "Towards Deep Learning Models Resistant to
// Adversarial Attacks" (ICLR 2018).
//
// Run goes through a Recipe. What it computes depends on the recipe, the images
// and the numerics profile only, not on threads, on time, or on how often it was
// stopped: every random number is drawn from the seed, the step and the place
// it is for.
//
//	recipe, err := train.Default("cwnet")
//	images, err := train.Load("cifar10", 0)
//	result, err := train.Run(ctx, recipe, images, train.Options{Checkpoint: "cwnet.checkpoint"})
//	card, err := result.Save("cwnet.safetensors")
package train

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"sapf/models/engine"
	"sapf/models/zoo"
)

// Recipe is everything that decides what a training run computes, images and
// numerics profile aside.
type Recipe struct {
	// Architecture is a name that models.Load knows; Dataset one of Load.
	Architecture string `json:"architecture"`
	Dataset      string `json:"dataset"`
	// Epochs is how often each image is seen. The images that are left over
	// when an epoch's order is cut into batches wait for the next epoch.
	Epochs int `json:"epochs"`
	// Batch is the number of images of a step.
	Batch int `json:"batch"`
	// Optimizer is SGD or Adam.
	Optimizer string `json:"optimizer"`
	// Rate is the highest learning rate, Schedule how it changes: OneCycle,
	// Cosine, Step or Constant.
	Rate     float64 `json:"rate"`
	Schedule string  `json:"schedule"`
	// Momentum of SGD, in [0,1), in Nesterov's form or the heavy ball's.
	Momentum float64 `json:"momentum,omitempty"`
	Nesterov bool    `json:"nesterov,omitempty"`
	// WeightDecay times the parameter is added to its gradient.
	WeightDecay float64 `json:"weight_decay,omitempty"`
	// Dropout is the probability after a layer.
	Dropout engine.Dropout `json:"dropout,omitempty"`
	// Flip mirrors every second image, at random. Crop moves images by up to so
	// many pixels either way, black coming in.
	Flip bool `json:"flip,omitempty"`
	Crop int  `json:"crop,omitempty"`
	// Adversary, where set, replaces the images.
	Adversary *PGD `json:"adversary,omitempty"`
	// Seed of all random numbers.
	Seed uint64 `json:"seed"`
}

// The optimizers and schedules.
const (
	SGD  = "sgd"
	Adam = "adam"

	OneCycle = "onecycle"
	Cosine   = "cosine"
	Step     = "step"
	Constant = "constant"
)

// Recipes are the architectures that have a recipe.
var Recipes = []string{"cwnet", "cwmnist", "cnn_a"}

// Default is our recipe for an architecture.
func Default(arch string) (Recipe, error) {
	r := Recipe{
		Architecture: arch, Batch: 128, Optimizer: SGD, Rate: 0.05, Schedule: OneCycle, Momentum: 0.9, Nesterov: true,
		WeightDecay: 5e-4, Epochs: 12,
		// Carlini and Wagner (S&P 2017, table II): 0.5, after the first dense layer.
		Dropout: engine.Dropout{"fc1": 0.5},
	}
	switch arch {
	case "cwnet":
		r.Dataset, r.Flip = "cifar10", true
	case "cwmnist":
		r.Dataset, r.Epochs = "fashion", 4
	case "cnn_a":
		r.Dataset, r.Flip, r.Dropout = "cifar10", true, nil
	default:
		return Recipe{}, fmt.Errorf("no recipe for architecture %q, expected one of %s", arch, strings.Join(Recipes, ", "))
	}
	return r, nil
}

// Check refuses settings that make no sense.
func (r Recipe) Check() error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	want(r.Epochs >= 1, "%d epochs, expected at least 1", r.Epochs)
	want(r.Batch >= 1, "batch %d, expected at least 1", r.Batch)
	want(r.Optimizer == SGD || r.Optimizer == Adam, "optimizer %q, expected %s or %s", r.Optimizer, SGD, Adam)
	want(r.Rate > 0 && !math.IsInf(r.Rate, 0), "learning rate %v, expected a positive number", r.Rate)
	want(scales[r.Schedule] != nil, "schedule %q, expected %s, %s, %s or %s", r.Schedule, OneCycle, Cosine, Step, Constant)
	want(r.Momentum >= 0 && r.Momentum < 1, "momentum %v, expected a number in [0,1)", r.Momentum)
	want(!r.Nesterov || r.Momentum > 0, "Nesterov's form without momentum")
	want(r.WeightDecay >= 0 && !math.IsInf(r.WeightDecay, 0), "weight decay %v, expected at least 0", r.WeightDecay)
	want(r.Crop >= 0 && r.Crop <= 16, "crop by up to %d pixels, expected 0 to 16", r.Crop)
	for _, name := range dropped(r.Dropout) {
		rate := r.Dropout[name]
		want(rate >= 0 && rate < 1, "dropout of %v after %s, expected a probability in [0,1)", rate, name)
	}
	if r.Adversary != nil {
		errs = append(errs, r.Adversary.check())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("recipe for %s: %s", r.Architecture, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

// String is the recipe in words, for a model's card.
func (r Recipe) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d epochs of ", r.Epochs)
	if r.Optimizer == Adam {
		b.WriteString("Adam")
	} else {
		b.WriteString("SGD")
		switch {
		case r.Nesterov:
			fmt.Fprintf(&b, ", Nesterov momentum %g", r.Momentum)
		case r.Momentum > 0:
			fmt.Fprintf(&b, ", momentum %g", r.Momentum)
		}
	}
	fmt.Fprintf(&b, ", %s rate up to %g, weight decay %g, batch %d", r.Schedule, r.Rate, r.WeightDecay, r.Batch)
	if r.Flip {
		b.WriteString(", flips")
	}
	if r.Crop > 0 {
		fmt.Fprintf(&b, ", crops padded by %d", r.Crop)
	}
	for _, name := range dropped(r.Dropout) {
		fmt.Fprintf(&b, ", dropout %g after %s", r.Dropout[name], name)
	}
	if r.Adversary != nil {
		fmt.Fprintf(&b, ", adversarial (%v)", r.Adversary)
	}
	fmt.Fprintf(&b, ", seed %d", r.Seed)
	return b.String()
}

// The streams of random numbers.
const (
	streamInitial = iota + 1
	streamOrder
	streamAugment
	streamDropout
	streamAdversary
)

// random is the source for one purpose and place.
func (r Recipe) random(stream, a, b uint64) *rand.Rand {
	return rand.New(rand.NewPCG(r.Seed+stream<<56, a<<32+b))
}

// Initial is the network before training: weights uniform in ±sqrt(6/inputs)
// (He et al. 2015, eq. 10, for ReLU), biases 0.
func (r Recipe) Initial() (*engine.Net, error) {
	count := uint64(0)
	return zoo.NewNet(r.Architecture, func(name string, shape []int) []float32 {
		count++
		n, inputs := 1, 1
		for i, d := range shape {
			n *= d
			if i > 0 {
				inputs *= d
			}
		}
		w := make([]float32, n)
		if len(shape) > 1 {
			source, bound := r.random(streamInitial, count, 0), math.Sqrt(6/float64(inputs))
			for i := range w {
				w[i] = float32((2*float64(source.Float64()) - 1) * bound)
			}
		}
		return w
	})
}
