package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// printReport prints what the outcomes that are there come to: a line a run, and
// each run beside those that it names.
func printReport(w io.Writer, out string, runs []run) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "run\tcases\tsuccess\tl0 mean\tmedian\tl1\tl2\tlinf\tgradients\tseconds\t")
	for _, r := range runs {
		found, err := read(path(out, r.Name))
		if err != nil {
			return err
		}
		if len(found) > 0 {
			fmt.Fprintln(t, summary(r.Name, found))
		}
	}
	fmt.Fprintln(t, "\nratio to\tcases\tsuccess\ttheirs\tl0\tl1\tl2\tlinf\tworst l2\t")
	for _, r := range runs {
		ours, err := read(path(out, r.Name))
		if err != nil {
			return err
		}
		for _, name := range r.Beside {
			theirs, err := read(path(out, name))
			if err == nil && len(theirs) == 0 && !slices.ContainsFunc(runs, func(r run) bool { return r.Name == name }) {
				theirs, err = readTable1(name)
			}
			if err != nil {
				return err
			}
			if len(ours) > 0 && len(theirs) > 0 {
				fmt.Fprintln(t, beside(r.Name+" / "+name, ours, theirs))
			}
		}
	}
	return t.Flush()
}

// summary is a run's line: means over the successes, but passes and seconds over
// all cases.
func summary(name string, found map[at]outcome) string {
	var l0 []float64
	var l1, l2, linf, gradients, seconds float64
	for _, key := range inOrder(found) {
		o := found[key]
		gradients += float64(o.Gradients)
		seconds += o.Seconds
		if o.Success {
			l0 = append(l0, float64(o.L0))
			l1, l2, linf = l1+o.L1, l2+o.L2, linf+o.Linf
		}
	}
	n, all := float64(len(l0)), float64(len(found))
	slices.Sort(l0)
	total := 0.0
	for _, v := range l0 {
		total += v
	}
	median := math.NaN()
	if len(l0) > 0 {
		median = (l0[(len(l0)-1)/2] + l0[len(l0)/2]) / 2
	}
	return fmt.Sprintf("%s\t%d\t%d\t%.2f\t%g\t%.3f\t%.4f\t%.4f\t%.0f\t%.1f\t", name, len(found), len(l0), total/n, median, l1/n, l2/n, linf/n, gradients/all, seconds/all)
}

// beside compares a run with another on the cases of both: successes of each, and
// the means of the ratios where both succeed.
func beside(name string, ours, theirs map[at]outcome) string {
	var cases, mine, other, both int
	var l0, l1, l2, linf, worst float64
	for _, key := range inOrder(ours) {
		a := ours[key]
		b, ok := theirs[key]
		if !ok {
			continue
		}
		cases++
		if a.Success {
			mine++
		}
		if b.Success {
			other++
		}
		if a.Success && b.Success && b.L2 > 0 {
			both++
			l0 += float64(a.L0) / float64(b.L0)
			l1, l2, linf = l1+a.L1/b.L1, l2+a.L2/b.L2, linf+a.Linf/b.Linf
			worst = max(worst, a.L2/b.L2)
		}
	}
	n := float64(both)
	return fmt.Sprintf("%s\t%d\t%d\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t", name, cases, mine, other, l0/n, l1/n, l2/n, linf/n, worst)
}

// inOrder are the keys, by image and target.
func inOrder(found map[at]outcome) []at {
	var keys []at
	for key := range found {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b at) int { return cmp.Or(cmp.Compare(a.image, b.image), a.target-b.target) })
	return keys
}
