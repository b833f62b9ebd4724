package baseline

import (
	"context"
	"math"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// SAIF is the attack of Imtiaz, Kohler, Miller, Wang, Sznaier, Camps and Dy
// (arXiv 2212.07495): the perturbation is a product, as in SAPF, of magnitudes p
// and a relaxed selection s, and both move by one Frank-Wolfe step at a time,
//
//	min over s, p   L(x + s*p)   s.t.  s in [0,1]^N, ||s||_1 <= k,  ||p||_inf <= eps,
//
// with L the cross entropy to the target, or minus that to the label.
//
//	paper  code      shape  range
//	x      o.x       N      [0,1]
//	p      at.p      N      [-eps,eps], and x+p in [0,1]
//	s      at.s      N      [0,1], of sum at most k
//	v, z   corner    N      where the gradients point: p of the cube, s of k entries
//	k      K         1      [0,inf)
//	eps    Epsilon   1      [0,1], of full scale 1
//	eta    mu        1      (0,1], 1/(2^r sqrt(t+1))
//	r      r         1      halvings of the step so far
//
// The sum of s is bounded, not the number of its entries: s is an average of
// selections of k entries, so that more than k may change. Every iterate is a
// candidate, and the one with the fewest changes is kept.
//
// Differs: written after an independent program (that of the GSE authors), since
// the authors' own was not at hand. Where it sums all logits, the cross entropy
// of the paper is taken here.
type SAIF struct {
	// K bounds the sum of s; 0 means 100.
	K int `def:"100" range:"[0,inf)"`
	// Epsilon bounds the change of an entry, of full scale 1; 0 means 16/255.
	Epsilon float64 `def:"0.06274509803921569" range:"[0,1]"`
	// Steps is the number of Frank-Wolfe steps; 0 means 200.
	Steps int `def:"200" range:"[0,inf)"`
	// Halvings is r at first; 0 means 1.
	Halvings int `def:"1" range:"[0,50]"`
}

var _ attack.Attack = (*SAIF)(nil)

// mostHalvings is the r at which the search for a step that makes progress ends.
const mostHalvings = 50

// Name is "saif".
func (SAIF) Name() string { return "saif" }

// Run attacks one image.
func (a SAIF) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byL0, SAIF.search)
}

// WithBudget bounds the sum of s, in entries.
func (a SAIF) WithBudget(k int, _ attack.Unit) attack.Attack { a.K = k; return a }

// Counts reports that s is of entries.
func (SAIF) Counts(unit attack.Unit) bool { return unit == attack.Entries }

// saifPoint is an iterate: the selection and the magnitudes, each of length N.
type saifPoint struct{ s, p []float64 }

func (a SAIF) search(o *oracle) error {
	o.k = a.K
	first, err := o.gradient(o.crossEntropy(), o.x)
	if err != nil {
		return err
	}
	at := a.start(o, first.grad)
	r := a.Halvings
	for t := range a.Steps {
		d, grad, err := a.look(o, at)
		if err != nil {
			return err
		}
		corner := a.corners(at, grad)
		next := a.towards(o, at, corner, t, r)
		for r < mostHalvings { // until the step makes progress
			progress, err := a.below(o, next, d)
			if err != nil {
				return err
			}
			if progress {
				break
			}
			r++
			next = a.towards(o, at, corner, t, r)
		}
		at = next
		o.report("step", 1, 1, t+1, a.Steps, d)
	}
	_, err = o.try(o.image(at.change(), make([]float64, o.n)))
	return err
}

// start is p_0 and s_0 from the gradient at the image: the corners of the two
// sets, s only where the gradient is negative.
func (a SAIF) start(o *oracle, grad []float64) saifPoint {
	p := make([]float64, len(grad))
	for i, g := range grad {
		p[i] = -a.Epsilon * sign(g)
	}
	imageBox(o.x).clamp(p)
	return saifPoint{s: lowest(grad, a.K), p: p}
}

// look evaluates the loss and its gradient at x + s*p, a candidate.
func (a SAIF) look(o *oracle, at saifPoint) (loss float64, grad []float64, err error) {
	img := o.image(at.change(), make([]float64, o.n))
	v, err := o.gradient(o.crossEntropy(), img)
	if err != nil {
		return 0, nil, err
	}
	o.consider(img, v.z)
	return v.loss, v.grad, nil
}

// corners are the points of the two sets that the gradients point to: v for p
// in the cube, z for s among the selections of k entries.
func (a SAIF) corners(at saifPoint, grad []float64) saifPoint {
	v, ds := make([]float64, len(grad)), make([]float64, len(grad))
	for i, g := range grad {
		v[i] = -a.Epsilon * sign(at.s[i]*g) // d loss / dp = s*g
		ds[i] = at.p[i] * g                 // d loss / ds = p*g
	}
	return saifPoint{s: lowest(ds, a.K), p: v}
}

// towards is the step of length mu from a point to the corners; p stays where
// x+p is an image.
func (a SAIF) towards(o *oracle, at, corner saifPoint, t, r int) saifPoint {
	mu := math.Ldexp(1/math.Sqrt(float64(t+1)), -r)
	next := saifPoint{s: between(at.s, corner.s, mu), p: between(at.p, corner.p, mu)}
	imageBox(o.x).clamp(next.p)
	return next
}

// below reports whether the loss at a point is at most d: the step makes
// progress.
func (a SAIF) below(o *oracle, at saifPoint, d float64) (bool, error) {
	img := o.image(at.change(), make([]float64, o.n))
	z, err := o.logits(img)
	if err != nil {
		return false, err
	}
	o.consider(img, z)
	target := make([]float64, o.classes)
	target[o.own] = 1
	loss := attack.CrossEntropy{Untargeted: !o.goal.Targeted()}.Example(z, target, nil)
	return loss <= d, nil
}

// change is s*p.
func (at saifPoint) change() []float64 {
	d := make([]float64, len(at.s))
	for i, s := range at.s {
		d[i] = s * at.p[i]
	}
	return d
}

// between is a + mu (b-a).
func between(a, b []float64, mu float64) []float64 {
	out := make([]float64, len(a))
	for i, v := range a {
		out[i] = v + float64(mu*(b[i]-v))
	}
	return out
}

// lowest is 1 at the k smallest entries of v, where they are negative, else 0.
func lowest(v []float64, k int) []float64 {
	descent, out := make([]float64, len(v)), make([]float64, len(v))
	for i, x := range v {
		descent[i] = max(-x, 0)
	}
	for i, in := range keepLargest(descent, k) {
		if in && descent[i] > 0 {
			out[i] = 1
		}
	}
	return out
}
