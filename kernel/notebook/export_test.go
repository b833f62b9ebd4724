package notebook

import (
	"strings"
	"testing"
)

func cells(sources ...string) *Notebook {
	n := &Notebook{}
	for i, s := range sources {
		kind := Code
		if rest, ok := strings.CutPrefix(s, "# "); ok {
			kind, s = Markdown, "# "+rest
		}
		n.Cells = append(n.Cells, Cell{ID: freeID(i, nil), Type: kind, Source: s})
	}
	return n
}

func TestItems(t *testing.T) {
	source := "import \"fmt\"\n// note\nx := 1; y := []int{\n1,\n2}\nfunc f(a int) int { return a }\nfunc (t T) M() {}\nfunc() { x++ }() // end\nx"
	var got []string
	for _, it := range items(source) {
		s := it.first.String() + ":" + it.text
		if it.name {
			s = "named " + s
		}
		got = append(got, s)
	}
	want := []string{"import:import \"fmt\"", "IDENT:// note\nx := 1", "IDENT:y := []int{\n1,\n2}",
		"named func:func f(a int) int { return a }", "named func:func (t T) M() {}", "func:func() { x++ }() // end", "IDENT:x"}
	if strings.Join(got, "\n--\n") != strings.Join(want, "\n--\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n--\n"))
	}
}

func TestExport(t *testing.T) {
	p, err := cells(
		"# Title\n\ntext",
		"import \"fmt\"\nx := 2 // two\nfunc plain(a int) int { return a + 1 }\nfunc uses() int { return x }",
		"%time y := uses()\nfmt.Println(y)",
		"x := \"again\"\nx",
		"type T struct{ A int }\nfunc (t T) M() int { return t.A }\nT{1}.M()",
		"Attack?",
	).Export("n.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	source, err := p.Source()
	if err != nil {
		t.Fatal(err)
	}
	want := `package main

import (
	"fmt"
	. "sapf/dsl"
)

func plain(a int) int { return a + 1 }

type T struct{ A int }

func (t T) M() int { return t.A }

func main() {
	// The notebook n.ipynb as a program.

	// # Title
	//
	// text

	x := 2 // two
	var uses func() int
	uses = func() int { return x }
	_ = uses

	y := uses()
	fmt.Println(y)

	{ // x is defined again
		x := "again"
		Show(x)

		T{1}.M()

		// Attack?
	}
}
`
	if string(source) != want {
		t.Errorf("got\n%s", source)
	}
	if c := p.Candidates(); len(c) != 1 {
		t.Errorf("candidates %v", c)
	}
	p.Show(p.Candidates()[0])
	if source, _ := p.Source(); !strings.Contains(string(source), "Show(T{1}.M())") {
		t.Errorf("got\n%s", source)
	}
}

func TestExportRefuses(t *testing.T) {
	for _, c := range []struct {
		cells []string
		says  string
	}{
		{[]string{"type T int", "type T string"}, "cell 2: T is declared in cell 1 too"},
		{[]string{"x := 1", "type T int\nfunc (T) M() int { return x }"}, "method M uses a variable"},
		{[]string{"x := 1", "func f[T any](T) int { return x }"}, "generic function f uses a variable"},
		{[]string{"x := ("}, "cell 1"},
		{[]string{"n := 1", "type T [n]int"}, "uses a variable"},
	} {
		if _, err := cells(c.cells...).Export("n"); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: error %v, want %q", c.cells, err, c.says)
		}
	}
}

func FuzzExport(f *testing.F) {
	f.Add("import \"fmt\"\nx := 2\nfunc uses() int { return x }\nx")
	f.Add("func (t T) M() {}\nfunc main() {}\n// c\n%time a\nf()")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := cells(s, s).Export("n")
		if err == nil {
			p.Source()
			p.Marked()
		}
	})
}

// TestExportMagics exports what is no Go as comments, and commands as calls.
func TestExportMagics(t *testing.T) {
	p, err := cells("%%bash\nls |\nwc", "%cd /tmp\n!ls \"a\"\nx := 1\n%time x = 2\nx", "%%timeit\nx := 2", "%whos").Export("n")
	if err != nil {
		t.Fatal(err)
	}
	source, err := p.Source()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"// %%bash", "// ls |", "// wc", "// %cd /tmp", `display.Shell("ls \"a\"")`, "x = 2", "// %whos", `"sapf/dsl/display"`} {
		if !strings.Contains(string(source), want) {
			t.Errorf("%q is missing in\n%s", want, source)
		}
	}
}
