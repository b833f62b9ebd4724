package dsl

import (
	"fmt"
	"maps"
	"slices"

	"sapf/dsl/display"
	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/sweep"
)

// Method is an attack with its options: Options (SAPF), or those of another
// attack.
type Method = attack.Attack

// Case is one attack of AttackAll: an image, what it is to become, and the
// method with its options.
type Case struct {
	Image  Image
	Aim    Aim
	Method attack.Attack
}

// Outcomes are the outcomes of AttackAll, in the order of its cases.
type Outcomes []*Outcome

// AttackAll runs many attacks with one progress display. Cases that can share
// their passes through the network do: those of SAPF with one loss and one
// number of steps (whatever their k, weights or groups), and those of another
// method with the same options. The outcomes are the same bytes as those of
// Attack on each case alone. An interrupt stops it within one step; the
// outcomes are then those that were finished, so there may be fewer than cases.
//
//	var cases []Case
//	for _, t := range m.OtherClasses(x) {
//		cases = append(cases, Case{x, Target(t), Options{K: 200}})
//	}
//	rs := AttackAll(m, cases...)
func AttackAll(m *Model, cases ...Case) Outcomes {
	return attackAll("AttackAll", m, nil, cases)
}

// attackAll runs the cases with one progress display, and returns the outcomes
// that were finished.
func attackAll(verb string, m *Model, store sweep.Store, cases []Case) Outcomes {
	tasks := make([]attack.Task, len(cases))
	for i, c := range cases {
		t, err := c.task(m)
		if err != nil {
			fail(verb, fmt.Errorf("case %d: %w", i, err))
		}
		tasks[i] = t
	}
	bar := newProgress(verb)
	defer bar.fail()
	last := sweep.Progress{Total: len(cases)}
	outcomes, err := sweep.Run(display.Context(), m.Model, tasks, sweep.Options{Store: store, Progress: func(p sweep.Progress) {
		last = p
		bar.step(int(100*float64(p.Total)*p.Fraction()), 100*p.Total,
			fmt.Sprintf("%d of %d attacks, now %s on %s", p.Done, p.Total, p.Attack.Method, p.Task.Image.Name))
	}})
	if err != nil {
		fail(verb, err)
	}
	var out Outcomes
	for _, o := range outcomes {
		if o != nil && o.Result.Status != attack.Cancelled {
			out = append(out, &Outcome{Outcome: o, Model: m.Model})
		}
	}
	if display.Context().Err() != nil {
		stopped.Store(&out)
		bar.finish(bar.fraction, fmt.Sprintf("stopped; Stopped() has %s", count(len(out), "attack")))
		return out
	}
	text := fmt.Sprintf("%s, %d succeeded", count(len(out), "attack"), out.Successes())
	if last.Kept > 0 {
		text += fmt.Sprintf("; %d of them kept from before", last.Kept)
	}
	bar.finish(float64(len(out))/float64(max(len(cases), 1)), text)
	return out
}

// task checks a case and finds out what its words mean.
func (c Case) task(m *Model) (attack.Task, error) {
	if c.Method == nil {
		return attack.Task{}, fmt.Errorf("no method, expected Options{} (SAPF) or another attack's options")
	}
	goal, err := sweep.GoalOf(m.Classes(), c.Image.Label, c.Aim.class)
	return attack.Task{Image: c.Image, Goal: goal, Attack: known(c.Method)}, err
}

// OtherClasses are the names of the classes that x could be attacked into: all
// but its label and what the model predicts already.
func (m *Model) OtherClasses(x Image) []string {
	predicted := m.Predict(x).Class
	var out []string
	for i, c := range m.Classes() {
		if i != predicted && (x.Label == data.NoLabel || i != x.Label) {
			out = append(out, c)
		}
	}
	return out
}

// Successes counts the outcomes that reach their goals.
func (rs Outcomes) Successes() int {
	n := 0
	for _, r := range rs {
		if r.Measured.Success {
			n++
		}
	}
	return n
}

// Table has a row for each outcome.
func (rs Outcomes) Table() *Table {
	t := NewTable("image", "method", "target", "success", "l0", "pixels", "l1", "l2", "linf", "lambda1", "gradients")
	names := rs.names()
	for i, r := range rs {
		target, n := "any other", r.Measured
		if r.Goal.Targeted() {
			target = r.Model.Classes()[r.Goal.Target]
		}
		t.Row(r.Image.Name, names[i], target, fmt.Sprint(n.Success), fmt.Sprint(n.L0), fmt.Sprint(n.L0Pixels),
			number(n.L1), number(n.L2), number(n.Linf), number(r.Result.Const), fmt.Sprint(r.Result.Gradients))
	}
	return t
}

// names are the methods of the outcomes, with those options in which runs of one
// method differ: "sapf lambda2=0.1".
func (rs Outcomes) names() []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.Result.Method
		for _, option := range slices.Sorted(maps.Keys(r.Result.Options)) {
			differs := slices.ContainsFunc(rs, func(o *Outcome) bool {
				return o.Result.Method == r.Result.Method && fmt.Sprint(o.Result.Options[option]) != fmt.Sprint(r.Result.Options[option])
			})
			if v := fmt.Sprint(r.Result.Options[option]); differs && len(v) <= 20 {
				out[i] += " " + option + "=" + v
			}
		}
	}
	return out
}

// smallWidth is the width in pixels up to which pictures are shown small, two
// outcomes in a row of a panel.
const smallWidth = 128

// Panel shows the perturbation, the mask and the adversarial image of every
// outcome, all perturbations magnified by the same factor.
func (rs Outcomes) Panel() *Figure {
	var tiles []Tile
	magnify, perRow := rs.Magnification(), 6
	for _, r := range rs {
		tiles = append(tiles, r.PerturbationTile(magnify), r.MaskTile(), r.AdversarialTile())
		if r.Image.W > smallWidth {
			perRow = 3
		}
	}
	return Panel(perRow, tiles...)
}

// MimeBundle shows the outcomes as a table.
func (rs Outcomes) MimeBundle() display.Bundle { return rs.Table().MimeBundle() }
