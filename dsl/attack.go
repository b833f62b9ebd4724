package dsl

import (
	"fmt"
	"math"

	"sapf/dsl/display"
	"sapf/models"
	"sapf/sapf"
	"sapf/sapf/attack"
	"sapf/sapf/figure"
	"sapf/sapf/sweep"
)

// traceEvery is the number of steps between two points of Outcome.PlotTrace.
const traceEvery = 20

// Outcome is what Attack returns: the result, what its image shows when
// measured, and the way there.
type Outcome struct {
	*sweep.Outcome
	// Model is the classifier attacked.
	Model *models.Model
	// Trace has a row every 20 steps of each stage; SAPF only.
	Trace []sapf.TraceRow
}

// Attack runs a method on one image, with a progress display that updates in
// place. Options{} is SAPF, Algorithm 1 with the lambda1 search; any other
// method is named by its own options. An interrupt stops it within one step;
// the best so far is then what Stopped returns.
//
//	r := Attack(m, x, Target("dog"), Options{K: 200})
func Attack(m *Model, x Image, aim Aim, method attack.Attack) *Outcome {
	t, err := Case{x, aim, method}.task(m)
	if err != nil {
		fail("Attack", err)
	}
	r := &Outcome{Model: m.Model}
	bar := newProgress(method.Name())
	defer bar.fail()
	r.Outcome, err = sweep.One(display.Context(), m.Model, t, sweep.Options{
		Progress:   func(p sweep.Progress) { bar.step(p.Attack.Done, p.Attack.Total, describe(p.Attack)) },
		TraceEvery: traceEvery,
		Trace: func(_ int, row sapf.TraceRow) {
			row.Delta, row.G = nil, nil // the solver's own, valid only during the call
			r.Trace = append(r.Trace, row)
		},
	})
	if err != nil {
		fail("Attack", err)
	}
	if r.Result.Status == attack.Cancelled {
		stopped.Store(&Outcomes{r})
		bar.finish(bar.fraction, "stopped; Stopped()[0] is the best so far")
		return r
	}
	bar.finish(1, r.verdict())
	return r
}

// describe is a step of an attack in a few words.
func describe(p attack.Progress) string {
	s := fmt.Sprintf("%s, loss %.4g", p.Stage, p.Loss)
	if p.Trials > 1 {
		s = fmt.Sprintf("round %d of %d, %s", p.Trial, p.Trials, s)
	}
	if p.Success {
		s += ", success in hand"
	}
	return s
}

// verdict says how the attack ended: "success: cat to dog, 198 entries".
func (r *Outcome) verdict() string {
	classes := r.Model.Classes()
	s := fmt.Sprintf("%s: %s", r.Result.Status, classes[r.Clean.Class])
	if r.Measured.Success {
		s += fmt.Sprintf(" is now %s, %d of %d entries changed", classes[r.Measured.AdversarialPrediction], r.Measured.L0, r.Image.Len())
	}
	return s
}

// Success reports whether the adversarial image reaches the goal.
func (r *Outcome) Success() bool { return r.Measured.Success }

// Adversarial is the best adversarial image found.
func (r *Outcome) Adversarial() Image { return r.Result.Adversarial }

// signed puts the outcome's key (the digest of all that decides it, under which
// MeasureAll keeps it) in front of the keys of a figure.
func (r *Outcome) signed(f *figure.Figure) *figure.Figure {
	f.Keys = append([]string{r.Key()}, f.Keys...)
	return f
}

// Panel shows the benign image, the perturbation (magnified by a stated
// factor), the mask and the adversarial image side by side.
func (r *Outcome) Panel() *figure.Figure {
	d := r.Delta()
	magnify := figure.Magnification(d)
	adversarial, err := r.Model.Predict(r.Result.Adversarial)
	if err != nil {
		fail("Panel", err)
	}
	n := r.Measured
	return figure.Panel([]figure.Tile{
		{Picture: r.Image.Picture(), Title: "benign", Caption: top(r.Clean)},
		{Picture: figure.Perturbation(r.Image, d, magnify), Title: "perturbation " + figure.Times(magnify),
			Caption: []string{fmt.Sprintf("l2 %.3f, linf %.3f", n.L2, n.Linf)}, Key: r.Key()},
		{Picture: figure.Mask(r.Image, r.Selection()), Title: "mask",
			Caption: []string{fmt.Sprintf("%d entries in %d pixels", n.L0, n.L0Pixels)}},
		{Picture: r.Result.Adversarial.Picture(), Title: "adversarial", Caption: top(adversarial), Key: r.Key()},
	}, 4)
}

// top is the first two classes of a prediction, a line each.
func top(p Prediction) []string {
	var lines []string
	for _, c := range p.Top(2) {
		lines = append(lines, fmt.Sprintf("%s %.1f %%", c.Name, 100*c.Probability))
	}
	return lines
}

// Table lists what was measured.
func (r *Outcome) Table() *Table {
	n, res := r.Measured, r.Result
	t := NewTable("", "")
	t.Row("method", fmt.Sprintf("%s, preset %s", res.Method, res.Preset))
	t.Row("outcome", r.outcome())
	t.Row("l0", fmt.Sprintf("%d entries, %d pixels", n.L0, n.L0Pixels))
	t.Row("l1 / l2 / linf", fmt.Sprintf("%.4f / %.4f / %.4f", n.L1, n.L2, n.Linf))
	if res.Detail != nil {
		t.Row("k / ones in G", fmt.Sprintf("%d / %d", res.K, res.Selected))
		t.Row("lambda1", fmt.Sprintf("%.4g, of %d rounds", res.Const, res.Trials))
	}
	for _, w := range r.Warnings {
		t.Row("warning", w)
	}
	t.Row("passes", fmt.Sprintf("%d forward, %d backward", res.Forwards, res.Gradients))
	t.Row("numerics", r.Model.Profile().String())
	return t
}

