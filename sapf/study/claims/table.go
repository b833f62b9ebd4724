package claims

import (
	"fmt"
	"slices"
	"strings"

	"sapf/sapf/metric"
)

// ours is the paper's method in the rows of Table 1.
const ours = "sapf"

// tableClaims are the statements about Table 1 on a database.
func tableClaims(database, printed string) []Claim {
	where := "section 4.2, Table 1, " + printed
	claim := func(says string, judge func(t table) Finding) Claim {
		return Claim{Where: where, Says: says, judge: func(e Evidence) Finding { return judge(tableOf(e.Table[database])) }}
	}
	below := func(norm metric.Norm, others ...string) func(table) Finding {
		return func(t table) Finding { return t.below(norm, caseNames, others...) }
	}
	sparse := []string{"cornersearch", "pgd-l0", "sparsefool", "cw-l0", "strattack"}
	list := []Claim{
		claim("SAPF reaches every target", func(t table) Finding { return t.reaches(ours) }),
		claim("C&W-l0 and StrAttack reach every target", func(t table) Finding { return t.reaches("cw-l0", "strattack") }),
		claim("One-Pixel has the lowest success rate", func(t table) Finding { return t.leastSuccess("one-pixel") }),
		claim("CornerSearch does not reach every target", func(t table) Finding { return t.misses("cornersearch") }),
		claim("SAPF has a smaller l1 than all but One-Pixel, in each case", below(metric.L1, sparse...)),
		claim("SAPF has a smaller l2 than all but One-Pixel, in each case", below(metric.L2, sparse...)),
		claim("SAPF changes fewer entries than C&W-l0 and StrAttack", below(metric.L0, "cw-l0", "strattack")),
		claim("SAPF has a smaller l1 than C&W-l0 and StrAttack", below(metric.L1, "cw-l0", "strattack")),
		claim("SAPF has a smaller l2 than C&W-l0 and StrAttack", below(metric.L2, "cw-l0", "strattack")),
		claim("SAPF has a smaller linf than C&W-l0 and StrAttack", below(metric.Linf, "cw-l0", "strattack")),
		claim("SparseFool has a smaller linf than SAPF in the average and worst case", func(t table) Finding {
			return t.swapped().below(metric.Linf, caseNames[1:], "sparsefool")
		}),
		claim("SparseFool's l1 and l2 are far larger than SAPF's", func(t table) Finding {
			return both(t.below(metric.L1, caseNames, "sparsefool"), t.below(metric.L2, caseNames, "sparsefool"))
		}),
	}
	if database == "cifar10" {
		return append(list, claim("One-Pixel has the largest linf", func(t table) Finding {
			return t.above(metric.Linf, "one-pixel", append(sparse, ours)...)
		}))
	}
	return append(list, claim("SparseFool misses many targets, most of all in the worst case", func(t table) Finding { return t.misses("sparsefool") }))
}

// caseNames are the three cases of the table.
var caseNames = []string{"best", "average", "worst"}

// table is Table 1 by method and image.
type table struct {
	cases   map[string]map[string]metric.BestToWorst
	first   string // the method that others are compared with
	flipped bool   // ratios are of the other over it
}

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
	t := table{cases: map[string]map[string]metric.BestToWorst{}, first: ours}
	for method, images := range by {
		t.cases[method] = map[string]metric.BestToWorst{}
		for image, targets := range images {
			t.cases[method][image] = metric.BestToWorstBy(metric.L2, targets)
		}
	}
	return t
}

// swapped asks whether the others are below.
func (t table) swapped() table { t.flipped = true; return t }

// of is one of the cases.
func of(c metric.BestToWorst, name string) metric.CaseNorms {
	return map[string]metric.CaseNorms{"best": c.Best, "average": c.Average, "worst": c.Worst}[name]
}

func normOf(c metric.CaseNorms, n metric.Norm) float64 {
	return map[metric.Norm]float64{metric.L0: c.L0, metric.L1: c.L1, metric.L2: c.L2, metric.Linf: c.Linf}[n]
}

// ratios are the ratios of a norm of the first method to another's, on the images
// where both succeed in the case.
func (t table) ratios(n metric.Norm, name, other string) []float64 {
	var out []float64
	for image, c := range t.cases[t.first] {
		a, b := of(c, name), of(t.cases[other][image], name)
		if a.Success > 0 && b.Success > 0 && normOf(a, n) > 0 && normOf(b, n) > 0 {
			r := normOf(a, n) / normOf(b, n)
			if t.flipped {
				r = 1 / r
			}
			out = append(out, r)
		}
	}
	slices.Sort(out) // a map has no order, and the interval is to be the same bytes
	return out
}

// fewest is how many images an interval needs to mean anything.
const fewest = 3

// below judges that the first method's norm is smaller than each other's in each
// of the cases: geometric means of the ratio, whose intervals lie below 1.
func (t table) below(n metric.Norm, cases []string, others ...string) Finding {
	var parts []string
	asked, held, failed := 0, 0, 0
	for _, other := range others {
		var means []string
		for _, name := range cases {
			r := t.ratios(n, name, other)
			if len(r) < fewest {
				continue
			}
			m := metric.GeometricBootstrap95(r, 1)
			asked++
			switch {
			case m.High < 1:
				held++
			case m.Low > 1:
				failed++
			}
			means = append(means, fmt.Sprintf("%.2f [%.2f, %.2f]", m.Mean, m.Low, m.High))
		}
		if len(means) > 0 {
			parts = append(parts, other+" "+strings.Join(means, ", "))
		}
	}
	if asked == 0 {
		return Finding{Measured: "no images on which both succeed", Verdict: Unmeasured}
	}
	ratio := fmt.Sprintf("%s of %s over the other's (%s case): ", n, ours, strings.Join(cases, ", "))
	if t.flipped {
		ratio = fmt.Sprintf("%s over that of %s (%s case): ", n, ours, strings.Join(cases, ", "))
	}
	return Finding{Measured: ratio + strings.Join(parts, "; "), Verdict: verdictOf(asked, held, failed)}
}

// verdictOf is the verdict on a claim of several parts, some of which held and
// some of which turned out the other way.
func verdictOf(asked, held, failed int) Verdict {
	switch {
	case held == asked:
		return Holds
	case held > 0:
		return InPart
	case failed > 0:
		return DoesNot
	}
	return Undecided
}

// above judges that a method's norm is the largest on average.
func (t table) above(n metric.Norm, method string, others ...string) Finding {
	t.first = method
	f := t.swapped().below(n, caseNames[1:2], others...)
	f.Measured = strings.Replace(f.Measured, "over that of "+ours, "over that of "+method, 1)
	return f
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
	for _, c := range t.cases[method] {
		share += c.Average.Success
		images++
	}
	return share / max(float64(images), 1), images
}

// reaches judges that methods reach every target.
func (t table) reaches(methods ...string) Finding {
	var parts []string
	asked, held := 0, 0
	for _, m := range methods {
		share, images := t.success(m)
		if images == 0 {
			continue
		}
		asked++
		if share == 1 {
			held++
		}
		parts = append(parts, fmt.Sprintf("%s %.1f %% on %d images", m, 100*share, images))
	}
	if asked == 0 {
		return Finding{Measured: "no attacks", Verdict: Unmeasured}
	}
	return Finding{Measured: strings.Join(parts, "; "), Verdict: verdictOf(asked, held, asked-held)}
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
	for _, other := range []string{"cornersearch", "pgd-l0", "sparsefool", "cw-l0", "strattack", ours} {
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
