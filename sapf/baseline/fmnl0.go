package baseline

import (
	"context"
	"math"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// FMNL0 is the fast minimum-norm attack in l0 (Pintor et al., NeurIPS 2021,
// arXiv 2102.12827, Algorithm 1; checked against their program and
// adversarial-library's fast_minimum_norm.py):
//
//	min_d  ||d||_0   s.t.  x+d reaches the goal,  x+d in [0,1].
//
// It keeps a budget of eps entries that shrinks while the iterate is adversarial
// and grows while it is not, and takes steps on the l0 ball of that size,
//
//	d <- d + alpha*g/||g||_2,  keep the eps largest |d|,  clip x+d to [0,1],
//
// with g the gradient of the difference of logits and alpha and gamma annealed
// by a cosine. It draws nothing at random.
//
//	paper              code                     shape  range
//	x                  o.x                      N      [0,1]
//	delta              d                        N      [-x,1-x]
//	grad L             -s.grad                  N      of Z_t - max over others, or max over others - Z_y
//	epsilon            eps                      1      0..N entries
//	alpha_0, alpha_T   StepSize, StepSize/100   1      [0,inf), l2 length
//	gamma_0, gamma_T   Gamma, GammaLast         1      [0,inf)
//	delta*             o.best - o.x             N      the smallest success so far
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
	eps := 1
	for i := range a.Steps {
		alpha, gamma := a.annealed(i)
		// The hinge is to fall, so its gradient points away from the goal.
		s, err := o.gradient(o.margin(neverClosed), o.image(d, img))
		if err != nil {
			return err
		}
		// The budget moves towards the boundary.
		if o.consider(img, s.z) {
			eps = shrunk(eps, int(o.bestSize[0]), gamma)
		} else {
			eps = grown(eps, o.n, gamma)
		}
		// A step towards the goal, the l0 ball, and the box.
		stepAgainst(d, s.grad, alpha)
		zeroEntries(d, keepLargest(absolute(d), max(eps, 1)))
		clipToImage(d, o.x)
		o.report("step", 1, 1, i+1, a.Steps, o.gap(s.z))
	}
	return nil
}

// annealed are alpha and gamma of step i.
func (a FMNL0) annealed(i int) (alpha, gamma float64) {
	c, last := cosine(i, a.Steps), a.StepSize/100
	alpha = last + float64((a.StepSize-last)*c)
	gamma = a.GammaLast + float64((a.Gamma-a.GammaLast)*c)
	return alpha, gamma
}

// shrunk is eps after an adversarial iterate: fewer by gamma, at least by one,
// and no more than the best success has.
func shrunk(eps, best int, gamma float64) int {
	return max(min(eps-1, int(math.Floor(float64(eps)*(1-gamma))), best), 0)
}

// grown is eps after any other iterate: more by gamma, at least by one, of n.
func grown(eps, n int, gamma float64) int {
	return min(max(eps+1, int(math.Floor(float64(eps)*(1+gamma)))), n)
}

// stepAgainst is d <- d - alpha*g/||g||_2; a gradient of 0 moves nothing.
func stepAgainst(d, g []float64, alpha float64) {
	length := norm2(g)
	if !(length > 0) {
		return
	}
	for j, v := range g {
		d[j] -= float64(alpha * (v / length))
	}
}
