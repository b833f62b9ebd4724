package metric

import (
	"math"
	"testing"
)

// Two sets of a deck: the number in common is hypergeometric, and for small
// ones it can be counted by hand.
func TestCommonOfTwoSets(t *testing.T) {
	a := []bool{true, true, false, false, false}
	b := []bool{true, false, true, false, false}
	o, err := Common(a, b)
	if err != nil {
		t.Fatal(err)
	}
	// 2 of 5 and 2 of 5: 1 - C(3,2)/C(5,2) = 0.7 for at least one, mean 0.8.
	if o.Common != 1 || math.Abs(o.P-0.7) > 1e-12 || math.Abs(o.Expected-0.8) > 1e-12 {
		t.Errorf("got %d common, p %v, expected %v; want 1, 0.7, 0.8", o.Common, o.P, o.Expected)
	}
}

func TestCommonByChanceIsADistribution(t *testing.T) {
	sizes := []int{120, 130, 90, 150}
	total, mean := 0.0, 0.0
	for a, p := range commonByChance(1024, sizes) {
		total += p
		mean += float64(a) * p
	}
	want := 120.0 * 130 / 1024 * 90 / 1024 * 150 / 1024
	if math.Abs(total-1) > 1e-9 || math.Abs(mean-want) > 1e-9 {
		t.Errorf("sum %v, mean %v; want 1 and %v", total, mean, want)
	}
}

func TestCommonRefuses(t *testing.T) {
	if _, err := Common([]bool{true}); err == nil {
		t.Error("one set was accepted")
	}
	if _, err := Common([]bool{true}, []bool{true, false}); err == nil {
		t.Error("sets of different lengths were accepted")
	}
}

func TestMean95(t *testing.T) {
	// Student's t for 3 degrees of freedom at 97.5 % is 3.182446.
	m := Mean95([]float64{1, 2, 3, 4, math.NaN()})
	half := 3.182446305 * math.Sqrt(5.0/3) / 2
	if m.N != 4 || m.Mean != 2.5 || math.Abs(m.High-2.5-half) > 1e-8 || math.Abs(2.5-m.Low-half) > 1e-8 {
		t.Errorf("got %+v, want 2.5 +- %v", m, half)
	}
	if one := Mean95([]float64{7}); one.Low != 7 || one.High != 7 {
		t.Errorf("one value: %+v", one)
	}
	if none := Mean95(nil); !math.IsNaN(none.Mean) {
		t.Errorf("no value: %+v", none)
	}
}
