package baseline

import (
	"context"
	"math/rand/v2"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// PGDLinf is projected gradient descent in the linf ball (Madry et al., ICLR
// 2018, section 2.1), dense:
//
//	min_d  L(x + d)   s.t.  ||d||_inf <= eps,  x + d in [0,1],
//
// by steps d <- project(d - step*sign(grad L(x + d))) from a uniformly random
// start, with L the cross entropy to the target, or minus that to the label.
//
//	paper    code              shape  range
//	x        o.x               N      [0,1]
//	eps      Epsilon           1      [0,1], of full scale 1
//	alpha    StepSize          1      [0,1], of full scale 1
//	L        o.directing  1
//	S        ball              N      lower and upper bounds of d
//	delta    d                 N      S
type PGDLinf struct {
	// Epsilon is the radius, of full scale 1; 0 means 8/255.
	Epsilon float64 `def:"0.03137254901960784" range:"[0,1]"`
	// StepSize is the step, of full scale 1; 0 means 2/255.
	StepSize float64 `def:"0.00784313725490196" range:"[0,1]"`
	// Steps in a restart; 0 means 20.
	Steps int `def:"20" range:"[0,inf)"`
	// Restarts, each from its own random start; 0 means 1.
	Restarts int `def:"1" range:"[0,inf)"`
	// Loss is whose gradient directs the steps: "ce", the cross entropy, or "dlr",
	// the ratio of differences of logits, which has a gradient where the
	// probabilities are all 0 or 1; "" means ce.
	Loss string `oneof:"ce dlr"`
	// NoEarlyStop takes all steps and offers the last iterate alone, as the
	// usual programs do, instead of ending at the first success.
	NoEarlyStop bool
	// Seed of the random starts.
	Seed uint64
}

var _ attack.Attack = (*PGDLinf)(nil)

// Name is "pgd-linf".
func (PGDLinf) Name() string { return "pgd-linf" }

// Run attacks one image.
func (a PGDLinf) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byLinf, PGDLinf.search)
}

func (a PGDLinf) search(o *oracle) error {
	rng := stream(a.Seed, "pgd-linf start")
	ball := cappedBox(o.x, func(int) float64 { return a.Epsilon })
	d, img := make([]float64, o.n), make([]float64, o.n)
	for restart := range a.Restarts {
		a.start(d, rng)
		ball.clamp(d)
		for step := range a.Steps {
			s, err := o.gradient(o.directing(a.Loss), o.image(d, img))
			if err != nil {
				return err
			}
			if !a.NoEarlyStop && o.consider(img, s.z) {
				return nil
			}
			a.descend(d, s.grad)
			ball.clamp(d) // the projection onto S
			o.report("step", restart+1, a.Restarts, restart*a.Steps+step+1, a.Restarts*a.Steps, s.loss)
		}
		if done, err := o.try(o.image(d, img)); done || err != nil {
			return err
		}
	}
	return nil
}

// start draws d from the ball.
func (a PGDLinf) start(d []float64, rng *rand.Rand) {
	for i := range d {
		d[i] = a.Epsilon * (2*float64(rng.Float64()) - 1)
	}
}

// descend is the step d <- d - step*sign(g), before its projection.
func (a PGDLinf) descend(d, g []float64) {
	for i, v := range g {
		d[i] -= float64(a.StepSize * sign(v))
	}
}
