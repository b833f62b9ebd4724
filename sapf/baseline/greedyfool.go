package baseline

import (
	"context"
	"math"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
)

// GreedyFool is the two-phase attack of Dong et al. (NeurIPS 2020; checked
// against their program's nips_gd.py):
//
//	min_d  number of pixels changed   s.t.  x+d reaches the goal,  |d| <= eps,
//	                                        x+d in [0,1].
//
// Increase: rank pixels by the mean of |gradient| over channels times a map of
// how well changes hide there, let the best join the set, and step on the whole
// set,
//
//	x <- clip(x - eps/2 * g/max|g| on the set),  |x' - x| <= eps,
//
// until the goal is reached. Reduce: drop the pixel that changed least, rescale
// the rest over a ladder of magnitudes, and keep the first that still reaches
// the goal.
//
//	formula    code        shape  range
//	x          o.x         N      [0,1]
//	d          d, noise    N      [-eps,eps], x+d in [0,1]
//	g          s.grad      N      of the hinge
//	the set    set         P      whether a pixel may change
//	the map    weight      P      [0,1]
//	eps        Epsilon     1      [0,1], of full scale 1
//
// Differs: their map comes from a trained generator; here it is the local
// standard deviation, put through the same floor, scale and mean. Targeted, the
// hinge of the target takes the place of the label's; that form is ours.
type GreedyFool struct {
	// Epsilon bounds each change, of full scale 1; 0 means 1. Below 128/255
	// the set grows by one pixel more in each step, as in their program.
	Epsilon float64 `def:"1" range:"[0,1]"`
	// Steps of the increase phase at most; 0 means 1000 (theirs 10,000).
	Steps int `def:"1000" range:"[0,inf)"`
	// ReduceSteps at most; 0 means 3000.
	ReduceSteps int `def:"3000" range:"[0,inf)"`
	// Flat gives every pixel the weight 1 instead of the map.
	Flat bool
}

var _ attack.Attack = (*GreedyFool)(nil)

// Name is "greedyfool".
func (GreedyFool) Name() string { return "greedyfool" }

// Run attacks one image.
func (a GreedyFool) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byPixels, GreedyFool.search)
}

func (a GreedyFool) search(o *oracle) error {
	found, err := a.increase(o)
	if err != nil || !found {
		return err
	}
	return a.reduce(o)
}

// increase grows the set until the goal is reached.
func (a GreedyFool) increase(o *oracle) (bool, error) {
	const boostBelow = 128.0 / 255
	boost := a.Epsilon < boostBelow
	weight := a.weights(o)
	set := make([]bool, o.pixels)
	d, img := make([]float64, o.n), make([]float64, o.n)
	limit := cappedBox(o.x, func(int) float64 { return a.Epsilon })
	for step := range a.Steps {
		// Whether the goal is reached, and the gradient.
		s, err := o.gradient(o.margin(neverClosed), o.image(d, img))
		if err != nil {
			return false, err
		}
		if o.consider(img, s.z) {
			return true, nil
		}
		// The best pixels join the set; eps so small takes one more each step.
		joining := 1
		if boost {
			joining = step + 1
		}
		join(set, s.grad, weight, joining, boost)
		// A step on the set.
		a.descend(d, s.grad, set)
		limit.clamp(d)
		o.report("increase", 1, 2, step+1, a.Steps+a.ReduceSteps, o.gap(s.z))
	}
	return o.try(o.image(d, img))
}

// join puts the count pixels with the largest sum_c |g_c| * weight into the set.
// Those that are in it compete only where again says so.
func join(set []bool, g, weight []float64, count int, again bool) {
	score := make([]float64, len(set))
	for i, v := range g {
		if p := i % len(set); again || !set[p] {
			score[p] += float64(math.Abs(v) * weight[p])
		}
	}
	for p, best := range keepLargest(score, count) {
		set[p] = set[p] || best
	}
}

// descend is d <- d - eps/2 * g/max|g| on the set, the maximum taken there.
func (a GreedyFool) descend(d, g []float64, set []bool) {
	top := largestAt(g, func(i int) bool { return set[i%len(set)] })
	for i, v := range g {
		if set[i%len(set)] && top > 0 {
			d[i] -= float64(a.Epsilon / 2 * (v / top))
		}
	}
}

