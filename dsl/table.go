package dsl

import (
	"html"
	"strings"
	"text/tabwriter"
)

// Table is rows of text under a head: HTML in a notebook, aligned columns in a
// terminal.
type Table struct {
	head []string
	rows [][]string
}

// NewTable returns a table with the given column heads; heads that are all
// empty are left out.
func NewTable(head ...string) *Table { return &Table{head: head} }

// Row adds a row.
func (t *Table) Row(cells ...string) *Table {
	t.rows = append(t.rows, cells)
	return t
}

// HTML is the table as a piece of a page; all text is escaped.
func (t *Table) HTML() string {
	var b strings.Builder
	b.WriteString(`<table style="border-collapse:collapse;font-size:13px">`)
	line := func(cells []string, open, end string) {
		b.WriteString("<tr>")
		for i, c := range cells {
			align := "right"
			if i == 0 || len(cells) == 2 {
				align = "left"
			}
			b.WriteString(open + ` style="padding:2px 14px 2px 0;text-align:` + align + `">` + html.EscapeString(c) + end)
		}
		b.WriteString("</tr>")
	}
	if strings.Join(t.head, "") != "" {
		line(t.head, "<th", "</th>")
	}
	for _, r := range t.rows {
		line(r, "<td", "</td>")
	}
	b.WriteString("</table>")
	return b.String()
}

// String is the table in aligned columns.
func (t *Table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if strings.Join(t.head, "") != "" {
		w.Write([]byte(strings.Join(t.head, "\t") + "\n"))
	}
	for _, r := range t.rows {
		w.Write([]byte(strings.Join(r, "\t") + "\n"))
	}
	w.Flush()
	return strings.TrimRight(b.String(), "\n")
}
