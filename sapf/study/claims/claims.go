// Package claims holds what the experiments of the paper (Fan et al., ECCV 2020,
// section 4) say against what was measured here: each statement in our words, the
// number that decides it with its confidence interval over images, and a verdict.
package claims

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"sapf/sapf/metric"
	"sapf/sapf/study"
)

// Verdict is what the measurements say of a claim.
type Verdict string

// The verdicts. Open is a claim that too few images, or none, were measured for.
const (
	Holds      Verdict = "holds"
	InPart     Verdict = "holds in part"
	DoesNot    Verdict = "does not hold here"
	Undecided  Verdict = "not decided by these images"
	Unmeasured Verdict = "not measured"
)

// Evidence is what was measured. What is missing leaves claims unmeasured.
type Evidence struct {
	// Table are the raw rows of Table 1 by database, "cifar10" and "imagenet".
	// Their methods have the names of the registry.
	Table map[string][]metric.Row
	// Sparsity are rows of SAPF with exactly k entries, by k.
	Sparsity map[int][]metric.Row
	// Common are the positions that four or more targets of an image share, by
	// image.
	Common map[string]metric.Overlap
	// Groups has plain SAPF first and then with the group norm, Weights the
	// uniform weight first and then the paper's (studies of package study).
	Groups, Weights *study.Table
}

// Finding is what became of a claim.
type Finding struct {
	// Where is the paragraph, table or figure of the claim, Says what it states, in
	// our words.
	Where, Says string
	// Measured is the deciding number in words, Verdict what it says.
	Measured string
	Verdict  Verdict
}

// Findings are what became of all claims. A notebook shows them as a table.
type Findings []Finding

// Judge holds every claim against the evidence, in the paper's order.
func Judge(e Evidence) Findings {
	return slices.Concat(tableClaims("CIFAR-10", tableOf(e.Table["cifar10"])), tableClaims("ImageNet", tableOf(e.Table["imagenet"])), figureClaims(e))
}

// about is a finding with its claim.
func about(where, says string, f Finding) Finding {
	f.Where, f.Says = where, says
	return f
}

// signs counts what intervals of ratios say of a claim: how many were asked, how
// many lie on the side of 1 that the claim says, and how many on the other.
type signs struct{ asked, held, failed int }

// see counts an interval; the claim says that the ratio is above 1, or below.
func (s *signs) see(m metric.Mean, above bool) {
	s.asked++
	switch {
	case m.Low > 1 && above, m.High < 1 && !above:
		s.held++
	case m.Low > 1, m.High < 1:
		s.failed++
	}
}

// verdict is that on a claim of several parts.
func (s signs) verdict() Verdict {
	switch {
	case s.held == s.asked:
		return Holds
	case s.held > 0:
		return InPart
	case s.failed > 0:
		return DoesNot
	}
	return Undecided
}

// interval is a mean with its bounds.
func interval(m metric.Mean) string { return fmt.Sprintf("%.2f [%.2f, %.2f]", m.Mean, m.Low, m.High) }

// Count is how many findings have a verdict.
func (findings Findings) Count(v Verdict) int {
	n := 0
	for _, f := range findings {
		if f.Verdict == v {
			n++
		}
	}
	return n
}

// String lists findings for a terminal.
func (findings Findings) String() string {
	var b strings.Builder
	for i, f := range findings {
		fmt.Fprintf(&b, "%2d. %s (%s)\n    %s: %s\n", i+1, f.Says, f.Where, strings.ToUpper(string(f.Verdict)), f.Measured)
	}
	return b.String()
}

// Markdown is the findings as a table.
func (findings Findings) Markdown() string {
	var b strings.Builder
	b.WriteString("| | the paper says | where | measured here | verdict |\n|---|---|---|---|---|\n")
	cell := strings.NewReplacer("|", `\|`, "\n", " ")
	for i, f := range findings {
		fmt.Fprintf(&b, "| %d | %s | %s | %s | **%s** |\n", i+1, cell.Replace(f.Says), cell.Replace(f.Where), cell.Replace(f.Measured), f.Verdict)
	}
	return b.String()
}

// HTML is Markdown's table for a notebook.
func (findings Findings) HTML() string {
	var b strings.Builder
	b.WriteString("<table><thead><tr><th></th><th>the paper says</th><th>where</th><th>measured here</th><th>verdict</th></tr></thead><tbody>")
	for i, f := range findings {
		fmt.Fprintf(&b, "<tr><td>%d</td><td>%s</td><td>%s</td><td>%s</td><td><b>%s</b></td></tr>", i+1,
			html.EscapeString(f.Says), html.EscapeString(f.Where), html.EscapeString(f.Measured), f.Verdict)
	}
	return b.String() + "</tbody></table>"
}
