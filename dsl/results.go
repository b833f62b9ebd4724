package dsl

import (
	"bytes"
	"fmt"
	"strings"

	"sapf/dsl/display"
	"sapf/sapf/metric"
	"sapf/sapf/sweep/table"
)

// Results are a table of results with typed columns: to show, to save, and to
// compute with (Columns, Rows).
type Results struct{ *table.Table }

// MimeBundle shows the table.
func (r *Results) MimeBundle() display.Bundle {
	data := map[string]any{}
	for mime, format := range map[string]string{"text/html": "html", "text/plain": "markdown"} {
		var b bytes.Buffer
		if err := r.Write(&b, format); err != nil {
			fail("Results", err)
		}
		data[mime] = b.String()
	}
	return display.Bundle{Data: data}
}

// String is the table in Markdown.
func (r *Results) String() string { return plain(r.MimeBundle()) }

// Rows is a table with a row for each outcome, its columns those of the result
// format (`sapf attack --json`).
func (rs Outcomes) Rows() *Results {
	t, err := table.Rows(rs.attacks())
	if err != nil {
		fail("Outcomes.Rows", err)
	}
	return &Results{t}
}

// By is a table with a row for each combination of values of columns or options:
// how many attacks there are, how many succeed, and the mean norms over the
// successes.
//
//	Show(AttackAll(m, cases...).By("method", "k"))
func (rs Outcomes) By(columns ...string) *Results {
	attacks, caption := rs.attacks()
	t, err := table.By(columns, attacks, caption)
	if err != nil {
		fail("Outcomes.By", err)
	}
	return &Results{t}
}

func (rs Outcomes) attacks() ([]table.Attack, string) {
	attacks := make([]table.Attack, len(rs))
	for i, r := range rs {
		attacks[i] = table.Of(r.Outcome)
	}
	return attacks, count(len(rs), "attack")
}

// count is a number of things: "1 attack", "2 attacks".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// resultsOf is a value as a table of results.
func resultsOf(v any) (*table.Table, bool) {
	switch v := v.(type) {
	case *Results:
		return v.Table, true
	case *table.Table:
		return v, true
	case *Outcome:
		return Outcomes{v}.Rows().Table, true
	case Outcomes:
		return v.Rows().Table, true
	case []*Outcome:
		return Outcomes(v).Rows().Table, true
	case *SweepRun:
		return v.Results().Table, true
	case []metric.Row:
		return rowsTable(v), true
	case *Table:
		return v.typed(), true
	}
	return nil, false
}

// rowsTable is measurements (MeasureAll) as a table.
func rowsTable(rows []metric.Row) *table.Table {
	t := &table.Table{Columns: []table.Column{{Name: "method", Kind: table.Text}, {Name: "image", Kind: table.Text}, {Name: "target", Kind: table.Number},
		{Name: "success", Kind: table.Truth}, {Name: "l0", Kind: table.Number}, {Name: "l0_pixels", Kind: table.Number}, {Name: "l1", Kind: table.Real},
		{Name: "l2", Kind: table.Real}, {Name: "linf", Kind: table.Real}, {Name: "left_out", Kind: table.Text}, {Name: "forwards", Kind: table.Number},
		{Name: "gradients", Kind: table.Number}, {Name: "seconds", Kind: table.Real}}}
	for _, r := range rows {
		t.Rows = append(t.Rows, []any{r.Method, r.Image, int64(r.Target), r.Success, int64(r.L0), int64(r.L0Pixels), r.L1, r.L2, r.Linf, r.LeftOut,
			int64(r.Forwards), int64(r.Gradients), r.Seconds})
	}
	return t
}

// typed is a table of text with numbers where a column has only such.
func (t *Table) typed() *table.Table {
	width := len(t.head)
	for _, r := range t.rows {
		width = max(width, len(r))
	}
	out := &table.Table{Columns: make([]table.Column, width)}
	for range t.rows {
		out.Rows = append(out.Rows, make([]any, width))
	}
	for c := range width {
		name := fmt.Sprintf("column%d", c+1)
		if c < len(t.head) && strings.TrimSpace(t.head[c]) != "" {
			name = t.head[c]
		}
		kind := table.Real
		values := make([]any, len(t.rows))
		for i, r := range t.rows {
			if c >= len(r) || r[c] == "" {
				continue
			}
			var v float64
			if n, err := fmt.Sscanf(r[c]+" end", "%g end", &v); n != 1 || err != nil {
				kind = table.Text
				break
			}
			values[i] = v
		}
		for i, r := range t.rows {
			if kind == table.Text && c < len(r) {
				values[i] = r[c]
			}
			out.Rows[i][c] = values[i]
		}
		out.Columns[c] = table.Column{Name: name, Kind: kind}
	}
	return out
}
