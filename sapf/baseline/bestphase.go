package baseline

import (
	"math"

	"sapf/models"
	"sapf/models/exact"
	"sapf/sapf/attack"
)

// phase is a stretch of the iteration in which k goes from one number to
// another, and two step sizes from one to another along a cosine.
type phase struct {
	steps    int
	from, to int
	// share is the part of a step that the fixed point has, radius the largest
	// relative change of the length in a step: first and last values.
	share, radius [2]float64
}

// walker is one point that phases move. In the paper's letters d is w*delta*G,
// in units of the pixels where w = 1; all slices have length n.
type walker struct {
	o *oracle // of its own
	s *solver
	// class is what the walker goes towards: the target, or one of the likely
	// classes of an untargeted attack.
	class int
	// lo and hi are the box of d: w*(0-x) and w*(1-x), or 0 where closed.
	lo, hi []float64
	d      []float64
	// best is the shortest success within the budget, length its ||w*delta*G||,
	// infinite without one.
	best   []float64
	length float64
	// had is k of the step before.
	had    int
	u, img []float64
	keep   selector
	watch  func(step int)
}

// run takes the walker through a phase.
//
// The problem is min ||d||^2 s.t. m(x+d) <= 0 with at most k entries. At a
// solution with support S there is a multiplier mu >= 0 with
//
//	2 d_i + mu g_i = 0  on S  where the box is idle,   m = 0,   g = grad m,
//
// (with weights, in the coordinates w*delta, g/w stands for g): d is
// proportional to -g on S, and of all supports the best one for the linearised
// margin, which falls by mu/2 ||g_S||^2, has the k largest |g_i|. So a solution
// is a fixed point of
//
//	d  =  T_k(-c g),   c = ||d|| / ||T_k g||,
//
// with T_k keeping the k largest: exact, not relaxed. A step goes a part of the
// way to it, then sets the length so that the margin, linearised along d,
// is 0.
func (w *walker) run(p phase) error {
	w.had = p.from
	for i := range p.steps {
		k := p.count(i, w.s.a.Shrinking)
		stop, err := w.step(k, anneal(p.share, i, p.steps), anneal(p.radius, i, p.steps))
		if stop || err != nil {
			return err
		}
		w.watch(i + 1)
	}
	return nil
}

// count is k of step i: it shrinks by equal factors over the first part of the
// steps, then holds.
func (p phase) count(i int, shrinking float64) int {
	return geometric(p.from, p.to, float64(i+1)/float64(shrinking*float64(p.steps)))
}

// geometric is from*(to/from)^f rounded, to where f is 1 or more.
func geometric(from, to int, f float64) int {
	if f >= 1 || from == to {
		return to
	}
	ratio := exact.Log(float64(to) / float64(from))
	return int(math.RoundToEven(float64(from) * exact.Exp(float64(f*ratio))))
}

// anneal goes from the first to the second value along a cosine.
func anneal(v [2]float64, i, steps int) float64 {
	return v[1] + float64((v[0]-v[1])*cosine(i, steps))
}

// step evaluates d, records it if it is a success, and moves it. It reports
// whether the walker is stuck where the gradient vanishes.
func (w *walker) step(k int, share, radius float64) (stuck bool, err error) {
	w.clip(w.d)
	m, g, err := w.evaluate()
	if err != nil {
		return false, err
	}
	groups := w.s.groupsAt(k)
	slope := w.keep.norm(g, k, groups)
	grow := 1.0
	if w.had > k && !w.s.a.NoGrow {
		grow = w.keep.norm(g, w.had, w.s.groupsAt(w.had)) / slope
	}
	w.had = k
	if !(slope > 0) {
		return true, nil
	}
	length := norm2(w.d)
	if length == 0 {
		first := min(m/slope, 1)
		for i, v := range g {
			w.d[i] = -first * (v / slope)
		}
		w.keep.largest(w.d, k, groups)
		w.scale(first)
		return false, nil
	}
	along := 0.0 // g'd
	c := length / slope
	for i, v := range g {
		along += float64(v * w.d[i])
		w.u[i] = float64((1-share)*w.d[i]) - float64(float64(share*c)*v)
	}
	w.clip(w.u)
	w.keep.largest(w.u, k, groups)
	w.d, w.u = w.u, w.d
	w.scale(length * boundary(m, along, radius) * grow)
	return false, nil
}

// boundary is the factor q at which the margin m + (q-1) g'd is 0, within
// radius of 1; where d does not lower the margin, the end that is right in sign.
func boundary(m, along, radius float64) float64 {
	switch {
	case along < 0:
		return min(max(1-m/along, 1-radius), 1+radius)
	case m < 0:
		return 1 - radius
	default:
		return 1 + radius
	}
}

// evaluate returns the margin at d, with the confidence added, and the gradient
// that directs the step, in the coordinates of d. The gradient is good until
// the next pass.
func (w *walker) evaluate() (m float64, g []float64, err error) {
	w.s.image(w.o, w.d, w.img)
	var loss models.Loss = attack.Margin{Confidence: neverClosed}
	if w.s.a.Loss == "ce" {
		loss = attack.CrossEntropy{}
	}
	row := make([]float64, w.o.classes)
	row[w.class] = 1
	answer, err := w.o.pull(loss, w.img, row)
	if err != nil {
		return 0, nil, err
	}
	w.record(answer.z)
	if w.s.w != nil {
		for i := range answer.grad {
			answer.grad[i] /= w.s.w[i]
		}
	}
	return answer.z[models.ArgmaxBut(answer.z, w.class)] - answer.z[w.class] + w.s.a.Confidence, answer.grad, nil
}

// record keeps the point if it is within the budget and the best success.
func (w *walker) record(z []float64) {
	if w.s.used(w.img) > w.s.a.K {
		return
	}
	before := w.o.kept
	w.o.considerSure(w.img, z, w.s.a.Confidence)
	if w.o.kept > before {
		w.best = append(w.best[:0], w.d...)
		w.length = math.Sqrt(w.o.bestSize[0])
	}
}

// clip moves v into the box.
func (w *walker) clip(v []float64) {
	for i, x := range v {
		if x < w.lo[i] {
			v[i] = w.lo[i]
		} else if x > w.hi[i] {
			v[i] = w.hi[i]
		}
	}
}

// scale gives d the length e within the box, as far as it goes: entries at the
// box stay, the others grow to make up for them.
func (w *walker) scale(e float64) {
	const rounds, close = 6, 1e-7
	w.clip(w.d)
	for range rounds {
		length := norm2(w.d)
		if length == 0 || math.Abs(length/e-1) < close {
			return
		}
		if length >= e {
			for i := range w.d {
				w.d[i] *= e / length
			}
			return
		}
		fixed, free := 0.0, 0.0
		for i, v := range w.d {
			if v <= w.lo[i] || v >= w.hi[i] {
				fixed += float64(v * v)
			} else {
				free += float64(v * v)
			}
		}
		if free == 0 {
			return
		}
		factor := math.Sqrt(max(float64(e*e)-fixed, 0) / free)
		for i, v := range w.d {
			if v > w.lo[i] && v < w.hi[i] {
				w.d[i] = v * factor
			}
		}
		w.clip(w.d)
	}
}
