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

// For two sets the permutation test estimates what Common computes exactly.
func TestPAtLeastAgreesWithTheExactTail(t *testing.T) {
	a, b := make([]bool, 40), make([]bool, 40)
	for i := range 10 {
		a[i], b[i+6] = true, true // 4 in common
	}
	o, err := Common(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if o.AtLeast[2] != 4 || o.AtLeast[1] != 16 || math.Abs(o.Chance[2]-2.5) > 1e-12 {
		t.Errorf("at least 1 and 2: %v, by chance %v", o.AtLeast, o.Chance)
	}
	p, err := o.PAtLeast(2, 4000, 1)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(p-o.P) > 0.03 { // four standard errors
		t.Errorf("permutation test %.4f, exact %.4f", p, o.P)
	}
	if again, _ := o.PAtLeast(2, 4000, 1); again != p {
		t.Error("the same seed gives another number")
	}
	if _, err := o.PAtLeast(3, 10, 1); err == nil {
		t.Error("3 of 2 sets was accepted")
	}
}
