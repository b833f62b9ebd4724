package claims

import (
	"fmt"
	"slices"
	"strings"

	"sapf/sapf/metric"
)

// ours is the paper's method in the rows of Table 1.
const ours = "sapf"

// rivals are the paper's other methods, but for One-Pixel.
var rivals = []string{"cornersearch", "pgd-l0", "sparsefool", "cw-l0", "strattack"}

// tableClaims are the statements about Table 1 on a database.
func tableClaims(database string, t table) Findings {
	var list Findings
	claim := func(says string, f Finding) {
		list = append(list, about("section 4.2, Table 1, "+database, says, f))
	}
	claim("SAPF reaches every target", t.reaches(ours))
	claim("C&W-l0 and StrAttack reach every target", t.reaches("cw-l0", "strattack"))
	claim("One-Pixel has the lowest success rate", t.leastSuccess("one-pixel"))
	claim("CornerSearch does not reach every target", t.misses("cornersearch"))
	claim("SAPF has a smaller l1 than all but One-Pixel, in each case", t.below(metric.L1, caseNames, rivals...))
	claim("SAPF has a smaller l2 than all but One-Pixel, in each case", t.below(metric.L2, caseNames, rivals...))
	claim("SAPF changes fewer entries than C&W-l0 and StrAttack", t.below(metric.L0, caseNames, "cw-l0", "strattack"))
	claim("SAPF has a smaller l1 than C&W-l0 and StrAttack", t.below(metric.L1, caseNames, "cw-l0", "strattack"))
	claim("SAPF has a smaller l2 than C&W-l0 and StrAttack", t.below(metric.L2, caseNames, "cw-l0", "strattack"))
	claim("SAPF has a smaller linf than C&W-l0 and StrAttack", t.below(metric.Linf, caseNames, "cw-l0", "strattack"))
	claim("SparseFool has a smaller linf than SAPF in the average and worst case", t.above(metric.Linf, ours, caseNames[1:], "sparsefool"))
	claim("SparseFool's l1 and l2 are far larger than SAPF's", both(t.below(metric.L1, caseNames, "sparsefool"), t.below(metric.L2, caseNames, "sparsefool")))
	if database == "CIFAR-10" {
		claim("One-Pixel has the largest linf", t.above(metric.Linf, "one-pixel", caseNames[1:2], append(slices.Clone(rivals), ours)...))
	} else {
		claim("SparseFool misses many targets, most of all in the worst case", t.misses("sparsefool"))
	}
	return list
}

// caseNames are the three cases of the table.
var caseNames = []string{"best", "average", "worst"}

// table is Table 1: the cases by method and image.
type table map[string]map[string]metric.BestToWorst

func tableOf(rows []metric.Row) table {
	by := map[string]map[string][]metric.PerTarget{}
	for _, r := range rows {
		if r.LeftOut == "" {
			if by[r.Method] == nil {
				by[r.Method] = map[string][]metric.PerTarget{}
			}
			by[r.Method][r.Image] = append(by[r.Method][r.Image], r.PerTarget)
		}
	}
	t := table{}
	for method, images := range by {
		t[method] = map[string]metric.BestToWorst{}
		for image, targets := range images {
			t[method][image] = metric.BestToWorstBy(metric.L2, targets)
		}
	}
	return t
}

// of is one of the cases.
func of(c metric.BestToWorst, name string) metric.CaseNorms {
	return map[string]metric.CaseNorms{"best": c.Best, "average": c.Average, "worst": c.Worst}[name]
}

func normOf(c metric.CaseNorms, n metric.Norm) float64 {
	return map[metric.Norm]float64{metric.L0: c.L0, metric.L1: c.L1, metric.L2: c.L2, metric.Linf: c.Linf}[n]
}

// ratios are the ratios of a norm of one method to another's, on the images where
// both succeed in the case.
func (t table) ratios(n metric.Norm, name, one, other string) []float64 {
	var out []float64
	for image, c := range t[one] {
		a, b := of(c, name), of(t[other][image], name)
		if a.Success > 0 && b.Success > 0 && normOf(a, n) > 0 && normOf(b, n) > 0 {
			out = append(out, normOf(a, n)/normOf(b, n))
		}
	}
	slices.Sort(out) // a map has no order, and the interval is to be the same bytes
	return out
}

