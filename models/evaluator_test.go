package models_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
)

func cat(t testing.TB) []float64 {
	t.Helper()
	x, err := data.Load("cat", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return floats(x.Pix)
}

func TestPredictCat(t *testing.T) {
	x, err := data.Load("cat", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := load(t, "cwnet", "").Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "cat" || math.Abs(p.Probabilities[3]-0.727) > 0.001 {
		t.Errorf("the cat is a %v", p)
	}
	if top := p.Top(2); top[0].Class != 3 || top[1].Name != "dog" {
		t.Errorf("top 2: %v", top)
	}
}

// TestEvaluatorBatch: an example's numbers do not depend on its neighbours,
// and steps do not leak into one another.
func TestEvaluatorBatch(t *testing.T) {
	m := load(t, "random:resnet2b", "generic")
	x, n := cat(t), m.InputShape().Len()
	for _, loss := range []models.Loss{models.Linear{}, attack.Margin{}, attack.CrossEntropy{}} {
		alone, err := m.Evaluator(1, loss)
		if err != nil {
			t.Fatal(err)
		}
		const batch = 3
		together, err := m.Evaluator(batch, loss)
		if err != nil {
			t.Fatal(err)
		}
		xs, targets := make([]float64, batch*n), make([]float64, batch*10)
		for b := range batch {
			for i, v := range x {
				xs[b*n+i] = v * float64(b+1) / batch
			}
			targets[b*10+2*b] = 1
		}
		for range 2 {
			got, err := together.Gradient(xs, targets)
			if err != nil {
				t.Fatal(err)
			}
			z, err := alone.Forward(xs[:n])
			if err != nil || z[0] != got.Logits[0] {
				t.Errorf("%v: forward gives logit %v, gradient gave %v (%v)", loss, z[0], got.Logits[0], err)
			}
			for b := range batch {
				one, err := alone.Gradient(xs[b*n:(b+1)*n], targets[b*10:(b+1)*10])
				if err != nil {
					t.Fatal(err)
				}
				if one.Loss[0] != got.Loss[b] {
					t.Errorf("%v: example %d: loss %v alone, %v in a batch", loss, b, one.Loss[0], got.Loss[b])
				}
				for i, g := range one.Grad {
					if g != got.Grad[b*n+i] {
						t.Fatalf("%v: example %d: gradient %d is %v alone, %v in a batch", loss, b, i, g, got.Grad[b*n+i])
					}
				}
			}
		}
		alone.Close()
		together.Close()
	}
}

// TestCentralDifferences checks the float64 tape along random directions.
func TestCentralDifferences(t *testing.T) {
	m := load(t, "cwnet", "float64")
	x := cat(t)
	e, err := m.Evaluator(1, attack.CrossEntropy{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	target := make([]float64, 10)
	target[5] = 1
	got, err := e.Gradient(x, target)
	if err != nil {
		t.Fatal(err)
	}
	grad := append([]float64(nil), got.Grad...)
	const h = 1e-6
	for _, i := range []int{517} {
		moved := append([]float64(nil), x...)
		value := func(d float64) float64 {
			moved[i] = x[i] + d
			v, err := e.Gradient(moved, target)
			if err != nil {
				t.Fatal(err)
			}
			return v.Loss[0]
		}
		want := (value(h) - value(-h)) / (2 * h)
		if math.Abs(grad[i]-want) > 1e-5*math.Max(1, math.Abs(want)) {
			t.Errorf("entry %d: gradient %v, central difference %v", i, grad[i], want)
		}
	}
}

func TestEvaluatorRefuses(t *testing.T) {
	m := load(t, "cwnet", "generic")
	if _, err := m.Evaluator(0, models.Linear{}); err == nil {
		t.Error("batch 0 is accepted")
	}
	e, err := m.Evaluator(1, models.Linear{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	x := cat(t)
	if _, err := e.Gradient(x[:5], make([]float64, 10)); err == nil {
		t.Error("5 pixels are accepted")
	}
	x[7] = math.NaN()
	var numeric *models.NumericError
	if _, err := e.Gradient(x, make([]float64, 10)); !errors.As(err, &numeric) || numeric.Index != 7 {
		t.Errorf("NaN pixel: %v", err)
	}
	x[7] = 1e300
	if _, err := e.Forward(x); !errors.As(err, &numeric) || numeric.Where != "logits" || numeric.Layer == "" {
		t.Errorf("pixel beyond float32: %v", err)
	}
}

// BenchmarkTape is a gradient step of a network that costs next to nothing, a
// dense layer of 2 x 4, on cwnet's images: what the tape, the copies and the
// conversions between float64 and float32 cost beside the network.
func BenchmarkTape(b *testing.B) {
	net := &engine.Net{Name: "none", Input: engine.Shape{C: 3, H: 32, W: 32}, Nodes: []engine.Node{
		{Name: "corner", Op: &engine.Slice{C0: 0, C1: 1, StrideH: 31, StrideW: 31}, In: []int{engine.Input}},
		{Name: "fc", Op: &engine.Dense{In: 4, Out: 2, W: make([]float32, 8)}, In: []int{0}},
	}, Output: 1}
	m, err := models.New(net, models.Card{})
	if err != nil {
		b.Fatal(err)
	}
	for _, batch := range []int{1, 9} {
		b.Run(fmt.Sprintf("batch%d", batch), func(b *testing.B) {
			e, err := m.WithThreads(1).Evaluator(batch, attack.Margin{})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			x, targets := make([]float64, batch*3072), make([]float64, batch*2)
			for i := range batch {
				targets[2*i] = 1
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Gradient(x, targets); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStep is a gradient step of cwnet, tape and all.
func BenchmarkStep(b *testing.B) {
	for _, batch := range []int{1, 9} {
		b.Run(fmt.Sprintf("batch%d", batch), func(b *testing.B) {
			m := load(b, "cwnet", "")
			e, err := m.Evaluator(batch, attack.Margin{})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			x, targets := make([]float64, batch*3072), make([]float64, batch*10)
			for i := range batch {
				copy(x[i*3072:], cat(b))
				targets[i*10+i] = 1
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Gradient(x, targets); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
