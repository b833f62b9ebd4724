package models

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"sapf/models/engine"
)

// tape is the Evaluator of a Model: a gorgonia graph from the image to one
// loss per example, differentiated by gorgonia with respect to the image, and
// put in order once (sequence).
//
//	x, targets -> logits = net(x) -> loss -> d loss / d x
//
// Values on the tape are float64. On the fast profiles the network is one Op
// that rounds to float32 at its boundary (netOp); on the float64 profile every
// layer is an Op (layerOp).
type tape struct {
	model      *Model
	batch      int
	runner     *engine.Runner
	net        *netOp // nil on the float64 profile
	x, targets *tensor.Dense
	// step leads to logits, loss and grad; forward stops at the logits.
	step, forward      *sequence
	logits, loss, grad *gorgonia.Node
}

// Evaluator prepares steps of a loss for batches of the given size. Close it
// to give its buffers and threads back.
func (m *Model) Evaluator(batch int, loss Loss) (Evaluator, error) {
	if batch < 1 {
		return nil, fmt.Errorf("evaluator of model %s: batch %d, expected at least 1", m.card.Name, batch)
	}
	s, classes := m.net.Input, len(m.card.Classes)
	t := &tape{model: m, batch: batch, x: newDense(batch, s.C, s.H, s.W), targets: newDense(batch, classes)}
	if m.profile.Family != engine.Float64 {
		program, err := m.Program()
		if err != nil {
			return nil, err
		}
		if t.runner, err = program.Runner(batch, m.Threads); err != nil {
			return nil, err
		}
		t.net = newNetOp(m.card.Name, t.runner, s, classes)
	}
	if err := t.build(loss); err != nil {
		t.Close()
		return nil, fmt.Errorf("evaluator of model %s, loss %v, batch %d: %w", m.card.Name, loss, batch, err)
	}
	return t, nil
}

// build makes the graph and puts it in order.
func (t *tape) build(loss Loss) error {
	g := gorgonia.NewGraph()
	x, logits, err := t.addNet(g)
	if err != nil {
		return err
	}
	targets := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(t.targets.Shape()...),
		gorgonia.WithName("targets"), gorgonia.WithValue(t.targets))
	losses, err := loss.Build(logits, targets)
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
	t.logits, t.loss, t.grad = logits, losses, grads[0]
	if t.forward, err = newSequence(g, logits); err != nil {
		return err
	}
	t.step, err = newSequence(g, t.logits, t.loss, t.grad)
	return err
}

// addNet puts the image and the network on a graph.
func (t *tape) addNet(g *gorgonia.ExprGraph) (x, logits *gorgonia.Node, err error) {
	x = gorgonia.NewTensor(g, tensor.Float64, 4, gorgonia.WithShape(t.x.Shape()...),
		gorgonia.WithName("x"), gorgonia.WithValue(t.x))
	if t.net != nil {
		logits, err = gorgonia.ApplyOp(t.net, x)
	} else {
		logits, err = addLayers(t.model.net, t.batch, x)
	}
	return x, logits, err
}

// Batch is the number of examples of one step.
func (t *tape) Batch() int { return t.batch }

// Forward returns the logits of x.
func (t *tape) Forward(x []float64) ([]float64, error) {
	if err := t.load(x, t.x, "images"); err != nil {
		return nil, err
	}
	if err := t.forward.run(); err != nil {
		return nil, err
	}
	logits := t.forward.value(t.logits)
	return logits, t.check("logits", logits)
}

// Gradient runs one forward and one backward pass.
func (t *tape) Gradient(x, targets []float64) (Evaluation, error) {
	if err := t.load(x, t.x, "images"); err != nil {
		return Evaluation{}, err
	}
	if err := t.load(targets, t.targets, "targets"); err != nil {
		return Evaluation{}, err
	}
	if err := t.step.run(); err != nil {
		return Evaluation{}, err
	}
	e := Evaluation{Loss: t.step.value(t.loss), Logits: t.step.value(t.logits), Grad: t.step.value(t.grad)}
	if err := t.check("logits", e.Logits); err != nil {
		return e, err
	}
	if err := t.check("loss", e.Loss); err != nil {
		return e, err
	}
	return e, t.check("gradient", e.Grad)
}

// load copies v into a tensor of the tape.
func (t *tape) load(v []float64, into *tensor.Dense, what string) error {
	to := into.Data().([]float64)
	if len(v) != len(to) {
		return fmt.Errorf("step of model %s, batch %d: %d numbers of %s, expected %d", t.model.card.Name, t.batch, len(v), what, len(to))
	}
	if err := finite(what, v, t.batch); err != nil {
		return err
	}
	copy(to, v)
	return nil
}

// check reports a number that is not finite, and for logits the layer it comes
// from.
func (t *tape) check(where string, v []float64) error {
	e := finite(where, v, t.batch)
	if e == nil {
		return nil
	}
	if where != "logits" {
		return e
	}
	n := t.model.net.Input.Len()
	pix := make([]float32, n)
	for i, x := range t.x.Data().([]float64)[e.Example*n:][:n] {
		pix[i] = float32(x)
	}
	return t.model.locate(e, pix)
}

// Close gives the buffers and threads back.
func (t *tape) Close() error {
	if t.runner != nil {
		t.runner.Close()
		t.runner = nil
	}
	return nil
}

var _ Evaluator = (*tape)(nil)
