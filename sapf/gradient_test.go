package sapf

import (
	"math"
	"math/rand/v2"
	"testing"

	"sapf/models/engine"
	"sapf/sapf/attack"
)

// TestUpdatesAreGradientSteps compares one step on delta and one on G with
// central differences of what they lower: eq. 3 for delta, the augmented
// Lagrangian for G; with weights, groups, shared pixels, and entries that the
// clip stops.
func TestUpdatesAreGradientSteps(t *testing.T) {
	m, x := linear(9, engine.Shape{C: 2, H: 3, W: 3}, 3)
	rng := rand.New(rand.NewPCG(3, 1))
	for _, set := range []map[string]any{
		{"lambda2": 0}, {"lambda2": 0.7, "loss": "ce"}, {"lambda2": 0.7, "group_mode": "gradient", "loss": "ce"},
		{"lambda2": 0, "share": "pixel", "loss": "ce"}, {"lambda2": 0.7, "share": "pixel", "weight": "variance", "confidence": 1},
	} {
		s, err := Options{K: 4, Segments: 3, Set: set}.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		s.StepSize, s.Lambda1 = 1e-3, 0.3
		f, err := Factorize(m, x, attack.Goal{Label: 0, Target: 1}, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range [][]float64{f.Delta, f.G, f.Z1, f.Z2, f.Z3, f.Y1, f.Y2, f.Y3} {
			for i := range v {
				v[i] = 0.6 * rng.NormFloat64() // delta*G carries some entries out of [0,1]
			}
		}
		f.Z4, f.RhoBox, f.RhoSphere, f.RhoGroup, f.RhoCard = 0.2, 0.5, 0.4, 0.3, 0.1
		stopped := 0
		point := make([]float64, len(f.X))
		f.point(point)
		for _, v := range point {
			if v == 0 || v == 1 {
				stopped++
			}
		}
		if stopped == 0 || stopped == len(point) {
			t.Fatalf("%v: %d of %d entries are clipped, the test wants some", set, stopped, len(point))
		}
		lagrangian := func() float64 {
			if err := f.hand.passes[0].run(f); err != nil {
				t.Fatal(err)
			}
			v := f.Lambda1 * f.Loss
			for i, d := range f.Delta {
				e := d * f.G[i%len(f.G)]
				v += e * e * f.W2[i]
			}
			return v
		}
		augmented := func() float64 {
			v := lagrangian()
			card := sum(f.G) - float64(s.K)
			v += f.Z4*card + f.RhoCard/2*card*card
			for i, g := range f.G {
				v += f.Z1[i]*g + f.RhoBox/2*(g-f.Y1[i])*(g-f.Y1[i]) + f.Z2[i]*g + f.RhoSphere/2*(g-f.Y2[i])*(g-f.Y2[i])
				if f.GroupOf != nil && s.GroupMode == "admm" {
					v += f.Z3[i]*g + f.RhoGroup/2*(g-f.Y3[i])*(g-f.Y3[i])
				}
			}
			if f.GroupOf != nil && s.GroupMode == "gradient" {
				for _, n := range f.groupNorms(f.G) {
					v += s.Lambda2 * n
				}
			}
			return v
		}
		before := f.Clone()
		check := func(name string, v func() []float64, objective func() float64, update func(slope []float64)) {
			f.Restore(before)
			want := make([]float64, len(v()))
			const h = 1e-5
			for i := range want {
				x := v()[i]
				v()[i] = x + h
				up := objective()
				v()[i] = x - h
				down := objective()
				v()[i] = x
				want[i] = (up - down) / (2 * h)
			}
			if err := f.hand.passes[0].run(f); err != nil {
				t.Fatal(err)
			}
			old := append([]float64(nil), v()...)
			update(f.hand.passes[0].gradient(0))
			for i, now := range v() {
				if got := (old[i] - now) / s.StepSize; math.Abs(got-want[i]) > 1e-5*math.Max(1, math.Abs(want[i])) {
					t.Errorf("%v: the step on %s[%d] is along %.8f, central difference %.8f", set, name, i, got, want[i])
				}
			}
		}
		check("delta", func() []float64 { return f.Delta }, lagrangian, func(slope []float64) {
			if err := f.updateDelta(slope); err != nil {
				t.Fatal(err)
			}
		})
		check("G", func() []float64 { return f.G }, augmented, f.updateG)
	}
}

// TestImplicitCardIsTheImplicitStep: the guard "implicit" solves
// G' = G - eta (h + rho4 (1'G' - k)), h being all other terms.
func TestImplicitCardIsTheImplicitStep(t *testing.T) {
	m, x := linear(9, engine.Shape{C: 2, H: 3, W: 3}, 3)
	s := Reference()
	s.K, s.Lambda2, s.RhoCard, s.RhoCardMax = 4, 0, 3, 100
	run := func(guard string, rho float64) (before, after []float64) {
		s.Guard = guard
		f, err := Factorize(m, x, attack.Goal{Label: 0, Target: 1}, s)
		if err != nil {
			t.Fatal(err)
		}
		f.RhoCard, f.Z4 = rho, 0.2
		rng := rand.New(rand.NewPCG(2, 2))
		for i := range f.G {
			f.G[i], f.Delta[i] = rng.Float64(), 0.1*rng.NormFloat64()
		}
		before = append([]float64(nil), f.G...)
		if err := f.hand.passes[0].run(f); err != nil {
			t.Fatal(err)
		}
		f.updateG(f.hand.passes[0].gradient(0))
		return before, f.G
	}
	_, without := run("off", 0) // G - eta h
	_, got := run("implicit", 3)
	for i := range got {
		want := without[i] - s.StepSize*3*(sum(got)-float64(s.K))
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("entry %d is %.15f, the implicit equation gives %.15f", i, got[i], want)
		}
	}
}
