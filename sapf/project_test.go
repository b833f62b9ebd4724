package sapf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func random(rng *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = 2 * rng.NormFloat64()
	}
	return v
}

func distance(a, b []float64) float64 {
	d := 0.0
	for i := range a {
		d += (a[i] - b[i]) * (a[i] - b[i])
	}
	return math.Sqrt(d)
}

// TestProjectionsAreNearest: idempotent, and no member of the set is nearer.
func TestProjectionsAreNearest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		n := 1 + rng.IntN(20)
		k := rng.IntN(n + 1)
		v := random(rng, n)
		before := slices.Clone(v)
		for name, p := range map[string]struct {
			project func([]float64) []float64
			member  func() []float64
		}{
			"box": {ProjectBox, func() []float64 { return ProjectBox(random(rng, n)) }},
			"sphere": {ProjectSphere, func() []float64 {
				u := random(rng, n)
				r := math.Sqrt(float64(n)) / 2 / distance(u, make([]float64, n))
				for i := range u {
					u[i] = 0.5 + u[i]*r
				}
				return u
			}},
			"topk": {func(v []float64) []float64 { return ProjectTopK(v, k) }, func() []float64 {
				u := make([]float64, n)
				for _, i := range rng.Perm(n)[:k] {
					u[i] = 1
				}
				return u
			}},
		} {
			y := p.project(v)
			if d := distance(p.project(y), y); d > 1e-12 {
				t.Errorf("%s: projecting twice moves by %g", name, d)
			}
			for range 20 {
				if u := p.member(); distance(u, v) < distance(y, v)-1e-12 {
					t.Errorf("%s: %v is nearer to %v than %v", name, u, v, y)
				}
			}
		}
		if !slices.Equal(v, before) {
			t.Fatal("a projection changed its argument")
		}
	}
}

func TestSphereOfAKnownVector(t *testing.T) {
	got := ProjectSphere([]float64{0.2, 0.9, 0.5, -0.3})
	for i, want := range []float64{0.18200064, 0.92399915, 0.5, -0.34799830} {
		if math.Abs(got[i]-want) > 1e-8 {
			t.Errorf("entry %d is %.8f, want %.8f", i, got[i], want)
		}
	}
	binary := []float64{1, 0, 0, 1, 1}
	if d := distance(ProjectSphere(binary), binary); d > 1e-15 {
		t.Errorf("a binary vector moved by %g", d)
	}
}

func TestFailure05_CentreOfTheSphere(t *testing.T) {
	v := []float64{0.5, 0.5, 0.5}
	for range 2 {
		if got := ProjectSphere(v); !slices.Equal(got, []float64{1, 1, 1}) {
			t.Errorf("the centre goes to %v, want the all-ones vector", got)
		}
	}
}

func TestFailure07_TopKIsExact(t *testing.T) {
	v := []float64{0.5, 0.9, 0.5, -3, 0.5, 0.9}
	for k, want := range map[int][]float64{
		0: {0, 0, 0, 0, 0, 0}, 1: {0, 1, 0, 0, 0, 0}, 2: {0, 1, 0, 0, 0, 1}, 3: {1, 1, 0, 0, 0, 1}, 4: {1, 1, 1, 0, 0, 1}, 6: {1, 1, 1, 1, 1, 1}, 9: {1, 1, 1, 1, 1, 1}, -1: {0, 0, 0, 0, 0, 0},
	} {
		if got := ProjectTopK(v, k); !slices.Equal(got, want) {
			t.Errorf("k %d: %v, want %v", k, got, want)
		}
	}
}

func ExampleProjectSphere() {
	fmt.Printf("%.4f\n", ProjectSphere([]float64{0.2, 0.9, 0.5, -0.3}))
	// Output: [0.1820 0.9240 0.5000 -0.3480]
}

func ExampleProjectTopK() {
	fmt.Println(ProjectTopK([]float64{0.2, 0.9, 0.5, -0.3}, 2))
	// Output: [0 1 1 0]
}

func ExampleProjectBox() {
	fmt.Println(ProjectBox([]float64{0.2, 1.9, 0.5, -0.3}))
	// Output: [0.2 1 0.5 0]
}
