package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/baseline"
	"sapf/sapf/sweep"
)

// resolve finds the smallest l2 on a given support, for all supports alike.
var resolve = baseline.CWL2{Steps: 300, InitialConst: 1}

// supports asks what each attack owes to the entries it chose and what to the
// sizes of its changes: where StrAttack, SAPF at StrAttack's l0 less 4 and
// C&W-l0 at SAPF's l0 all succeed, one and the same l2 attack finds the
// changes anew on the entries of each. It prints the means of the norms and of
// the l2 relative to SAPF's, case by case.
func supports(ctx context.Context, m *models.Model, images []data.Image, targets int) error {
	sums := map[string]*tally{}
	for _, x := range images {
		start := time.Now()
		rows, err := supportsOf(ctx, m, x, goals(m, x, targets))
		if err != nil {
			return fmt.Errorf("%s: %w", x.Name, err)
		}
		for _, row := range rows {
			for label, q := range row {
				if sums[label] == nil {
					sums[label] = &tally{}
				}
				sums[label].add(q, row["sapf"].L2)
			}
		}
		fmt.Fprintf(os.Stderr, "%s %.0f s\n", x.Name, time.Since(start).Seconds())
	}
	fmt.Printf("%-22s %6s %8s %7s %7s %7s %18s\n", "entries of", "cases", "l0", "l1", "l2", "linf", "l2 beside SAPF's")
	for _, name := range held {
		for _, label := range []string{name, name + anew} {
			if s := sums[label]; s != nil {
				fmt.Printf("%-22s %6.0f %8.1f %7.3f %7.4f %7.4f %18.3f\n",
					label, s.n, s.l0/s.n, s.l1/s.n, s.l2/s.n, s.linf/s.n, math.Exp(s.logRatio/s.n))
			}
		}
	}
	return nil
}

// held are the attacks held against each other, in the order in which one's l0
// gives the next one's k. The rows of their supports solved anew end in anew.
var held = []string{"strattack", "sapf", matched}

const anew = ", l2 anew"

// supportsOf gives the norms of each row, for the goals of an image that all
// rows reach.
func supportsOf(ctx context.Context, m *models.Model, x data.Image, goals []attack.Goal) ([]map[string]attack.Norms, error) {
	found := map[string][]*sweep.Outcome{}
	attackAll := func(label string, with func(j int) attack.Attack) error {
		tasks := make([]attack.Task, len(goals))
		for j, goal := range goals {
			tasks[j] = attack.Task{Image: x, Goal: goal, Attack: with(j)}
		}
		var err error
		if found[label], err = sweep.Run(ctx, m, tasks, sweep.Options{Batch: len(tasks)}); err != nil {
			return fmt.Errorf("%s: %w", label, err)
		}
		return context.Cause(ctx)
	}
	for i, name := range held {
		if err := attackAll(name, func(j int) attack.Attack {
			a := shortened(name)
			if i == 0 {
				return a
			}
			before := found[held[i-1]][j].Measured.L0
			if name == "sapf" {
				return withBudget(a, max(before-4, 3), attack.Entries)
			}
			return withBudget(a, before/x.C, attack.Pixels)
		}); err != nil {
			return nil, err
		}
	}
	for _, name := range held {
		if err := attackAll(name+anew, func(j int) attack.Attack {
			return resolve.On(changed(x, found[name][j].Result.Adversarial))
		}); err != nil {
			return nil, err
		}
	}
	var rows []map[string]attack.Norms
	for j := range goals {
		row, all := map[string]attack.Norms{}, true
		for label, outcomes := range found {
			q := outcomes[j].Measured
			row[label] = q.Norms
			all = all && q.Success && !q.Already
		}
		if all {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// tally sums norms, and the logarithm of l2 relative to another.
type tally struct{ n, l0, l1, l2, linf, logRatio float64 }

func (s *tally) add(q attack.Norms, beside float64) {
	s.n++
	s.l0 += float64(q.L0)
	s.l1 += q.L1
	s.l2 += q.L2
	s.linf += q.Linf
	s.logRatio += math.Log(q.L2 / beside)
}

// shortened is the attack of a row with its short budget.
func shortened(name string) attack.Attack {
	for _, m := range methods {
		if m.name == name && m.short != nil {
			return m.short
		}
	}
	panic("no short budget for " + name)
}

// changed marks the entries in which two images differ.
func changed(x, adv data.Image) []bool {
	out := make([]bool, len(x.Pix))
	for i := range out {
		out[i] = x.Pix[i] != adv.Pix[i]
	}
	return out
}
