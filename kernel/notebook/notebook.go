// Package notebook reads, checks, changes and writes Jupyter notebooks in the
// form nbformat 4.5 describes, and turns them into web pages.
package notebook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"sort"
	"strings"

	"sapf/models/atomicfile"
	"sapf/models/bounded"
	"sapf/models/plain"
)

// Kinds of cell and of output.
const (
	Code, Markdown, Raw = "code", "markdown", "raw"

	Stream, DisplayData, ExecuteResult, Error = "stream", "display_data", "execute_result", "error"
)

// Notebook is a document of cells.
type Notebook struct {
	Cells    []Cell
	Metadata map[string]any
}

// Cell is one cell. Metadata that this package does not know is kept.
type Cell struct {
	ID       string
	Type     string // Code, Markdown or Raw
	Source   string
	Metadata map[string]any
	// Attachments are a Markdown cell's pictures, as they came.
	Attachments any
	// Count is In [Count] of a code cell, 0 for none.
	Count   int
	Outputs []*Output
}

// Output is one output of a code cell.
type Output struct {
	Type       string         // Stream, DisplayData, ExecuteResult or Error
	Name, Text string         // of a Stream
	Data       map[string]any // of a DisplayData or ExecuteResult: MIME type to string or JSON value
	Metadata   map[string]any
	Count      int // of an ExecuteResult
	// Of an Error:
	ErrorName, ErrorValue string
	Traceback             []string

	// DisplayID is the name by which a running cell replaces the output. It is
	// not stored in the file.
	DisplayID string
}

// Tagged says whether the cell has a tag.
func (c *Cell) Tagged(tag string) bool {
	tags, _ := c.Metadata["tags"].([]any)
	for _, t := range tags {
		if t == tag {
			return true
		}
	}
	return false
}

// MaxBytes is the longest notebook read.
const MaxBytes = 512 << 20

// Wire forms: what the file says.
type (
	fileNotebook struct {
		Cells    []fileCell     `json:"cells"`
		Metadata map[string]any `json:"metadata"`
		Format   int            `json:"nbformat"`
		Minor    int            `json:"nbformat_minor"`
	}
	fileCell struct {
		Attachments any            `json:"attachments,omitempty"`
		Type        string         `json:"cell_type"`
		Count       *int           `json:"execution_count"`
		ID          string         `json:"id"`
		Metadata    map[string]any `json:"metadata"`
		Outputs     []fileOutput   `json:"outputs"`
		Source      lines          `json:"source"`
	}
	fileOutput struct {
		Data       map[string]any `json:"data"`
		ErrorName  string         `json:"ename"`
		ErrorValue string         `json:"evalue"`
		Count      *int           `json:"execution_count"`
		Metadata   map[string]any `json:"metadata"`
		Name       string         `json:"name"`
		Type       string         `json:"output_type"`
		Text       lines          `json:"text"`
		Traceback  []string       `json:"traceback"`
	}
	// lines is a text that the file has as a string or as a list of its lines.
	lines string
)

func (l *lines) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = lines(one)
		return nil
	}
	var many []string
	if err := json.Unmarshal(b, &many); err != nil {
		return errors.New("a string or a list of strings expected")
	}
	*l = lines(strings.Join(many, ""))
	return nil
}

