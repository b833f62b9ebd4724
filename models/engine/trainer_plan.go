package engine

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
)

// clone copies a network; param gives the copy of every parameter slice.
func (n *Net) clone(param func(w []float32) []float32) *Net {
	c := *n
	c.Nodes = slices.Clone(n.Nodes)
	for i, node := range n.Nodes {
		switch op := node.Op.(type) {
		case *Conv:
			v := *op
			v.W, v.B = param(op.W), param(op.B)
			c.Nodes[i].Op = &v
		case *Dense:
			v := *op
			v.W, v.B = param(op.W), param(op.B)
			c.Nodes[i].Op = &v
		}
	}
	return &c
}

// trainable refuses networks with parameters that would stay as they are.
func trainable(n *Net) error {
	needed := reachable(n)
	for i, node := range n.Nodes {
		switch node.Op.(type) {
		case *BatchNorm:
			return fmt.Errorf("layer %s is batch norm, whose statistics and parameters are not trained", node.Name)
		case *Affine:
			if node.In[0] != Input {
				return fmt.Errorf("layer %s is an affine map behind the first layer, whose parameters are not trained", node.Name)
			}
		case *Conv, *Dense:
			if !needed[i] {
				return fmt.Errorf("layer %s does not lead to the output", node.Name)
			}
		}
	}
	return nil
}

// listParams gives every parameter a gradient.
func (t *Trainer) listParams() {
	add := func(name string, w []float32, shape ...int) {
		if w != nil {
			t.params = append(t.params, Param{Name: name, Shape: shape, W: w, Grad: make([]float32, len(w))})
		}
	}
	for _, node := range t.net.Nodes {
		switch op := node.Op.(type) {
		case *Conv:
			add(node.Name+".weight", op.W, op.Out, op.In/op.Groups, op.KernelH, op.KernelW)
			add(node.Name+".bias", op.B, op.Out)
		case *Dense:
			add(node.Name+".weight", op.W, op.Out, op.In)
			add(node.Name+".bias", op.B, op.Out)
		}
	}
}

// grad is the gradient that belongs to a parameter.
func (t *Trainer) grad(w []float32) []float32 {
	for _, p := range t.params {
		if len(w) > 0 && &p.W[0] == &w[0] {
			return p.Grad
		}
	}
	return nil
}

// schedule plans the passes of a training step.
func (t *Trainer) schedule(pl *plan, threads int, rates Dropout) error {
	layers := pl.net.layers
	drops, err := t.drops(layers, rates)
	if err != nil {
		return err
	}
	add := func(list *[]scheduled, m maker) { *list = append(*list, m.prepare(t.fast, t.batch, threads)...) }

	for at, m := range pl.forward {
		add(&t.training, m)
		for i, ly := range layers {
			if drops[i] != nil && ly.forward == at {
				t.training = append(t.training, scheduled{drops[i], t.batch})
			}
		}
	}
	// The backward pass ends before the first layer's own steps, since nobody
	// asks for the gradient of the images.
	for at := 0; at <= layers[0].backward; at++ {
		for i, ly := range layers {
			if drops[i] != nil && ly.backward == at {
				t.gradients = append(t.gradients, scheduled{&keepStep{drops[i]}, t.batch})
			}
		}
		if at < layers[0].backward {
			add(&t.gradients, pl.backward[at])
		}
	}
	var planes, panel int
	for _, ly := range layers {
		var g interface {
			scratch() (planes, panel int)
			steps() []scheduled
		}
		switch op := ly.op.(type) {
		case *Conv:
			if dw := t.grad(op.W); dw != nil { // not an average pool
				g = newConvGrad(pl, op, ly.in[0].t, ly.out.pending, dw, t.grad(op.B), t.batch)
			}
		case *Dense:
			g = newDenseGrad(pl, op, ly.in[0].t, ly.out.pending, t.grad(op.W), t.grad(op.B), t.batch)
		}
		if g == nil {
			continue
		}
		n, m := g.scratch()
		planes, panel = max(planes, n), max(panel, m)
		t.gradients = append(t.gradients, g.steps()...)
	}
	for _, w := range t.fast.pool.workers {
		w.grad = gradScratch{planes: aligned(planes), panel: aligned(panel)}
	}
	return nil
}

// dropStep multiplies the outputs of a layer by 0 or scale, image by image.
type dropStep struct {
	t     *Trainer
	y, dy *tensor
	rate  float64
	scale float32
	layer int
}

// drops are the steps of the layers that drop, nil for the others.
func (t *Trainer) drops(layers []*layer, rates Dropout) ([]*dropStep, error) {
	drops, found := make([]*dropStep, len(layers)), 0
	var names []string
	for i, ly := range layers {
		names = append(names, ly.name)
		rate, ok := rates[ly.name]
		switch {
		case !ok:
			continue
		case !(rate >= 0 && rate < 1):
			return nil, fmt.Errorf("dropout of %v after layer %s, expected a probability in [0,1)", rate, ly.name)
		case !ly.act || !math.IsInf(float64(ly.hi), 1):
			return nil, fmt.Errorf("dropout after layer %s, expected a layer with a ReLU behind it", ly.name)
		}
		found++
		drops[i] = &dropStep{t: t, y: ly.out.t, dy: ly.out.pending, rate: rate, scale: float32(1 / (1 - rate)), layer: i}
	}
	if found < len(rates) {
		for _, name := range slices.Sorted(maps.Keys(rates)) {
			if !slices.Contains(names, name) {
				return nil, fmt.Errorf("dropout after layer %s, expected one of %v", name, names)
			}
		}
	}
	return drops, nil
}

func (s *dropStep) run(w *worker, image int) {
	r := rand.New(rand.NewPCG(s.t.key[0]^uint64(s.layer)<<32^uint64(image), s.t.key[1]))
	s.y.scatter(w, image, false, func(_ int, old float32) float32 {
		if r.Float64() < s.rate {
			return 0
		}
		return old * s.scale
	})
}

// keepStep is the backward pass of a dropStep. The mask of the ReLU has made
// the gradient of what was dropped zero already, since it is not positive.
type keepStep struct{ *dropStep }

func (s *keepStep) run(w *worker, image int) {
	s.dy.scatter(w, image, false, func(_ int, old float32) float32 { return old * s.scale })
}
