package train

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"sapf/models"
	"sapf/models/engine"
	"sapf/models/format"
)

// Options say how a run is carried out. They do not change what it computes,
// the profile's rounding aside.
type Options struct {
	// Threads share a step. 0: all processors.
	Threads int
	// Profile chooses kernels; nil means engine.DefaultProfile.
	Profile *engine.Profile
	// Checkpoint is a file that the run's state is written to every Every
	// steps (0: 100), when the context ends and at the end; "" means none.
	Checkpoint string
	Every      int
	// Resume goes on from Checkpoint, where it exists.
	Resume bool
	// Validate is the number of test images classified after each epoch but the
	// last, which has all of them. 0: 1,000; negative: none. Nothing is chosen
	// by the result: a run always ends with its last parameters.
	Validate int
	// Progress, where set, hears of every step.
	Progress func(Progress)
}

// Progress is what a run is doing.
type Progress struct {
	// Step of Steps is done, in Epoch (from 1) of Epochs.
	Step, Steps, Epoch, Epochs int
	// Loss is the mean cross entropy and Right the share of images classified
	// rightly, in [0,1], in this epoch up to now, as they were seen in training:
	// moved, dropped out and attacked.
	Loss, Right float64
	// Rate is the learning rate of the step, Elapsed the time of this process.
	Rate    float64
	Elapsed time.Duration
	// Point is set at the end of an epoch.
	Point *Point
}

// Point is one epoch of the curve.
type Point struct {
	Epoch int `json:"epoch"`
	// TrainLoss and TrainAccuracy are Progress.Loss and 100*Progress.Right.
	TrainLoss     float64 `json:"train_loss"`
	TrainAccuracy float64 `json:"train_accuracy"`
	// Images were classified for Loss and Accuracy (percent), without dropout.
	Images   int     `json:"images"`
	Loss     float64 `json:"loss"`
	Accuracy float64 `json:"accuracy"`
	// Robust is the accuracy (percent) on the adversary's images of the same
	// test images; 0 without adversary.
	Robust float64 `json:"robust,omitempty"`
}

// Result is a trained network.
type Result struct {
	Recipe  Recipe
	Title   string   // of the data set
	Classes []string // of the data set; nil: the architecture's
	Images  int      // in the training set
	Net     *engine.Net
	Params  []engine.Param
	Curve   []Point
	Profile engine.Profile
	// Steps were done by this process, in Seconds of which TrainSeconds went
	// into steps.
	Steps                 int
	Seconds, TrainSeconds float64
}

// run is the state of a run.
type run struct {
	recipe  Recipe
	images  *Images
	o       Options
	profile engine.Profile
	t       *engine.Trainer
	opt     optimizer
	classes int
	steps   int // in all
	perPass int // in an epoch
	state   progress

	order           []int
	orderEpoch      int
	x, clean, dx    []float32
	logits, dlogits []float32
	labels          []int
	began           time.Time
	training        time.Duration
	firstStep       int
	digest          string
}

// progress is the part of a run's state that is not tensors.
type progress struct {
	// Step is the number of steps done.
	Step int `json:"step"`
	// LossSum and Right add up this epoch's steps and images.
	LossSum float64 `json:"loss_sum"`
	Right   int     `json:"right"`
	Curve   []Point `json:"curve"`
}

// Run trains the recipe's architecture from its initial parameters.
func Run(ctx context.Context, recipe Recipe, images *Images, o Options) (*Result, error) {
	net, err := recipe.Initial()
	if err != nil {
		return nil, err
	}
	return Fit(ctx, net, recipe, images, o)
}

