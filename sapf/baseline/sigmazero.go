package baseline

import (
	"context"
	"math"

	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/internal/exact"
)

// SigmaZero is the attack of Cinà et al. (ICLR 2025, arXiv 2402.01879,
// Algorithm 1): gradient descent on the hinge plus a smooth stand-in for l0,
//
//	min_d  max(m(x+d), 0) + 1/N * sum_j d_j^2/(d_j^2 + sigma),
//
// with the gradient scaled by its linf norm, Adam, and a threshold tau below
// which entries are set to 0; tau grows while the iterate is adversarial and
// shrinks while it is not. The targeted form, with the margin of the target,
// is the obvious one, but ours.
//
// Success and l0 are those of the iterate that enters a step, so T steps test
// T candidates, the first being the clean image. It draws nothing at random.
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
		s, err := o.gradient(o.margin(0), o.image(d, img))
		if err != nil {
			return err
		}
		adversarial := o.consider(img, s.z)
		if a.K > 0 && o.best != nil && o.bestSize[0] <= float64(a.K) {
			return nil
		}
		a.direction(g, s.grad, d)
		optimiser.step(d, g, rate)
		rate = a.StepSize/10 + float64(0.9*a.StepSize*cosine(i+1, a.Steps))
		clipToImage(d, o.x)
		if !adversarial {
			tau -= float64(a.ThresholdFactor * rate)
		} else {
			tau += float64(a.ThresholdFactor * rate)
		}
		tau = min(max(tau, 0), 1)
		for j, v := range d {
			if math.Abs(v) < tau {
				d[j] = 0
			}
		}
		o.report("step", 1, 1, i+1, a.Steps, s.loss)
	}
	return nil
}

// direction writes the gradient of the whole loss, scaled to linf norm 1.
func (a SigmaZero) direction(g, hinge, d []float64) {
	top := 1e-12
	for j, h := range hinge {
		q := float64(d[j]*d[j]) + a.Sigma
		g[j] = h + 2*d[j]*a.Sigma/float64(q*q)/float64(len(d))
		top = max(top, math.Abs(g[j]))
	}
	for j := range g {
		g[j] /= top
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
