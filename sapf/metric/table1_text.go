package metric

import (
	"fmt"
	"html"
	"slices"
	"strings"
)

// paperNumbers are what Table 1 of the paper prints for a method, as far as it is
// known here: one text for each of best, average and worst, "" where it is not.
type paperNumbers struct{ success, l0, linf [3]string }

// paper holds the numbers of Fan et al. (ECCV 2020), Table 1, that this project
// has a record of. The others are left blank rather than guessed.
var paper = map[string]map[string]paperNumbers{
	"cifar10": {
		"sapf":         {[3]string{"100", "100", "100"}, [3]string{"387", "539", "471"}, [3]string{}},
		"cw-l0":        {[3]string{"100", "100", "100"}, [3]string{"614", "603", "598"}, [3]string{}},
		"strattack":    {[3]string{"100", "100", "100"}, [3]string{"391", "543", "476"}, [3]string{}},
		"one-pixel":    {[3]string{"", "5.5", ""}, [3]string{"3", "3", "3"}, [3]string{}},
		"sparsefool":   {[3]string{}, [3]string{}, [3]string{"0.047", "0.047", "0.047"}},
		"cornersearch": {[3]string{"60.4", "59.3", "63.2"}, [3]string{"", "~549", ""}, [3]string{"", "~0.34", ""}},
	},
	"imagenet": {
		"sapf":       {[3]string{"100", "100", "100"}, [3]string{"37275", "56218", "65250"}, [3]string{"", "0.037", ""}},
		"strattack":  {[3]string{}, [3]string{"38354", "58581", "67348"}, [3]string{}},
		"one-pixel":  {[3]string{"0", "0", "0"}, [3]string{"3", "3", "3"}, [3]string{}},
		"sparsefool": {[3]string{"", "", "46"}, [3]string{}, [3]string{"0.005", "0.005", "0.005"}},
		"pgd-l0":     {[3]string{}, [3]string{}, [3]string{"0.063", "0.063", "0.063"}},
	},
}

// cells lays the table out: a header of two lines, then each method's own line
// and, where the paper's numbers are known, theirs.
func (t Table1) cells() (head [2][]string, body [][]string) {
	head = [2][]string{{"", ""}, {"method", ""}}
	for _, c := range []string{"best case", "average case", "worst case"} {
		head[0] = append(head[0], c, "", "", "", "")
		head[1] = append(head[1], "ASR %", "l0", "l1", "l2", "linf")
	}
	head[0] = append(head[0], "all", "", "")
	head[1] = append(head[1], "pixels", "passes", "seconds")
	for _, r := range t.Rows {
		line := []string{r.Method, "ours"}
		for _, c := range []CaseNorms{r.Best, r.Average, r.Worst} {
			line = append(line, c.texts(r.Succeeded > 0)...)
		}
		line = append(line, blankUnless(r.Succeeded > 0, "%.1f", r.Pixels), fmt.Sprintf("%.0f", r.Passes), fmt.Sprintf("%.1f", r.Seconds))
		body = append(body, line)
		name, _, _ := strings.Cut(r.Method, " ")
		if p, ok := paper[t.Dataset][name]; ok {
			line := []string{"", "paper"}
			for i := range 3 {
				line = append(line, p.success[i], p.l0[i], "", "", p.linf[i])
			}
			body = append(body, append(line, "", "", ""))
		}
	}
	return head, body
}

// texts are a case's cells; without a success the norms are blank, not 0.
func (c CaseNorms) texts(any bool) []string {
	return []string{
		fmt.Sprintf("%.1f", 100*c.Success), blankUnless(any, "%.0f", c.L0),
		blankUnless(any, "%.3f", c.L1), blankUnless(any, "%.3f", c.L2), blankUnless(any, "%.3f", c.Linf),
	}
}