// Read reads a notebook and brings it to version 4.5: cells that have no id, or
// another's, get one that follows from their place.
func Read(r io.Reader) (*Notebook, error) {
	text, err := bounded.ReadAll(r, MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("notebook: %w", err)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors of Windows put it there
	var version struct {
		Format *int `json:"nbformat"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return nil, fmt.Errorf("not a notebook: %w", plain.BadJSON(err))
	}
	switch {
	case version.Format == nil:
		return nil, errors.New("not a notebook: nbformat is missing")
	case *version.Format != 4:
		return nil, fmt.Errorf("nbformat 4 expected, got %d: open it in Jupyter and save it", *version.Format)
	}
	var f fileNotebook
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // metadata numbers go back as they came
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("notebook: %w", plain.BadJSON(err))
	}
	n := &Notebook{Metadata: orEmpty(f.Metadata)}
	used := map[string]bool{}
	for i, c := range f.Cells {
		cell, err := c.cell()
		if err != nil {
			return nil, fmt.Errorf("notebook: cell %d: %w", i+1, err)
		}
		if !goodID.MatchString(cell.ID) || used[cell.ID] {
			cell.ID = freeID(i, used)
		}
		used[cell.ID] = true
		n.Cells = append(n.Cells, cell)
	}
	return n, nil
}

var goodID = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

func freeID(i int, used map[string]bool) string {
	for suffix := ""; ; suffix += "x" {
		if id := fmt.Sprintf("cell-%d%s", i+1, suffix); !used[id] {
			return id
		}
	}
}

func (c fileCell) cell() (Cell, error) {
	cell := Cell{ID: c.ID, Type: c.Type, Source: string(c.Source), Metadata: orEmpty(c.Metadata), Attachments: c.Attachments}
	switch c.Type {
	case Markdown, Raw:
		return cell, nil
	case Code:
	default:
		return cell, fmt.Errorf("cell_type code, markdown or raw expected, got %q", c.Type)
	}
	if c.Count != nil {
		cell.Count = *c.Count
	}
	for i, o := range c.Outputs {
		out := &Output{
			Type: o.Type, Name: o.Name, Text: string(o.Text), Data: map[string]any{}, Metadata: orEmpty(o.Metadata),
			ErrorName: o.ErrorName, ErrorValue: o.ErrorValue, Traceback: o.Traceback,
		}
		switch o.Type {
		case Stream, DisplayData, ExecuteResult, Error:
		default:
			return cell, fmt.Errorf("output %d: output_type stream, display_data, execute_result or error expected, got %q", i+1, o.Type)
		}
		if o.Count != nil {
			out.Count = *o.Count
		}
		for kind, v := range o.Data {
			if list, ok := v.([]any); ok && !isJSON(kind) {
				joined, err := joinLines(list)
				if err != nil {
					return cell, fmt.Errorf("output %d: %s: %w", i+1, kind, err)
				}
				v = joined
			}
			out.Data[kind] = v
		}
		cell.Outputs = append(cell.Outputs, out)
	}
	return cell, nil
}

func joinLines(list []any) (string, error) {
	var b strings.Builder
	for _, x := range list {
		s, ok := x.(string)
		if !ok {
			return "", errors.New("a string or a list of strings expected")
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// isJSON says whether data of a MIME type is a JSON value rather than text.
func isJSON(kind string) bool {
	return kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// split is how the file has a text: as its lines, each with its line break.
func split(s string) []string {
	if s == "" {
		return []string{}
	}
	parts := strings.SplitAfter(s, "\n")
	if parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// Write writes a notebook as Jupyter does: keys in order, one space a level.
func (n *Notebook) Write(w io.Writer) error {
	cells := make([]any, len(n.Cells))
	for i, c := range n.Cells {
		cell := map[string]any{"cell_type": c.Type, "id": c.ID, "metadata": orEmpty(c.Metadata), "source": split(c.Source)}
		if c.Attachments != nil {
			cell["attachments"] = c.Attachments
		}
		if c.Type == Code {
			cell["execution_count"] = count(c.Count)
			outputs := make([]any, len(c.Outputs))
			for j, o := range c.Outputs {
				outputs[j] = o.file()
			}
			cell["outputs"] = outputs
		}
		cells[i] = cell
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(map[string]any{"cells": cells, "metadata": orEmpty(n.Metadata), "nbformat": 4, "nbformat_minor": 5})
}

func count(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

func (o *Output) file() map[string]any {
	switch o.Type {
	case Stream:
		return map[string]any{"output_type": Stream, "name": o.Name, "text": split(o.Text)}
	case Error:
		traceback := o.Traceback
		if traceback == nil {
			traceback = []string{}
		}
		return map[string]any{"output_type": Error, "ename": o.ErrorName, "evalue": o.ErrorValue, "traceback": traceback}
	}
	data := map[string]any{}
	for kind, v := range o.Data {
		// Pictures are one string; texts are lists of lines, which diff well.
		if s, ok := v.(string); ok && (strings.HasPrefix(kind, "text/") || kind == "image/svg+xml") {
			v = split(s)
		}
		data[kind] = v
	}
	f := map[string]any{"output_type": o.Type, "data": data, "metadata": orEmpty(o.Metadata)}
	if o.Type == ExecuteResult {
		f["execution_count"] = count(o.Count)
	}
	return f
}

// ReadFile reads a notebook from a file.
func ReadFile(path string) (*Notebook, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return n, nil
}

// WriteFile writes a notebook to a file, which is at every moment the old one
// or the new one, whole.
func (n *Notebook) WriteFile(path string) error {
	return atomicfile.Write(path, 0o644, n.Write)
}

// sortedKeys is a map's keys in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
