package dsl

import (
	"fmt"
	"reflect"
	"time"

	"sapf/dsl/display"
	"sapf/models/data"
	"sapf/sapf"
	"sapf/sapf/metric"
	"sapf/sapf/sweep"
)

// Method is an attack with its options: Options (SAPF), or those of another
// attack.
type Method = sapf.Attack

// Case is one attack of AttackAll: an image, what it is to become, and the
// method with its options.
type Case struct {
	Image  Image
	Aim    Aim
	Method sapf.Attack
}

// Outcomes are the outcomes of AttackAll, in the order of its cases.
type Outcomes []*Outcome

// largestBatch is the number of cases that share a pass. More would not make a
// pass per image cheaper, and would outgrow the processor's caches.
const largestBatch = 9

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
	reached := make([]*Outcome, len(cases))
	attackAll("AttackAll", m, cases, 0, func(i int, o *Outcome) { reached[i] = o })
	var out Outcomes
	for _, o := range reached {
		if o != nil {
			out = append(out, o)
		}
	}
	return out
}

// attackAll runs the cases batch by batch and hands over each outcome. kept
// counts cases that did not have to run, for the display.
func attackAll(verb string, m *Model, cases []Case, kept int, take func(i int, o *Outcome)) {
	tasks := make([]*sweep.Task, len(cases))
	for i, c := range cases {
		t, err := c.task(m)
		if err != nil {
			fail(verb, fmt.Errorf("case %d: %w", i, err))
		}
		tasks[i] = t
	}
	bar := newProgress(verb)
	done, succeeded, all := 0, 0, max(len(cases), 1)
	for _, batch := range batches(tasks) {
		if display.Context().Err() != nil {
			break
		}
		finished := runBatch(verb, tasks, batch, func(p sapf.Progress) {
			fraction := float64(p.Done) / float64(max(p.Total, 1))
			bar.step(int(100*(float64(done)+fraction*float64(len(batch)))), 100*all,
				fmt.Sprintf("%d of %d attacks, now %s on %s", done, len(cases), p.Method, tasks[batch[0]].Image.Name))
		})
		for i, o := range finished {
			if o.Result.Status == sapf.Cancelled {
				continue
			}
			if o.Measured.Success {
				succeeded++
			}
			done++
			take(batch[i], o)
		}
	}
	text := fmt.Sprintf("%d attacks, %d succeeded", done, succeeded)
	if kept > 0 {
		text += fmt.Sprintf("; %d kept from before", kept)
	}
	fraction := 1.0
	if len(cases) > 0 {
		fraction = float64(done) / float64(len(cases))
	}
	bar.finish(fraction, text)
}

// task checks a case and finds out what its words mean.
func (c Case) task(m *Model) (*sweep.Task, error) {
	clean, err := m.Model.Predict(c.Image)
	if err != nil {
		return nil, err
	}
	goal, err := sweep.GoalOf(m.Classes(), c.Image.Label, clean.Class, c.Aim.class)
	if err != nil {
		return nil, err
	}
	if c.Method == nil {
		return nil, fmt.Errorf("no method, expected Options{} (SAPF) or another attack's options")
	}
	return &sweep.Task{Model: m.Model, Image: c.Image, Clean: clean, Goal: goal, Attack: c.Method}, nil
}

// batches puts the indices of tasks together that can share passes, in the
// order of the first of each.
func batches(tasks []*sweep.Task) [][]int {
	var out [][]int
	open := map[string]int{} // the batch that still takes tasks of this kind
	for i, t := range tasks {
		kind := kindOf(t)
		at, ok := open[kind]
		if !ok || len(out[at]) == largestBatch {
			at = len(out)
			out, open[kind] = append(out, nil), at
		}
		out[at] = append(out[at], i)
	}
	return out
}

// kindOf is equal for tasks that can share passes.
func kindOf(t *sweep.Task) string {
	if o, ok := t.Attack.(sapf.Options); ok {
		if s, err := o.Resolve(); err == nil {
			return fmt.Sprint("sapf ", s.Loss, s.Confidence, t.Goal.Targeted(), s.Outer, s.DeltaSteps, s.MaskSteps, s.MaskInner, s.TuneSteps)
		}
	}
	return fmt.Sprintf("%s %v %+v", t.Attack.Name(), t.Goal.Targeted(), reflect.Indirect(reflect.ValueOf(t.Attack)))
}

// runBatch runs the tasks of one batch and measures what came of them. The
// seconds of the batch are shared out evenly.
func runBatch(verb string, all []*sweep.Task, batch []int, watch func(sapf.Progress)) []*Outcome {
	ctx := sapf.WithProgress(display.Context(), watch)
	tasks := make([]*sweep.Task, len(batch))
	for i, at := range batch {
		tasks[i] = all[at]
	}
	start := time.Now()
	results, err := runTogether(ctx, tasks)
	if err != nil {
		fail(verb, fmt.Errorf("%s on %s: %w", tasks[0].Attack.Name(), tasks[0].Image.Name, err))
	}
	seconds := time.Since(start).Seconds() / float64(len(batch))
	out := make([]*Outcome, len(batch))
	for i, t := range tasks {
		measured, err := metric.Measure(t.Model, t.Image, results[i].Adversarial, t.Goal)
		if err != nil {
			fail(verb, fmt.Errorf("measure %s on %s: %w", t.Attack.Name(), t.Image.Name, err))
		}
		out[i] = &Outcome{Outcome: &sweep.Outcome{Task: t, Result: results[i], Measured: measured, Seconds: seconds}}
	}
	return out
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
	for _, r := range rs {
		target, n := "any other", r.Measured
		if r.Goal.Targeted() {
			target = r.Model.Classes()[r.Goal.Target]
		}
		t.Row(r.Image.Name, r.Result.Method, target, fmt.Sprint(n.Success), fmt.Sprint(n.L0), fmt.Sprint(n.L0Pixels),
			number(n.L1), number(n.L2), number(n.Linf), number(r.Result.Lambda1), fmt.Sprint(r.Result.Gradients))
	}
	return t
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
