package baseline

import (
	"context"
	"math"

	"sapf/models/data"
	"sapf/sapf"
	"sapf/sapf/attack"
)

// Best looks for the smallest perturbation with at most K changed entries: the
// problem of SAPF (Fan et al., ECCV 2020, eq. 3), solved another way.
//
//	min over delta, G   ||w*delta*G||^2   s.t.  m(x + delta*G) <= -kappa,  1'G = k
//
// with m(x) = max_{j != t} Z_j - Z_t, the margin by which target t loses. G is at
// every step the indicator of the k entries largest in w*|delta|, so delta stands
// for delta*G; the loss is a constraint, so there is no lambda1 to search.
//
// A phase of its iteration (see phase.step) goes along the boundary m = 0 by the
// fixed point of the KKT conditions while k shrinks. What counts is the basin a
// phase ends in, which is worth up to 12 % of l2, where local search is worth 1
// or 2: many short phases begin at different points, the nearest are refined,
// two are joined, and the nearest of all is taken through cycles in which
// k grows to 2k and shrinks again.
//
// It is not Algorithm 1: with a thirtieth of its gradients l2 is about an eighth
// smaller. The README of the command beyond says what was measured on how many
// cases.
//
//	paper      code             shape  range
//	x          o.x              N      [0,1]
//	w          s.w              N      (0,1], nil where all are 1
//	delta*G    d/w              N      [-x,1-x]
//	G          d != 0           N      0 or 1, k ones at most, or k pixels
//	k          K, phase.count   1      1 to N, shrinking
//	kappa      Confidence       1      [0,inf)
//	L          m                1      the margin: a constraint, below 0 reached
type Best struct {
	// Preset is "", "quick" (300 gradients) or "thorough" (about 4000).
	Preset string `option:"-"`
	// K is the number of entries (or pixels) that may change; 0 means 200.
	K int `def:"200" range:"[0,inf)"`
	// Share says what K counts: "entries", or "pixels", all channels of which
	// share one G; "" means entries.
	Share string `oneof:"entries pixels"`
	// Gradients is the most that may be spent; 0 means 1000. There are as many
	// starts as it allows.
	Gradients int `def:"1000" range:"[0,inf)"`
	// Starts is the largest number of starts; 0 means 8.
	Starts int `def:"8" range:"[0,inf)"`
	// Refined is how many of them are refined; 0 means 3.
	Refined int `def:"3" range:"[0,inf)"`
	// Unions is how many pairs of the refined are joined, nearest first, each
	// with the nearest; 0 means 1, -1 none.
	Unions int `def:"1" range:"[-1,inf)"`
	// Cycles is how often k grows and shrinks again in the end; 0 means 2, -1
	// never.
	Cycles int `def:"2" range:"[-1,inf)"`
	// Noise is the l2 length of the Gaussian that every fourth start begins at; 0
	// means 0.5.
	Noise float64 `def:"0.5" range:"[0,inf)"`
	// Agree ends the search when the refined agree in l2 to this fraction; 0
	// never. 0.003 fires on a third of the cases and costs 0.05 % of l2.
	Agree float64 `range:"[0,1)"`
	// Loss is whose gradient directs the steps: "margin", or "ce" for the cross
	// entropy, which costs 3.5 %; "" means margin.
	Loss string `oneof:"margin ce"`
	// Shrinking is the part of the steps in which k shrinks; 0 means 0.6. At 0.9
	// l2 is 1 % more.
	Shrinking float64 `def:"0.6" range:"[0,1]"`
	// Rate is the part of the entries that a start gives up in a step; 0 means
	// 0.11.
	Rate float64 `def:"0.11" range:"[0,1)"`
	// NoGrow leaves the length of delta as it is when k shrinks, instead of
	// enlarging it by what the entries given up contributed.
	NoGrow bool
	// Confidence is kappa: the margin, in logits, that a success must have.
	Confidence float64 `range:"[0,inf)"`
	// Weight is w of eq. 17, by the statistics of package sapf: "variance",
	// "variance_mean", "contrast", "contrast_mean" or "gradient", scaled as the
	// authors' program does; "none" is 1 everywhere, and "" means none.
	Weight string `oneof:"none variance variance_mean contrast contrast_mean gradient"`
	// Superpixels, if not 0, is how many superpixels may hold the entries: the
	// group sparsity of eq. 16 as a bound.
	Superpixels int `range:"[0,inf)"`
	// Segments is the number of superpixels that an image is cut into; 0 means
	// 150.
	Segments int `def:"150" range:"[0,inf)"`
	// Judge is what must succeed: the image as it is ("float"), or one of
	// multiples of 1/255 ("8bit"), which costs 1 % of l2; "" means float.
	Judge string `oneof:"float 8bit"`
	// Classes is how many classes an untargeted attack runs to; 0 means 4.
	Classes int `def:"4" range:"[0,inf)"`
	// Seed is that of the starts.
	Seed uint64
	// Groups, if set, are labels of the pixels to use instead of superpixels.
	Groups []int `option:"-"`
}

var _ attack.Budgeter = (*Best)(nil)

// Name is "best".
func (Best) Name() string { return "best" }

// Presets are budgets.
func (Best) Presets() map[string]attack.Attack {
	return map[string]attack.Attack{
		"quick":    Best{Gradients: 300, Starts: 3, Refined: 1, Unions: -1, Cycles: 1},
		"thorough": Best{Gradients: 4000, Starts: 36, Refined: 8, Unions: 6, Cycles: 8},
	}
}

// Run attacks one image.
func (a Best) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	shared, done := attack.Share(m)
	defer done()
	return run(ctx, shared, x, goal, a, byWeightedL2(a, x), Best.search)
}

// Counts reports that K may be of entries or of pixels.
func (Best) Counts(unit attack.Unit) bool { return unit == attack.Entries || unit == attack.Pixels }

// WithBudget changes K and Share.
func (a Best) WithBudget(k int, unit attack.Unit) attack.Attack {
	a.K, a.Share = k, string(unit)
	return a
}

// byWeightedL2 orders successes by the objective ||w*delta||.
func byWeightedL2(a Best, x data.Image) func(*oracle) func(x, adv []float64) size {
	if a.Weight == "" || a.Weight == "none" {
		return byL2
	}
	return func(*oracle) func(x, adv []float64) size {
		w := a.weights(x) // of an image that has been checked
		return func(x, adv []float64) size {
			sum := 0.0
			for i, v := range adv {
				change := w[i] * (v - x[i])
				sum += float64(change * change)
			}
			return size{sum}
		}
	}
}

// weights is w of eq. 17, as the authors' program scales it.
func (a Best) weights(x data.Image) []float64 {
	s := sapf.Reference()
	s.Weight = a.Weight
	return sapf.Weights(x, s)
}

// search is the whole method on one task.
func (a Best) search(o *oracle) error {
	s, err := a.newSolver(o)
	if err != nil {
		return err
	}
	found, err := s.start()
	if err != nil {
		return err
	}
	if math.IsInf(found[0].length, 1) {
		if err := s.fallback(found); err != nil {
			return err
		}
	} else if err := s.improve(found); err != nil {
		return err
	}
	if a.Judge == "8bit" {
		return s.round()
	}
	return nil
}
