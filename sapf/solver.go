package sapf

import (
	"context"
	"errors"
	"fmt"
	"math"

	"sapf/models"
	"sapf/models/data"
)

// Case is one image and what is to become of it.
type Case struct {
	Image    data.Image
	Goal     Goal
	Settings Settings
}

// Run is Algorithm 1 with the lambda1 search on one image. When ctx ends it
// returns the best so far with Status Cancelled.
func Run(ctx context.Context, m Classifier, x data.Image, goal Goal, s Settings) (Result, error) {
	results, err := RunBatch(ctx, m, []Case{{x, goal, s}})
	if err != nil {
		return Result{}, err
	}
	return results[0], nil
}

// RunBatch runs several cases in lockstep, so that each pass through the
// network serves them all; every case has its own lambda1 search. The results
// are the same bytes as those of Run on each case. The cases must agree in
// loss, in the kind of goal and in the number of steps.
func RunBatch(ctx context.Context, m Classifier, cases []Case) ([]Result, error) {
	if len(cases) == 0 {
		return nil, nil
	}
	s := &solver{ctx: ctx, m: m, settings: cases[0].Settings, watch: watchersOf(ctx)}
	defer s.close()
	s.loss = s.settings.loss(cases[0].Goal)
	for i, c := range cases {
		if err := s.sameSchedule(c); err != nil {
			return nil, fmt.Errorf("case %d: %w", i, err)
		}
		f, err := newFactorization(m, c.Image, c.Goal, c.Settings)
		if err != nil && len(cases) > 1 {
			err = fmt.Errorf("case %d: %w", i, err)
		}
		if err != nil {
			return nil, err
		}
		s.Attempts = append(s.Attempts, &Attempt{F: f, Search: newSearch(c.Settings)})
	}
	if err := s.resume(); err != nil {
		return nil, err
	}
	if err := s.solve(); err != nil {
		if ctx.Err() == nil {
			return nil, err
		}
		s.cancel()
	}
	results := make([]Result, len(cases))
	for i, a := range s.Attempts {
		results[i] = a.result(cases[i])
	}
	return results, nil
}

// State is Algorithm 1 at any moment: plain data, from which a run goes on
// with the same bytes.
type State struct {
	Attempts []*Attempt
	// Clean are the logits of the images themselves, one row each, once they
	// were looked at: a checkpoint of another model is known by them.
	Clean []float64
	// Outer counts the outer iterations done in this round; Stage and Step are
	// the stage that is going on and its steps done.
	Outer int
	Stage Stage
	Step  int
	// Passes counts the passes through the network so far, of the whole batch.
	Passes int
}

// Attempt is one case in the making.
type Attempt struct {
	F      *Factorization
	Search Search
	Rounds []Round
	// Best is the adversarial image kept so far, empty without a success;
	// BestRound the round it is from, BestMask its G.
	Best      data.Image
	BestRound int
	BestMask  []float32
	// Last is the candidate of the last round.
	Last     data.Image
	LastMask []float32
	// Clean is the class of the image itself.
	Clean int
	// Status is empty while the attempt goes on; Note explains it.
	Status Status
	Note   string
	// Converged says that the outer iterations of this round are over early.
	Converged bool
	// Flat says that the first gradient was zero in every entry.
	Flat bool
	// Before is delta*G at the last outer iteration, length N.
	Before []float64

	Forwards, Gradients int
}

// Round is the outcome of one run of the lambda1 search.
type Round struct {
	Lambda1    float64
	Success    bool
	Prediction int
	// Selected is the number of ones in G.
	Selected int
	Norms
}

// solver drives a State.
type solver struct {
	State
	ctx      context.Context
	m        Classifier
	loss     models.Loss
	settings Settings // what all cases have in common
	passes   []*pass  // the last used first, at most maxPasses
	watch    watchers
	saved    int // Passes at the last checkpoint
}

