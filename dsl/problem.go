package dsl

import (
	"fmt"
	"slices"

	"sapf/dsl/display"
	"sapf/sapf"
	"sapf/sapf/figure"
)

// Options are SAPF's in short: a field of zero means "as the preset says".
type Options = sapf.Options

// Settings are all of SAPF's, meant as they stand, a zero too. Start from a
// preset and change it; it is the attack:
//
//	s := Reference()
//	s.K, s.Lambda2 = 200, 0
//	r := Attack(m, x, Target("dog"), s)
type Settings = sapf.Settings

// Factorization is the state of eq. 3's solver, as Settings.Stop is shown it.
type Factorization = sapf.Factorization

// Reference returns the settings of the authors' program.
func Reference() Settings { return sapf.Reference() }

// Paper returns the settings of the paper's section 4.1, with the guard that its
// penalties need.
func Paper() Settings { return sapf.Paper() }

// Problem is the mixed integer programme of eq. 3 for one image, and the state
// of its solver: step it by hand, look at it, save it, step back.
type Problem struct {
	*sapf.Factorization
	model   *Model
	image   Image
	history []sample
}

// sample is what Problem remembers of a step, for its plots.
type sample struct {
	step  int
	stage sapf.Stage
	loss  float64
	gaps  sapf.Residuals
	ones  int
	// sum is 1'G, l2 the norm of delta*G, rate the step size of the stage.
	sum, l2, rate              float64
	rhoBox, rhoSphere, rhoCard float64
}

// Factorize sets up the problem: find magnitudes delta and a selection G with
// exactly k ones such that x + delta*G is taken for the target, at the least
// l2 norm.
//
// The settings are Options{...} or a preset's that were changed.
//
//	p := Factorize(m, x, Target("dog"), Options{K: 200})
func Factorize(m *Model, x Image, aim Aim, o sapf.Resolver) *Problem {
	goal, err := aim.Goal(m, x)
	if err != nil {
		fail("Factorize", err)
	}
	s, err := o.Resolve()
	if err != nil {
		fail("Factorize", err)
	}
	f, err := sapf.Factorize(m, x, goal, s)
	if err != nil {
		fail("Factorize", err)
	}
	return &Problem{Factorization: f, model: m, image: x}
}

// Copy is the problem as it stands, to try something else from here: its
// settings can be changed without changing p's. The steps made so far are not
// in the copy's plots.
//
//	q := p.Copy()
//	q.Settings.RhoGrowth = 1
func (p *Problem) Copy() *Problem {
	f := p.Factorization.Clone()
	if err := f.Attach(p.model); err != nil {
		fail("Copy", err)
	}
	return &Problem{Factorization: f, model: p.model, image: p.image}
}

// DeltaStep is one gradient step on delta (eq. 7), with G fixed.
func (p *Problem) DeltaStep() { p.step("DeltaStep", p.Factorization.DeltaStep) }

// ADMMStep is one iteration of lp-box ADMM on G (eqs. 11, 13, 14, 15), with
// delta fixed.
func (p *Problem) ADMMStep() { p.step("ADMMStep", p.Factorization.ADMMStep) }

// TuneStep is one gradient step on delta after Round.
func (p *Problem) TuneStep() { p.step("TuneStep", p.Factorization.TuneStep) }

// UpdateG is eq. 14: one pass through the network and one gradient step on G.
//
// UpdateY1, UpdateY2 and UpdateDuals are the other parts of ADMMStep (eqs. 11, 13
// and 15), and Advance ends the iteration, so that one can be replaced:
//
//	p.UpdateY1()
//	copy(p.Y2, mine(p.G))
//	p.UpdateG()
//	p.UpdateDuals()
//	p.Advance()
func (p *Problem) UpdateG() { p.try("UpdateG", p.Factorization.UpdateG) }

// Advance ends an iteration that was made of its parts: see UpdateG.
func (p *Problem) Advance() { p.step("Advance", p.Factorization.Advance) }

// DeltaSteps, ADMMSteps and TuneSteps run n steps with a progress display.
func (p *Problem) DeltaSteps(n int) { p.steps("DeltaSteps", n, p.DeltaStep) }

// ADMMSteps runs n iterations of ADMMStep.
func (p *Problem) ADMMSteps(n int) { p.steps("ADMMSteps", n, p.ADMMStep) }

// TuneSteps runs n steps of TuneStep.
func (p *Problem) TuneSteps(n int) { p.steps("TuneSteps", n, p.TuneStep) }

