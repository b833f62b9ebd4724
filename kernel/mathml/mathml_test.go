package mathml

import (
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata")

// formulas are of the kinds that notebooks about attacks have.
var formulas = []string{
	`x`, `-1.5`, `x_1^2`, `x'`, `f''(x)^2`, `\|\delta\|_2`, `\tfrac12`, `\frac{a}{b}`, `\sqrt{N}`, `\sqrt[3]{x}`,
	`\min_{\delta,G}\ \|\delta\odot G\|_2^2+\lambda_1\mathcal{L}(f(x+\delta\odot G),t)`,
	`\text{s.t.}\quad \mathbf{1}^\top G=k,\ G\in\{0,1\}^N`,
	`\sum_{i=1}^N \max_{j\ne t} Z_j`,
	`Y_1 = \Pi_{[0,1]^N}\!\left(G+\frac{Z_1}{\rho_1}\right)`,
	`\begin{aligned} Y_1 &= G \\ Y_2 &= \frac{\sqrt N}{2}\frac{\bar G}{\|\bar G\|}+\tfrac12 \end{aligned}`,
	`\begin{cases}1 & a>b\\0&\text{otherwise}\end{cases}`,
	`\begin{bmatrix}1&2\\3&4\end{bmatrix}`, `\operatorname{clip}_{[0,1]}(x)`, `\operatorname*{arg\,min}_x f`,
	`\mathbb{R}^{H\times W\times C}`, `\hat{x}\approx\tilde y`, `\underbrace{a+b}_{c}`, `\not=`, `a \bmod b`, `\boldsymbol{\delta}`,
	`\left.\frac{\partial f}{\partial x}\right|_{x=0}`, `\substack{a\\b}`, `\binom{n}{k}`, `50\%`, `x % a comment`,
}

func TestGolden(t *testing.T) {
	var b strings.Builder
	for _, f := range formulas {
		got, err := Render(f, true)
		if err != nil {
			t.Errorf("%s: %v", f, err)
		}
		fmt.Fprintf(&b, "%s\n%s\n\n", f, got)
	}
	path := filepath.Join("testdata", "formulas.txt")
	if *update {
		os.MkdirAll("testdata", 0o755)
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("differs from %s; look at it and run with -update:\n%s", path, b.String())
	}
}

// arity is how many children MathML Core wants.
var arity = map[string]int{"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3}

func checkXML(t *testing.T, source, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	type open struct {
		name     string
		children int
	}
	stack := []*open{{}}
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("%q: %v in %s", source, err, text)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			stack[len(stack)-1].children++
			stack = append(stack, &open{name: tok.Name.Local})
		case xml.EndElement:
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if n := arity[top.name]; n > 0 && n != top.children {
				t.Fatalf("%q: %s has %d children, wants %d: %s", source, top.name, top.children, n, text)
			}
		}
	}
}

func TestWellFormed(t *testing.T) {
	for _, f := range formulas {
		for _, display := range []bool{true, false} {
			if got, err := Render(f, display); err == nil {
				checkXML(t, f, got)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, f := range []string{`\unknown`, `{x`, `x}`, `\frac{a}`, `x^`, `x_1_2`, `\left(x`, `\begin{nothing}\end{nothing}`,
		`\begin{cases}1`, `a & b`, `$`, `\text{a`, strings.Repeat("{", 1000), `\not x`} {
		if got, err := Render(f, false); err == nil {
			t.Errorf("%.40s was taken: %s", f, got)
		}
	}
}

func FuzzRender(f *testing.F) {
	for _, s := range formulas {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, display bool) {
		got, err := Render(s, display)
		if err == nil && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '\ufffd' || r == '\ufffe' || r == '\uffff' }) {
			checkXML(t, s, got)
		}
	})
}
