package notebook

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sample = `{
 "cells": [
  {"cell_type": "markdown", "metadata": {}, "source": ["# A *title*\n", "text $x_1$"]},
  {"cell_type": "code", "id": "same", "metadata": {"tags": ["parameters"], "kept": 1.50}, "execution_count": 3, "source": "k := 200\nname := \"cat\"\nstep := 0.1\nfast := true\nlist := []int{1}",
   "outputs": [
    {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]},
    {"output_type": "execute_result", "execution_count": 3, "metadata": {"image/png": {"width": 10}}, "data": {"image/png": "aGk=", "text/plain": ["x\n", "y"], "application/json": {"a": [1, 2]}}},
    {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\u001b[31mred\u001b[0m", "<b>"]}
   ]},
  {"cell_type": "raw", "id": "same", "metadata": {}, "source": ""}
 ],
 "metadata": {"language_info": {"name": "go"}, "custom": {"n": 12345678901234567890}},
 "nbformat": 4, "nbformat_minor": 2
}`

func read(t *testing.T, s string) *Notebook {
	t.Helper()
	n, err := Read(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestReadWriteRead(t *testing.T) {
	n := read(t, sample)
	if n.Cells[0].ID != "cell-1" || n.Cells[1].ID != "same" || n.Cells[2].ID != "cell-3" {
		t.Errorf("ids %s, %s, %s", n.Cells[0].ID, n.Cells[1].ID, n.Cells[2].ID)
	}
	var once, twice bytes.Buffer
	if err := n.Write(&once); err != nil {
		t.Fatal(err)
	}
	if err := read(t, once.String()).Write(&twice); err != nil {
		t.Fatal(err)
	}
	if once.String() != twice.String() {
		t.Errorf("not stable:\n%s\n%s", once.String(), twice.String())
	}
	for _, want := range []string{`"kept": 1.50`, `12345678901234567890`, `"a\n",`, `"image/png": "aGk="`, `"nbformat_minor": 5`, `"traceback": [`} {
		if !strings.Contains(once.String(), want) {
			t.Errorf("%s is gone:\n%s", want, once.String())
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{"", "not a notebook"}, {"{}", "nbformat is missing"}, {`{"nbformat":3}`, "nbformat 4 expected, got 3"},
		{`{"nbformat":4,"cells":[{"cell_type":"heading"}]}`, "cell 1: cell_type"},
		{`{"nbformat":4,"cells":[{"cell_type":"code","source":[1]}]}`, "list of strings"},
		{`{"nbformat":4,"cells":[{"cell_type":"code","source":"","outputs":[{"output_type":"pyout"}]}]}`, "output 1: output_type"},
		{`{"nbformat":4,"cells":[{"cell_type":"code","source":"","outputs":[{"output_type":"display_data","data":{"text/plain":[1]}}]}]}`, "text/plain"},
	} {
		if _, err := Read(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: error %v, want %q", c.text, err, c.says)
		}
	}
}

func TestInject(t *testing.T) {
	n := read(t, sample)
	if err := n.Inject(map[string]string{"name": `a "dog"`, "k": "-3", "step": "1e-3", "fast": "false", "list": "[]int{2, 3}"}); err != nil {
		t.Fatal(err)
	}
	want := "// Parameters of this run\nfast = false\nk = -3\nlist = []int{2, 3}\nname = \"a \\\"dog\\\"\"\nstep = 1e-3"
	if got := n.Cells[2].Source; got != want || !n.Cells[2].Tagged(TagInjected) {
		t.Errorf("got %s", got)
	}
	if err := n.Inject(map[string]string{"k": "4"}); err != nil {
		t.Fatal(err)
	}
	if len(n.Cells) != 4 || n.Cells[2].Source != "// Parameters of this run\nk = 4" {
		t.Errorf("injected twice: %d cells, %s", len(n.Cells), n.Cells[2].Source)
	}
	for name, value := range map[string]string{"k": "1.5", "step": "NaN", "fast": "1", "list": "[", "lamda": "1"} {
		if err := n.Inject(map[string]string{name: value}); err == nil {
			t.Errorf("%s=%s was taken", name, value)
		}
	}
	n.Cells[1].Metadata = nil
	if err := n.Inject(map[string]string{"k": "1"}); err == nil || !strings.Contains(err.Error(), "takes no parameters") {
		t.Errorf("error %v", err)
	}
}

func TestFromScript(t *testing.T) {
	n := FromScript("#!/usr/bin/env -S sapf run\npackage main\n\nx := 1\n// %% [markdown]\n// # Title\n//\n// text\n// %%\ny := 2\n")
	var got []string
	for _, c := range n.Cells {
		got = append(got, fmt.Sprintf("%s:%q", c.Type, c.Source))
	}
	want := `code:"///usr/bin/env -S sapf run\npackage main\n\nx := 1" markdown:"# Title\n\ntext" code:"y := 2"`
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

func TestWriteFileLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a b é.ipynb")
	if err := read(t, sample).WriteFile(path); err != nil {
		t.Fatal(err)
	}
	if err := read(t, sample).WriteFile(filepath.Join(dir, "missing", "x")); err == nil {
		t.Error("a missing folder was taken")
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("%d files, %v", len(files), err)
	}
}

func TestHTML(t *testing.T) {
	n := read(t, sample)
	n.Cells[0].Source += "\n\n$$\n- a\n+ b_1\n$$\n\nIt costs $5 or $6. `$not math$`\n\n\\begin{align}\nx &= 1\n\\end{align}\n\n| a | b |\n|---|---|\n| $\\|x\\|$ | 2 |\n\n<details><summary>answer</summary>42</details>"
	page, err := n.HTML(Page{Title: "none"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<title>A title</title>", "default-src 'none'", `<msub><mi>x</mi><mn>1</mn></msub>`, "<mo>−</mo>", "It costs $5 or $6.", "<code>$not math$</code>",
		"<mtable>", "<details>", `src="data:image/png;base64,aGk="`, ` width="10"`, `<span class="fg1">red</span>`, "&lt;b&gt;", `<span class="s">&#34;cat&#34;</span>`,
		`<span class="n">200</span>`, "<td><math",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("%s is missing in\n%s", want, page)
		}
	}
	again, _ := read(t, sample).HTML(Page{Title: "none"})
	first, _ := read(t, sample).HTML(Page{Title: "none"})
	if !bytes.Equal(first, again) {
		t.Error("two pages of one notebook differ")
	}
}

func TestFailure75_MarkupInTextIsEscaped(t *testing.T) {
	evil := "<script>alert(1)</script>\"><img onerror=x>"
	n := &Notebook{Cells: []Cell{
		{ID: "a", Type: Code, Source: "x := `" + evil + "`", Outputs: []*Output{
			{Type: Stream, Name: "stdout", Text: evil},
			{Type: Error, Traceback: []string{evil}},
			{Type: DisplayData, Data: map[string]any{"text/plain": evil}},
			{Type: DisplayData, Data: map[string]any{"image/png": evil, "text/plain": evil}},
			{Type: DisplayData, Data: map[string]any{"image/svg+xml": evil}},
			{Type: DisplayData, Data: map[string]any{"application/json": evil}},
		}},
		{ID: "b", Type: Markdown, Source: "$" + evil + "$ `" + evil + "`"},
	}}
	page, err := n.HTML(Page{Title: evil})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(page), "<script") || strings.Contains(string(page), "<img onerror") {
		t.Errorf("markup came through:\n%s", page)
	}
}

func TestANSI(t *testing.T) {
	for in, want := range map[string]string{
		"a\rb": "b", "a\r\nb": "a\nb", "\x1b[1;32mok\x1b[0m!": `<span class="bold fg2">ok</span>!`, "\x1b[2K<": "&lt;", "\x1b[": "", "\x1b": "",
	} {
		if got := ansiHTML(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzNotebook(f *testing.F) {
	f.Add(sample)
	f.Add(`{"nbformat":4,"cells":[]}`)
	f.Fuzz(func(t *testing.T, s string) {
		n, err := Read(strings.NewReader(s))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := n.Write(&b); err != nil {
			t.Fatal(err)
		}
		again, err := Read(&b)
		if err != nil {
			t.Fatalf("what was written can't be read: %v", err)
		}
		if _, err := again.HTML(Page{Title: "x"}); err != nil {
			t.Fatal(err)
		}
		again.Parameters()
		again.Inject(map[string]string{"k": "1"})
	})
}

func FuzzMarkdown(f *testing.F) {
	f.Add("# a\n\n$$\nx\n$$\n\n$a$ \\(b\\) \\[c\\]")
	f.Add("- a\n  $$\n  b\n\n> \\begin{x}\n")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := renderMarkdown(s); err != nil {
			t.Fatal(err)
		}
		ansiHTML(s)
		highlight(s)
		FromScript(s)
	})
}

// TestReport: without its code a page has the text, and what cells showed.
func TestReport(t *testing.T) {
	n := &Notebook{Metadata: map[string]any{}, Cells: []Cell{
		{ID: "a", Type: Markdown, Source: "What was tried", Metadata: map[string]any{}},
		{ID: "b", Type: Code, Source: "secretName := 1", Metadata: map[string]any{}},
		{ID: "c", Type: Code, Source: "secretName", Count: 2, Metadata: map[string]any{}, Outputs: []*Output{{Type: ExecuteResult, Data: map[string]any{"text/plain": "the result"}}}},
		{ID: "d", Type: Code, Source: "secretName()", Metadata: map[string]any{}, Outputs: []*Output{{Type: Error, Traceback: []string{"the failure"}}}},
	}}
	page, err := n.HTML(Page{HideCode: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"What was tried", "the result", "the failure"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(string(page), "secretName") || strings.Contains(string(page), `id="b"`) {
		t.Error("there is code left, or an empty cell")
	}
	if page, _ := n.HTML(Page{}); strings.Count(string(page), "secretName") != 3 {
		t.Error("code is missing where it was not to be hidden")
	}
}

// TestListParameters: a list is given as its elements, with or without brackets,
// or in Go.
func TestListParameters(t *testing.T) {
	const cell = "mean := []float64{}\nnames := []string{\"a\"}\nfew := []int{1}\nodd := [][]int{{1}}"
	for _, c := range []struct{ name, value, want string }{
		{"mean", "0.485, 0.456,0.406", "mean = []float64{0.485, 0.456, 0.406}"},
		{"mean", "[1,2]", "mean = []float64{1, 2}"},
		{"mean", "", "mean = []float64{}"},
		{"mean", "[]float64{1}", "mean = []float64{1}"},
		{"mean", "1,x", ""},
		{"mean", "1,,2", ""},
		{"mean", "NaN", ""},
		{"names", `b,c"d`, `names = []string{"b", "c\"d"}`},
		{"few", "3", "few = []int{3}"},
		{"few", "3.5", ""},
		{"odd", "[][]int{{2}}", "odd = [][]int{{2}}"},
	} {
		n := &Notebook{Cells: []Cell{{ID: "p", Type: Code, Source: cell, Metadata: map[string]any{"tags": []any{TagParameters}}}}}
		err := n.Inject(map[string]string{c.name: c.value})
		switch {
		case c.want == "" && (err == nil || !strings.Contains(err.Error(), "parameter "+c.name)):
			t.Errorf("%s=%s: %v", c.name, c.value, err)
		case c.want != "" && (err != nil || !strings.HasSuffix(n.Cells[1].Source, "\n"+c.want)):
			t.Errorf("%s=%s: %v, %+v", c.name, c.value, err, n.Cells)
		}
	}
}
