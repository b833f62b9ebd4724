package metric

import (
	"fmt"
	"math"
	"testing"
)

// TestOptimality_vector is the worked example of AttackBench's own program.
func TestOptimality_vector(t *testing.T) {
	best := []float64{0, 2, 3, 5, 8}
	attack := []float64{0, 2, 4, 9, math.Inf(1)}
	if a := CurveArea(Curve(best), 8); math.Abs(a-2.8) > 1e-12 {
		t.Errorf("area of the best curve %v, expected 2.8", a)
	}
	if a := CurveArea(Curve(attack), 8); math.Abs(a-3.2) > 1e-12 {
		t.Errorf("area of the attack's curve %v, expected 3.2", a)
	}
	got, err := Optimality(attack, best)
	if err != nil || math.Abs(got-0.888889) > 1e-6 {
		t.Errorf("optimality %v (%v), expected 0.888889", got, err)
	}
	if got, err := Optimality(best, best); err != nil || got != 1 {
		t.Errorf("optimality of the best attack %v (%v), expected 1", got, err)
	}
}

// TestStepOptimality: 1 for the best attack, 0 for one that never succeeds,
// and the mean distance decides between.
func TestStepOptimality(t *testing.T) {
	inf := math.Inf(1)
	best := []float64{0, 2, 3, 5, 8}
	for _, c := range []struct {
		attack []float64
		want   float64
	}{
		{best, 1},
		{[]float64{0, inf, inf, inf, inf}, 0},
		// A = (0+2+4+8+8)/5 = 4.4, A* = 3.6, acc*eps_max = 6.4.
		{[]float64{0, 2, 4, 9, inf}, 1 - 0.8/2.8},
	} {
		got, err := StepOptimality(c.attack, best)
		if err != nil || math.Abs(got-c.want) > 1e-12 {
			t.Errorf("attack %v: step optimality %v (%v), expected %v", c.attack, got, err, c.want)
		}
	}
}

func TestOptimality_refuses(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct{ attack, best []float64 }{
		{nil, nil},
		{[]float64{1}, []float64{1, 2}},
		{[]float64{1}, []float64{2}},
		{[]float64{nan}, []float64{1}},
		{[]float64{-1}, []float64{-1}},
		{[]float64{0}, []float64{0}},
	} {
		if v, err := Optimality(c.attack, c.best); err == nil {
			t.Errorf("distances %v against %v: optimality %v, expected an error", c.attack, c.best, v)
		}
	}
}

func TestBestKnown(t *testing.T) {
	best, err := BestKnown([]float64{3, 1, math.Inf(1)}, []float64{2, 4, 7})
	if err != nil || fmt.Sprint(best) != "[2 1 7]" {
		t.Errorf("best known %v (%v), expected [2 1 7]", best, err)
	}
	if _, err := BestKnown([]float64{1}, []float64{1, 2}); err == nil {
		t.Error("pools of different lengths are accepted")
	}
}

func ExampleCurve() {
	for _, p := range Curve([]float64{0, 2, 2, 5, math.Inf(1)}) {
		fmt.Printf("at l0 <= %g, %.0f %% robust\n", p.Budget, 100*p.Robust)
	}
	// Output:
	// at l0 <= 0, 80 % robust
	// at l0 <= 2, 40 % robust
	// at l0 <= 5, 20 % robust
}
