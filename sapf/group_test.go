package sapf

import (
	"math"
	"math/rand/v2"
	"testing"

	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/internal/toy"
)

// grouped is a factorization of a 2x2x3 image with the given pixel labels and
// random G and Z3.
func grouped(t *testing.T, labels []int, s Settings) *Factorization {
	t.Helper()
	shape := engine.Shape{C: 2, H: 2, W: 3}
	m := &toy.Linear{Shape: shape, W: [][]float64{make([]float64, 12), make([]float64, 12)}}
	s.K, s.Groups = 2, labels
	f, err := newFactorization(m, data.NewImage("black", 2, 2, 3), attack.Goal{Label: 0, Target: 1}, s)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(8, 9))
	for i := range f.G {
		f.G[i], f.Z3[i] = rng.NormFloat64(), rng.NormFloat64()
	}
	return f
}

// TestFailure18_GroupsPartition: labels from 1, with gaps and negative ones,
// are numbered from 0 and hold all channels; a wrong number is refused.
func TestFailure18_GroupsPartition(t *testing.T) {
	s := Reference()
	f := grouped(t, []int{7, 7, 1, -3, 1, 7}, s)
	want := []int{2, 2, 1, 0, 1, 2, 2, 2, 1, 0, 1, 2}
	for i, g := range f.GroupOf {
		if g != want[i] {
			t.Fatalf("groups %v, want %v", f.GroupOf, want)
		}
	}
	if f.NumGroups != 3 {
		t.Errorf("%d groups, want 3", f.NumGroups)
	}
	s.Groups = []int{1, 2}
	if _, _, err := groupsOf(data.NewImage("x", 2, 2, 3), s, 12); err == nil {
		t.Error("two labels for six pixels were accepted")
	}
	s.Groups = nil // superpixels
	groups, n, err := groupsOf(sawtooth(3, 16, 16), s, 3*256)
	if err != nil {
		t.Fatal(err)
	}
	seen := make([]bool, n)
	for i, g := range groups {
		seen[g] = true
		if g != groups[i%256] {
			t.Fatal("a superpixel does not hold all channels")
		}
	}
	for g, ok := range seen {
		if !ok {
			t.Errorf("group %d is empty", g)
		}
	}
}

// TestGroupSoftThreshold: Y3 minimises
// lambda2/rho3 sum_g ||Y^(g)|| + 1/2 ||Y - (G + Z3/rho3)||^2, so no point near
// it does better.
func TestGroupSoftThreshold(t *testing.T) {
	s := Reference()
	s.Lambda2, s.RhoGroup = 1.5, 2
	f := grouped(t, []int{0, 0, 1, 1, 2, 2}, s)
	f.updateY3()
	objective := func(y []float64) float64 {
		v := 0.0
		for _, n := range f.groupNorms(y) {
			v += s.Lambda2 / s.RhoGroup * n
		}
		for i := range y {
			d := y[i] - f.G[i] - f.Z3[i]/s.RhoGroup
			v += d * d / 2
		}
		return v
	}
	best := objective(f.Y3)
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		y := make([]float64, len(f.Y3))
		for i := range y {
			y[i] = f.Y3[i] + 0.05*rng.NormFloat64()
		}
		if v := objective(y); v < best-1e-12 {
			t.Fatalf("objective %.9f near Y3, %.9f at it", v, best)
		}
	}
}

// TestGroupBlockIsNothingWithoutWeight: with lambda2 -> 0 the splitting
// variable contributes nothing to the gradient on G.
func TestGroupBlockIsNothingWithoutWeight(t *testing.T) {
	s := Reference()
	s.Lambda2 = 1e-300
	f := grouped(t, []int{0, 0, 1, 1, 2, 2}, s)
	f.updateY3()
	grad := make([]float64, 12)
	f.addGroupGradient(grad)
	for i, g := range grad {
		if math.Abs(g) > 1e-12 {
			t.Errorf("entry %d gets %g from the group block", i, g)
		}
	}
}

// TestFailure03_GroupOfZeros: the subgradient of the norm of a group of zeros
// is 0, in both modes, and no NaN comes of it.
func TestFailure03_GroupOfZeros(t *testing.T) {
	for _, mode := range []string{"gradient", "admm"} {
		s := Reference()
		s.GroupMode, s.Lambda2 = mode, 2
		f := grouped(t, []int{0, 0, 0, 1, 1, 1}, s)
		for i, g := range f.GroupOf {
			if g == 0 {
				f.G[i], f.Z3[i] = 0, 0
			}
		}
		f.updateY3()
		grad := make([]float64, 12)
		f.addGroupGradient(grad)
		for i, g := range f.GroupOf {
			if g == 0 && grad[i] != 0 || math.IsNaN(grad[i]) {
				t.Errorf("%s: gradient %d is %g", mode, i, grad[i])
			}
			if g == 1 && mode == "gradient" {
				if want := 2 * f.G[i] / f.groupNorms(f.G)[1]; math.Abs(grad[i]-want) > 1e-14 {
					t.Errorf("gradient %d is %g, want %g", i, grad[i], want)
				}
			}
		}
	}
}
