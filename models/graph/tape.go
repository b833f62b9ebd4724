// Package graph has networks as graphs: Builder writes one down layer by layer,
// and Tape puts it on gorgonia's graph, from a batch of images to one loss an
// example, which gorgonia differentiates with respect to the images.
package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"sapf/models/engine"
)

// Tape is a network and a loss on a gorgonia graph, put in order once
// (sequence).
//
//	x, targets -> logits = net(x) -> loss -> d loss / d x
//
// Values on the tape are float64. On the fast profiles the network is one Op
// that rounds to float32 at its boundary (netOp); on the float64 profile every
// layer is an Op (layerOp).
type Tape struct {
	// X are the images, batch*C*H*W, and Targets what the loss compares the
	// logits with, batch*classes. The caller fills them before each run.
	X, Targets []float64

	batch int
	// step leads to logits, loss and grad; forward stops at the logits.
	step, forward      *sequence
	logits, loss, grad *gorgonia.Node
}

// NewTape makes the graph of a network of that many classes and a loss, for
// batches of one size. The runner computes the network; where it is nil,
// gorgonia goes through every layer in float64.
func NewTape(net *engine.Net, runner *engine.Runner, batch, classes int, loss Loss) (*Tape, error) {
	s := net.Input
	images, weights := newDense(batch, s.C, s.H, s.W), newDense(batch, classes)
	t := &Tape{X: images.Data().([]float64), Targets: weights.Data().([]float64), batch: batch}
	g := gorgonia.NewGraph()
	x := gorgonia.NewTensor(g, tensor.Float64, 4, gorgonia.WithShape(images.Shape()...), gorgonia.WithName("x"), gorgonia.WithValue(images))
	var err error
	if runner != nil {
		t.logits, err = gorgonia.ApplyOp(newNetOp(net.Name, runner, s, classes), x)
	} else {
		t.logits, err = addLayers(net, batch, x)
	}
	if err != nil {
		return nil, err
	}
	targets := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(weights.Shape()...), gorgonia.WithName("targets"), gorgonia.WithValue(weights))
	return t, t.differentiate(g, loss, x, targets)
}

// differentiate puts the loss and its gradient on the graph.
func (t *Tape) differentiate(g *gorgonia.ExprGraph, loss Loss, x, targets *gorgonia.Node) error {
	losses, err := build(loss, t.logits, targets)
	if err != nil {
		return err
	}
	if want := (tensor.Shape{t.batch}); !losses.Shape().Eq(want) {
		return fmt.Errorf("the loss has shape %v, expected one number an example, %v", losses.Shape(), want)
	}
	// The examples do not touch each other, so the gradient of their sum holds
	// each one's own; the gradient of the sum with respect to its terms is 1.
	ones := newDense(t.batch)
	for i := range t.batch {
		ones.Data().([]float64)[i] = 1
	}
	up := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(t.batch), gorgonia.WithName("ones"), gorgonia.WithValue(ones))
	grads, err := gorgonia.Backpropagate(gorgonia.Nodes{losses}, gorgonia.Nodes{up}, gorgonia.Nodes{x})
	if err != nil {
		return err
	}
	t.loss, t.grad = losses, grads[0]
	if t.forward, err = newSequence(g, t.logits); err != nil {
		return err
	}
	t.step, err = newSequence(g, t.logits, t.loss, t.grad)
	return err
}

// Forward computes the logits of X, batch*classes. What a run returns belongs to
// the tape and is overwritten by the next.
func (t *Tape) Forward() (logits []float64, err error) {
	if err := t.forward.run(); err != nil {
		return nil, err
	}
	return t.forward.value(t.logits), nil
}

// Gradient computes the loss of each example, its logits and its gradient with
// respect to its own image.
func (t *Tape) Gradient() (loss, logits, grad []float64, err error) {
	if err := t.step.run(); err != nil {
		return nil, nil, nil, err
	}
	return t.step.value(t.loss), t.step.value(t.logits), t.step.value(t.grad), nil
}
