// Package table makes tables of a sweep's results and writes them: a row an
// attack, groups by any columns, the paper's Table 1; as CSV, Markdown, HTML,
// JSON lines or Parquet.
package table

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"sapf/models/nearest"
)

// Kind is the type of a column's values.
type Kind int

// The kinds of columns. A value of any kind may be nil: nothing is known.
const (
	Text   Kind = iota // string
	Number             // int64
	Real               // float64
	Truth              // bool
	Object             // json.RawMessage; Parquet has it as text
)

// Column is a column of a table.
type Column struct {
	Name string
	Kind Kind
}

// Table is rows of values, each as its column's kind says.
type Table struct {
	// Caption says what the table is over, and how much of it is there.
	Caption string
	Columns []Column
	Rows    [][]any
	// Layout, where set, writes the table as people are used to it, in a format
	// ("markdown" or "html").
	Layout func(format string) string
}

// Formats are the formats that Write knows.
var Formats = []string{"csv", "markdown", "html", "jsonl", "parquet"}

// Write writes the table in a format.
func (t *Table) Write(w io.Writer, format string) error {
	write, ok := map[string]func(io.Writer) error{
		"csv": t.csv, "markdown": t.markdown, "html": t.html, "jsonl": t.jsonl, "parquet": t.parquet,
	}[format]
	if !ok {
		return fmt.Errorf("format %q, did you mean %q? (there are %s)", format, nearest.Of(format, Formats), strings.Join(Formats, ", "))
	}
	return write(w)
}

// String is the table in Markdown.
func (t *Table) String() string {
	var b strings.Builder
	if err := t.Write(&b, "markdown"); err != nil {
		return err.Error()
	}
	return b.String()
}

// text is a value as CSV and the tables for people have it; nothing is "".
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case json.RawMessage:
		return string(v)
	}
	panic(fmt.Sprintf("table: a value of type %T", v))
}

// short is text with four significant digits, for people.
func short(v any) string {
	if f, ok := v.(float64); ok && f != math.Trunc(f) {
		return strconv.FormatFloat(f, 'g', 4, 64)
	}
	return text(v)
}
