package baseline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/metric"
)

func normEntries(q metric.Measurement, o optimum) (float64, float64) {
	return float64(q.L0), float64(o.entries)
}
func normPixels(q metric.Measurement, o optimum) (float64, float64) {
	return float64(q.L0Pixels), float64(o.pixels)
}
func normL1(q metric.Measurement, o optimum) (float64, float64) { return q.L1, o.l1 }
func normL2(q metric.Measurement, o optimum) (float64, float64) { return q.L2, o.l2 }
func normSparseL2(q metric.Measurement, o optimum) (float64, float64) {
	return q.L2, o.sparseL2
}
func normLinf(q metric.Measurement, o optimum) (float64, float64) { return q.Linf, o.linf }

var bothGoals = map[string]attack.Goal{
	"targeted":   {Label: 0, Target: 1},
	"untargeted": {Label: 0, Target: attack.None},
}

func TestSuite_complete(t *testing.T) {
	for _, name := range Names() {
		row, ok := suite[name]
		if !ok {
			t.Errorf("%s has no row in the suite", name)
			continue
		}
		if row.toy.Name() != name {
			t.Errorf("%s is called %s by itself", name, row.toy.Name())
		}
	}
	if len(suite) != len(Names()) {
		t.Errorf("%d rows in the suite for %d attacks", len(suite), len(Names()))
	}
}

// TestLinear holds every attack against the optimum of two-class linear models.
func TestLinear(t *testing.T) {
	const lead = 4
	for _, name := range Names() {
		row := suite[name]
		for how, goal := range bothGoals {
			t.Run(name+"/"+how, func(t *testing.T) {
				for seed := range uint64(2) {
					m, x, w := linearModel(t, 2, lead, seed)
					before := slices.Clone(x.Pix)
					r, err := row.toy.Run(context.Background(), m, x, goal)
					if err != nil {
						t.Fatal(err)
					}
					if !slices.Equal(before, x.Pix) {
						t.Fatal("the attack changed its input")
					}
					q, err := metric.Measure(m, x, r.Adversarial, goal)
					if err != nil {
						t.Fatal(err) // also: outside [0,1]
					}
					if !q.Success || r.Status != attack.Succeeded || !r.Success {
						t.Fatalf("seed %d: status %s, measured success %v, expected success", seed, r.Status, q.Success)
					}
					if r.Selected != q.L0 {
						t.Errorf("seed %d: %d entries selected, %d changed", seed, r.Selected, q.L0)
					}
					if r.Forwards < r.Gradients || r.Forwards == 0 {
						t.Errorf("seed %d: %d forwards and %d gradients", seed, r.Forwards, r.Gradients)
					}
					got, best := row.norm(q, optimumOf(x, w, lead))
					if limit := row.slack*best + row.extra; got > limit {
						t.Errorf("seed %d: distance %v, expected at most %v (optimum %v)", seed, got, limit, best)
					}
					if got < best*(1-1e-5) {
						t.Errorf("seed %d: distance %v below the optimum %v: the optimum is wrong", seed, got, best)
					}
					if seed > 0 {
						continue
					}
					again, err := row.toy.Run(context.Background(), m, x, goal)
					if err != nil || !slices.Equal(again.Adversarial.Pix, r.Adversarial.Pix) || again.Forwards != r.Forwards {
						t.Errorf("seed %d: a second run differs (%v)", seed, err)
					}
				}
			})
		}
	}
}

// TestReLU holds the l0 attacks against exhaustive search over entries and
// levels on a tiny ReLU network.
func TestReLU(t *testing.T) {
	for seed := range uint64(4) {
		m, x := reluNet(t, seed)
		for target := range 3 {
			goal := attack.Goal{Label: x.Label, Target: target}
			if target == x.Label {
				goal.Target = attack.None
			}
			best := fewestEntries(t, m, x, goal, 3)
			if best > 3 {
				continue
			}
			for _, name := range Names() {
				row := suite[name]
				if row.relu < 0 {
					continue
				}
				r, err := row.toy.Run(context.Background(), m, x, goal)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				q, err := metric.Measure(m, x, r.Adversarial, goal)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if q.Success != r.Success {
					t.Errorf("%s, seed %d, target %d: claims success %v, measured %v", name, seed, target, r.Success, q.Success)
				}
				if !q.Success && (name == "sigma-zero" || name == "fmn-l0" || name == "cornersearch" && best <= 2) {
					t.Errorf("%s, seed %d, target %d: failed where %d entries suffice", name, seed, target, best)
				}
				if q.Success && q.L0 > best+row.relu {
					t.Errorf("%s, seed %d, target %d: %d entries where %d suffice", name, seed, target, q.L0, best)
				}
			}
		}
	}
}

