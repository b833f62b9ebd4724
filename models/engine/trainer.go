package engine

import (
	"fmt"
	"runtime"
	"slices"
)

// Trainer runs forward and backward passes of a network whose parameters
// change: a Runner that also computes the gradient of the parameters, and packs
// them anew after every change. It takes the same kernels, so that a trained
// network gives the same bytes as Compile gives of the saved one.
//
// A step of training is
//
//	t.ForwardTraining(x, logits, key) // with dropout
//	t.Gradients(dlogits)              // into Params()[i].Grad
//	... change Params()[i].W ...
//	t.Update()
//
// Results do not depend on the number of threads. A Trainer is not safe for use
// by several goroutines at once.
type Trainer struct {
	net    *Net
	batch  int
	params []Param
	fast   *fast
	output Shape
	// training and gradients are the passes of a step, repack follows it.
	training, gradients []scheduled
	repack              scheduled
	// key is what dropout draws from.
	key [2]uint64
}

// Param is one tensor of a network's parameters and the gradient that
// Trainer.Gradients found for it. Both are float32 in PyTorch's layout.
type Param struct {
	// Name is the layer's with ".weight" or ".bias".
	Name    string
	Shape   []int
	W, Grad []float32
}

// Dropout names layers, convolutions or dense ones with a ReLU after them,
// whose outputs are dropped with a probability in [0,1) in training. Those
// that stay are divided by the probability of staying (Srivastava et al.
// 2014, section 10).
type Dropout map[string]float64

// NewTrainer copies a network for training with batches of one size. threads
// is as for Program.Runner. Convolutions and dense layers are trained. Other
// operations may stand between them, except batch norm, and affine maps other
// than that of the images: their parameters would need gradients of their own.
func NewTrainer(n *Net, p Profile, batch, threads int, drop Dropout) (*Trainer, error) {
	fail := func(err error) (*Trainer, error) { return nil, fmt.Errorf("train %s: %w", n.Name, err) }
	switch {
	case p.Family == Float64:
		return fail(fmt.Errorf("kernels %v, expected a float32 family", p))
	case batch < 1 || threads < 0:
		return fail(fmt.Errorf("batch %d on %d threads, expected at least 1 and 0", batch, threads))
	}
	if err := p.check(); err != nil {
		return fail(err)
	}
	shapes, err := n.Shapes()
	if err != nil {
		return fail(err)
	}
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	t := &Trainer{net: n.clone(slices.Clone[[]float32]), batch: batch, output: shapes[n.Output]}
	if err := trainable(t.net); err != nil {
		return fail(err)
	}
	pl := newPlan(t.net, shapes, p, p.Family.kernels())
	if t.repack, err = newRepack(t.net, shapes, pl); err != nil {
		return fail(err)
	}
	t.fast = newFast(pl, batch, threads, true)
	t.listParams()
	if err := t.schedule(pl, threads, drop); err != nil {
		t.Close()
		return fail(err)
	}
	return t, nil
}

// Net is the trainer's copy of the network; its parameters are those of Params.
func (t *Trainer) Net() *Net { return t.net }

// Params are the parameters in the order of the layers. Their slices stay the
// same for the life of the trainer.
func (t *Trainer) Params() []Param { return t.params }

// Batch is the number of images of one step.
func (t *Trainer) Batch() int { return t.batch }

// Forward computes the logits (batch*K) of images x (batch*C*H*W, NCHW) as a
// Runner does: without dropout.
func (t *Trainer) Forward(x, logits []float32) {
	t.check(x, logits)
	t.fast.forward(x, logits)
}

// Backward computes the gradient dx of sum(dlogits*logits) with respect to the
// images of the last Forward.
func (t *Trainer) Backward(dlogits, dx []float32) {
	t.check(dx, dlogits)
	t.fast.backward(dlogits, dx)
}

// ForwardTraining is Forward with dropout. What is dropped depends on seed,
// step, layer, image and entry only.
func (t *Trainer) ForwardTraining(x, logits []float32, seed, step uint64) {
	t.check(x, logits)
	t.key = [2]uint64{seed, step}
	t.fast.pass(t.training, x, logits)
}

// Gradients computes the gradient of sum(dlogits*logits) with respect to the
// parameters, at the images of the last ForwardTraining, into Params.
func (t *Trainer) Gradients(dlogits []float32) {
	t.check(nil, dlogits)
	t.fast.pass(t.gradients, dlogits, nil)
}

// Update packs the parameters anew. The passes do not see a change before it.
func (t *Trainer) Update() { t.fast.pass([]scheduled{t.repack}, nil, nil) }

// Close stops the worker threads.
func (t *Trainer) Close() { t.fast.close() }

func (t *Trainer) check(x, logits []float32) {
	if n := t.batch * t.net.Input.Len(); x != nil && len(x) != n {
		panic(fmt.Sprintf("engine: images have %d numbers, want %d (%d of %v)", len(x), n, t.batch, t.net.Input))
	}
	if n := t.batch * t.output.Len(); len(logits) != n {
		panic(fmt.Sprintf("engine: logits have %d numbers, want %d (%d of %v)", len(logits), n, t.batch, t.output))
	}
}
