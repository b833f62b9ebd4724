package sapf

import (
	"context"
	"errors"
	"fmt"
	"math"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
)

// run is Algorithm 1 with the lambda1 search on several tasks in lockstep, so
// that each pass through the network serves them all; every task has its own
// settings and its own search. The results are the same bytes as those of each
// task alone. The tasks must agree in loss, in the kind of goal and in the
// number of steps.
func run(ctx context.Context, m attack.Classifier, tasks []attack.Task, settings []Settings) ([]attack.Result, error) {
	if len(tasks) == 0 {
		return nil, nil
	}
	s := &solver{ctx: ctx, m: m, settings: settings[0], watch: watchersOf(ctx)}
	defer s.close()
	s.loss = s.settings.loss(tasks[0].Goal)
	for i, t := range tasks {
		f, err := s.programme(t, settings[i])
		if err != nil && len(tasks) > 1 {
			err = fmt.Errorf("task %d: %w", i, err)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", methodName, err)
		}
		s.Attempts = append(s.Attempts, &attempt{F: f, Search: newSearch(settings[i])})
	}
	if err := s.resume(); err != nil {
		return nil, fmt.Errorf("%s: image %q: %w", methodName, tasks[0].Image.Name, err)
	}
	if err := s.solve(); err != nil {
		if ctx.Err() == nil {
			return nil, fmt.Errorf("%s: image %q: %w", methodName, tasks[0].Image.Name, err)
		}
		s.cancel()
	}
	results := make([]attack.Result, len(tasks))
	for i, a := range s.Attempts {
		results[i] = a.result(tasks[i].Image)
	}
	return results, nil
}

// programme sets up the programme of a task that can go in step with the first.
func (s *solver) programme(t attack.Task, settings Settings) (*Factorization, error) {
	if err := s.sameSchedule(t.Goal, settings); err != nil {
		return nil, err
	}
	return newFactorization(s.m, t.Image, t.Goal, settings)
}

// state is Algorithm 1 at any moment: plain data, from which a run goes on
// with the same bytes. Where it is in the algorithm, its programmes know: all
// that still move are at the same step.
type state struct {
	Attempts []*attempt
	// Clean are the logits of the images themselves, one row each, once they
	// were looked at: a checkpoint of another model is known by them.
	Clean []float64
	// Passes counts the passes through the network so far, of the whole batch.
	Passes int
}

// attempt is one task in the making.
type attempt struct {
	F      *Factorization
	Search Search
	// Trials are the values of lambda1 tried so far.
	Trials []Trial
	// Best is the adversarial image kept so far, empty without a success;
	// BestTrial the round it is from, BestMask its G.
	Best      data.Image
	BestTrial int
	BestMask  []float32
	// Last is the candidate of the last round.
	Last     data.Image
	LastMask []float32
	// Clean is the class of the image itself.
	Clean int
	// Status is empty while the attempt goes on; Note explains it.
	Status attack.Status
	Note   string
	// Converged says that the outer iterations of this round are over early.
	Converged bool
	// Stopped says that Settings.Stop has ended this run of the search.
	Stopped bool
	// Flat says that the first gradient was zero in every entry.
	Flat bool
	// Before is delta*G at the last outer iteration, length N.
	Before []float64

	Forwards, Gradients int

	err error // what ended it, where Status is Numeric
}

// Trial is the outcome of one run of the lambda1 search.
type Trial struct {
	Lambda1    float64
	Success    bool
	Prediction int
	// Selected is the number of ones in G.
	Selected int
	attack.Norms
}

// solver drives a state. One with a single attempt steps a Factorization by
// hand.
type solver struct {
	state
	ctx      context.Context
	m        attack.Classifier
	loss     models.Loss
	settings Settings // what all tasks have in common
	passes   []*pass  // the last used first, at most maxPasses
	watch    watchers
	saved    int // Passes at the last checkpoint
}

// sameSchedule refuses what could not go in step with the first task.
func (s *solver) sameSchedule(goal attack.Goal, b Settings) error {
	a := s.settings
	switch {
	case b.loss(goal).String() != s.loss.String():
		return fmt.Errorf("loss %v, the first task has %v: run them apart", b.loss(goal), s.loss)
	case a.Outer != b.Outer || a.DeltaSteps != b.DeltaSteps || a.MaskSteps != b.MaskSteps || a.MaskInner != b.MaskInner || a.TuneSteps != b.TuneSteps:
		return errors.New("outer, delta_steps, mask_steps, mask_inner or tune_steps differ from the first task's: run them apart")
	}
	return nil
}

// solve is Algorithm 1, for each value of the lambda1 search. It can be
// entered at any state.
func (s *solver) solve() error {
	if err := s.lookAtCleanImages(); err != nil {
		return err
	}
	for s.anyGoingOn() { // one value of lambda1 each
		for s.alternates() {
			if err := s.stage(DeltaStage, s.settings.DeltaSteps); err != nil { // step 1: delta given G
				return err
			}
			if err := s.stage(MaskStage, s.settings.MaskSteps); err != nil { // step 2: G given delta
				return err
			}
			s.endOuter()
		}
		s.roundMasks()
		if err := s.stage(TuneStage, s.settings.TuneSteps); err != nil {
			return err
		}
		if err := s.judge(); err != nil {
			return err
		}
		s.startTrial()
	}
	return nil
}

