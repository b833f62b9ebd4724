package sapf

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/internal/toy"
)

// linear returns a linear classifier of the given shape and number of classes
// with normal weights, and a grey image it calls class 0.
func linear(seed uint64, shape engine.Shape, classes int) (*toy.Linear, data.Image) {
	rng := rand.New(rand.NewPCG(seed, 7))
	m := &toy.Linear{Shape: shape, B: make([]float64, classes)}
	for range classes {
		w := make([]float64, shape.Len())
		for i := range w {
			w[i] = rng.NormFloat64()
		}
		m.W = append(m.W, w)
	}
	x := data.NewImage("grey", shape.C, shape.H, shape.W)
	for i := range x.Pix {
		x.Pix[i] = float32(0.3 + 0.4*rng.Float64())
	}
	for c, w := range m.W { // logits at x: 3 for class 0, 0 for the others
		for i, v := range x.Pix {
			m.B[c] -= w[i] * float64(v)
		}
	}
	m.B[0] += 3
	return m, x
}

func TestReferenceOnLinearModel(t *testing.T) {
	m, x := linear(1, engine.Shape{C: 3, H: 8, W: 8}, 4)
	s := Reference()
	s.K, s.Lambda2 = 40, 0
	r, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 2}, s)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Success || r.Status != attack.Succeeded || r.Trials != 6 || r.Gradients != 30000 {
		t.Errorf("status %s, success %v, %d rounds, %d gradients; want success, 6, 30000", r.Status, r.Success, r.Trials, r.Gradients)
	}
	norms, _ := attack.NormsOf(x, r.Adversarial)
	if norms.L0 > r.Selected || math.Abs(float64(r.Selected-40)) > 8 {
		t.Errorf("l0 %d, selected %d, k 40", norms.L0, r.Selected)
	}
	for _, round := range SearchOf(r) {
		t.Logf("%+v", round)
	}
}

// flipped is a classifier whose gradient has the wrong sign.
type flipped struct{ attack.Classifier }

func (c flipped) Evaluator(batch int, loss models.Loss) (models.Evaluator, error) {
	ev, err := c.Classifier.Evaluator(batch, loss)
	return flippedEvaluator{ev}, err
}

type flippedEvaluator struct{ models.Evaluator }

func (e flippedEvaluator) Gradient(x, targets []float64) (models.Evaluation, error) {
	ev, err := e.Evaluator.Gradient(x, targets)
	for i := range ev.Grad {
		ev.Grad[i] = -ev.Grad[i]
	}
	return ev, err
}
