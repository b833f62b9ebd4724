package baseline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/option"
)

// scoreBatch is how many candidates a score-based attack evaluates in a pass.
const scoreBatch = 64

// oracle is all that an attack sees of its task: it answers questions about one
// image, counts the passes, and keeps the best adversarial image it was shown.
// Every question is about pixels as an image stores them, so an attack hands
// it candidates rounded to float32 (see image).
type oracle struct {
	ctx  context.Context
	m    attack.Classifier
	name string

	// x is the clean image, length n = channels*pixels, channels first.
	x                            []float64
	shape                        engine.Shape
	n, channels, pixels, classes int

	goal attack.Goal
	// own is the class of the loss: the target, or the label to leave.
	own int
	// clean are the logits of x.
	clean []float64

	// size orders successes: the smaller one is kept.
	size func(x, adversarial []float64) size
	// k is the budget asked for, 0 where the attack has none; unit is what it
	// counts.
	k    int
	unit attack.Unit
	// flat says that the first gradient was 0 in every entry.
	flat bool
	// lambda and rounds go into the result as Lambda1 and Rounds.
	lambda float64
	rounds int
	// note goes into the result.
	note string

	best, last []float64
	bestSize   size
	// kept counts how often best was replaced.
	kept                int
	forwards, gradients int

	evaluators *attack.Evaluators
}

// run is every attack's Run: it resolves the options, refuses a task that does
// not fit, looks at the clean image, searches, and draws up the result.
func run[T attack.Attack](ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal, a T, by func(*oracle) func(x, adv []float64) size, search func(T, *oracle) error) (attack.Result, error) {
	preset := attack.PresetName(a)
	asked, _ := option.Values(a)["k"].(int) // a default may be more than a small image has
	a, err := attack.Resolve(a)
	if err != nil {
		return attack.Result{}, err
	}
	if err := attack.Check(m, x, goal); err != nil {
		return attack.Result{}, fmt.Errorf("%s: %w", a.Name(), err)
	}
	options, err := attack.Options(a)
	if err != nil {
		return attack.Result{}, err
	}
	o := newOracle(ctx, m, x, goal, a.Name())
	if b, ok := any(a).(attack.Budgeter); ok {
		o.unit = unitOf(b)
		if asked > o.unit.Of(o.shape) {
			return attack.Result{}, fmt.Errorf("%s: option k: %d, expected at most %d, the image's %s", a.Name(), asked, o.unit.Of(o.shape), o.unit)
		}
	}
	o.size = by(o)
	defer o.evaluators.Close()
	status := attack.Failed
	if o.clean, err = o.logits(o.x); err == nil {
		o.clean = slices.Clone(o.clean)
		if goal.Reached(models.Argmax(o.clean)) {
			status, o.best = attack.Already, o.x
		} else {
			err = search(a, o)
		}
	}
	r, err := o.result(x, status, err)
	r.Method, r.Preset, r.Options = a.Name(), preset, options
	return r, err
}

func newOracle(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal, name string) *oracle {
	o := &oracle{
		ctx: ctx, m: m, name: name, goal: goal, shape: m.InputShape(),
		x: make([]float64, x.Len()), n: x.Len(), channels: x.C, pixels: x.H * x.W,
		classes: len(m.Classes()), own: goal.Target,
		evaluators: attack.EvaluatorsOf(m),
	}
	for i, v := range x.Pix {
		o.x[i] = float64(v)
	}
	if !goal.Targeted() {
		o.own = goal.Label
	}
	return o
}

// child is an oracle for a part of the work, which asks m and starts with no
// success and no passes.
func (o *oracle) child(m attack.Classifier) *oracle {
	c := *o
	c.m, c.evaluators = m, attack.EvaluatorsOf(m)
	c.best, c.last, c.bestSize, c.kept, c.forwards, c.gradients = nil, nil, size{}, 0, 0, 0
	return &c
}

// absorb books what a child did and takes its success, if that is better.
func (o *oracle) absorb(c *oracle) {
	o.forwards += c.forwards
	o.gradients += c.gradients
	if c.last != nil {
		o.last = c.last
	}
	if c.best != nil && (o.best == nil || c.bestSize.below(o.bestSize)) {
		o.best, o.bestSize = c.best, c.bestSize
		o.kept++
	}
}

// watchPart makes the steps reported from here on those of a part of the work:
// they come after done others, of total.
func (o *oracle) watchPart(done, total int) {
	watcher, name := o.ctx, o.name
	o.ctx = attack.WithProgress(o.ctx, func(p attack.Progress) {
		p.Method, p.Done, p.Total = name, min(done+p.Done, total), total
		attack.Report(watcher, p)
	})
}

