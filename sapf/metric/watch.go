package metric

import (
	"math"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
)

// Watched is a classifier that remembers what an attack asked of it: how many
// passes, the smallest adversarial image among all queries, the loss at every
// gradient. It is what AttackBench wraps a model in, and the witness for Health.
// It serves one attack on one image at a time.
type Watched struct {
	attack.Classifier
	// Limit, if positive, is how many passes (forward and backward, each
	// counted) are considered; queries beyond it are answered but not
	// remembered. AttackBench's is 2000.
	Limit int
	// Forwards and Gradients count passes of one example.
	Forwards, Gradients int
	// Losses are those of the gradient passes, in order.
	Losses []float64
	// ZeroGradients counts the gradient passes whose gradient was all zero;
	// FirstZero says that the first one was.
	ZeroGradients int
	FirstZero     bool
	// Hits counts the queries that reached the goal, inside [0,1].
	Hits int

	x        []float64
	goal     attack.Goal
	smallest map[Norm]float64
}

// Watch wraps a classifier for one attack on one image.
func Watch(m attack.Classifier, x data.Image, goal attack.Goal) *Watched {
	w := &Watched{Classifier: m, goal: goal, smallest: map[Norm]float64{}, x: make([]float64, len(x.Pix))}
	for i, v := range x.Pix {
		w.x[i] = float64(v)
	}
	return w
}

// Smallest is the smallest distance, in a norm, of any query that reached the
// goal within the limit: 0 if the image itself did, +Inf if none did.
func (w *Watched) Smallest(by Norm) float64 {
	if d, ok := w.smallest[by]; ok {
		return d
	}
	return math.Inf(1)
}

// spent is the number of passes used, as AttackBench counts them.
func (w *Watched) spent() int { return w.Forwards + w.Gradients }

// see remembers a batch of queries.
func (w *Watched) see(x, logits []float64) {
	n, classes := len(w.x), len(w.Classes())
	for b := range len(logits) / classes {
		w.Forwards++
		if w.Limit > 0 && w.spent() > w.Limit {
			continue
		}
		if w.goal.Reached(models.Argmax(logits[b*classes : (b+1)*classes])) {
			w.hit(x[b*n : (b+1)*n])
		}
	}
}

// hit measures a query that reached the goal.
func (w *Watched) hit(img []float64) {
	var l0, l1, l2, linf float64
	for i, v := range img {
		if !(v >= 0 && v <= 1) {
			return
		}
		d := math.Abs(v - w.x[i])
		if d != 0 {
			l0++
		}
		l1 += d
		l2 += float64(d * d)
		linf = max(linf, d)
	}
	w.Hits++
	for _, m := range []struct {
		norm  Norm
		value float64
	}{{L0, l0}, {L1, l1}, {L2, math.Sqrt(l2)}, {Linf, linf}} {
		if old, ok := w.smallest[m.norm]; !ok || m.value < old {
			w.smallest[m.norm] = m.value
		}
	}
}

// Evaluator returns the classifier's evaluator with its passes watched.
func (w *Watched) Evaluator(batch int, loss models.Loss) (models.Evaluator, error) {
	e, err := w.Classifier.Evaluator(batch, loss)
	return &watchedEvaluator{e, w}, err
}

type watchedEvaluator struct {
	models.Evaluator
	w *Watched
}

func (e *watchedEvaluator) Forward(x []float64) ([]float64, error) {
	z, err := e.Evaluator.Forward(x)
	if err == nil {
		e.w.see(x, z)
	}
	return z, err
}

func (e *watchedEvaluator) Gradient(x, targets []float64) (models.Evaluation, error) {
	v, err := e.Evaluator.Gradient(x, targets)
	if err != nil {
		return v, err
	}
	e.w.see(x, v.Logits)
	n := len(e.w.x)
	for b, loss := range v.Loss {
		e.w.Gradients++
		e.w.Losses = append(e.w.Losses, loss)
		if attack.Flat(v.Grad[b*n : (b+1)*n]) {
			e.w.ZeroGradients++
			e.w.FirstZero = e.w.FirstZero || len(e.w.Losses) == 1
		}
	}
	return v, nil
}
