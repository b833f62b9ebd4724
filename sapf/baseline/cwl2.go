package baseline

import (
	"context"
	"fmt"
	"math"

	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/internal/exact"
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
		for i := range img {
			img[i], slope[i] = space.at(i)
			if a.support != nil && !a.support[i] {
				img[i], slope[i] = o.x[i], 0
			}
			img[i] = pixel(img[i])
		}
		s, err := o.gradient(o.margin(a.Confidence), img)
		if err != nil {
			return success, err
		}
		if o.considerSure(img, s.z, a.Confidence) {
			success = true
		}
		loss := float64(c * s.loss)
		for i, g := range s.grad {
			diff := img[i] - space.x0[i]
			loss += float64(diff * diff)
			grad[i] = (2*diff + float64(c*g)) * slope[i]
		}
		if step%checkEvery == 0 && !a.NoEarlyAbort {
			const progress = 0.9999 // l2_attack.py
			if loss > progress*checkpoint {
				break
			}
			checkpoint = loss
		}
		optimiser.step(space.v, grad, a.StepSize)
		if step%checkEvery == 0 {
			o.report("search", round+1, a.SearchSteps, round*a.Steps+step, a.SearchSteps*a.Steps, loss)
		}
	}
	return success, nil
}
