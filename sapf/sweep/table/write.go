package table

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
)

func (t *Table) names() []string {
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Name
	}
	return out
}

func (t *Table) csv(w io.Writer) error {
	c := csv.NewWriter(w)
	c.Write(t.names()) // its error is c.Error's
	cells := make([]string, len(t.Columns))
	for _, row := range t.Rows {
		for i, v := range row {
			cells[i] = text(v)
		}
		c.Write(cells)
	}
	c.Flush()
	return c.Error()
}

// jsonl writes an object a row, its fields in the order of the columns.
func (t *Table) jsonl(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, row := range t.Rows {
		for i, v := range row {
			sep := ","
			if i == 0 {
				sep = "{"
			}
			raw, err := json.Marshal(v)
			if err != nil {
				return fmt.Errorf("column %s: %w", t.Columns[i].Name, err)
			}
			fmt.Fprintf(b, "%s%q:%s", sep, t.Columns[i].Name, raw)
		}
		b.WriteString("}\n")
	}
	return b.Flush()
}

func (t *Table) markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	if t.Layout != nil {
		b.WriteString(t.Layout("markdown"))
	} else {
		line := func(cells []string) {
			b.WriteString("|")
			for _, c := range cells {
				b.WriteString(" " + strings.ReplaceAll(strings.ReplaceAll(c, "|", `\|`), "\n", " ") + " |")
			}
			b.WriteString("\n")
		}
		line(t.names())
		b.WriteString(strings.Repeat("|---", len(t.Columns)) + "|\n")
		for _, row := range t.Rows {
			line(shorts(row))
		}
	}
	if t.Caption != "" {
		fmt.Fprintf(b, "\n%s\n", t.Caption)
	}
	return b.Flush()
}

func shorts(row []any) []string {
	out := make([]string, len(row))
	for i, v := range row {
		out[i] = short(v)
	}
	return out
}

func (t *Table) html(w io.Writer) error {
	b := bufio.NewWriter(w)
	if t.Layout != nil {
		b.WriteString(t.Layout("html"))
	} else {
		line := func(cells []string, tag string) {
			b.WriteString("<tr>")
			for _, c := range cells {
				fmt.Fprintf(b, "<%s>%s</%s>", tag, html.EscapeString(c), tag)
			}
			b.WriteString("</tr>\n")
		}
		b.WriteString("<table>\n")
		line(t.names(), "th")
		for _, row := range t.Rows {
			line(shorts(row), "td")
		}
		b.WriteString("</table>\n")
	}
	if t.Caption != "" {
		fmt.Fprintf(b, "<p>%s</p>\n", html.EscapeString(t.Caption))
	}
	return b.Flush()
}

// rowGroup is the number of rows that a Parquet file keeps together.
const rowGroup = 10_000

// column is a Parquet column; one in which a value is missing is optional. The
// encodings are the oldest ones, which every reader knows.
func (k Kind) column() parquet.Node {
	switch k {
	case Number:
		return parquet.Encoded(parquet.Int(64), &parquet.Plain)
	case Real:
		return parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.Plain)
	case Truth:
		return parquet.Encoded(parquet.Leaf(parquet.BooleanType), &parquet.Plain)
	}
	return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
}

func (t *Table) parquet(w io.Writer) error {
	fields := parquet.Group{}
	for _, c := range t.Columns {
		fields[c.Name] = parquet.Compressed(parquet.Optional(c.Kind.column()), &parquet.Snappy)
	}
	// A group's columns are in the order of their names.
	schema := parquet.NewSchema("attacks", fields)
	place := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		leaf, ok := schema.Lookup(c.Name)
		if !ok {
			return fmt.Errorf("parquet: no column %q", c.Name)
		}
		place[i] = leaf.ColumnIndex
	}
	out := parquet.NewWriter(w, schema, parquet.CreatedBy("sapf", "", ""), parquet.MaxRowsPerRowGroup(rowGroup),
		parquet.DataPageVersion(1)) // fastparquet knows no other
	for _, values := range t.Rows {
		row := make(parquet.Row, len(values))
		for i, v := range values {
			cell, defined := parquet.NullValue(), 1
			switch v := v.(type) {
			case nil:
				defined = 0
			case json.RawMessage:
				cell = parquet.ValueOf(string(v))
			default:
				cell = parquet.ValueOf(v)
			}
			row[place[i]] = cell.Level(0, defined, place[i])
		}
		if _, err := out.WriteRows([]parquet.Row{row}); err != nil {
			return fmt.Errorf("parquet: %w", err)
		}
	}
	return out.Close()
}
