package baseline

import (
	"context"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// Fewest looks for the smallest number of entries whose change reaches the goal,
//
//	min over d   ||d||_0   s.t.  m(x+d) < 0,  x+d in [0,1]^N,
//
// in two parts: sigma-zero comes near, then a search swaps entries (see
// swapper). What it comes to beside sigma-zero's and FMN's 1000 steps is in the
// README of the command beyond.
//
//	formula    code             shape  range
//	x          o.x              N      [0,1]
//	d          swapper.d        N      [-x,1-x]
//	k          k                1      entries that a run may change
//	m          m                1      max over others - Z_t, below 0 reached
//	best d     o.best - o.x     N      the smallest success so far
type Fewest struct {
	// Steps is the number of gradients; 0 means 1000.
	Steps int `def:"1000" range:"[0,inf)"`
	// First is the part of the steps that sigma-zero has; 0 means 0.6. With 0.4 an
	// easy case comes out as well, one that needs 30 entries worse.
	First float64 `def:"0.6" range:"[0,1]"`
	// K, if positive, ends the search at a success of at most K entries.
	K int `range:"[0,inf)"`
	// Dropped is the part of the entries that a run of swaps begins without; every
	// second run has a quarter of it; 0 means 0.3.
	Dropped float64 `def:"0.3" range:"[0,1)"`
	// Swaps is the largest part of the entries that is swapped in a step; 0 means
	// 0.15.
	Swaps float64 `def:"0.15" range:"[0,1]"`
	// Tabu is for how many steps an entry given up stays out; 0 means 8.
	Tabu int `def:"8" range:"[0,inf)"`
	// Seed is that of the entries dropped.
	Seed uint64
}

var _ attack.Budgeter = (*Fewest)(nil)

// Name is "fewest".
func (Fewest) Name() string { return "fewest" }

// Run attacks one image.
func (a Fewest) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byL0, Fewest.search)
}

// Counts reports that K is of entries.
func (Fewest) Counts(unit attack.Unit) bool { return unit == attack.Entries }

// WithBudget changes K.
func (a Fewest) WithBudget(k int, _ attack.Unit) attack.Attack { a.K = k; return a }

func (a Fewest) search(o *oracle) error {
	first, err := attack.Resolve(SigmaZero{Steps: max(1, int(float64(a.Steps)*a.First)), K: a.K})
	if err != nil {
		return err
	}
	o.k = a.K
	o.watchPart(0, a.Steps)
	if err := first.search(o); err != nil {
		return err
	}
	s := newSwapper(a, o, 0)
	return s.search(a.Steps-o.gradients, func() bool { return a.K > 0 && o.best != nil && int(o.bestSize[0]) <= a.K })
}

// fallback is for a k so small that no start reached the goal: it looks for few
// entries first, whatever their length, and if they are few enough, shortens
// what it has.
func (s *solver) fallback(found []*walker) error {
	rest := s.a.Gradients - s.o.gradients - refineSteps - polishSteps
	if rest < 1 {
		return nil
	}
	w := s.at(found[0])
	return s.walk("fewest", []*walker{w}, func(_ int, w *walker) error {
		few := w.o.child(w.o.m)
		few.size = byL0(few)
		few.watchPart(s.done, s.total)
		err := s.fewest(few, rest)
		w.o.absorb(few)
		w.o.best, w.o.kept = nil, 0 // its size is of another kind
		if err != nil || few.best == nil {
			return err
		}
		for i, v := range few.best {
			w.d[i] = v - s.o.x[i]
			if s.w != nil {
				w.d[i] *= s.w[i]
			}
		}
		for _, p := range []phase{
			{polishSteps, s.k(), s.k(), [2]float64{.1, .005}, [2]float64{.01, .0003}},
			{refineSteps, s.twice(), s.k(), [2]float64{.3, .02}, [2]float64{.05, .002}},
		} {
			if err := w.run(p); err != nil {
				return err
			}
		}
		return nil
	})
}

// fewest spends gradients on a success within k, whatever its length.
func (s *solver) fewest(o *oracle, gradients int) error {
	a, err := attack.Resolve(Fewest{Steps: gradients, Seed: s.a.Seed})
	if err != nil {
		return err
	}
	within := func() bool { return o.best != nil && s.used(o.best) <= s.a.K }
	if s.a.Confidence == 0 {
		first, err := attack.Resolve(SigmaZero{Steps: max(1, int(float64(a.Steps)*a.First)), K: s.a.K})
		if err != nil {
			return err
		}
		if err := first.search(o); err != nil || within() {
			return err
		}
	}
	return newSwapper(a, o, s.a.Confidence).search(gradients-o.gradients, within)
}
