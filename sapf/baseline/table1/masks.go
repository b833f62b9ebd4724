package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf"
	"sapf/sapf/baseline"
	"sapf/sapf/metric"
)

// resolve finds the smallest l2 on a given support, for all supports alike.
var resolve = baseline.CWL2{Steps: 300, InitialConst: 1}

// supports asks what each attack owes to the entries it chose and what to the
// sizes of its changes: where StrAttack, SAPF at StrAttack's l0 less 4 and
// C&W-l0 at SAPF's l0 all succeed, one and the same l2 attack finds the
// changes anew on the entries of each. It prints the means of the norms and of
// the l2 relative to SAPF's, case by case.
func supports(ctx context.Context, m *models.Model, images []data.Image, targets int) error {
	names := []string{"strattack", "sapf", matched}
	sums := map[string]*tally{}
	for _, x := range images {
		start := time.Now()
		var tasks []baseline.Task
		for target := range m.Classes() {
			if target != x.Label && len(tasks) < targets {
				tasks = append(tasks, baseline.Task{Image: x, Goal: sapf.Goal{Label: x.Label, Target: target}})
			}
		}
		adversarial := map[string][]sapf.Result{}
		for _, name := range names {
			for i := range tasks {
				tasks[i].Attack = shortened(name)
				if name == "strattack" {
					continue
				}
				k := max(selected(x, adversarial["strattack"][i])-4, 3)
				if name == "sapf" {
					tasks[i].Attack = withK(tasks[i].Attack, k)
				} else {
					tasks[i].Attack = withK(tasks[i].Attack, selected(x, adversarial["sapf"][i])/x.C)
				}
			}
			results, err := baseline.Together(ctx, m, nil, tasks)
			if err != nil {
				return fmt.Errorf("%s on %s: %w", name, x.Name, err)
			}
			adversarial[name] = results
		}
		var anew []baseline.Task
		for _, name := range names {
			for i, t := range tasks {
				t.Attack = resolve.On(changed(x, adversarial[name][i].Adversarial))
				anew = append(anew, t)
			}
		}
		results, err := baseline.Together(ctx, m, nil, anew)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for i, t := range tasks {
			row := map[string]metric.Measurement{}
			all := true
			for j, name := range names {
				for label, adv := range map[string]data.Image{
					name: adversarial[name][i].Adversarial, name + ", l2 anew": results[j*len(tasks)+i].Adversarial,
				} {
					q, err := metric.Measure(m, x, adv, t.Goal)
					if err != nil {
						return err
					}
					row[label] = q
					all = all && q.Success && !q.Already
				}
			}
			if !all {
				continue
			}
			for label, q := range row {
				if sums[label] == nil {
					sums[label] = &tally{}
				}
				sums[label].add(q.Norms, row["sapf"].L2)
			}
		}
		fmt.Fprintf(os.Stderr, "%s %.0f s\n", x.Name, time.Since(start).Seconds())
	}
	fmt.Printf("%-22s %6s %8s %7s %7s %7s %18s\n", "entries of", "cases", "l0", "l1", "l2", "linf", "l2 beside SAPF's")
	for _, name := range names {
		for _, label := range []string{name, name + ", l2 anew"} {
			if s := sums[label]; s != nil {
				fmt.Printf("%-22s %6.0f %8.1f %7.3f %7.4f %7.4f %18.3f\n",
					label, s.n, s.l0/s.n, s.l1/s.n, s.l2/s.n, s.linf/s.n, math.Exp(s.logRatio/s.n))
			}
		}
	}
	return nil
}

// tally sums norms, and the logarithm of l2 relative to another.
type tally struct{ n, l0, l1, l2, linf, logRatio float64 }

func (s *tally) add(q sapf.Norms, beside float64) {
	s.n++
	s.l0 += float64(q.L0)
	s.l1 += q.L1
	s.l2 += q.L2
	s.linf += q.Linf
	s.logRatio += math.Log(q.L2 / beside)
}

// shortened is the attack of a row with its short budget.
func shortened(name string) sapf.Attack {
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

// selected is the number of entries that a result changes.
func selected(x data.Image, r sapf.Result) int {
	n := 0
	for _, c := range changed(x, r.Adversarial) {
		if c {
			n++
		}
	}
	return n
}