func blankUnless(show bool, format string, v float64) string {
	if !show {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

// Caption says what the table is over.
func (t Table1) Caption() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d images, %d image-target cases, best and worst target by %s; norms over successes, l0 in entries", t.Images, t.Cases, t.Selection)
	var reasons []string
	for r := range t.LeftOut {
		reasons = append(reasons, r)
	}
	slices.Sort(reasons)
	for _, r := range reasons {
		fmt.Fprintf(&b, "; %d left out: %s", t.LeftOut[r], r)
	}
	b.WriteString(". The paper's lines hold what is known of its Table 1; blanks are numbers this project has no record of.")
	return b.String()
}

// String is the table as text with aligned columns.
func (t Table1) String() string {
	head, body := t.cells()
	width := make([]int, len(head[1]))
	for _, line := range append([][]string{head[1]}, body...) {
		for i, c := range line {
			width[i] = max(width[i], len(c))
		}
	}
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", width[0]+width[1]+2))
	for i := 2; i < len(head[0]); i++ {
		if head[0][i] != "" {
			span := 0
			for j := i; j < len(head[0]) && (j == i || head[0][j] == ""); j++ {
				span += width[j] + 2
			}
			fmt.Fprintf(&b, "  %-*s", span-2, head[0][i])
		}
	}
	for _, line := range append([][]string{head[1]}, body...) {
		b.WriteString("\n")
		for i, c := range line {
			switch {
			case i == 0:
				fmt.Fprintf(&b, "%-*s", width[i], c)
			case i == 1:
				fmt.Fprintf(&b, "  %-*s", width[i], c)
			default:
				fmt.Fprintf(&b, "  %*s", width[i], c)
			}
		}
	}
	b.WriteString("\n" + t.Caption() + "\n")
	return trimLines(b.String())
}

// trimLines drops blanks at the ends of lines.
func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// narrow is the style of a cell: twenty columns have to fit into a notebook.
const narrow = ` style="padding:2px 3px"`

// HTML is the table for a notebook.
func (t Table1) HTML() string {
	head, body := t.cells()
	var b strings.Builder
	b.WriteString(`<table style="font-size:11.5px"><thead><tr><th colspan=2></th>`)
	for i := 2; i < len(head[0]); i++ {
		if head[0][i] == "" {
			continue
		}
		span := 1
		for i+span < len(head[0]) && head[0][i+span] == "" {
			span++
		}
		fmt.Fprintf(&b, "<th colspan=%d>%s</th>", span, head[0][i])
	}
	b.WriteString("</tr><tr>")
	for _, c := range head[1] {
		fmt.Fprintf(&b, "<th%s>%s</th>", narrow, c)
	}
	b.WriteString("</tr></thead><tbody>")
	for _, line := range body {
		b.WriteString("<tr>")
		for _, c := range line {
			fmt.Fprintf(&b, "<td%s>%s</td>", narrow, html.EscapeString(c))
		}
		b.WriteString("</tr>")
	}
	fmt.Fprintf(&b, "</tbody><caption>%s</caption></table>", html.EscapeString(t.Caption()))
	return b.String()
}

// Markdown is the table in GitHub's form.
func (t Table1) Markdown() string {
	head, body := t.cells()
	var b strings.Builder
	line := func(cells []string) {
		b.WriteString("|")
		for _, c := range cells {
			b.WriteString(" " + strings.ReplaceAll(c, "|", "\\|") + " |")
		}
		b.WriteString("\n")
	}
	top := slices.Clone(head[1])
	group := ""
	for i := 2; i < len(top); i++ {
		if head[0][i] != "" {
			group = strings.Fields(head[0][i])[0]
		}
		if group != "all" {
			top[i] = group + " " + top[i]
		}
	}
	line(top)
	b.WriteString(strings.Repeat("|---", len(top)) + "|\n")
	for _, cells := range body {
		line(cells)
	}
	b.WriteString("\n" + t.Caption() + "\n")
	return b.String()
}
