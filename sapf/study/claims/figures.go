package claims

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sapf/sapf/metric"
	"sapf/sapf/study"
)

// figureClaims are the statements about the paper's figures.
func figureClaims(e Evidence) Findings {
	const fig4, fig3 = "section 4.2, Figure 4, CIFAR-10", "section 4.3, Figure 3"
	return Findings{
		about(fig4, "as k rises, the l1 norm rises", alongK(e.Sparsity, metric.L1, true)),
		about(fig4, "as k rises, the l2 norm falls", alongK(e.Sparsity, metric.L2, false)),
		about(fig4, "as k rises, the linf norm falls", alongK(e.Sparsity, metric.Linf, false)),
		about("section 4.2, Figure 2", "attacks on one image towards different targets share positions", shared(e.Common)),
		about(fig3, "with the group norm the perturbation gathers in fewer superpixels",
			compared(e.Groups, "superpixels", func(x study.Effect) float64 { return float64(x.Superpixels) }, false)),
		about(fig3, "with the group norm the norms get larger",
			compared(e.Groups, "l2", func(x study.Effect) float64 { return x.L2 }, true)),
		about("section 4.3, Figure 5", "with the variance weight less of the perturbation falls on flat neighbourhoods",
			compared(e.Weights, "share on the flattest third", func(x study.Effect) float64 { return x.FlatShare }, false)),
	}
}

// alongK judges how a norm of SAPF goes with k: from each k to the next, the
// geometric mean over cases of the ratio of the norms.
func alongK(rows map[int][]metric.Row, n metric.Norm, up bool) Finding {
	ks := slices.Sorted(maps.Keys(rows))
	if len(ks) < 2 {
		return Finding{Measured: "fewer than two values of k", Verdict: Unmeasured}
	}
	var parts []string
	var all signs
	for i := range ks[1:] {
		var ratios []float64
		for _, a := range rows[ks[i]] {
			at := slices.IndexFunc(rows[ks[i+1]], func(b metric.Row) bool { return b.Image == a.Image && b.Target == a.Target })
			if at < 0 || !a.Success || !rows[ks[i+1]][at].Success {
				continue
			}
			ratios = append(ratios, n.Of(rows[ks[i+1]][at].Norms)/n.Of(a.Norms))
		}
		if len(ratios) < fewest {
			continue
		}
		m := metric.GeometricBootstrap95(ratios, 1)
		all.see(m, up)
		parts = append(parts, fmt.Sprintf("%d to %d: %s", ks[i], ks[i+1], interval(m)))
	}
	if all.asked == 0 {
		return Finding{Measured: "no cases that succeed at two values of k", Verdict: Unmeasured}
	}
	return Finding{Measured: fmt.Sprintf("%s as a multiple, k from %s", n, strings.Join(parts, "; ")), Verdict: all.verdict()}
}

// shared judges that more positions are common to all targets of an image than
// chance would have it.
func shared(common map[string]metric.Overlap) Finding {
	if len(common) == 0 {
		return Finding{Measured: "no masks", Verdict: Unmeasured}
	}
	var times []float64
	beyond, found, expected := 0, 0, 0.0
	for _, image := range slices.Sorted(maps.Keys(common)) {
		o := common[image]
		if o.P < 0.05 {
			beyond++
		}
		found, expected = found+o.Common, expected+o.Expected
		if o.Common > 0 {
			times = append(times, float64(o.Common)/o.Expected)
		}
	}
	f := Finding{
		Measured: fmt.Sprintf("more than chance (p < 0.05) on %d of %d images; %d common positions in all, %.2f by chance (%s times, the median)",
			beyond, len(common), found, expected, short(metric.Median(times))),
		Verdict: Holds,
	}
	switch {
	case beyond == 0:
		f.Verdict = DoesNot
	case beyond < len(common):
		f.Verdict = InPart
	}
	return f
}

func short(v float64) string { return fmt.Sprintf("%.3g", v) }

// compared judges that a study's second row has more (or less) of something than
// its first, on the images where both succeed.
func compared(t *study.Table, what string, of func(study.Effect) float64, more bool) Finding {
	if t == nil || len(t.Rows) < 2 {
		return Finding{Measured: "no study", Verdict: Unmeasured}
	}
	var ratios []float64
	plain, with := t.Rows[0], t.Rows[1]
	for i, a := range plain.Effects {
		if b := with.Effects[i]; a.Success && b.Success && of(a) > 0 {
			ratios = append(ratios, of(b)/of(a))
		}
	}
	if len(ratios) < fewest {
		return Finding{Measured: fmt.Sprintf("%d cases in which both succeed", len(ratios)), Verdict: Unmeasured}
	}
	m := metric.GeometricBootstrap95(ratios, 1)
	var one signs
	one.see(m, more)
	return Finding{
		Measured: fmt.Sprintf("%s with %s over that with %s: %s in %d cases", what, cmp.Or(with.Name, "it"), cmp.Or(plain.Name, "none"), interval(m), m.N),
		Verdict:  one.verdict(),
	}
}