// Fit trains a network from the parameters it has, on a copy. An error of ctx
// comes after the checkpoint has been written.
func Fit(ctx context.Context, net *engine.Net, recipe Recipe, images *Images, o Options) (*Result, error) {
	r, err := newRun(net, recipe, images, o)
	if err != nil {
		return nil, err
	}
	defer r.t.Close()
	if err := r.resume(); err != nil {
		return nil, err
	}
	r.firstStep = r.state.Step
	for r.state.Step < r.steps {
		if err := ctx.Err(); err != nil {
			if saveErr := r.save(); saveErr != nil {
				return nil, saveErr
			}
			return nil, fmt.Errorf("stopped after step %d of %d: %w", r.state.Step, r.steps, err)
		}
		if err := r.step(); err != nil {
			return nil, err
		}
		if r.state.Step%r.o.Every == 0 || r.state.Step == r.steps {
			if err := r.save(); err != nil {
				return nil, err
			}
		}
	}
	return &Result{
		Recipe: recipe, Title: images.Title, Classes: images.Classes, Images: images.Train.Len(), Net: r.t.Net(), Params: r.t.Params(), Curve: r.state.Curve,
		Profile: r.profile, Steps: r.state.Step - r.firstStep, Seconds: time.Since(r.began).Seconds(), TrainSeconds: r.training.Seconds(),
	}, nil
}

func newRun(net *engine.Net, recipe Recipe, images *Images, o Options) (*run, error) {
	if err := recipe.Check(); err != nil {
		return nil, err
	}
	shapes, err := net.Shapes()
	if err != nil {
		return nil, err
	}
	r := &run{recipe: recipe, images: images, o: o, classes: shapes[net.Output].Len(), orderEpoch: -1, began: time.Now()}
	err = images.Train.check("training", net.Input, r.classes)
	if err == nil {
		err = images.Test.check("test", net.Input, r.classes)
	}
	if err != nil {
		return nil, fmt.Errorf("train %s on %s: %w", net.Name, images.Title, err)
	}
	if r.perPass = images.Train.Len() / recipe.Batch; r.perPass == 0 {
		return nil, fmt.Errorf("train %s: batch %d of %d images, expected no more than there are", net.Name, recipe.Batch, images.Train.Len())
	}
	r.steps = recipe.Epochs * r.perPass
	if r.o.Every == 0 {
		r.o.Every = 100
	}
	if r.o.Validate == 0 {
		r.o.Validate = 1000
	}
	if o.Profile != nil {
		r.profile = *o.Profile
	} else if r.profile, err = engine.DefaultProfile(); err != nil {
		return nil, err
	}
	if r.t, err = engine.NewTrainer(net, r.profile, recipe.Batch, o.Threads, recipe.Dropout); err != nil {
		return nil, err
	}
	r.opt = recipe.optimizer(r.t.Params())
	n, k := recipe.Batch*net.Input.Len(), recipe.Batch*r.classes
	r.x, r.clean, r.dx = make([]float32, n), make([]float32, n), make([]float32, n)
	r.logits, r.dlogits, r.labels = make([]float32, k), make([]float32, k), make([]int, recipe.Batch)
	return r, nil
}

// step does one step of the recipe, and what belongs to the end of an epoch.
func (r *run) step() error {
	start := time.Now()
	recipe, step := r.recipe, r.state.Step
	r.batch(step)
	if a := recipe.Adversary; a != nil {
		a.perturb(r.t, r.x, r.labels, func(image int) *rand.Rand {
			return recipe.random(streamAdversary, uint64(step), uint64(image))
		}, r.logits, r.dlogits, r.dx, r.clean)
	}
	r.t.ForwardTraining(r.x, r.logits, recipe.Seed+streamDropout<<56, uint64(step))
	loss, right := crossEntropy(r.logits, r.labels, r.dlogits)
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("train %s: the loss is %v at step %d of %d: the learning rate %g may be too high", recipe.Architecture, loss, step+1, r.steps, recipe.Rate)
	}
	r.t.Gradients(r.dlogits)
	rate := recipe.rate(step, r.steps)
	r.opt.update(rate, step)
	r.t.Update()
	s := &r.state
	s.Step++
	s.LossSum += loss
	s.Right += right
	r.training += time.Since(start)

	done := (s.Step-1)%r.perPass + 1
	p := Progress{
		Step: s.Step, Steps: r.steps, Epoch: (s.Step-1)/r.perPass + 1, Epochs: recipe.Epochs,
		Loss: s.LossSum / float64(done), Right: float64(s.Right) / float64(done*recipe.Batch), Rate: rate,
	}
	if done == r.perPass {
		point := Point{Epoch: p.Epoch, TrainLoss: p.Loss, TrainAccuracy: 100 * p.Right}
		images := r.o.Validate
		if s.Step == r.steps {
			images = r.images.Test.Len()
		}
		r.validate(&point, images)
		s.Curve = append(s.Curve, point)
		s.LossSum, s.Right = 0, 0
		p.Point = &point
	}
	if r.o.Progress != nil {
		p.Elapsed = time.Since(r.began)
		r.o.Progress(p)
	}
	return nil
}

