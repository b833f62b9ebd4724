package baseline

import (
	"context"
	"math"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// EADL1 is the elastic-net attack of Chen et al. (AAAI 2018, Algorithm 1; their
// program's l1_attack.py): iterative shrinkage with momentum on
//
//	min_x' c*h(x') + ||x'-x||_2^2 + beta*||x'-x||_1,  x' in [0,1],
//
// with the search on c of Carlini and Wagner. h is the hinge on logits. The
// success with the smallest l1 (or elastic-net distance) is kept.
//
//	paper      code         shape  range
//	x_0        o.x          N      [0,1]
//	x^(k)      img, next    N      [0,1], this one and the next
//	y^(k)      slack        N      any number
//	g          c*h + l2     1      the smooth part of the problem
//	S_beta     shrinkToBox  1      [0,1]
//	alpha_k    rate         1      (0,StepSize]
//	beta       Beta         1      [0,inf)
//	c          c            1      (0,inf)
//	kappa      Confidence   1      [0,inf), in logits
type EADL1 struct {
	// SearchSteps on c; 0 means 9.
	SearchSteps int `def:"9" range:"[0,inf)"`
	// Steps in each; 0 means 1000, as their paper and test program have it.
	Steps int `def:"1000" range:"[0,inf)"`
	// StepSize of the first step, falling as sqrt(1-i/Steps); 0 means 0.01.
	StepSize float64 `def:"0.01" range:"[0,inf)"`
	// InitialConst is the first c; 0 means 0.001.
	InitialConst float64 `def:"0.001" range:"[0,inf)"`
	// Beta weighs l1; 0 means 0.001.
	Beta float64 `def:"0.001" range:"[0,inf)"`
	// Confidence is kappa of the hinge.
	Confidence float64 `range:"[0,inf)"`
	// Keep is "l1" or "en": which distance decides between successes; "" means
	// l1.
	Keep string `oneof:"l1 en"`
	// NoEarlyAbort keeps a search step going that makes no progress. (The
	// authors stop when a tenth of the steps lowered the loss by less than
	// 0.01 %.)
	NoEarlyAbort bool
}

var _ attack.Attack = (*EADL1)(nil)

// Name is "ead-l1".
func (EADL1) Name() string { return "ead-l1" }

// Run attacks one image.
func (a EADL1) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	by := byL1
	if a.Keep == "en" {
		beta := a.Beta
		if beta == 0 {
			beta = 0.001
		}
		by = func(o *oracle) func(x, adv []float64) size {
			l1 := byL1(o)
			return func(x, adv []float64) size { return size{squaredDistance(x, adv) + float64(beta*l1(x, adv)[0])} }
		}
	}
	return run(ctx, m, x, goal, a, by, EADL1.search)
}

func (a EADL1) search(o *oracle) error {
	const factor = 10 // l1_attack.py
	c := newConstSearch(a.InitialConst, factor)
	for round := range a.SearchSteps {
		before := o.kept
		success, err := a.fista(o, c.c, round)
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

// fista is one search step for one c: a gradient step on the slack, shrinkage,
// and momentum i/(i+3).
func (a EADL1) fista(o *oracle, c float64, round int) (success bool, err error) {
	slack := append([]float64(nil), o.x...)
	img := append([]float64(nil), o.x...)
	next, rounded := make([]float64, o.n), make([]float64, o.n)
	checkEvery, checkpoint := max(a.Steps/10, 1), math.Inf(1)
	for i := range a.Steps {
		// A gradient step on the slack, shrinkage, and the box.
		s, err := o.gradient(o.margin(a.Confidence), slack)
		if err != nil {
			return success, err
		}
		a.shrink(next, slack, o.x, s.grad, c, a.rate(i))
		copy(rounded, next)
		roundToImage(rounded)
		// Its objective, and whether it is the smallest success yet.
		z, err := o.logits(rounded)
		if err != nil {
			return success, err
		}
		if i%checkEvery == 0 && !a.NoEarlyAbort {
			const progress = 0.9999 // l1_attack.py
			loss := a.loss(o, c, next, z)
			if loss > progress*checkpoint {
				break
			}
			checkpoint = loss
		}
		if o.considerSure(rounded, z, a.Confidence) {
			success = true
		}
		// Momentum.
		extrapolate(slack, next, img, i)
		img, next = next, img
		if i%100 == 0 {
			o.report("search", round+1, a.SearchSteps, round*a.Steps+i, a.SearchSteps*a.Steps, s.loss)
		}
	}
	return success, nil
}

// rate is alpha of step i: StepSize*sqrt(1 - i/Steps).
func (a EADL1) rate(i int) float64 {
	return a.StepSize * math.Sqrt(1-float64(i)/float64(a.Steps))
}

// shrink is x^(k+1) = S_beta(y^(k) - alpha_k*grad g(y^(k))), h's part of the
// gradient given.
func (a EADL1) shrink(next, slack, x, h []float64, c, rate float64) {
	for j, g := range h {
		step := slack[j] - float64(rate*(float64(c*g)+2*(slack[j]-x[j])))
		next[j] = shrinkToBox(step, x[j], a.Beta)
	}
}

// extrapolate is y^(k+1) = x^(k+1) + k/(k+3)*(x^(k+1) - x^(k)).
func extrapolate(slack, next, img []float64, k int) {
	momentum := float64(k) / float64(k+3)
	for j, v := range next {
		slack[j] = v + float64(momentum*(v-img[j]))
	}
}

// loss is the objective at an image with logits z.
func (a EADL1) loss(o *oracle, c float64, img, z []float64) float64 {
	sum := float64(c * max(o.gap(z)+a.Confidence, 0))
	for i, v := range img {
		d := v - o.x[i]
		sum += float64(d*d) + float64(a.Beta*math.Abs(d))
	}
	return sum
}

// shrinkToBox is eq. 5: the soft threshold of v-x by beta, kept in [0,1].
func shrinkToBox(v, x, beta float64) float64 {
	switch d := v - x; {
	case d > beta:
		return min(v-beta, 1)
	case d < -beta:
		return max(v+beta, 0)
	}
	return x
}
