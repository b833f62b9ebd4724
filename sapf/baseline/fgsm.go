package baseline

import (
	"context"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// FGSM is the fast gradient sign method (Goodfellow, Shlens & Szegedy, ICLR
// 2015, section 4), the dense contrast to every sparse attack. It solves the
// problem linearised at x,
//
//	min_d  L(x) + d'grad L(x)   s.t.  ||d||_inf <= eps,
//
// in one step, d = -eps*sign(grad L(x)), and answers with clip(x + d, 0, 1). L is
// the cross entropy to the target, or minus that to the label (or Loss).
//
//	paper    code              shape  range
//	x        o.x               N      [0,1]
//	eps      Epsilon           1      [0,1], of full scale 1
//	J        o.directing       1      L here
//	eta      d                 N      [-eps,eps]
type FGSM struct {
	// Preset is "" or "paper", eps = 0.1, the paper's for CIFAR-10.
	Preset string `option:"-"`
	// Epsilon is the change of every entry, of full scale 1; 0 means 8/255.
	Epsilon float64 `def:"0.03137254901960784" range:"[0,1]"`
	// Loss is whose gradient directs the steps: "ce", the cross entropy, or "dlr",
	// the ratio of differences of logits, which has a gradient where the
	// probabilities are all 0 or 1; "" means ce.
	Loss string `oneof:"ce dlr"`
}

var _ attack.Attack = (*FGSM)(nil)

// Name is "fgsm".
func (FGSM) Name() string { return "fgsm" }

func (FGSM) Presets() map[string]attack.Attack {
	return map[string]attack.Attack{"paper": FGSM{Epsilon: 0.1}}
}

// Run attacks one image with one gradient.
func (a FGSM) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byLinf, FGSM.search)
}

func (a FGSM) search(o *oracle) error {
	s, err := o.gradient(o.directing(a.Loss), o.x)
	if err != nil {
		return err
	}
	d := a.perturbation(s.grad)
	_, err = o.try(o.image(d, make([]float64, o.n)))
	return err
}

// perturbation is the only step: d = -eps*sign(g).
func (a FGSM) perturbation(g []float64) []float64 {
	d := make([]float64, len(g))
	for i, v := range g {
		d[i] = -a.Epsilon * sign(v)
	}
	return d
}
