package sapf

import (
	"context"
	"math"
	"slices"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/internal/toy"
)

// twoPaths is the classifier Z = A x + B tanh(x), whose second layer's gradient
// is multiplied by sign: -1 is the mutation.
type twoPaths struct {
	*toy.Linear
	sign float64
}

func (m twoPaths) Evaluator(batch int, loss models.Loss) (models.Evaluator, error) {
	ev, err := m.Linear.Evaluator(batch, loss)
	return &twoPathsEvaluator{Evaluator: ev, m: m, loss: loss.(models.Loss)}, err
}

type twoPathsEvaluator struct {
	models.Evaluator
	m    twoPaths
	loss models.Loss
}

func (e *twoPathsEvaluator) Forward(x []float64) ([]float64, error) {
	z, err := e.Evaluator.Forward(x)
	n, classes := e.m.Shape.Len(), len(e.m.W)
	for b := range e.Batch() {
		for c, w := range e.m.W {
			for i, v := range x[b*n : (b+1)*n] {
				z[b*classes+c] += w[n-1-i] * math.Tanh(v)
			}
		}
	}
	return z, err
}

func (e *twoPathsEvaluator) Gradient(x, targets []float64) (models.Evaluation, error) {
	z, err := e.Forward(x)
	n, classes := e.m.Shape.Len(), len(e.m.W)
	v := models.Evaluation{Logits: z, Loss: make([]float64, e.Batch()), Grad: make([]float64, len(x))}
	slope := make([]float64, classes)
	for b := range e.Batch() {
		v.Loss[b] = e.loss.Example(z[b*classes:(b+1)*classes], targets[b*classes:(b+1)*classes], slope)
		for c, w := range e.m.W {
			for i := range n {
				t := math.Tanh(x[b*n+i])
				v.Grad[b*n+i] += slope[c] * (w[i] + e.m.sign*w[n-1-i]*(1-t*t))
			}
		}
	}
	return v, err
}

// gradientError is the largest difference between the gradient and central
// differences of the loss, in units of the largest entry.
func gradientError(t *testing.T, m attack.Classifier, x data.Image, target int, loss models.Loss) float64 {
	t.Helper()
	ev, err := m.Evaluator(1, loss)
	if err != nil {
		t.Fatal(err)
	}
	point := make([]float64, x.Len())
	for i, v := range x.Pix {
		point[i] = float64(v)
	}
	row := oneHot(len(m.Classes()), target)
	v, err := ev.Gradient(point, row)
	if err != nil {
		t.Fatal(err)
	}
	grad := slices.Clone(v.Grad)
	const h = 1e-6
	worst, largest := 0.0, 0.0
	for i := range point {
		value := func(d float64) float64 {
			moved := slices.Clone(point)
			moved[i] += d
			z, err := ev.Forward(moved)
			if err != nil {
				t.Fatal(err)
			}
			return loss.(models.Loss).Example(z, row, nil)
		}
		worst = max(worst, math.Abs(grad[i]-(value(h)-value(-h))/(2*h)))
		largest = max(largest, math.Abs(grad[i]))
	}
	return worst / largest
}

// TestFailure20_OneLayerFlipped: with the sign of one layer's gradient flipped,
// the check by central differences fails, and so does a known answer: the least
// perturbation that SAPF finds.
func TestFailure20_OneLayerFlipped(t *testing.T) {
	line, x := linear(2, small, 4)
	for c, w := range line.W { // logits at x: 3 for class 0, 0 for the others
		for i, v := range x.Pix {
			line.B[c] -= w[len(w)-1-i] * math.Tanh(float64(v))
		}
	}
	s := short(40)
	s.Round, s.SearchRounds = "topk", 6
	l2 := map[float64]float64{}
	for _, sign := range []float64{1, -1} {
		m := twoPaths{line, sign}
		for _, loss := range []models.Loss{attack.Margin{}, attack.CrossEntropy{}} {
			if e := gradientError(t, m, x, 1, loss); (sign == 1) != (e < 1e-7) {
				t.Errorf("sign %g, %v: the gradient misses central differences by %.2g", sign, loss, e)
			}
		}
		r, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, s)
		if err != nil {
			t.Fatal(err)
		}
		l2[sign] = math.Inf(1)
		if norms, _ := attack.NormsOf(x, r.Adversarial); r.Success {
			l2[sign] = norms.L2
		}
	}
	t.Logf("l2 %.4f, with a layer flipped %.4f", l2[1], l2[-1])
	if !(l2[1] < 0.5*l2[-1]) {
		t.Errorf("l2 %.4f with the right gradient, %.4f with a layer flipped: the known answer tells nothing", l2[1], l2[-1])
	}
}

// TestFailure20_SignFlipped: a model whose whole gradient has the wrong sign
// does not pass for one that has it right.
func TestFailure20_SignFlipped(t *testing.T) {
	m, x := linear(2, small, 4)
	s := short(40)
	s.Round = "topk"
	r, err := Run(context.Background(), flipped{m}, x, attack.Goal{Label: 0, Target: 1}, s)
	if err != nil || r.Success {
		t.Errorf("with a gradient of the wrong sign: %s, %v", r.Status, err)
	}
}

func oneHot(n, i int) []float64 {
	v := make([]float64, n)
	v[i] = 1
	return v
}