// batch fills x and labels with the images of a step.
func (r *run) batch(step int) {
	recipe, set, size := r.recipe, &r.images.Train, r.images.Train.Shape.Len()
	if epoch := step / r.perPass; epoch != r.orderEpoch {
		r.order, r.orderEpoch = recipe.random(streamOrder, uint64(epoch), 0).Perm(set.Len()), epoch
	}
	for b := range recipe.Batch {
		i, x := r.order[step%r.perPass*recipe.Batch+b], r.x[b*size:][:size]
		r.labels[b] = set.Labels[i]
		if !recipe.Flip && recipe.Crop == 0 {
			set.fill(i, x)
			continue
		}
		s := recipe.random(streamAugment, uint64(step), uint64(b))
		down, right := s.IntN(2*recipe.Crop+1)-recipe.Crop, s.IntN(2*recipe.Crop+1)-recipe.Crop
		set.moved(i, down, right, recipe.Flip && s.IntN(2) == 1, x)
	}
}

// validate classifies the first n test images.
func (r *run) validate(p *Point, n int) {
	set, size := &r.images.Test, r.images.Test.Shape.Len()
	n = min(n, set.Len())
	if n <= 0 {
		return
	}
	p.Images = n
	right, robust := 0, 0
	for first := 0; first < n; first += r.recipe.Batch {
		for b := range r.recipe.Batch {
			i := min(first+b, n-1) // the last batch is filled up
			r.labels[b] = set.Labels[i]
			set.fill(i, r.x[b*size:][:size])
		}
		have := min(r.recipe.Batch, n-first)
		count := func() (loss float64, right int) {
			r.t.Forward(r.x, r.logits)
			return crossEntropy(r.logits[:have*r.classes], r.labels[:have], r.dlogits)
		}
		loss, k := count()
		p.Loss += loss * float64(have) / float64(n)
		right += k
		if a := r.recipe.Adversary; a != nil {
			a.perturb(r.t, r.x, r.labels, func(image int) *rand.Rand {
				return r.recipe.random(streamAdversary, 1<<31+uint64(p.Epoch), uint64(first+image))
			}, r.logits, r.dlogits, r.dx, r.clean)
			_, k = count()
			robust += k
		}
	}
	p.Accuracy = 100 * float64(right) / float64(n)
	p.Robust = 100 * float64(robust) / float64(n)
}

// Save writes the network as a model file with its card, and the card beside it
// (models.Save).
func (r *Result) Save(file string) (models.Card, error) {
	return models.Save(file, &format.StateDict{Source: file, Tensors: tensors(r.Params)}, r.card())
}

func (r *Result) card() models.Card {
	last := r.Curve[len(r.Curve)-1]
	c := models.Card{
		Name: r.Recipe.Architecture, Architecture: r.Recipe.Architecture, Dataset: r.Title, Classes: r.Classes, Accuracy: last.Accuracy,
		Recipe: fmt.Sprintf("%d images, %v, kernels %v", r.Images, r.Recipe, r.Profile),
		Source: "trained by sapf", Licence: "Apache-2.0",
	}
	if r.Recipe.Adversary != nil {
		c.Recipe += fmt.Sprintf("; accuracy under the same attack %.2f %% of %d test images", last.Robust, last.Images)
	}
	return c
}

func tensors(params []engine.Param) []format.Tensor {
	var list []format.Tensor
	for _, p := range params {
		list = append(list, format.Tensor{Name: p.Name, Shape: p.Shape, Data: p.W})
	}
	return list
}

// dropped lists the layers of a dropout in order.
func dropped(d engine.Dropout) []string { return slices.Sorted(maps.Keys(d)) }

// StepsPerSecond is the speed of this process, validation left out.
func (r *Result) StepsPerSecond() float64 {
	if r.TrainSeconds == 0 {
		return 0
	}
	return float64(r.Steps) / r.TrainSeconds
}
