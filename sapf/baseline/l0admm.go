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
//
//	formula  code        shape  range
//	x        o.x         N      [0,1]
//	delta    delta       N      [-x,1-x] once tried
//	z        z           N      [-x,1-x]
//	x+z      img         N      [0,1], in a z-step
//	u        u           N      the scaled dual, multi in their program
//	h        o.margin    1      [0,inf)
//	c        Const       1      [0,inf)
//	rho      rho         1      (0,inf), from Rho on
//	kappa    Confidence  1      [0,inf), in logits
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
		// The delta-step makes the candidate.
		deltaStep(delta, z, u, rho)
		hit, err := o.try(o.image(delta, img))
		success = success || hit
		if err != nil {
			return success, err
		}
		hit, err = a.zStep(o, space, z, delta, u, rho, i)
		success = success || hit
		if err != nil {
			return success, err
		}
		dualStep(u, delta, z)
	}
	deltaStep(delta, z, u, rho)
	hit, err := o.try(o.image(delta, img))
	return success || hit, err
}

// deltaStep is delta <- argmin ||delta||_0 + rho/2*||delta - z + u||^2.
func deltaStep(delta, z, u []float64, rho float64) {
	for j := range delta {
		delta[j] = hardThreshold(z[j]-u[j], rho)
	}
}

// dualStep is u <- u + delta - z.
func dualStep(u, delta, z []float64) {
	for j := range u {
		u[j] += delta[j] - z[j]
	}
}

// hardThreshold keeps v if v^2 >= 2/rho.
func hardThreshold(v, rho float64) float64 {
	if float64(v*v) >= 2/rho {
		return v
	}
	return 0
}

// zStep is z <- argmin c*h(x+z) + rho/2*||delta - z + u||^2: Adam with fresh moments from the v at hand. It writes
// the z with the smallest loss, and reports whether a candidate succeeded
// (with TestAll only). iteration is ADMM's.
func (a L0ADMM) zStep(o *oracle, space *tanhSpace, z, delta, u []float64, rho float64, iteration int) (success bool, err error) {
	optimiser := newAdam(o.n)
	img, slope, grad := make([]float64, o.n), make([]float64, o.n), make([]float64, o.n)
	candidate := make([]float64, o.n)
	checkEvery := max(a.InnerSteps/10, 1)
	lowest, checkpoint := math.Inf(1), math.Inf(1)
	for step := range a.InnerSteps {
		// x+z in tanh space, and its loss.
		space.write(img, slope, o.x, nil)
		s, err := o.gradient(o.margin(a.Confidence), img)
		if err != nil {
			return success, err
		}
		loss := a.augmented(grad, img, slope, o.x, delta, u, s, rho)
		if loss < lowest {
			lowest = loss
			copy(z, difference(img, o.x))
		}
		if a.TestAll {
			deltaStep(candidate, img, o.x, rho) // of z = img - x, with u = 0
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
		// A step on v.
		optimiser.step(space.v, grad, a.StepSize)
	}
	return success, nil
}

// augmented is c*h(x+z) + rho/2*||delta - z + u||^2 at img = x+z, with h and its
// gradient in the image given. It writes the gradient in v.
func (a L0ADMM) augmented(grad, img, slope, x, delta, u []float64, h answer, rho float64) float64 {
	loss := float64(a.Const * h.loss)
	for j, g := range h.grad {
		gap := img[j] - x[j] - delta[j] - u[j]
		loss += float64(rho / 2 * float64(gap*gap))
		grad[j] = (float64(a.Const*g) + float64(rho*gap)) * slope[j]
	}
	return loss
}