// TestProgress: what an attack reports counts up to at most its total, over the
// whole attack; where the goal is out of reach it reports something.
func TestProgress(t *testing.T) {
	for _, lead := range []float64{4, 1000} {
		m, x, _ := linearModel(t, 2, lead, 1)
		for _, name := range Names() {
			reports, last := 0, attack.Progress{}
			ctx := attack.WithProgress(context.Background(), func(p attack.Progress) {
				reports++
				if p.Method != name || p.Stage == "" || p.Trial < 1 || p.Trials > 0 && p.Trial > p.Trials {
					t.Errorf("%s reports %+v", name, p)
				}
				if p.Done < last.Done || p.Done > p.Total || p.Total < 1 || reports > 1 && p.Total != last.Total {
					t.Errorf("%s: %d of %d after %d of %d", name, p.Done, p.Total, last.Done, last.Total)
				}
				last = p
			})
			r, err := suite[name].toy.Run(ctx, m, x, attack.Goal{Label: 0, Target: 1})
			if err != nil || lead > 100 && r.Success {
				t.Errorf("%s, lead %v: status %s (%v)", name, lead, r.Status, err)
			}
			if oneStep := name == "fgsm" || name == "deepfool"; lead > 100 && reports == 0 && !oneStep {
				t.Errorf("%s reports no progress", name)
			}
		}
	}
}

// TestAlready: an image that satisfies the goal comes back untouched.
func TestAlready(t *testing.T) {
	m, x, _ := linearModel(t, 3, 1, 1)
	for _, name := range Names() {
		for _, goal := range []attack.Goal{{Label: 2, Target: 0}, {Label: 2, Target: attack.None}} {
			r, err := suite[name].toy.Run(context.Background(), m, x, goal)
			if err != nil || r.Status != attack.Already || !slices.Equal(r.Adversarial.Pix, x.Pix) || r.Forwards != 1 || r.Gradients != 0 {
				t.Errorf("%s: status %s after %d forwards and %d gradients (%v), expected %s after one forward", name, r.Status, r.Forwards, r.Gradients, err, attack.Already)
			}
		}
	}
}

// TestImpossible: a class that no image reaches is a failure, not an error, and
// the image that comes back is in the box.
func TestImpossible(t *testing.T) {
	shape := engine.Shape{C: 3, H: 4, W: 4}
	m, err := models.New(&engine.Net{
		Name: "constant", Input: shape,
		Nodes: []engine.Node{
			{Name: "flatten", Op: &engine.Flatten{}, In: []int{engine.Input}},
			{Name: "fc", Op: &engine.Dense{In: 48, Out: 3, W: make([]float32, 3*48), B: []float32{1, 0, -1}}, In: []int{0}},
		},
		Output: 1,
	}, models.Card{})
	if err != nil {
		t.Fatal(err)
	}
	x := data.NewImage("grey", 3, 4, 4)
	for i := range x.Pix {
		x.Pix[i] = 0.5
	}
	x.Label = 0
	for _, name := range Names() {
		for how, goal := range bothGoals {
			r, err := suite[name].toy.Run(context.Background(), m, x, goal)
			if err != nil || r.Status != attack.Failed || r.Success {
				t.Errorf("%s, %s: status %s, success %v (%v), expected %s", name, how, r.Status, r.Success, err, attack.Failed)
				continue
			}
			if err := r.Adversarial.Validate(); err != nil {
				t.Errorf("%s, %s: %v", name, how, err)
			}
		}
	}
}

// TestFailure23_Cancel: a context that ends stops an attack within one pass,
// with what it has and the status that says so.
func TestFailure23_Cancel(t *testing.T) {
	m, x, _ := linearModel(t, 2, 4, 1)
	for _, name := range Names() {
		for _, after := range []int{1, 2, 5} {
			ctx, cancel := context.WithCancel(context.Background())
			c := &cancelling{Classifier: m, after: after, cancel: cancel}
			r, err := suite[name].toy.Run(ctx, c, x, attack.Goal{Label: 0, Target: 1})
			cancel()
			if err != nil {
				t.Errorf("%s after %d passes: %v", name, after, err)
			}
			if c.passes > after {
				t.Errorf("%s: %d passes after the context ended", name, c.passes-after)
			}
			if c.passes == after && r.Status != attack.Cancelled && !r.Success && r.Status != attack.Failed {
				t.Errorf("%s after %d passes: status %s", name, after, r.Status)
			}
			if len(r.Adversarial.Pix) != len(x.Pix) {
				t.Errorf("%s after %d passes: an image of %d entries", name, after, len(r.Adversarial.Pix))
			}
		}
	}
}

