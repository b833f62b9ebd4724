package baseline

import (
	"context"
	"math"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// L0ADMM is the l0 attack of Zhao, Liu, Wang & Lin (ACM MM 2018, section 3.2;
// checked against two versions of the first author's program):
//
//	min ||delta||_0 + c*h(x+z)  s.t.  delta = z,  x+z in the box
//
//	delta-step  keep entries of z-u with (z-u)^2 >= 2/rho, others 0
//	z-step      min_z c*h(x+z) + rho/2*||delta - z + u||^2, Adam in tanh space
//	dual        u <- u + delta - z
//
// It does not control magnitudes, which is what SAPF holds against it. The zero
// value is the early version with rho fixed: only changes above sqrt(2/rho),
// 0.32 of full scale, are kept, and where a network gives way to smaller ones
// its 30 iterations may end without any. Preset "later" searches on rho.
type L0ADMM struct {
	// Preset is "" or "later".
	Preset string `option:"-"`
	// Iterations of ADMM; 0 means 30.
	Iterations int `def:"30" range:"[0,inf)"`
	// InnerSteps of Adam in a z-step; 0 means 10,000.
	InnerSteps int `def:"10000" range:"[0,inf)"`
	// StepSize of Adam; 0 means 0.002.
	StepSize float64 `def:"0.002" range:"[0,inf)"`
	// Const is c; 0 means 8.
	Const float64 `def:"8" range:"[0,inf)"`
	// Rho is the penalty; 0 means 20.
	Rho float64 `def:"20" range:"[0,inf)"`
	// RhoSteps, if positive, is how many ADMM runs search on rho: down after a
	// success (a larger threshold, so sparser), times 9 or bisected after a
	// failure.
	RhoSteps int `range:"[0,inf)"`
	// Repeats the search, each from three times the first rho of the one before;
	// 0 means 1.
	Repeats int `def:"1" range:"[0,inf)"`
	// TestAll tries the thresholded z after every step of Adam, too.
	TestAll bool
	// Confidence is kappa of the hinge.
	Confidence float64 `range:"[0,inf)"`
}

var _ attack.Attack = (*L0ADMM)(nil)

// Name is "l0-admm".
func (L0ADMM) Name() string { return "l0-admm" }

func (L0ADMM) Presets() map[string]attack.Attack {
	return map[string]attack.Attack{
		"later": L0ADMM{Const: 200, StepSize: 0.01, RhoSteps: 30, Repeats: 2, TestAll: true},
	}
}

// Run attacks one image.
func (a L0ADMM) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byL0, L0ADMM.search)
}

func (a L0ADMM) search(o *oracle) error {
	const failFactor, repeatFactor = 9, 3
	first := a.Rho
	for range a.Repeats {
		rho := newConstSearch(first, failFactor)
		for range max(a.RhoSteps, 1) {
			success, err := a.admm(o, rho.c)
			if err != nil {
				return err
			}
			o.rounds++
			rho.next(success)
		}
		first *= repeatFactor
	}
	return nil
}

// admm is one run for one rho. It reports whether any candidate succeeded.
func (a L0ADMM) admm(o *oracle, rho float64) (success bool, err error) {
	const shrink = 0.999999
	space := newTanhSpace(o.x, shrink)
	z, u := make([]float64, o.n), make([]float64, o.n)
	delta, img := make([]float64, o.n), make([]float64, o.n)
	for i := range a.Iterations {
		for j := range delta {
			delta[j] = hardThreshold(z[j]-u[j], rho)
		}
		hit, err := o.try(o.image(delta, img))
		success = success || hit
		if err != nil {
			return success, err
		}
		hit, err = a.minimise(o, space, z, delta, u, rho, i)
		success = success || hit
		if err != nil {
			return success, err
		}
		for j := range u {
			u[j] += delta[j] - z[j]
		}
	}
	for j := range delta {
		delta[j] = hardThreshold(z[j]-u[j], rho)
	}
	hit, err := o.try(o.image(delta, img))
	return success || hit, err
}

// hardThreshold keeps v if v^2 >= 2/rho.
func hardThreshold(v, rho float64) float64 {
	if float64(v*v) >= 2/rho {
		return v
	}
	return 0
}

// minimise is the z-step: Adam with fresh moments from the v at hand. It writes
// the z with the smallest loss, and reports whether a candidate succeeded
// (with TestAll only). iteration is ADMM's.
func (a L0ADMM) minimise(o *oracle, space *tanhSpace, z, delta, u []float64, rho float64, iteration int) (success bool, err error) {
	optimiser := newAdam(o.n)
	img, slope, grad := make([]float64, o.n), make([]float64, o.n), make([]float64, o.n)
	candidate := make([]float64, o.n)
	checkEvery := max(a.InnerSteps/10, 1)
	lowest, checkpoint := math.Inf(1), math.Inf(1)
	for step := range a.InnerSteps {
		for j := range img {
			img[j], slope[j] = space.at(j)
			img[j] = pixel(img[j])
		}
		s, err := o.gradient(o.margin(a.Confidence), img)
		if err != nil {
			return success, err
		}
		loss := float64(a.Const * s.loss)
		for j, g := range s.grad {
			gap := img[j] - o.x[j] - delta[j] - u[j]
			loss += float64(rho / 2 * float64(gap*gap))
			grad[j] = (float64(a.Const*g) + float64(rho*gap)) * slope[j]
		}
		if loss < lowest {
			lowest = loss
			copy(z, img)
			for j := range z {
				z[j] -= o.x[j]
			}
		}
		if a.TestAll {
			for j := range candidate {
				candidate[j] = hardThreshold(img[j]-o.x[j], rho)
			}
			hit, err := o.try(o.image(candidate, candidate))
			success = success || hit
			if err != nil {
				return success, err
			}
		}
		if step%checkEvery == 0 {
			const growth = 1.1 // a loss that grew by more than 10 % ends the step
			if loss > growth*checkpoint {
				break
			}
			checkpoint = loss
			runs := a.Repeats * max(a.RhoSteps, 1)
			done := (o.rounds*a.Iterations+iteration)*a.InnerSteps + step
			o.report("admm", o.rounds+1, runs, done, runs*a.Iterations*a.InnerSteps, loss)
		}
		optimiser.step(space.v, grad, a.StepSize)
	}
	return success, nil
}
