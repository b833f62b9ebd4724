package baseline

import (
	"context"
	"math"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// FMNL0 is the fast minimum-norm attack in l0 (Pintor et al., NeurIPS 2021,
// arXiv 2102.12827, Algorithm 1). It keeps a budget of eps entries that shrinks
// while the iterate is adversarial and grows while it is not,
//
//	d <- d + alpha*g/||g||_2,  keep the eps largest |d|,  clip x+d to [0,1],
//
// with g the gradient of the difference of logits and alpha and gamma annealed
// by a cosine. It draws nothing at random.
//
// Differs: at eps = 0 the original keeps every entry; here one is kept, as in
// adversarial-library. Entries tied with the eps-th are kept by lower index, so
// that the budget holds; the original keeps them all.
type FMNL0 struct {
	// Preset is "" or "benchmark" (1000 steps).
	Preset string `option:"-"`
	// Steps is T; 0 means 10, the signature's default.
	Steps int `def:"10" range:"[0,inf)"`
	// StepSize is alpha_0, the l2 length of the first step; 0 means 1. The last
	// is a hundredth of it.
	StepSize float64 `def:"1" range:"[0,inf)"`
	// Gamma is gamma_0, the relative change of eps; 0 means 0.05.
	Gamma float64 `def:"0.05" range:"[0,inf)"`
	// GammaLast is gamma_T; 0 means 0.001.
	GammaLast float64 `def:"0.001" range:"[0,inf)"`
}

var _ attack.Attack = (*FMNL0)(nil)

// Name is "fmn-l0".
func (FMNL0) Name() string { return "fmn-l0" }

func (FMNL0) Presets() map[string]attack.Attack {
	return map[string]attack.Attack{"benchmark": FMNL0{Steps: 1000}}
}

// Run attacks one image.
func (a FMNL0) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byL0, FMNL0.search)
}

func (a FMNL0) search(o *oracle) error {
	d, img := make([]float64, o.n), make([]float64, o.n)
	eps, best := 1, o.n
	for i := range a.Steps {
		c := cosine(i, a.Steps)
		alpha := a.StepSize/100 + float64((a.StepSize-a.StepSize/100)*c)
		gamma := a.GammaLast + float64((a.Gamma-a.GammaLast)*c)
		// The hinge is to fall, so its gradient points away from the goal.
		s, err := o.gradient(o.margin(neverClosed), o.image(d, img))
		if err != nil {
			return err
		}
		if o.consider(img, s.z) {
			best = int(o.bestSize[0])
			eps = min(eps-1, int(math.Floor(float64(eps)*(1-gamma))), best)
		} else {
			eps = max(eps+1, int(math.Floor(float64(eps)*(1+gamma))))
		}
		eps = min(max(eps, 0), o.n)
		if length := norm2(s.grad); length > 0 {
			for j, g := range s.grad {
				d[j] -= float64(alpha * (g / length))
			}
		}
		zeroEntries(d, keepLargest(absolute(d), max(eps, 1)))
		clipToImage(d, o.x)
		o.report("step", 1, 1, i+1, a.Steps, o.gap(s.z))
	}
	return nil
}
