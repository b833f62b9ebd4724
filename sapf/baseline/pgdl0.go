package baseline

import (
	"context"
	"math"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// PGDL0 is projected gradient descent onto a budget of pixels (Croce & Hein,
// ICCV 2019, section 4; their program's pgd_attacks.py), called PGD0 there:
//
//	min_d  L(x + d)   s.t.  at most k pixels of d are not 0,  d in S,
//
// L the cross entropy to the target, or minus that to the label, by steps
//
//	d <- project(d - step*g/||g||_1),  g = grad L(x + d)
//
// on one of three sets S:
//
//	l0     x+d in [0,1]
//	linf   and |d| <= eps
//	sigma  and d = lambda*sigma*x with |lambda| <= kappa shared by the channels
//	       of a pixel (grey images: |d| <= kappa*sigma)
//
// Its targeted form, minus the cross entropy to the label replaced by that to
// the target, is ours.
//
//	theirs     code      shape  range
//	x          o.x       N      [0,1]
//	y - x      d         N      S
//	k          K         1      0..P pixels
//	eps        Epsilon   1      [0,1], of full scale 1
//	kappa      Kappa     1      [0,inf)
//	sigma      sigmaMap  N      [0,inf)
//	step_size  StepSize  1      [0,inf), l1 length of a step
//
// Differs: the authors add noise of 5e-13 to break ties; here the lower index
// wins.
type PGDL0 struct {
	// Preset is "", "sigma", "table1" or "table1-imagenet".
	Preset string `option:"-"`
	// Constraint is "l0", "linf" or "sigma"; "" means l0.
	Constraint string `oneof:"l0 linf sigma"`
	// K is the budget in pixels; 0 means 5.
	K int `def:"5" range:"[0,inf)"`
	// Epsilon bounds each change under linf, of full scale 1; 0 means 32/255.
	Epsilon float64 `def:"0.12549019607843137" range:"[0,1]"`
	// Kappa bounds lambda under sigma; 0 means 0.8.
	Kappa float64 `def:"0.8" range:"[0,inf)"`
	// StepSize is the l1 length of a step, of full scale 1; 0 means
	// 120000/255.
	StepSize float64 `def:"470.5882352941176" range:"[0,inf)"`
	// Steps in a restart, the last of which is projected but not looked at; 0
	// means 100.
	Steps int `def:"100" range:"[0,inf)"`
	// Restarts, each from its own random start; 0 means 5.
	Restarts int `def:"5" range:"[0,inf)"`
	// Loss is whose gradient directs the steps: "ce", the cross entropy, or "dlr",
	// the ratio of differences of logits, which has a gradient where the
	// probabilities are all 0 or 1; "" means ce.
	Loss string `oneof:"ce dlr"`
	// AllRestarts goes on after a success, as the authors' program does; the
	// smallest success is then kept.
	AllRestarts bool
	// Seed of the random starts.
	Seed uint64
}

var _ attack.Attack = (*PGDL0)(nil)

// Name is "pgd-l0".
func (PGDL0) Name() string { return "pgd-l0" }

// Presets: sigma is the authors' second script; table1 is inferred from the
// linf and l0 that the paper's Table 1 prints.
func (PGDL0) Presets() map[string]attack.Attack {
	return map[string]attack.Attack{
		"sigma":           PGDL0{Constraint: "sigma", K: 50, StepSize: 60000.0 / 255, Steps: 20, Restarts: 3},
		"table1":          PGDL0{Constraint: "linf", K: 185, Epsilon: 32.0 / 255},
		"table1-imagenet": PGDL0{Constraint: "linf", K: 18974, Epsilon: 16.0 / 255},
	}
}

// Run attacks one image.
func (a PGDL0) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byPixels, PGDL0.search)
}

func (a PGDL0) WithBudget(k int, _ attack.Unit) attack.Attack { a.K = k; return a }
func (PGDL0) Counts(unit attack.Unit) bool                    { return unit == attack.Pixels }

func (a PGDL0) search(o *oracle) error {
	o.k = a.K
	start, project := a.constraint(o)
	rng := stream(a.Seed, "pgd-l0 start")
	d, img := make([]float64, o.n), make([]float64, o.n)
	for restart := range a.Restarts {
		// A random start in the set.
		start.draw(d, rng)
		clipToImage(d, o.x)
		project(d)
		for step := 1; step < a.Steps; step++ {
			s, err := o.gradient(o.directing(a.Loss), o.image(d, img))
			if err != nil {
				return err
			}
			if o.consider(img, s.z) && !a.AllRestarts {
				return nil
			}
			// A step, and the nearest point of the set.
			a.descend(d, s.grad)
			project(d)
			o.report("step", restart+1, a.Restarts, restart*a.Steps+step, a.Restarts*a.Steps, s.loss)
		}
		o.rounds++
	}
	return nil
}

// descend is the step d <- d - step*g/||g||_1, before its projection.
func (a PGDL0) descend(d, g []float64) {
	length := 1e-10 // the authors' floor of the norm
	for _, v := range g {
		length += math.Abs(v)
	}
	for i, v := range g {
		d[i] -= float64(a.StepSize * (v / length))
	}
}

// constraint returns the range of random starts and the projection onto the
// set.
func (a PGDL0) constraint(o *oracle) (start box, project func(d []float64)) {
	b := imageBox(o.x)
	switch a.Constraint {
	case "linf":
		b = cappedBox(o.x, func(int) float64 { return a.Epsilon })
	case "sigma":
		sigma := sigmaMap(o.x, o.channels, o.shape.H, o.shape.W)
		if o.channels == 1 {
			b = cappedBox(o.x, func(i int) float64 { return a.Kappa * sigma[i] })
			break
		}
		start = cappedBox(o.x, func(int) float64 { return a.Kappa })
		set := sigmaProjection{o.x, sigma, o.channels, a.Kappa}
		return start, func(d []float64) { set.project(d, a.K) }
	}
	return b, func(d []float64) { projectPixels(d, b, o.channels, a.K) }
}
