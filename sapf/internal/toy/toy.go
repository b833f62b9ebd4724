// Package toy has classifiers small enough to be known completely, for the
// tests of attacks: gradients written by hand, optima in closed form.
package toy

import (
	"fmt"
	"math"

	"sapf/models"
	"sapf/models/engine"
)

// Linear is the classifier Z = W x + b.
type Linear struct {
	Shape engine.Shape
	// W has Shape.Len() entries a class, B one; B may be nil.
	W [][]float64
	B []float64
	// Break, if set, is called with the points of each pass and may spoil the
	// logits, for tests of failure.
	Break func(call int, logits []float64)
}

// InputShape is the shape of the images.
func (m *Linear) InputShape() engine.Shape { return m.Shape }

// Classes are numbered.
func (m *Linear) Classes() []string {
	names := make([]string, len(m.W))
	for i := range names {
		names[i] = fmt.Sprintf("class %d", i)
	}
	return names
}

// exampleLoss is how the losses of package sapf give their gradient.
type exampleLoss interface {
	Example(logits, target, grad []float64) float64
}

// Evaluator needs a loss of package sapf.
func (m *Linear) Evaluator(batch int, loss models.Loss) (models.Evaluator, error) {
	if batch < 1 {
		return nil, fmt.Errorf("toy: batch %d, expected at least 1", batch)
	}
	l, ok := loss.(exampleLoss)
	if !ok {
		return nil, fmt.Errorf("toy: loss %v has no gradient by hand", loss)
	}
	n, k := m.Shape.Len(), len(m.W)
	return &evaluator{m: m, loss: l, batch: batch, eval: models.Evaluation{
		Loss: make([]float64, batch), Logits: make([]float64, batch*k), Grad: make([]float64, batch*n)}, slope: make([]float64, k)}, nil
}

type evaluator struct {
	m     *Linear
	loss  exampleLoss
	batch int
	calls int
	eval  models.Evaluation
	slope []float64
}

func (e *evaluator) Batch() int   { return e.batch }
func (e *evaluator) Close() error { return nil }

func (e *evaluator) Forward(x []float64) ([]float64, error) {
	n, k := e.m.Shape.Len(), len(e.m.W)
	e.calls++
	for i := range e.batch {
		for c, w := range e.m.W {
			z := 0.0
			if e.m.B != nil {
				z = e.m.B[c]
			}
			for j, v := range x[i*n : (i+1)*n] {
				z += float64(w[j] * v)
			}
			e.eval.Logits[i*k+c] = z
		}
		if e.m.Break != nil {
			e.m.Break(e.calls, e.eval.Logits[i*k:(i+1)*k])
		}
		for c, z := range e.eval.Logits[i*k : (i+1)*k] {
			if math.IsNaN(z) || math.IsInf(z, 0) {
				return nil, &models.NumericError{Where: "logits", Example: i, Index: c, Value: z}
			}
		}
	}
	return e.eval.Logits, nil
}

func (e *evaluator) Gradient(x, targets []float64) (models.Evaluation, error) {
	if _, err := e.Forward(x); err != nil {
		return models.Evaluation{}, err
	}
	n, k := e.m.Shape.Len(), len(e.m.W)
	for i := range e.batch {
		e.eval.Loss[i] = e.loss.Example(e.eval.Logits[i*k:(i+1)*k], targets[i*k:(i+1)*k], e.slope)
		g := e.eval.Grad[i*n : (i+1)*n]
		clear(g)
		for c, s := range e.slope {
			if s != 0 {
				for j, w := range e.m.W[c] {
					g[j] += float64(s * w)
				}
			}
		}
	}
	return e.eval, nil
}
