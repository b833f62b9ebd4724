package baseline

import (
	"context"
	"fmt"
	"math"

	"sapf/models/data"
	"sapf/models/exact"
	"sapf/sapf/attack"
)

// CWL2 is the l2 attack of Carlini and Wagner (IEEE S&P 2017, section VI.A;
// their program's l2_attack.py):
//
//	min_v ||x'(v) - x0||_2^2 + c*h(x'(v)),   x'(v) = (tanh(t0 + v) + 1)/2
//
// with h the hinge on logits of confidence kappa, t0 = atanh(0.999999*(2x-1)),
// x0 = (tanh(t0)+1)/2, Adam on v from 0, and a binary search on c that starts
// v and Adam afresh. The success with the smallest l2 is kept.
//
// With a support S (see On and Budgeted) v moves on S only: min ||d||_2, supp(d) in S.
//
//	paper            code                  shape  range
//	x                o.x                   N      [0,1]
//	w                space.t0 + space.v    N      any number
//	(tanh(w)+1)/2    img                   N      [0,1]
//	f                o.margin              1      [0,inf), here raised by kappa
//	kappa            Confidence            1      [0,inf), in logits
//	c                c.c                   1      (0,inf)
//	(their program)
//	modifier         space.v               N      any number
//	const, lower_bound, upper_bound        constSearch
type CWL2 struct {
	// SearchSteps of the binary search on c; 0 means 9.
	SearchSteps int `def:"9" range:"[0,inf)"`
	// Steps of Adam in each search step; 0 means 10,000.
	Steps int `def:"10000" range:"[0,inf)"`
	// StepSize of Adam; 0 means 0.01.
	StepSize float64 `def:"0.01" range:"[0,inf)"`
	// InitialConst is c of the first search step; 0 means 0.001.
	InitialConst float64 `def:"0.001" range:"[0,inf)"`
	// Confidence is kappa, the margin in logits that counts as success.
	Confidence float64 `range:"[0,inf)"`
	// NoEarlyAbort keeps a search step going that makes no progress. (The
	// authors stop when a tenth of the steps lowered the loss by less than
	// 0.01 %.)
	NoEarlyAbort bool

	// support marks the entries that may change, nil for all.
	support []bool
}

var _ attack.Attack = (*CWL2)(nil)

// On is the attack held to a support: entries that are not marked, of which an
// image has C*H*W in the order of its Pix, stay as they are.
func (a CWL2) On(support []bool) CWL2 {
	a.support = support
	return a
}

// Name is "cw-l2".
func (CWL2) Name() string { return "cw-l2" }

// Run attacks one image.
func (a CWL2) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byL2, CWL2.search)
}

// tanhSpace is the change of variable that keeps an image in its box.
type tanhSpace struct {
	t0 []float64 // atanh of the clean image, shrunk off the box's faces
	x0 []float64 // the clean image as the space represents it
	v  []float64
}

func newTanhSpace(x []float64, shrink float64) *tanhSpace {
	s := &tanhSpace{make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))}
	for i, p := range x {
		s.t0[i] = exact.Atanh(shrink * (2*p - 1))
		s.x0[i] = (exact.Tanh(s.t0[i]) + 1) / 2
	}
	return s
}

// at returns x'(v) at entry i and its derivative with respect to v.
func (s *tanhSpace) at(i int) (pixel, slope float64) {
	t := exact.Tanh(s.t0[i] + s.v[i])
	return (t + 1) / 2, (1 - float64(t*t)) / 2
}

// write writes x'(v) as an image, and its derivative; entries that free does
// not mark stay as they are in x. A free of nil marks all.
func (s *tanhSpace) write(img, slope, x []float64, free []bool) {
	for i := range img {
		if free != nil && !free[i] {
			img[i], slope[i] = x[i], 0
			continue
		}
		img[i], slope[i] = s.at(i)
		img[i] = pixel(img[i])
	}
}

// objective is ||x'(v) - x0||^2 + c*h at an image, with h and its gradient in
// the image given. It writes the gradient in v.
func (s *tanhSpace) objective(grad, img, slope []float64, h answer, c float64) float64 {
	loss := float64(c * h.loss)
	for i, g := range h.grad {
		diff := img[i] - s.x0[i]
		loss += float64(diff * diff)
		grad[i] = (2*diff + float64(c*g)) * slope[i]
	}
	return loss
}

// constSearch is the search on a trade-off constant that the Carlini-Wagner
// family shares: bisection once a success bounds c from above, before that c
// times factor.
type constSearch struct {
	c, lower, upper, factor float64
}

func newConstSearch(c, factor float64) *constSearch {
	return &constSearch{c: c, upper: math.Inf(1), factor: factor}
}

// next moves c after a step that did or did not succeed.
func (s *constSearch) next(success bool) {
	if success {
		s.upper = min(s.upper, s.c)
	} else {
		s.lower = max(s.lower, s.c)
	}
	switch {
	case !math.IsInf(s.upper, 1):
		s.c = (s.lower + s.upper) / 2
	case !success:
		s.c *= s.factor
	}
}

// lastIsUpper is the number of search steps from which on the authors spend
// the last one on the smallest c known to succeed.
const lastIsUpper = 10

func (a CWL2) search(o *oracle) error {
	if a.support != nil && len(a.support) != o.n {
		return fmt.Errorf("support of %d entries, the image has %d", len(a.support), o.n)
	}
	const shrink, factor = 0.999999, 10 // l2_attack.py
	space := newTanhSpace(o.x, shrink)
	optimiser := newAdam(o.n)
	c := newConstSearch(a.InitialConst, factor)
	for round := range a.SearchSteps {
		if a.SearchSteps >= lastIsUpper && round == a.SearchSteps-1 && !math.IsInf(c.upper, 1) {
			c.c = c.upper
		}
		before := o.kept
		success, err := a.descend(o, space, optimiser, c.c, round)
		if err != nil {
			return err
		}
		if o.kept > before {
			o.lambda = c.c
		}
		o.rounds++
		c.next(success)
	}
	return nil
}

// descend is one search step: Adam on v for one c, from v = 0. It reports
// whether any iterate succeeded.
func (a CWL2) descend(o *oracle, space *tanhSpace, optimiser *adam, c float64, round int) (bool, error) {
	clear(space.v)
	optimiser.reset()
	img, slope, grad := make([]float64, o.n), make([]float64, o.n), make([]float64, o.n)
	checkEvery := max(a.Steps/10, 1)
	checkpoint := math.Inf(1)
	success := false
	for step := range a.Steps {
		// x'(v), its hinge, and whether it is the smallest success yet.
		space.write(img, slope, o.x, a.support)
		s, err := o.gradient(o.margin(a.Confidence), img)
		if err != nil {
			return success, err
		}
		if o.considerSure(img, s.z, a.Confidence) {
			success = true
		}
		// The objective; a search step that makes no progress ends.
		loss := space.objective(grad, img, slope, s, c)
		if step%checkEvery == 0 && !a.NoEarlyAbort {
			const progress = 0.9999 // l2_attack.py
			if loss > progress*checkpoint {
				break
			}
			checkpoint = loss
		}
		// A step on v.
		optimiser.step(space.v, grad, a.StepSize)
		if step%checkEvery == 0 {
			o.report("search", round+1, a.SearchSteps, round*a.Steps+step, a.SearchSteps*a.Steps, loss)
		}
	}
	return success, nil
}