// cancelling ends a context at its after-th pass.
type cancelling struct {
	attack.Classifier
	passes, after int
	cancel        func()
}

func (c *cancelling) Evaluator(batch int, loss models.Loss) (models.Evaluator, error) {
	e, err := c.Classifier.Evaluator(batch, loss)
	return &cancellingEvaluator{e, c}, err
}

type cancellingEvaluator struct {
	models.Evaluator
	c *cancelling
}

func (e *cancellingEvaluator) count() {
	if e.c.passes++; e.c.passes == e.c.after {
		e.c.cancel()
	}
}

func (e *cancellingEvaluator) Forward(x []float64) ([]float64, error) {
	e.count()
	return e.Evaluator.Forward(x)
}

func (e *cancellingEvaluator) Gradient(x, targets []float64) (models.Evaluation, error) {
	e.count()
	return e.Evaluator.Gradient(x, targets)
}

// TestFailure02_Numeric: a number that is not finite ends an attack with its
// own status and the best so far.
func TestFailure02_Numeric(t *testing.T) {
	m, x, _ := linearModel(t, 2, 4, 1)
	for _, name := range Names() {
		c := &overflowing{Classifier: m, after: 2}
		r, err := suite[name].toy.Run(context.Background(), c, x, attack.Goal{Label: 0, Target: 1})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Status != attack.Numeric && c.passes > c.after {
			t.Errorf("%s: status %s, expected %s", name, r.Status, attack.Numeric)
		}
		if err := r.Adversarial.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// overflowing is a classifier whose passes overflow after the first few.
type overflowing struct {
	attack.Classifier
	passes, after int
}

func (c *overflowing) Evaluator(batch int, loss models.Loss) (models.Evaluator, error) {
	e, err := c.Classifier.Evaluator(batch, loss)
	return &overflowingEvaluator{e, c}, err
}

type overflowingEvaluator struct {
	models.Evaluator
	c *overflowing
}

func (e *overflowingEvaluator) fail() error {
	if e.c.passes++; e.c.passes > e.c.after {
		return fmt.Errorf("pass %d: %w", e.c.passes, &models.NumericError{Where: "logits", Value: math.Inf(1)})
	}
	return nil
}

func (e *overflowingEvaluator) Forward(x []float64) ([]float64, error) {
	if err := e.fail(); err != nil {
		return nil, err
	}
	return e.Evaluator.Forward(x)
}

func (e *overflowingEvaluator) Gradient(x, targets []float64) (models.Evaluation, error) {
	if err := e.fail(); err != nil {
		return models.Evaluation{}, err
	}
	return e.Evaluator.Gradient(x, targets)
}

// TestBrokenModel: an error that is none of the above is handed on with the
// attack's and the image's name.
func TestBrokenModel(t *testing.T) {
	m, x, _ := linearModel(t, 2, 4, 1)
	for _, name := range Names() {
		_, err := suite[name].toy.Run(context.Background(), broken{m}, x, attack.Goal{Label: 0, Target: 1})
		if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), x.Name) {
			t.Errorf("%s: error %v, expected the model's with both names", name, err)
		}
	}
}

var errBroken = errors.New("no memory for buffers")

type broken struct{ attack.Classifier }

func (broken) Evaluator(int, models.Loss) (models.Evaluator, error) { return nil, errBroken }

// TestRefuses: what does not fit the model is an error that names the attack.
func TestRefuses(t *testing.T) {
	m, x, _ := linearModel(t, 2, 4, 1)
	small := data.NewImage("small", 3, 3, 4)
	for _, name := range Names() {
		a := suite[name].toy
		for what, try := range map[string]func() error{
			"an image of another shape": func() error {
				_, err := a.Run(context.Background(), m, small, attack.Goal{Label: 0, Target: 1})
				return err
			},
			"a target out of range": func() error {
				_, err := a.Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 2})
				return err
			},
			"the label as target": func() error {
				_, err := a.Run(context.Background(), m, x, attack.Goal{Label: 1, Target: 1})
				return err
			},
			"untargeted without a label": func() error {
				_, err := a.Run(context.Background(), m, x, attack.Goal{Label: attack.None, Target: attack.None})
				return err
			},
		} {
			if err := try(); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %s gives %v, expected an error with the attack's name", name, what, err)
			}
		}
	}
}
