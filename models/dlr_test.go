package models_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"sapf/models"
)

// TestDLR: the formula by hand, its gradient by central differences, and that
// scaling the logits by a million changes neither.
func TestDLR(t *testing.T) {
	z := []float64{1, 4, 2, 0.5}
	if got := (models.DLR{Untargeted: true}).Example(z, []float64{0, 1, 0, 0}, nil); got != (4-2)/(4-1.0) {
		t.Errorf("untargeted %v, expected 2/3", got)
	}
	if got := (models.DLR{}).Example(z, []float64{1, 0, 0, 0}, nil); got != (4-1)/(4-0.75) {
		t.Errorf("targeted %v, expected 3/3.25", got)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		for _, l := range []models.DLR{{}, {Untargeted: true}} {
			z, target := make([]float64, 6), make([]float64, 6)
			for i := range z {
				z[i] = r.NormFloat64()
			}
			target[r.IntN(6)] = 1
			grad := make([]float64, 6)
			value := l.Example(z, target, grad)
			large, largeGrad := make([]float64, 6), make([]float64, 6)
			for i := range z {
				large[i] = 1e6*z[i] + 7
			}
			if v := l.Example(large, target, largeGrad); math.Abs(v-value) > 1e-8*(1+math.Abs(value)) {
				t.Errorf("%v: %v, of scaled logits %v", l, value, v)
			}
			for i := range z {
				const h = 1e-7
				at := z[i]
				z[i] = at + h
				up := l.Example(z, target, nil)
				z[i] = at - h
				down := l.Example(z, target, nil)
				z[i] = at
				if want := (up - down) / (2 * h); math.Abs(grad[i]-want) > 1e-5*(1+math.Abs(want)) {
					t.Errorf("%v: gradient %d is %v, central difference %v", l, i, grad[i], want)
				}
				if math.Abs(1e6*largeGrad[i]-grad[i]) > 1e-6*(1+math.Abs(grad[i])) {
					t.Errorf("%v: gradient %d is %v, of scaled logits %v", l, i, grad[i], largeGrad[i])
				}
			}
		}
	}
	if v := (models.DLR{}).Example([]float64{1, 2}, []float64{0, 1}, nil); !math.IsNaN(v) {
		t.Errorf("two classes give %v", v)
	}
	if v := (models.DLR{}).Example([]float64{1, 1, 1, 1}, []float64{0, 1, 0, 0}, make([]float64, 4)); v != 0 {
		t.Errorf("equal logits give %v", v)
	}
}
