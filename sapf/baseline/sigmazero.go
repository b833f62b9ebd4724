package baseline

import (
	"context"
	"math"

	"sapf/models/data"
	"sapf/models/exact"
	"sapf/sapf/attack"
)

// SigmaZero is the attack of Cinà et al. (ICLR 2025, arXiv 2402.01879,
// Algorithm 1; their program's sigma_zero_attack.py): gradient descent on the
// hinge plus a smooth stand-in for l0,
//
//	min_d  max(m(x+d), 0) + 1/N * sum_j d_j^2/(d_j^2 + sigma)   s.t.  x+d in [0,1],
//
// with the gradient scaled by its linf norm, Adam, and a threshold tau below
// which entries are set to 0; tau grows while the iterate is adversarial and
// shrinks while it is not. The targeted form, with the margin of the target,
// is the obvious one, but ours.
//
// Success and l0 are those of the iterate that enters a step, so T steps test
// T candidates, the first being the clean image. It draws nothing at random.
//
//	paper      code             shape  range
//	x          o.x              N      [0,1]
//	delta      d                N      [-x,1-x]
//	grad L     g                N      [-1,1] once scaled
//	eta_0      StepSize         1      [0,inf)
//	eta        rate             1      [eta_0/10,eta_0]
//	sigma      Sigma            1      (0,inf)
//	tau_0      Threshold        1      [0,1], of full scale 1
//	tau        tau              1      [0,1]
//	t          ThresholdFactor  1      [0,inf)
//	delta*     o.best - o.x     N      the smallest success so far
type SigmaZero struct {
	// Preset is "", "benchmark" (1000 steps) or "star".
	Preset string `option:"-"`
	// Steps is T; 0 means 100.
	Steps int `def:"100" range:"[0,inf)"`
	// StepSize is Adam's first, annealed by a cosine to a tenth; 0 means 1.
	StepSize float64 `def:"1" range:"[0,inf)"`
	// Sigma smooths l0; 0 means 0.001.
	Sigma float64 `def:"0.001" range:"[0,inf)"`
	// Threshold is the first tau, of full scale 1; 0 means 0.3.
	Threshold float64 `def:"0.3" range:"[0,1]"`
	// ThresholdFactor scales the changes of tau; 0 means 0.01.
	ThresholdFactor float64 `def:"0.01" range:"[0,inf)"`
	// K, if positive, ends the search at a success of at most K entries.
	K int `range:"[0,inf)"`
}

var _ attack.Attack = (*SigmaZero)(nil)

// Name is "sigma-zero".
func (SigmaZero) Name() string { return "sigma-zero" }

func (SigmaZero) Presets() map[string]attack.Attack {
	return map[string]attack.Attack{
		"benchmark": SigmaZero{Steps: 1000},
		"star":      SigmaZero{Sigma: 1, Threshold: 0.1, StepSize: 0.1, ThresholdFactor: 0.0015},
	}
}

// Run attacks one image.
func (a SigmaZero) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byL0, SigmaZero.search)
}

func (a SigmaZero) WithBudget(k int, _ attack.Unit) attack.Attack { a.K = k; return a }
func (SigmaZero) Counts(unit attack.Unit) bool                    { return unit == attack.Entries }

func (a SigmaZero) search(o *oracle) error {
	o.k = a.K
	d, g, img := make([]float64, o.n), make([]float64, o.n), make([]float64, o.n)
	optimiser := newAdam(o.n)
	rate, tau := a.StepSize, a.Threshold
	for i := range a.Steps {
		// The loss at the iterate, and whether that is the best success yet.
		s, err := o.gradient(o.margin(0), o.image(d, img))
		if err != nil {
			return err
		}
		adversarial := o.consider(img, s.z)
		if o.within(a.K) {
			return nil
		}
		// The scaled gradient, a step against it, and the box.
		a.direction(g, s.grad, d)
		optimiser.step(d, g, rate)
		clipToImage(d, o.x)
		// The next step size, which also moves the threshold, and the threshold.
		rate = a.rate(i + 1)
		tau = a.threshold(tau, rate, adversarial)
		zeroBelow(d, tau)
		o.report("step", 1, 1, i+1, a.Steps, s.loss)
	}
	return nil
}

// direction writes the gradient of the whole loss, scaled to linf norm 1. That
// of the stand-in for l0 is 2*d_j*sigma/(d_j^2 + sigma)^2/N.
func (a SigmaZero) direction(g, hinge, d []float64) {
	top := 1e-12 // the authors' floor of the norm
	for j, h := range hinge {
		q := float64(d[j]*d[j]) + a.Sigma
		g[j] = h + 2*d[j]*a.Sigma/float64(q*q)/float64(len(d))
		top = max(top, math.Abs(g[j]))
	}
	for j := range g {
		g[j] /= top
	}
}

// rate is eta of step i, annealed by a cosine from eta_0 to a tenth of it.
//
// It moves as in the authors' program, whose scheduler advances after Adam and
// before the threshold: step i ends with cosine(i+1). adversarial-library ends it
// with cosine(i) and so is one step behind, by at most 0.9*pi/2/T of eta_0, 1.4 %
// at T = 100. What that is worth is in compare/README.md: some 2 entries in 9 at
// T = 100, in its favour, and next to nothing at T = 400.
func (a SigmaZero) rate(i int) float64 {
	return a.StepSize/10 + float64(0.9*a.StepSize*cosine(i, a.Steps))
}

// threshold is tau <- clip(tau +/- t*eta, 0, 1), up from an adversarial iterate.
func (a SigmaZero) threshold(tau, rate float64, adversarial bool) float64 {
	if !adversarial {
		tau -= float64(a.ThresholdFactor * rate)
	} else {
		tau += float64(a.ThresholdFactor * rate)
	}
	return min(max(tau, 0), 1)
}

// zeroBelow sets entries smaller than tau to 0.
func zeroBelow(d []float64, tau float64) {
	for j, v := range d {
		if math.Abs(v) < tau {
			d[j] = 0
		}
	}
}

// cosine falls from 1 to 0 as i goes from 0 to steps.
func cosine(i, steps int) float64 {
	return (1 + exact.CosPi(float64(i)/float64(steps))) / 2
}

// clipToImage moves d so that x+d lies in [0,1].
func clipToImage(d, x []float64) {
	for j, v := range d {
		d[j] = min(max(v, -x[j]), 1-x[j])
	}
}