// result turns the state of the search and the error that ended it into what
// Run returns. Cancellation and numbers that are not finite are ways to end.
func (o *oracle) result(x data.Image, status attack.Status, err error) (attack.Result, error) {
	if o.best != nil && status != attack.Already {
		status = attack.Succeeded
	}
	var numeric *models.NumericError
	switch {
	case err == nil:
	case errors.As(err, &numeric):
		status = attack.Numeric
		o.note = joinNotes(o.note, err.Error())
	case o.ctx.Err() != nil && errors.Is(err, o.ctx.Err()):
		status = attack.Cancelled
	default:
		return attack.Result{}, fmt.Errorf("%s: image %q: %w", o.name, x.Name, err)
	}
	if o.flat {
		o.note = joinNotes(o.note, attack.FlatNote)
	}
	pix := o.best
	if pix == nil {
		pix = o.last
	}
	adv := x.Clone()
	for i, v := range pix {
		adv.Pix[i] = float32(v)
	}
	changed := 0
	for i, v := range adv.Pix {
		if v != x.Pix[i] {
			changed++
		}
	}
	return attack.Result{
		Goal: o.goal, Status: status, Success: o.best != nil, Adversarial: adv,
		K: o.k, Unit: o.unit, Selected: changed, Const: o.lambda, Trials: o.rounds,
		Forwards: o.forwards, Gradients: o.gradients, Note: o.note,
	}, nil
}

// unitOf is the unit of an attack's own budget.
func unitOf(b attack.Budgeter) attack.Unit {
	if b.Counts(attack.Entries) {
		return attack.Entries
	}
	return attack.Pixels
}

