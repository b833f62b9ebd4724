package baseline

import (
	"context"
	"fmt"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// Budgeted makes any attack obey a budget of K entries or pixels, so that
// curves over K compare like with like. An attack with a budget of its own is
// given K. Whatever comes back with more changes is cut to its K largest, and if
// the cut image no longer reaches the goal, the l2 attack of Carlini and Wagner
// looks for one that does on exactly those entries or pixels:
//
//	min ||d||_2  s.t.  supp(d) in S,  S the K largest of the attack's answer.
//
// Passes of both count. The result never has more than K changes.
type Budgeted struct {
	Attack attack.Attack
	// K is the budget, at least 1.
	K int
	// Unit of K; "" means entries.
	Unit attack.Unit
	// Repair is the setting of the attack on the support; the zero value means
	// 5 search steps of 200 from c = 1.
	Repair CWL2
}

var _ attack.Attack = (*Budgeted)(nil)

// Name is the attack's name.
func (b Budgeted) Name() string { return b.Attack.Name() }

// Run attacks one image within the budget.
func (b Budgeted) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	if b.Unit == "" {
		b.Unit = attack.Entries
	}
	if b.Unit != attack.Entries && b.Unit != attack.Pixels {
		return attack.Result{}, fmt.Errorf("%s: budget in %q, expected %s or %s", b.Name(), b.Unit, attack.Entries, attack.Pixels)
	}
	if b.K < 1 {
		return attack.Result{}, fmt.Errorf("%s: budget of %d %s, expected at least 1", b.Name(), b.K, b.Unit)
	}
	r, err := b.native(x.C).Run(ctx, m, x, goal)
	if err != nil {
		return r, err
	}
	r.K = b.K
	if r.Status == attack.Already || b.count(x, r.Adversarial) <= b.K {
		return r, nil
	}
	return b.cut(ctx, m, x, goal, r)
}

// native is the attack with its own budget set, where it has one.
func (b Budgeted) native(channels int) attack.Attack {
	a, ok := b.Attack.(attack.Budgeter)
	if !ok {
		return b.Attack
	}
	switch k := b.K; {
	case a.Counts(b.Unit):
		return a.WithBudget(k, b.Unit)
	case b.Unit == attack.Entries:
		return a.WithBudget(max(k/channels, 1), attack.Pixels)
	default: // k entries lie in at most k pixels
		return a.WithBudget(k, attack.Entries)
	}
}

// count is how many entries or pixels differ.
func (b Budgeted) count(x, adv data.Image) int {
	if b.Unit == attack.Pixels {
		return countPixels(widen(x), widen(adv), x.C)
	}
	return countEntries(widen(x), widen(adv))
}

func widen(x data.Image) []float64 {
	v := make([]float64, len(x.Pix))
	for i, p := range x.Pix {
		v[i] = float64(p)
	}
	return v
}

// cut keeps the K largest changes of a result, and repairs what that broke.
func (b Budgeted) cut(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal, r attack.Result) (attack.Result, error) {
	support := b.support(x, r.Adversarial)
	repair := b.Repair
	if repair.SearchSteps == 0 && repair.Steps == 0 {
		repair.SearchSteps, repair.Steps, repair.InitialConst = 5, 200, 1
	}
	repair.support = support
	tried := onSupport{CWL2: repair, start: r.Adversarial}
	fixed, err := tried.Run(ctx, m, x, goal)
	if err != nil {
		return fixed, fmt.Errorf("%s within %d %s: %w", b.Name(), b.K, b.Unit, err)
	}
	r.Note = joinNotes(r.Note, fmt.Sprintf("%d %s cut to %d", b.count(x, r.Adversarial), b.Unit, b.K))
	r.Forwards += fixed.Forwards
	r.Gradients += fixed.Gradients
	r.Adversarial, r.Selected, r.Success = fixed.Adversarial, fixed.Selected, fixed.Success
	if fixed.Success && fixed.Trials > 0 {
		r.Note += ", magnitudes found anew on that support"
	}
	if r.Status != attack.Cancelled && r.Status != attack.Numeric {
		r.Status = fixed.Status
	}
	r.Detail = nil
	return r, nil
}

// support marks the K largest changes, or those of the K pixels with the
// largest squared change.
func (b Budgeted) support(x, adv data.Image) []bool {
	groups := len(x.Pix)
	if b.Unit == attack.Pixels {
		groups = x.H * x.W
	}
	change := make([]float64, groups)
	for i, d := range difference(widen(adv), widen(x)) {
		change[i%groups] += float64(d * d)
	}
	keep := keepLargest(change, b.K)
	support := make([]bool, len(x.Pix))
	for i := range support {
		support[i] = keep[i%groups]
	}
	return support
}

// onSupport is CWL2 on a support that first tries the image it starts from,
// cut to the support.
type onSupport struct {
	CWL2
	start data.Image
}

func (a onSupport) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a.CWL2, byL2, func(c CWL2, o *oracle) error {
		img := append([]float64(nil), o.x...)
		for i, in := range c.support {
			if in {
				img[i] = float64(a.start.Pix[i])
			}
		}
		if done, err := o.try(img); done || err != nil {
			return err
		}
		return c.search(o)
	})
}
