package metric_test

import (
	"context"
	"math"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/baseline"
	"sapf/sapf/metric"
)

// slope is a two-class model on 1x2x2 images: Z_1 - Z_0 = gain*(mean - 3/4).
func slope(t *testing.T, gain float32) (*models.Model, data.Image, attack.Goal) {
	t.Helper()
	w := make([]float32, 8)
	for i := range 4 {
		w[4+i] = gain / 4
	}
	m, err := models.New(&engine.Net{
		Name: "slope", Input: engine.Shape{C: 1, H: 2, W: 2},
		Nodes: []engine.Node{
			{Name: "flatten", Op: &engine.Flatten{}, In: []int{engine.Input}},
			{Name: "fc", Op: &engine.Dense{In: 4, Out: 2, W: w, B: []float32{0, -0.75 * gain}}, In: []int{0}},
		},
		Output: 1,
	}, models.Card{})
	if err != nil {
		t.Fatal(err)
	}
	x := data.NewImage("grey", 1, 2, 2)
	for i := range x.Pix {
		x.Pix[i] = 0.5
	}
	x.Label = 0
	return m, x, attack.Goal{Label: 0, Target: 1}
}

// script is an attack that asks about one image and returns another.
type script struct {
	ask, answer float32
	claim       bool
	gradient    bool
}

func (script) Name() string { return "script" }

func (s script) Run(_ context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	e, err := m.Evaluator(1, attack.Margin{})
	if err != nil {
		return attack.Result{}, err
	}
	defer e.Close()
	point := []float64{float64(s.ask), float64(s.ask), float64(s.ask), float64(s.ask)}
	if s.gradient {
		_, err = e.Gradient(point, []float64{0, 1})
	} else {
		_, err = e.Forward(point)
	}
	adv := x.Clone()
	for i := range adv.Pix {
		adv.Pix[i] = s.answer
	}
	return attack.Result{Success: s.claim, Adversarial: adv}, err
}

func TestExamine(t *testing.T) {
	m, x, goal := slope(t, 10)
	steeper, _, _ := slope(t, -10) // falls where m rises
	for _, c := range []struct {
		name    string
		attack  attack.Attack
		checkup metric.Checkup
		want    string
	}{
		{"sound", baseline.SigmaZero{}, metric.Checkup{}, "healthy"},
		{"asked of a success, returned the image", script{ask: 1, answer: 0.5}, metric.Checkup{}, "silent success"},
		{"claims what is not so", script{ask: 0.5, answer: 0.5, claim: true}, metric.Checkup{}, "false success"},
		{"starts beyond the boundary, where the hinge is flat", script{ask: 1, answer: 1, claim: true, gradient: true}, metric.Checkup{}, "unavailable gradients"},
		{"stops while the loss falls", baseline.PGDLinf{Epsilon: 0.2, StepSize: 0.004}, metric.Checkup{}, "incomplete optimization"},
		{"transfers nowhere", baseline.SigmaZero{}, metric.Checkup{Transfer: steeper}, "transfer failure"},
		{"fails without bounds", script{ask: 0.5, answer: 0.5}, metric.Checkup{Unconstrained: script{ask: 0.6, answer: 0.6}}, "unconstrained failure"},
		{"succeeds without bounds", script{ask: 0.5, answer: 0.5}, metric.Checkup{Unconstrained: baseline.SigmaZero{}}, "healthy"},
	} {
		_, h, err := metric.Examine(context.Background(), m, c.attack, x, goal, c.checkup)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := h.String(); got != c.want {
			t.Errorf("%s: %q, expected %q", c.name, got, c.want)
		}
	}
}

// TestExamine_unstable: a model whose logits jump with every pixel's last bits.
func TestExamine_unstable(t *testing.T) {
	m, x, goal := slope(t, 10)
	_, h, err := metric.Examine(context.Background(), m, script{ask: 0.5, answer: 0.5}, x, goal, metric.Checkup{})
	if err != nil {
		t.Fatal(err)
	}
	// The mean moves by less than 4/255 of the 1/4 to the boundary.
	if h.UnstablePredictions <= 0 || h.UnstablePredictions > 4*4.0/255 {
		t.Errorf("a linear model: %v", h.UnstablePredictions)
	}
	again, _, _ := slope(t, 10)
	_, h2, err := metric.Examine(context.Background(), again, script{ask: 0.5, answer: 0.5}, x, goal, metric.Checkup{})
	if err != nil || h2.UnstablePredictions != h.UnstablePredictions {
		t.Errorf("a second examination gives %v (%v), the first %v", h2.UnstablePredictions, err, h.UnstablePredictions)
	}
	near := x.Clone()
	for i := range near.Pix {
		near.Pix[i] = 0.7499
	}
	_, h, err = metric.Examine(context.Background(), m, script{ask: 0.5, answer: 0.5}, near, goal, metric.Checkup{})
	if err != nil || h.UnstablePredictions != 1 {
		t.Errorf("next to the boundary: %v (%v), expected the cap of 1", h.UnstablePredictions, err)
	}
}

// TestWatch: the smallest distance over all queries, within the limit.
func TestWatch(t *testing.T) {
	m, x, goal := slope(t, 10)
	points := [][]float64{
		{1, 1, 1, 1},         // adversarial, 4 entries
		{0.9, 0.9, 0.9, 0.9}, // the same, nearer
		{1, 1, 1, 0.5},       // 3 entries
		{2, 2, 2, 0.5},       // outside the box
		{1, 0.5, 0.5, 0.5},   // short of the boundary
	}
	for _, c := range []struct {
		limit int
		hits  int
		l0    float64
		linf  float64
	}{{0, 3, 3, 0.4}, {3, 3, 3, 0.4}, {2, 2, 4, 0.4}, {1, 1, 4, 0.5}} {
		w := metric.Watch(m, x, goal)
		w.Limit = c.limit
		e, err := w.Evaluator(1, attack.Margin{})
		if err != nil {
			t.Fatal(err)
		}
		for _, point := range points {
			if _, err := e.Forward(point); err != nil {
				t.Fatal(err)
			}
		}
		e.Close()
		if w.Forwards != len(points) || w.Gradients != 0 || w.Hits != c.hits {
			t.Errorf("limit %d: %d forwards, %d gradients, %d hits; expected %d, 0, %d", c.limit, w.Forwards, w.Gradients, w.Hits, len(points), c.hits)
		}
		if l0, linf := w.Smallest(metric.L0), w.Smallest(metric.Linf); l0 != c.l0 || math.Abs(linf-c.linf) > 1e-12 {
			t.Errorf("limit %d: smallest l0 %v and linf %v, expected %v and %v", c.limit, l0, linf, c.l0, c.linf)
		}
	}
	if d := metric.Watch(m, x, goal).Smallest(metric.L2); !math.IsInf(d, 1) {
		t.Errorf("nothing asked: smallest l2 %v, expected +Inf", d)
	}
}