// sameSchedule refuses a case that could not go in step with the first.
func (s *solver) sameSchedule(c Case) error {
	a, b := s.settings, c.Settings
	switch {
	case b.loss(c.Goal).String() != s.loss.String():
		return fmt.Errorf("loss %v, the first case has %v: run them apart", b.loss(c.Goal), s.loss)
	case a.Outer != b.Outer || a.DeltaSteps != b.DeltaSteps || a.MaskSteps != b.MaskSteps || a.MaskInner != b.MaskInner || a.TuneSteps != b.TuneSteps:
		return errors.New("outer, delta_steps, mask_steps, mask_inner or tune_steps differ from the first case's: run them apart")
	}
	return nil
}

// solve is Algorithm 1, for each value of the lambda1 search. It can be
// entered at any State.
func (s *solver) solve() error {
	if err := s.lookAtCleanImages(); err != nil {
		return err
	}
	for s.anyGoingOn() { // one value of lambda1 each
		for s.Outer < s.settings.Outer && s.Stage != TuneStage {
			if err := s.run(DeltaStage, s.settings.DeltaSteps); err != nil { // step 1: delta given G
				return err
			}
			if err := s.run(MaskStage, s.settings.MaskSteps); err != nil { // step 2: G given delta
				return err
			}
			s.endOuter()
		}
		if s.Stage != TuneStage {
			s.roundMasks()
		}
		if err := s.run(TuneStage, s.settings.TuneSteps); err != nil {
			return err
		}
		if err := s.judge(); err != nil {
			return err
		}
		s.startRound()
	}
	return nil
}

// run does the steps of a stage that are left, or nothing where another stage
// is due.
func (s *solver) run(stage Stage, steps int) error {
	if s.Stage == "" {
		s.Stage = DeltaStage
	}
	if s.Stage != stage {
		return nil
	}
	for s.Step < steps {
		if err := s.ctx.Err(); err != nil {
			return errors.Join(err, s.save()) // what was done up to here is not done again
		}
		if s.Step == 0 {
			for _, a := range s.moving() {
				a.F.begin(stage)
			}
		}
		if err := s.step(stage); err != nil {
			return err
		}
		s.Step++
		if err := s.observe(stage, steps); err != nil {
			return err
		}
	}
	if stage == DeltaStage {
		s.Stage, s.Step = MaskStage, 0
	}
	return nil
}

// step is one step of every attempt that moves.
func (s *solver) step(stage Stage) error {
	moving := s.moving()
	if stage != MaskStage {
		return s.gradients(func(a *Attempt, slope []float64) error { return a.F.updateDelta(slope) })
	}
	for _, a := range moving {
		a.F.updateCopies()
	}
	for range s.settings.MaskInner {
		if err := s.gradients(func(a *Attempt, slope []float64) error { a.F.updateG(slope); return nil }); err != nil {
			return err
		}
	}
	for _, a := range s.moving() {
		if err := a.F.finishADMM(); err != nil {
			a.fail(err)
		}
	}
	return nil
}

// gradients runs one pass for all attempts that move and hands each its slope.
func (s *solver) gradients(use func(a *Attempt, slope []float64) error) error {
	moving := s.moving()
	if len(moving) == 0 {
		return nil
	}
	p, err := s.pass(len(moving))
	if err != nil {
		return err
	}
	fs := make([]*Factorization, len(moving))
	for i, a := range moving {
		fs[i] = a.F
	}
	err = p.run(fs...)
	var numeric *models.NumericError
	switch {
	case errors.As(err, &numeric) && numeric.Example >= 0 && numeric.Example < len(moving):
		moving[numeric.Example].fail(err) // the others go on without it
		return s.gradients(use)
	case err != nil:
		return err
	}
	s.Passes++
	for i, a := range moving {
		a.Flat = a.Flat || a.Gradients == 0 && allZero(p.gradient(i))
		a.Gradients++
		a.Forwards++
		if err := use(a, p.gradient(i)); err != nil {
			a.fail(err)
		}
	}
	return nil
}

func allZero(v []float64) bool {
	for _, x := range v {
		if x != 0 {
			return false
		}
	}
	return true
}

