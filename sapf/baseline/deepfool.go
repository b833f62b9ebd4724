package baseline

import (
	"context"
	"math"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
)

// DeepFool is the l2 attack of Moosavi-Dezfooli, Fawzi & Frossard (CVPR 2016,
// Algorithm 2; checked against the one in SparseFool's program):
//
//	min_r  ||r||_2   s.t.  x + r is classified otherwise,
//
// by steps to the nearest of the decision boundaries linearised at the current
// point,
//
//	w_k = grad Z_k - grad Z_l,  f_k = Z_k - Z_l,
//	k*  = argmin |f_k|/||w_k||_2,  r_i = |f_k*|/||w_k*||^2 * w_k*
//
// until x + (1+overshoot)*r is classified otherwise.
//
// The targeted form is ours (the authors have none): the only candidate k is
// the target, and l is the class predicted at the current point, since a third
// class may take over on the way.
//
//	paper         code         shape  range
//	x_0           start        N      [0,1]
//	x_i           point        N
//	k^(x_0), l    cross.rival  1      a class
//	k             classes      few    the other classes looked at
//	f_k           z            a logit a class, less that of l
//	w_k           grads, w     N
//	r = sum r_i   cross.r      N
//	eta           Overshoot    1      [0,inf)
type DeepFool struct {
	// Candidates is how many of the classes with the largest logits are
	// considered, the predicted one among them; 0 means 10.
	Candidates int `def:"10" range:"[0,inf)"`
	// Overshoot beyond the boundary, relative to the step; 0 means 0.02.
	Overshoot float64 `def:"0.02" range:"[0,inf)"`
	// Steps at most; 0 means 50.
	Steps int `def:"50" range:"[0,inf)"`
}

var _ attack.Attack = (*DeepFool)(nil)

// Name is "deepfool".
func (DeepFool) Name() string { return "deepfool" }

// Run attacks one image.
//
// Differs: the authors do not clip. Here every point is clipped to [0,1], as in
// Foolbox and adversarial-library, so that the answer is an image. SparseFool
// uses the unclipped form.
func (a DeepFool) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byL2, DeepFool.search)
}

func (a DeepFool) search(o *oracle) error {
	cross, err := a.perturb(o, o.x, true)
	if err != nil {
		return err
	}
	_, err = o.try(o.image(scaled(cross.r, 1+a.Overshoot), make([]float64, o.n)))
	return err
}

// crossing is where DeepFool crossed into another class.
type crossing struct {
	// r is the perturbation of the start without overshoot.
	r []float64
	// from and to are the classes at the start and beyond the last step.
	from, to int
	// rival is the class whose boundary the last step went to cross.
	rival int
	// w is the last step's direction, grad Z_k - grad Z_l.
	w []float64
}

// smallestStep keeps DeepFool moving where a boundary is very near.
const smallestStep = 1e-4

// perturb runs DeepFool from start. Plain, gradients are taken at start + r and
// the class at start + (1+overshoot)*r; clipped, both at the latter, clipped.
func (a DeepFool) perturb(o *oracle, start []float64, clipped bool) (crossing, error) {
	z, err := o.logits(start)
	if err != nil {
		return crossing{}, err
	}
	classes := a.candidates(o, z)
	top := models.Argmax(z)
	cross := crossing{r: make([]float64, o.n), from: top, to: top, rival: top}
	point, beyond := append([]float64(nil), start...), make([]float64, o.n)
	for step := 0; step < a.Steps && !o.crossed(cross.from, cross.to); step++ {
		if o.goal.Targeted() {
			cross.rival = cross.to // the class that rules here
		}
		z, grads, err := o.jacobian(point, oneHots(classes, cross.rival, o.classes))
		if err != nil {
			return cross, err
		}
		// The nearest boundary, and the step to it.
		f, w := nearestBoundary(z, grads, classes, cross.rival)
		if w == nil {
			break // every gradient vanishes: no boundary in sight
		}
		cross.step(f, w)
		// Where that leads, and the class there.
		displaced(point, start, cross.r, 1)
		displaced(beyond, start, cross.r, 1+a.Overshoot)
		if clipped {
			roundToImage(beyond)
			copy(point, beyond)
		}
		if z, err = o.logits(beyond); err != nil {
			return cross, err
		}
		cross.to = models.Argmax(z)
	}
	return cross, nil
}

// step adds r_i = |f_k|/||w_k||^2 * w_k to r, of at least the smallest length.
func (c *crossing) step(f float64, w []float64) {
	norm := norm2(w)
	length := max(f/norm, smallestStep)
	for i, v := range w {
		c.r[i] += float64(length * v / norm)
	}
	c.w = w
}

// displaced writes start + factor*r into point.
func displaced(point, start, r []float64, factor float64) {
	for i, v := range r {
		point[i] = start[i] + float64(factor*v)
	}
}

// roundToImage clips a point to [0,1] and rounds it to float32.
func roundToImage(point []float64) {
	for i, v := range point {
		point[i] = pixel(v)
	}
}

// crossed reports whether the way from one class to another ends DeepFool.
func (o *oracle) crossed(from, to int) bool {
	if o.goal.Targeted() {
		return to == o.goal.Target
	}
	return to != from
}

// candidates are the classes whose boundaries are looked at: the target, or
// those with the largest logits.
func (a DeepFool) candidates(o *oracle, z []float64) []int {
	if o.goal.Targeted() {
		return []int{o.goal.Target}
	}
	order := ascending(scaled(z, -1))
	return order[1:min(a.Candidates, len(order))]
}

// oneHots are the rows that pull back Z_k - Z_from for each k.
func oneHots(classes []int, from, n int) [][]float64 {
	rows := make([][]float64, len(classes))
	for i, k := range classes {
		rows[i] = make([]float64, n)
		rows[i][k]++
		rows[i][from]--
	}
	return rows
}

// nearestBoundary returns |f_k| and a copy of w_k for the class k whose
// linearised boundary is nearest; w is nil if every w_k is 0.
func nearestBoundary(z []float64, grads [][]float64, classes []int, from int) (f float64, w []float64) {
	nearest := math.Inf(1)
	for i, k := range classes {
		norm := norm2(grads[i])
		if distance := math.Abs(z[k]-z[from]) / norm; norm > 0 && distance < nearest {
			nearest, f, w = distance, math.Abs(z[k]-z[from]), grads[i]
		}
	}
	return f, append([]float64(nil), w...)
}
