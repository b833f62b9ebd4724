package metric

import (
	"fmt"
	"html"
	"slices"
	"strings"
)

// cell is the text of a cell and what its title says.
type cell struct{ text, title string }

// cells lays the table out: a header of two lines, then each method's own line
// and, where the paper has the method, the paper's, and the ratios if they were
// asked for.
func (t Table1) cells() (head [2][]string, body [][]cell) {
	head = [2][]string{{"", ""}, {"method", ""}}
	for _, c := range []string{"best case", "average case", "worst case"} {
		head[0] = append(head[0], c, "", "", "", "")
		head[1] = append(head[1], "ASR %", "l0", "l1", "l2", "linf")
	}
	head[0] = append(head[0], "all", "", "")
	head[1] = append(head[1], "pixels", "passes", "seconds")
	for _, r := range t.Rows {
		paper, known := t.paper(r)
		ours := []cell{{text: r.Method}, {text: "ours"}}
		theirs, ratios := []cell{{}, {text: "paper"}}, []cell{{}, {text: "ours/paper"}}
		for i, c := range []CaseNorms{r.Best, r.Average, r.Worst} {
			texts := c.texts(r.Succeeded > 0)
			for j, text := range texts {
				mine := cell{text: text}
				if known {
					of := c.over(paper[i].values()).list()[j]
					if of != 0 && text != "-" {
						mine.title = fmt.Sprintf("%.2f of the paper's %s", of, paper[i][j])
					}
					theirs = append(theirs, cell{text: paper[i][j]})
					ratios = append(ratios, cell{text: blankUnless(mine.title != "", "%.2f", of)})
				}
				ours = append(ours, mine)
			}
		}
		ours = append(ours, cell{text: blankUnless(r.Succeeded > 0, "%.1f", r.Pixels)}, cell{text: fmt.Sprintf("%.0f", r.Passes)}, cell{text: fmt.Sprintf("%.1f", r.Seconds)})
		body = append(body, ours)
		if known {
			body = append(body, append(theirs, cell{}, cell{}, cell{}))
		}
		if known && t.Ratios {
			body = append(body, append(ratios, cell{}, cell{}, cell{}))
		}
	}
	return head, body
}

// paper are the paper's cases of a row's method, if it has them.
func (t Table1) paper(r Table1Row) (cases [3]printed, known bool) {
	name, _, _ := strings.Cut(r.Method, " ")
	cases, known = paperRows()[t.Dataset][name]
	return cases, known
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
	fmt.Fprintf(&b, "%s, %s, best and worst target by %s; norms over successes, l0 in entries", count(t.Images, "image"), count(t.Cases, "image-target case"), t.Selection)
	var reasons []string
	for r := range t.LeftOut {
		reasons = append(reasons, r)
	}
	slices.Sort(reasons)
	for _, r := range reasons {
		fmt.Fprintf(&b, "; %d left out: %s", t.LeftOut[r], r)
	}
	if !slices.ContainsFunc(t.Rows, func(r Table1Row) bool { _, known := t.paper(r); return known }) {
		return b.String() + "."
	}
	b.WriteString(". The paper's lines are its Table 1 as printed: its best and worst cases are evidently chosen by distortion, " +
		"so that neither success rates nor l0 are in order there, and where it prints norms at 0 % success they are of failures.")
	return b.String()
}

// String is the table as text with aligned columns.
func (t Table1) String() string {
	head, body := t.cells()
	lines := append([][]string{head[1]}, texts(body)...)
	width := make([]int, len(head[1]))
	for _, line := range lines {
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
	for _, line := range lines {
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

// texts are the texts of cells.
func texts(body [][]cell) [][]string {
	out := make([][]string, len(body))
	for i, line := range body {
		for _, c := range line {
			out[i] = append(out[i], c.text)
		}
	}
	return out
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
			title := ""
			if c.title != "" {
				title = fmt.Sprintf(" title=%q", html.EscapeString(c.title))
			}
			fmt.Fprintf(&b, "<td%s%s>%s</td>", narrow, title, html.EscapeString(c.text))
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
	for _, cells := range texts(body) {
		line(cells)
	}
	b.WriteString("\n" + t.Caption() + "\n")
	return b.String()
}

// count is a number of things: "1 image", "2 images".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