func joinNotes(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// logits runs one forward pass. The slice is good until the next pass.
func (o *oracle) logits(img []float64) ([]float64, error) {
	if err := o.ctx.Err(); err != nil {
		return nil, err
	}
	e, err := o.evaluators.Any(1, o.margin(0))
	if err != nil {
		return nil, err
	}
	o.forwards++
	return e.Forward(img)
}

// logitsOf runs forward passes of many candidates, up to scoreBatch at a time, and
// calls each with every candidate's index and logits in order until it returns
// false. write puts candidate i into img, which holds an earlier candidate's
// pixels on entry.
func (o *oracle) logitsOf(count int, write func(i int, img []float64), each func(i int, z []float64) bool) error {
	if count == 0 {
		return nil
	}
	batch := attack.ForwardBatch(min(scoreBatch, count), o.n)
	e, err := o.evaluators.Any(batch, o.margin(0))
	if err != nil {
		return err
	}
	x := make([]float64, batch*o.n)
	for b := range batch {
		copy(x[b*o.n:], o.x)
	}
	for first := 0; first < count; first += batch {
		if err := o.ctx.Err(); err != nil {
			return err
		}
		here := min(batch, count-first)
		for b := range here {
			write(first+b, x[b*o.n:(b+1)*o.n])
		}
		z, err := e.Forward(x)
		if err != nil {
			return err
		}
		o.forwards += here
		for b := range here {
			if !each(first+b, z[b*o.classes:(b+1)*o.classes]) {
				return nil
			}
		}
	}
	return nil
}

// answer is what one forward and backward pass found: the loss, the logits and
// the gradient with respect to the image. Its slices are good until the next
// pass of the same loss.
type answer struct {
	loss    float64
	z, grad []float64
}

// gradient runs one forward and one backward pass of a loss of the goal's class.
func (o *oracle) gradient(loss models.Loss, img []float64) (answer, error) {
	row := make([]float64, o.classes)
	row[o.own] = 1
	return o.pull(loss, img, row)
}

// pull is gradient with the loss's targets given.
func (o *oracle) pull(loss models.Loss, img, targets []float64) (answer, error) {
	if err := o.ctx.Err(); err != nil {
		return answer{}, err
	}
	e, err := o.evaluators.Of(1, loss)
	if err != nil {
		return answer{}, err
	}
	v, err := e.Gradient(img, targets)
	if err != nil {
		return answer{}, err
	}
	o.flat = o.flat || o.gradients == 0 && attack.Flat(v.Grad)
	o.forwards++
	o.gradients++
	return answer{v.Loss[0], v.Logits, v.Grad}, nil
}

// jacobian runs one batch of passes at one image, each with its own row of
// weights, and returns the logits and the gradients of sum_j weights_j*Z_j.
func (o *oracle) jacobian(img []float64, weights [][]float64) (z []float64, grads [][]float64, err error) {
	if err := o.ctx.Err(); err != nil {
		return nil, nil, err
	}
	b := len(weights)
	e, err := o.evaluators.Of(b, models.Linear{})
	if err != nil {
		return nil, nil, err
	}
	v, err := e.Gradient(repeat(img, b), slices.Concat(weights...))
	if err != nil {
		return nil, nil, err
	}
	o.forwards += b
	o.gradients += b
	for i := range b {
		grads = append(grads, v.Grad[i*o.n:(i+1)*o.n])
	}
	return v.Logits[:o.classes], grads, nil
}

func repeat(v []float64, times int) []float64 {
	out := make([]float64, 0, len(v)*times)
	for range times {
		out = append(out, v...)
	}
	return out
}

// margin is the hinge on logits towards the goal.
func (o *oracle) margin(confidence float64) models.Loss {
	return attack.Margin{Confidence: confidence, Untargeted: !o.goal.Targeted()}
}

// neverClosed as a confidence makes the hinge the plain difference of logits,
// whose gradient does not vanish behind the boundary.
const neverClosed = 1e9

// crossEntropy is the cross entropy to the target, or minus that to the label.
func (o *oracle) crossEntropy() models.Loss {
	return attack.CrossEntropy{Untargeted: !o.goal.Targeted()}
}

// directing is the loss whose gradient directs an attack, by the word of its
// option: "ce", or "dlr", which has a gradient however large the logits are (the
// difference of logits itself where there are too few classes for a ratio).
func (o *oracle) directing(loss string) models.Loss {
	const classes = 4 // that the targeted ratio takes
	switch {
	case loss == "dlr" && o.classes >= classes:
		return models.DLR{Untargeted: !o.goal.Targeted()}
	case loss == "dlr":
		return o.margin(neverClosed)
	}
	return o.crossEntropy()
}

// gap is how far logits are from the goal: max over others - Z_t, or
// Z_y - max over others. Below 0 the goal is reached.
func (o *oracle) gap(z []float64) float64 {
	g := z[models.ArgmaxBut(z, o.own)] - z[o.own]
	if o.goal.Targeted() {
		return g
	}
	return -g
}

// reached reports whether logits satisfy the goal with a margin of at least
// confidence; with 0 it is the prediction that decides, ties to the lower index.
func (o *oracle) reached(z []float64, confidence float64) bool {
	return o.goal.Reached(models.Argmax(z)) && (confidence == 0 || o.gap(z) <= -confidence)
}

// consider shows the oracle a candidate with its logits. If it reaches the
// goal, lies in [0,1] and is smaller than what is in hand, it is kept. The
// result is whether the goal was reached by an image in the box.
func (o *oracle) consider(img, z []float64) bool { return o.considerSure(img, z, 0) }

// considerSure is consider where success needs a margin of confidence.
func (o *oracle) considerSure(img, z []float64, confidence float64) bool {
	o.last = append(o.last[:0], img...)
	if !o.reached(z, confidence) {
		return false
	}
	for _, v := range img {
		if !(v >= 0 && v <= 1) {
			return false
		}
	}
	if s := o.size(o.x, img); o.best == nil || s.below(o.bestSize) {
		o.best, o.bestSize = append(o.best[:0], img...), s
		o.kept++
	}
	return true
}

// within reports whether a success of at most k is in hand, counted as size
// counts first: entries or pixels. A k of 0 asks for none.
func (o *oracle) within(k int) bool {
	return k > 0 && o.best != nil && o.bestSize[0] <= float64(k)
}

// try runs a forward pass of a candidate and considers it.
func (o *oracle) try(img []float64) (bool, error) {
	z, err := o.logits(img)
	if err != nil {
		return false, err
	}
	return o.consider(img, z), nil
}

// image writes clip(x+d, 0, 1) into img as an image stores it, in float32.
// An entry with d = 0 is exactly x.
func (o *oracle) image(d, img []float64) []float64 {
	for i, v := range d {
		img[i] = pixel(o.x[i] + v)
	}
	return img
}

// pixel clips v to [0,1] and rounds it to float32.
func pixel(v float64) float64 { return float64(float32(min(max(v, 0), 1))) }

// stream is a random stream of its own for one purpose, derived from a seed.
func stream(seed uint64, purpose string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// digest names the task for streams of its own: the image's entries and the goal.
func (o *oracle) digest() string {
	h := fnv.New64a()
	for _, x := range o.x {
		h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(x))))
	}
	return fmt.Sprintf("image %016x, label %d, target %d", h.Sum64(), o.goal.Label, o.goal.Target)
}

// report tells whoever watches where the search is.
func (o *oracle) report(stage string, round, rounds, done, total int, loss float64) {
	attack.Report(o.ctx, attack.Progress{
		Method: o.name, Stage: stage, Trial: round, Trials: rounds, Outer: 1,
		Done: done, Total: total, Loss: loss, Success: o.best != nil,
	})
}
