package baseline

import (
	"context"
	"math"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// CWL0 is the l0 attack of Carlini and Wagner (IEEE S&P 2017, section VI.B;
// their program's l0_attack.py):
//
//	min_d  ||d||_0   s.t.  x+d reaches the goal,  x+d in [0,1].
//
// It solves the l2 problem on a set of pixels that are still allowed to change,
// starting with all of them, then freezes those whose change matters least, and
// repeats from where it stands until the solver fails. The last success is the
// answer.
//
//	solve(prev, valid, c):  min_v c*max(0, gap + 0.01) + ||x'(v) - x||^2,
//	                        x'(v) = valid*(tanh(v + start) + 1)/2 + (1-valid)*x
//	score of a pixel:       |sum_c (x' - x)_c| * sum_c |g_c|
//
// g is the gradient of the solver's loss in v where it stopped.
//
//	paper, program      code         shape  range
//	x, imgs             o.x          N      [0,1]
//	allowed set, valid  valid        N      whether an entry may change
//	delta               s.img - o.x  N      [-x,1-x]
//	g, gradientnorm     s.grad       N      any number
//	starts, prev        prev         N      [0,1]
//	c, const            c            1      (0,LargestConst)
type CWL0 struct {
	// Steps of Adam for one value of c; 0 means 1000.
	Steps int `def:"1000" range:"[0,inf)"`
	// StepSize of Adam; 0 means 0.01.
	StepSize float64 `def:"0.01" range:"[0,inf)"`
	// InitialConst is the first c; 0 means 0.001.
	InitialConst float64 `def:"0.001" range:"[0,inf)"`
	// LargestConst is where a solve gives up; 0 means 2e6.
	LargestConst float64 `def:"2e6" range:"[0,inf)"`
	// ReduceConst halves c after each round.
	ReduceConst bool
	// ConstFactor is what c is multiplied by when Steps did not do; 0 means 2.
	ConstFactor float64 `def:"2" range:"[1,inf)"`
	// IndependentChannels freezes entries instead of pixels.
	IndependentChannels bool
	// K, if positive, ends the search at a success of at most K pixels, or
	// entries with IndependentChannels. (The authors go on until nothing more
	// can be frozen, far below what other methods are given.)
	K int `range:"[0,inf)"`
}

var _ attack.Attack = (*CWL0)(nil)

// Name is "cw-l0".
func (CWL0) Name() string { return "cw-l0" }

// Run attacks one image.
func (a CWL0) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	by := byPixels
	if a.IndependentChannels {
		by = byL0
	}
	return run(ctx, m, x, goal, a, by, CWL0.search)
}

// cwUnchanged is the change below which the authors count a pixel as unchanged.
const cwUnchanged = 1e-4

// solved is what one call of the solver found.
type solved struct {
	img  []float64
	grad []float64 // of the loss in v
	c    float64
}

func (a CWL0) WithBudget(k int, _ attack.Unit) attack.Attack { a.K = k; return a }
func (a CWL0) Counts(unit attack.Unit) bool {
	return a.IndependentChannels == (unit == attack.Entries)
}

func (a CWL0) search(o *oracle) error {
	o.k = a.K
	valid := all(o.n)
	groups := o.pixels // a group is what is frozen together
	if a.IndependentChannels {
		groups = o.n
	}
	prev, c, left := o.x, a.InitialConst, groups
	for {
		// The l2 problem on what is still valid; it fails when that is too little.
		s, err := a.solve(o, prev, valid, c, groups-left, groups)
		if err != nil || s == nil {
			return err
		}
		o.rounds++
		c = s.c
		o.lambda = c
		if a.ReduceConst {
			c /= 2
		}
		if err := restoreUnchanged(o, s.img); err != nil {
			return err
		}
		if o.within(a.K) {
			return nil
		}
		// Freeze what matters least, and go on from here.
		if left = a.freeze(o, s, valid, groups); left == 0 {
			return nil
		}
		prev = s.img
	}
}