// reduce drops pixels while the goal stays reached.
func (a GreedyFool) reduce(o *oracle) error {
	noise := difference(o.best, o.x)
	rank := 0
	for step := range a.ReduceSteps {
		order := changedPixels(noise, o.channels)
		if rank >= len(order) || len(order) == 1 {
			return nil
		}
		smaller, err := a.without(o, noise, order[rank])
		if err != nil {
			return err
		}
		if smaller == nil {
			rank++
		} else {
			noise = smaller
		}
		o.report("reduce", 2, 2, a.Steps+step+1, a.Steps+a.ReduceSteps, float64(len(order)))
	}
	return nil
}

// changedPixels lists the pixels with noise, the least changed first.
func changedPixels(noise []float64, channels int) []int {
	pixels := len(noise) / channels
	change := make([]float64, pixels)
	for i, v := range noise {
		change[i%pixels] += math.Abs(v)
	}
	order := ascending(change)
	for len(order) > 0 && change[order[0]] == 0 {
		order = order[1:]
	}
	return order
}

// without drops pixel p from the noise and tries what is left at the ladder of
// magnitudes, the smallest first. It returns the noise of the first that reaches
// the goal, or nil.
func (a GreedyFool) without(o *oracle, noise []float64, p int) ([]float64, error) {
	rest := append([]float64(nil), noise...)
	for i := p; i < len(rest); i += o.pixels {
		rest[i] = 0
	}
	top := largestAt(rest, func(int) bool { return true })
	if top == 0 {
		return nil, nil
	}
	rungs := a.ladder()
	scale := func(i int, img []float64) {
		for j, v := range rest {
			img[j] = pixel(o.x[j] + float64(rungs[i]*(v/top)))
		}
	}
	var smaller []float64
	img := make([]float64, o.n)
	err := o.logitsOf(len(rungs), scale, func(i int, z []float64) bool {
		if o.goal.Reached(models.Argmax(z)) {
			scale(i, img)
			o.consider(img, z)
			smaller = difference(img, o.x)
		}
		return smaller == nil
	})
	return smaller, err
}

// ladder are the magnitudes that what is left is tried at: from 0 to eps in
// about ten steps of whole 255ths.
func (a GreedyFool) ladder() []float64 {
	levels := math.Round(a.Epsilon * 255)
	rung := max(math.Floor(levels/10), 1)
	rungs := make([]float64, int(math.Ceil((levels+rung)/rung)))
	for i := range rungs {
		rungs[i] = min(float64(i)*rung/255, a.Epsilon)
	}
	return rungs
}

// weights is the map of how well a change of each pixel hides, in [0,1]: the
// standard deviation in the 3x3 neighbourhood, less its 30th percentile, over
// the 75th percentile of that, at most 1, averaged over 3x3.
func (a GreedyFool) weights(o *oracle) []float64 {
	w := make([]float64, o.pixels)
	for p := range w {
		w[p] = 1
	}
	if a.Flat {
		return w
	}
	const floorAt, scaleAt = 0.30, 0.75
	for p := range w {
		w[p] = a.spread(o, p)
	}
	low := quantile(w, floorAt)
	for p := range w {
		w[p] = max(w[p]-low, 0)
	}
	high := quantile(w, scaleAt)
	for p := range w {
		if w[p] = min(w[p]/high, 1); high == 0 {
			w[p] = 1 // a flat image hides nothing anywhere
		}
	}
	return mean3x3(w, o.shape.H, o.shape.W)
}

// spread is the standard deviation around pixel p, averaged over channels; the
// window is cut at the borders.
func (a GreedyFool) spread(o *oracle, p int) float64 {
	total := 0.0
	for c := range o.channels {
		plane := o.x[c*o.pixels : (c+1)*o.pixels]
		sum, squares, n := 0.0, 0.0, 0.0
		window(p, o.shape.H, o.shape.W, func(q int) { sum += plane[q]; n++ })
		window(p, o.shape.H, o.shape.W, func(q int) {
			squares += float64((plane[q] - sum/n) * (plane[q] - sum/n))
		})
		total += math.Sqrt(squares / n)
	}
	return total / float64(o.channels)
}

// window calls f with the pixels of the 3x3 neighbourhood of p, in order.
func window(p, h, w int, f func(q int)) {
	for row := max(p/w-1, 0); row <= min(p/w+1, h-1); row++ {
		for col := max(p%w-1, 0); col <= min(p%w+1, w-1); col++ {
			f(row*w + col)
		}
	}
}

// mean3x3 averages over the 3x3 neighbourhood, zeros outside counting, as the
// pooling layer of their program does.
func mean3x3(v []float64, h, w int) []float64 {
	out := make([]float64, len(v))
	for p := range v {
		window(p, h, w, func(q int) { out[p] += v[q] / 9 })
	}
	return out
}