// fail ends an attempt at a number that is not finite; what it has is kept.
func (a *Attempt) fail(err error) {
	a.Status = Numeric
	a.Note = fmt.Sprintf("round %d, outer iteration %d, %s step %d: %v", a.Search.Round+1, a.F.Outer, a.F.Stage, a.F.Step, err)
}

// maxPasses is the number of batch sizes whose evaluators are kept: that of
// all attempts that go on, and that of those that still move in this round.
const maxPasses = 2

// pass returns an evaluator for so many images.
func (s *solver) pass(batch int) (*pass, error) {
	for i, p := range s.passes {
		if p.ev.Batch() == batch {
			copy(s.passes[1:i+1], s.passes[:i])
			s.passes[0] = p
			return p, nil
		}
	}
	p, err := newPass(s.m, s.loss, batch)
	if err != nil {
		return nil, fmt.Errorf("evaluator for %d images: %w", batch, err)
	}
	s.passes = append([]*pass{p}, s.passes...)
	for len(s.passes) > maxPasses {
		s.passes[maxPasses].ev.Close()
		s.passes = s.passes[:maxPasses]
	}
	return p, nil
}

func (s *solver) close() {
	for _, p := range s.passes {
		p.ev.Close()
	}
}

// goingOn are the attempts without a status, moving those of them that have
// not converged in this round.
func (s *solver) goingOn() []*Attempt {
	var out []*Attempt
	for _, a := range s.Attempts {
		if a.Status == "" {
			out = append(out, a)
		}
	}
	return out
}

func (s *solver) anyGoingOn() bool { return len(s.goingOn()) > 0 }

func (s *solver) moving() []*Attempt {
	var out []*Attempt
	for _, a := range s.goingOn() {
		if !a.Converged {
			out = append(out, a)
		}
	}
	return out
}

// endOuter closes an outer iteration, and with it the alternation of every
// attempt whose delta*G has come to rest.
//
// Differs: the paper alternates up to 10 times "while not converged" and gives
// no test of that; its program alternates once. Outer and OuterTolerance (5;
// TestRowsOfTheTable).
func (s *solver) endOuter() {
	s.Outer++
	s.Stage, s.Step = DeltaStage, 0
	for _, a := range s.moving() {
		tolerance := a.F.Settings.OuterTolerance
		if tolerance == 0 {
			continue
		}
		now := a.F.Perturbation()
		a.Converged = a.Before != nil && relativeChange(a.Before, now) < tolerance
		a.Before = now
	}
	if len(s.moving()) == 0 {
		s.Outer = s.settings.Outer
	}
}

// relativeChange is ||b - a|| / ||b||, 0 where both are 0.
func relativeChange(a, b []float64) float64 {
	var change, size float64
	for i := range b {
		change += float64((b[i] - a[i]) * (b[i] - a[i]))
		size += float64(b[i] * b[i])
	}
	if change == 0 {
		return 0
	}
	return math.Sqrt(change / size)
}

func (s *solver) roundMasks() {
	for _, a := range s.goingOn() {
		a.F.Round()
		a.Converged = false
	}
	s.Stage, s.Step = TuneStage, 0
}

// startRound takes every attempt that goes on back to its start, with the
// next lambda1.
func (s *solver) startRound() {
	s.Outer, s.Stage, s.Step = 0, DeltaStage, 0
	for _, a := range s.goingOn() {
		a.F.Restart(a.Search.Lambda1)
		a.Before, a.Converged = nil, false
	}
}

// cancel ends all attempts with what they have.
func (s *solver) cancel() {
	for _, a := range s.goingOn() {
		a.Status = Cancelled
		a.Note = fmt.Sprintf("stopped in round %d, outer iteration %d, %s step %d", a.Search.Round+1, a.F.Outer, a.F.Stage, a.F.Step)
		c := a.F.Clone()
		c.Round()
		a.Last, a.LastMask = c.Adversarial(), c.Mask()
	}
}