// outcome says how the attack ended and whether its image holds as a picture.
func (r *Outcome) outcome() string {
	s := string(r.Result.Status)
	switch n := r.Measured; {
	case n.Success && n.Success8Bit:
		s += ", also after rounding to 8 bits"
	case n.Success:
		s += ", but not after rounding to 8 bits"
	case n.Success8Bit:
		s += ", though after rounding to 8 bits the goal is reached"
	}
	return s
}

// PlotTrace draws the margin over the steps of all rounds: the target is
// reached where it falls below 0.
func (r *Outcome) PlotTrace() *figure.Figure {
	curves := r.byRound(func(row sapf.TraceRow) float64 { return row.Margin })
	f, err := figure.Curves(figure.Axes{
		Title: "Margin of the target: reached below 0", X: "step of the round", Y: "best other logit - target's (logits)", Zero: true,
	}, curves...)
	if err != nil {
		fail("PlotTrace", err)
	}
	return r.signed(f)
}

// PlotResiduals draws how far G is from the box, the sphere and k ones in the
// mask stages of the last round.
func (r *Outcome) PlotResiduals() *figure.Figure {
	last := 0
	for _, row := range r.Trace {
		last = max(last, row.Trial)
	}
	var steps, box, sphere, card []float64
	for _, row := range r.Trace {
		if row.Trial == last && row.Stage == sapf.MaskStage {
			steps = append(steps, float64(row.Step))
			box, sphere, card = append(box, row.Box), append(sphere, row.Sphere), append(card, row.Card)
		}
	}
	return r.signed(residualPlot(steps, box, sphere, card))
}

// PlotSearch draws the lambda1 search: the value tried in each round, and those
// that succeeded.
func (r *Outcome) PlotSearch() *figure.Figure {
	tried, succeeded := figure.Curve{Name: "tried"}, figure.Curve{Name: "succeeded"}
	detail, ok := r.Result.Detail.(*sapf.Detail)
	if !ok {
		fail("PlotSearch", fmt.Errorf("%s searches no lambda1, sapf does", r.Result.Method))
	}
	for i, round := range detail.Search {
		tried.X, tried.Y = append(tried.X, float64(i+1)), append(tried.Y, round.Lambda1)
		if round.Success {
			succeeded.X, succeeded.Y = append(succeeded.X, float64(i+1)), append(succeeded.Y, round.Lambda1)
		}
	}
	f, err := figure.Curves(figure.Axes{Title: "Search for lambda1", X: "round", Y: "lambda1", LogY: true}, tried, succeeded)
	if err != nil {
		fail("PlotSearch", err)
	}
	return r.signed(f)
}

// byRound makes one curve of each round of the lambda1 search.
func (r *Outcome) byRound(value func(sapf.TraceRow) float64) []figure.Curve {
	var curves []figure.Curve
	before, offset := sapf.TraceRow{}, 0
	for _, row := range r.Trace {
		if len(curves) < row.Trial {
			curves = append(curves, figure.Curve{Name: fmt.Sprintf("round %d, lambda1 %.3g", row.Trial, row.Lambda1)})
			before, offset = sapf.TraceRow{}, 0
		}
		if row.Step < before.Step {
			offset += before.Step
		}
		before = row
		c := &curves[len(curves)-1]
		c.X, c.Y = append(c.X, float64(offset+row.Step)), append(c.Y, value(row))
	}
	return curves
}

// Compare sets outcomes side by side in one table, a column each. An attack that
// failed has no norms: those of its last image would say nothing.
func Compare(outcomes ...*Outcome) *Table {
	head := append([]string{""}, Outcomes(outcomes).names()...)
	t := NewTable(head...)
	add := func(name string, cell func(*Outcome) string) {
		cells := []string{name}
		for _, r := range outcomes {
			cells = append(cells, cell(r))
		}
		t.Row(cells...)
	}
	add("success", func(r *Outcome) string { return fmt.Sprint(r.Measured.Success) })
	add("success, 8 bits", func(r *Outcome) string { return fmt.Sprint(r.Measured.Success8Bit) })
	norm := func(name string, value func(*Outcome) string) {
		add(name, func(r *Outcome) string {
			if !r.Measured.Success {
				return "-"
			}
			return value(r)
		})
	}
	norm("l0, entries", func(r *Outcome) string { return fmt.Sprint(r.Measured.L0) })
	norm("l0, pixels", func(r *Outcome) string { return fmt.Sprint(r.Measured.L0Pixels) })
	norm("l1", func(r *Outcome) string { return number(r.Measured.L1) })
	norm("l2", func(r *Outcome) string { return number(r.Measured.L2) })
	norm("linf", func(r *Outcome) string { return number(r.Measured.Linf) })
	add("backward passes", func(r *Outcome) string { return fmt.Sprint(r.Result.Gradients) })
	return t
}

// number writes a measurement with four significant digits.
func number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "none"
	}
	return figure.Number(v, 4)
}
