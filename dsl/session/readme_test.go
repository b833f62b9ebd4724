package session

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"go/types"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sapf/dsl/session/plan"
	"sapf/dsl/session/syntax"
)

const readmeCell = `import "fmt"
type Celsius float64
func (c Celsius) String() string { return fmt.Sprintf("%.1f °C", float64(c)) }
for _, c := range []Celsius{36.6, -40} { fmt.Println(c) }`

// TestREADME keeps the intermediate results that the README shows what they are.
// UPDATE=1 writes them anew.
func TestREADME(t *testing.T) {
	s, r := newSession(t)
	s.Variables() // waits until it is ready
	steps := stepsOf(t, s, readmeCell)
	fresh, recorder := newSession(t)
	steps["machine"] = runCell(fresh, recorder, 1, readmeCell)
	_ = r
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, step := range []string{"cell", "items", "groups", "plan", "lower", "machine"} {
		open := "<!-- " + step + " -->\n```"
		before, rest, found := strings.Cut(text, open)
		head, rest, found2 := strings.Cut(rest, "\n")
		block, after, found3 := strings.Cut(rest, "```\n")
		if !found || !found2 || !found3 {
			t.Fatalf("the README has no block %s", step)
		}
		want := strings.TrimRight(steps[step], "\n") + "\n"
		if block == want {
			continue
		}
		if os.Getenv("UPDATE") == "" {
			t.Errorf("step %s:\n%s\nthe README has:\n%s", step, want, block)
		}
		text = before + open + head + "\n" + want + "```\n" + after
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile("README.md", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// stepsOf takes a cell through the session by hand.
func stepsOf(t *testing.T, s *Session, code string) map[string]string {
	out := map[string]string{"cell": code}
	var b strings.Builder
	take := func(step string) {
		out[step] = b.String()
		b.Reset()
	}
	for _, it := range syntax.Split(code) {
		kind := "statement"
		if it.Decl {
			kind = "declaration of a file"
		}
		fmt.Fprintf(&b, "%3d-%-3d  %-6s  %s\n", it.Start, it.End, it.First, kind)
	}
	take("items")
	src := &syntax.Source{File: "cell#1", Name: "In [1]", Code: code, Written: code}
	s.sources[src.File] = src
	base := s.fset.Base() // positions count from here, whatever has been loaded before
	cell, err := syntax.Parse(s.fset, src)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range syntax.Schedule(cell, func(name string) bool { return false }) {
		for _, d := range g.Decls {
			fmt.Fprintf(&b, "first  %s\n", oneLine(d.Decl))
		}
		for _, st := range g.Stmts {
			fmt.Fprintf(&b, "then   %s\n", oneLine(st))
		}
	}
	take("groups")
	pl, err := s.declared.Plan(cell)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range pl.Decls {
		fmt.Fprintln(&b, types.ObjectString(d.Obj, (*types.Package).Name))
	}
	writeTypes(&b, pl)
	take("plan")
	s.declared.Enact(pl)
	if _, err := s.lowering.Cell(pl); err != nil {
		t.Fatal(err)
	}
	for _, d := range append(s.lowering.Out.Imports, s.lowering.Out.Decls...) {
		text := position.ReplaceAllStringFunc(formatted(d), func(m string) string {
			name, at, _ := strings.Cut(m, " = ")
			n, _ := strconv.Atoi(at)
			return fmt.Sprintf("%s = %d", name, n-base)
		})
		b.WriteString(text + "\n")
	}
	take("lower")
	return out
}

// position is where a lowered function notes how far it has come.
var position = regexp.MustCompile(`\bat#\d+ = \d+`)

// writeTypes writes the types of the variables that the statements declare.
func writeTypes(b *strings.Builder, pl *plan.Plan) {
	for _, c := range pl.Chunks {
		for _, st := range c.Stmts {
			ast.Inspect(st, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && c.Info.Defs[id] != nil {
					fmt.Fprintln(b, types.ObjectString(c.Info.Defs[id], (*types.Package).Name))
				}
				return true
			})
		}
	}
}

func oneLine(n ast.Node) string { return strings.Join(strings.Fields(syntax.NodeText(n)), " ") }

func formatted(n ast.Node) string {
	var b strings.Builder
	if err := format.Node(&b, token.NewFileSet(), n); err != nil {
		return err.Error()
	}
	return b.String()
}