// fewest is how many images an interval needs to mean anything.
const fewest = 3

// below judges that SAPF's norm is smaller than each other's in each of the cases.
func (t table) below(n metric.Norm, cases []string, others ...string) Finding {
	what := fmt.Sprintf("%s of %s over the other's", n, ours)
	return t.compare(what, cases, others, func(name, other string) []float64 { return t.ratios(n, name, ours, other) })
}

// above judges that a method's norm is larger than each other's.
func (t table) above(n metric.Norm, method string, cases []string, others ...string) Finding {
	what := fmt.Sprintf("%s over that of %s", n, method)
	return t.compare(what, cases, others, func(name, other string) []float64 { return t.ratios(n, name, other, method) })
}

// compare judges that ratios of norms, in a case and to another method, are below
// 1: that the intervals of their geometric means are.
func (t table) compare(what string, cases, others []string, ratios func(name, other string) []float64) Finding {
	var parts []string
	var all signs
	for _, other := range others {
		var means []string
		for _, name := range cases {
			r := ratios(name, other)
			if len(r) < fewest {
				continue
			}
			m := metric.GeometricBootstrap95(r, 1)
			all.see(m, false)
			means = append(means, interval(m))
		}
		if len(means) > 0 {
			parts = append(parts, other+" "+strings.Join(means, ", "))
		}
	}
	if all.asked == 0 {
		return Finding{Measured: "no images on which both succeed", Verdict: Unmeasured}
	}
	return Finding{Measured: fmt.Sprintf("%s (%s case): %s", what, strings.Join(cases, ", "), strings.Join(parts, "; ")), Verdict: all.verdict()}
}

// both is the worse of two findings, with the numbers of both.
func both(a, b Finding) Finding {
	f := Finding{Measured: a.Measured + ". " + b.Measured, Verdict: a.Verdict}
	if a.Verdict != b.Verdict {
		f.Verdict = InPart
	}
	return f
}

// success is the share of targets that a method reaches, over how many images.
func (t table) success(method string) (share float64, images int) {
	for _, c := range t[method] {
		share += c.Average.Success
		images++
	}
	return share / max(float64(images), 1), images
}

// reaches judges that methods reach every target.
func (t table) reaches(methods ...string) Finding {
	var parts []string
	var all signs
	for _, m := range methods {
		share, images := t.success(m)
		if images == 0 {
			continue
		}
		all.asked++
		if share == 1 {
			all.held++
		} else {
			all.failed++
		}
		parts = append(parts, fmt.Sprintf("%s %.1f %% on %d images", m, 100*share, images))
	}
	if all.asked == 0 {
		return Finding{Measured: "no attacks", Verdict: Unmeasured}
	}
	return Finding{Measured: strings.Join(parts, "; "), Verdict: all.verdict()}
}

// misses judges that a method misses targets.
func (t table) misses(method string) Finding {
	f := t.reaches(method)
	switch f.Verdict {
	case Holds:
		f.Verdict = DoesNot
	case DoesNot:
		f.Verdict = Holds
	}
	return f
}

// leastSuccess judges that no method of the paper's table reaches fewer targets.
func (t table) leastSuccess(method string) Finding {
	own, images := t.success(method)
	if images == 0 {
		return Finding{Measured: "no attacks", Verdict: Unmeasured}
	}
	least, who := 2.0, ""
	for _, other := range append(slices.Clone(rivals), ours) {
		if s, n := t.success(other); n > 0 && s < least {
			least, who = s, other
		}
	}
	if who == "" {
		return Finding{Measured: "no other method", Verdict: Unmeasured}
	}
	f := Finding{Measured: fmt.Sprintf("%s %.1f %%, next %s %.1f %%", method, 100*own, who, 100*least), Verdict: Holds}
	if own >= least {
		f.Verdict = DoesNot
	}
	return f
}