// alternates reports whether an outer iteration is going on or left.
func (s *solver) alternates() bool {
	moving := s.moving()
	if len(moving) == 0 || s.settings.DeltaSteps+s.settings.MaskSteps == 0 {
		return false
	}
	at := moving[0].F // all are where the first is
	return at.Stage == DeltaStage || at.Stage == MaskStage || at.Stage == "" && at.Outer < s.settings.Outer
}

// stage does the steps of a stage that are left; none of one that is over.
func (s *solver) stage(stage Stage, steps int) error {
	for {
		moving := s.moving()
		if len(moving) == 0 || !moving[0].F.due(stage, steps) {
			return nil
		}
		if err := s.ctx.Err(); err != nil {
			return errors.Join(err, s.save()) // what was done up to here is not done again
		}
		if err := s.step(stage); err != nil {
			return err
		}
		if err := s.observe(stage, steps); err != nil {
			return err
		}
		for _, a := range moving {
			if stop := a.F.Settings.Stop; stop != nil && a.Status == "" && stop(a.F) {
				a.Stopped = true
			}
		}
	}
}

// step is one step of a stage for every attempt that moves: eq. 7, or one
// iteration of ADMM.
func (s *solver) step(stage Stage) error {
	for _, a := range s.moving() {
		a.F.enter(stage)
	}
	if stage == MaskStage {
		return s.iterateADMM()
	}
	return s.gradients(func(a *attempt, slope []float64) error { return a.F.updateDelta(slope) })
}

// iterateADMM is one iteration on G with delta fixed: eqs. 11 and 13 and the
// group block for the copies of G, eq. 14 for G itself by one gradient step (or
// MaskInner steps), eq. 15 for the multipliers, then the penalties grow.
//
// Differs: the paper says 2000 steps on G in each outer iteration and leaves
// open whether they are steps of eq. 14 inside one ADMM iteration; its program
// takes one step in each of 2000 ADMM iterations. MaskSteps, MaskInner (6;
// TestRowsOfTheTable).
func (s *solver) iterateADMM() error {
	for _, a := range s.moving() {
		a.F.updateCopies()
	}
	for range s.settings.MaskInner {
		if err := s.gradients(func(a *attempt, slope []float64) error { a.F.updateG(slope); return nil }); err != nil {
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
func (s *solver) gradients(use func(a *attempt, slope []float64) error) error {
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
		a.Flat = a.Flat || a.Gradients == 0 && attack.Flat(p.gradient(i))
		a.Gradients++
		a.Forwards++
		if err := use(a, p.gradient(i)); err != nil {
			a.fail(err)
		}
	}
	return nil
}

// fail ends an attempt at a number that is not finite; what it has is kept.
func (a *attempt) fail(err error) {
	a.Status, a.err = attack.Numeric, err
	a.Note = fmt.Sprintf("round %d, outer iteration %d, %s step %d: %v", a.Search.Trials+1, a.F.Outer, a.F.Stage, a.F.Step, err)
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
func (s *solver) goingOn() []*attempt {
	var out []*attempt
	for _, a := range s.Attempts {
		if a.Status == "" {
			out = append(out, a)
		}
	}
	return out
}

func (s *solver) anyGoingOn() bool { return len(s.goingOn()) > 0 }

func (s *solver) moving() []*attempt {
	var out []*attempt
	for _, a := range s.goingOn() {
		if !a.Converged && !a.Stopped {
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
	for _, a := range s.moving() {
		a.F.Stage, a.F.Step = "", 0
		tolerance := a.F.Settings.OuterTolerance
		if tolerance == 0 {
			continue
		}
		now := a.F.Perturbation()
		a.Converged = a.Before != nil && relativeChange(a.Before, now) < tolerance
		a.Before = now
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

// roundMasks makes every G binary, unless that was done.
func (s *solver) roundMasks() {
	for _, a := range s.goingOn() {
		if a.F.Stage == TuneStage {
			continue
		}
		a.F.Round()
		a.F.enter(TuneStage)
		a.Converged = false
	}
}

// startTrial takes every attempt that goes on back to its start, with the
// next lambda1.
func (s *solver) startTrial() {
	for _, a := range s.goingOn() {
		a.F.Restart(a.Search.Lambda1)
		a.Before, a.Converged, a.Stopped = nil, false, false
	}
}

// cancel ends all attempts with what they have.
func (s *solver) cancel() {
	for _, a := range s.goingOn() {
		a.Status = attack.Cancelled
		a.Note = fmt.Sprintf("stopped in round %d, outer iteration %d, %s step %d", a.Search.Trials+1, a.F.Outer, a.F.Stage, a.F.Step)
		c := a.F.Clone()
		c.Round()
		a.Last, a.LastMask = c.Adversarial(), c.Mask()
	}
}