// solve minimises the loss over the valid entries from prev, raising c until an
// iterate's hinge is nearly 0; it returns that iterate, or nil when c has grown
// past LargestConst. So many groups of all are frozen already.
func (a CWL0) solve(o *oracle, prev []float64, valid []bool, c float64, frozen, groups int) (*solved, error) {
	const shrink = 0.9999995 // 1.999999*(x - 1/2) in l0_attack.py
	const margin, hingeDone = 0.01, 1e-4
	clean, space := newTanhSpace(o.x, shrink), newTanhSpace(prev, shrink)
	optimiser := newAdam(o.n)
	img, slope, grad := make([]float64, o.n), make([]float64, o.n), make([]float64, o.n)
	for c < a.LargestConst {
		for step := range a.Steps {
			// x'(v), its hinge, and whether it is the smallest success yet.
			space.write(img, slope, o.x, valid)
			s, err := o.gradient(o.margin(margin), img)
			if err != nil {
				return nil, err
			}
			o.consider(img, s.z)
			if step%100 == 0 {
				o.report("solve", o.rounds+1, 0, frozen, groups, s.loss)
			}
			// The gradient in v; where the hinge is closed the solver is done.
			clean.objective(grad, img, slope, s, c)
			if s.loss < hingeDone {
				return &solved{img, grad, c}, nil
			}
			// A step on v.
			optimiser.step(space.v, grad, a.StepSize)
		}
		c *= a.ConstFactor
	}
	return nil, nil
}

// restoreUnchanged offers the image whose pixels that changed by less than the
// authors' tolerance are exactly the clean ones.
//
// Differs: the authors count such pixels as unchanged but hand them back as
// they are; here l0 is counted exactly, so the restored image is tried as well.
func restoreUnchanged(o *oracle, img []float64) error {
	restored := append([]float64(nil), img...)
	for p := range o.pixels {
		if pixelChange(o, img, p) < cwUnchanged {
			for c := range o.channels {
				restored[c*o.pixels+p] = o.x[c*o.pixels+p]
			}
		}
	}
	_, err := o.try(restored)
	return err
}

// pixelChange is the largest change of pixel p's channels.
func pixelChange(o *oracle, img []float64, p int) float64 {
	top := 0.0
	for c := range o.channels {
		i := c*o.pixels + p
		top = max(top, math.Abs(img[i]-o.x[i]))
	}
	return top
}

// freeze makes pixels (or entries) invalid in ascending order of their score:
// at least one, until one scored above 0.01 or 0.3*sqrt(E) of them are frozen,
// E being the number of changed pixels. It returns how many stay valid.
func (a CWL0) freeze(o *oracle, s *solved, valid []bool, groups int) int {
	const scoreStop, share = 0.01, 0.3 // l0_attack.py
	limit := share * math.Sqrt(float64(changedSince(o, s.img)))
	scores := a.scores(o, s, groups)
	frozen, left, stopped := 0, 0, false
	for _, group := range ascending(scores) {
		switch {
		case !valid[group]:
		case stopped:
			left++
		default:
			for i := group; i < o.n; i += groups {
				valid[i] = false
			}
			frozen++
			stopped = scores[group] > scoreStop || float64(frozen) >= limit
		}
	}
	return left
}

// changedSince counts the pixels of an image that the authors call changed.
func changedSince(o *oracle, img []float64) int {
	changed := 0
	for p := range o.pixels {
		if pixelChange(o, img, p) >= cwUnchanged {
			changed++
		}
	}
	return changed
}

// scores are |sum_c (x' - x)_c| * sum_c |g_c| of each pixel (or, with one
// channel a group, of each entry): what freezing it costs, to first order.
func (CWL0) scores(o *oracle, s *solved, groups int) []float64 {
	scores := make([]float64, groups)
	for group := range scores {
		change, pull := 0.0, 0.0
		for i := group; i < o.n; i += groups {
			change += s.img[i] - o.x[i] // signed: opposite changes cancel, as theirs do
			pull += math.Abs(s.grad[i])
		}
		scores[group] = math.Abs(change) * pull
	}
	return scores
}