// try runs a part of a step, unless the cell was interrupted.
func (p *Problem) try(verb string, f func() error) {
	if err := display.Context().Err(); err != nil {
		fail(verb, fmt.Errorf("interrupted after step %d of the %s stage: %w", p.Step, p.Stage, err))
	}
	if err := f(); err != nil {
		fail(verb, err)
	}
}

func (p *Problem) step(verb string, f func() error) {
	p.try(verb, f)
	rate := p.DeltaStepSize
	if p.Stage == sapf.MaskStage {
		rate = p.MaskStepSize
	}
	p.history = append(p.history, sample{
		step: len(p.history) + 1, stage: p.Stage, loss: p.Loss, gaps: p.Residuals(), ones: p.Selected(),
		sum: Vec(p.G).Sum(), l2: Vec(p.Perturbation()).Norm(), rate: rate,
		rhoBox: p.RhoBox, rhoSphere: p.RhoSphere, rhoCard: p.RhoCard,
	})
}

func (p *Problem) steps(verb string, n int, f func()) {
	bar := newProgress(verb)
	defer bar.fail()
	for i := range n {
		f()
		bar.step(i+1, n, fmt.Sprintf("loss %.4g", p.Loss))
	}
	bar.finish(1, fmt.Sprintf("%d steps, loss %.4g", n, p.Loss))
}

// Delta, G and the rest of the solver's state, as vectors to compute with.
func (p *Problem) DeltaVec() Vec { return clone(p.Delta) }

// GVec is the relaxed selection G.
func (p *Problem) GVec() Vec { return clone(p.G) }

// Z1Vec and Z2Vec are the multipliers of the box and of the sphere.
func (p *Problem) Z1Vec() Vec { return clone(p.Z1) }

// Z2Vec is the multiplier of the sphere.
func (p *Problem) Z2Vec() Vec { return clone(p.Z2) }

// Y1Vec is the copy of G in the box.
func (p *Problem) Y1Vec() Vec { return clone(p.Y1) }

// Y2Vec is the copy of G on the sphere.
func (p *Problem) Y2Vec() Vec { return clone(p.Y2) }

func clone(v []float64) Vec { return append(Vec(nil), v...) }

// Plot draws how far G is from the box, the sphere and the cardinality k, step
// by step of the mask stages run so far.
func (p *Problem) Plot() *figure.Figure {
	var steps, box, sphere, card []float64
	for _, s := range p.history {
		if s.stage == sapf.MaskStage {
			steps = append(steps, float64(len(steps)+1))
			box = append(box, s.gaps.Box)
			sphere = append(sphere, s.gaps.Sphere)
			card = append(card, s.gaps.Card)
		}
	}
	return residualPlot(steps, box, sphere, card)
}

// residualPlot draws the three distances of G from a binary vector with k ones.
func residualPlot(steps, box, sphere, card []float64) *figure.Figure {
	f, err := figure.Curves(figure.Axes{
		Title: "How far G is from binary with k ones", X: "ADMM iteration", Y: "distance", LogY: true,
	},
		figure.Curve{Name: "to the box, l2", X: steps, Y: box},
		figure.Curve{Name: "to the sphere, l2", X: steps, Y: sphere},
		figure.Curve{Name: "|sum G - k|", X: steps, Y: card})
	if err != nil {
		fail("Plot", err)
	}
	return f
}

// PlotLoss draws the loss over all steps run so far.
func (p *Problem) PlotLoss() *figure.Figure {
	var steps, loss []float64
	for _, s := range p.history {
		steps, loss = append(steps, float64(s.step)), append(loss, s.loss)
	}
	f, err := figure.Curves(figure.Axes{Title: "Loss", X: "step", Y: "loss (logits)"},
		figure.Curve{Name: p.Settings.Loss, X: steps, Y: loss})
	if err != nil {
		fail("PlotLoss", err)
	}
	return f
}

// Histogram counts the entries of G.
func (p *Problem) Histogram() *figure.Figure {
	f, err := figure.Histogram(figure.Axes{Title: "Entries of G", X: "G", Y: "entries", LogY: true}, p.G, 44, -0.1, 1.1-1e-9)
	if err != nil {
		fail("Histogram", err)
	}
	return f
}

// String is the state in one line.
func (p *Problem) String() string {
	if p.Stage == "" {
		return p.image.Name + ": " + p.Factorization.String()
	}
	return p.Factorization.String()
}

// ran reports whether a step of the stage was done.
func (p *Problem) ran(stage sapf.Stage) bool {
	return slices.ContainsFunc(p.history, func(s sample) bool { return s.stage == stage })
}
