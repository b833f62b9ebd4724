package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLocalPackage imports a folder beside the notebook: all kinds of
// declarations, files of tests left out, a package of the module within it, and
// a change that earlier cells follow.
func TestLocalPackage(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	write("go.mod", "module example.com/study\n\ngo 1.26\n")
	write("shapes/shapes.go", `// Package shapes has places.
package shapes

import (
	"fmt"

	"example.com/study/shapes/units"
)

// Point is a place.
type Point struct{ X, Y, hidden int }

func (p Point) String() string { return fmt.Sprintf("(%d,%d)", p.X, p.Y) }
func (p *Point) Move(d int)    { p.X += d * units.Step }

type Named struct {
	Point
	Name string
}

const Limit = 3 << iota

var Shift = units.Base * 2

var Count = start() + 1
var table = map[string]int{"a": 1}

func start() int { return len(table) * 10 }

func init() { table["b"] = 2 }

func Sum[T int | float64](xs ...T) (s T) {
	for _, x := range xs {
		s += x
	}
	Count++
	return s
}

func Look(k string) (int, bool) { v, ok := table[k]; return v, ok }

type Area interface{ Area() float64 }

func Total(s ...Area) (t float64) {
	for _, x := range s {
		t += x.Area()
	}
	return t
}
`)
	write("shapes/more.go", "package shapes\n\nfunc Fail(xs []int) int {\n\tpanic(\"no\")\n}\n")
	write("shapes/shapes_test.go", "package shapes\n\nfunc broken( {\n")
	write("shapes/units/units.go", "package units\n\nconst Step = 2\n\nvar Base = 7\n")
	s, r := newSession(t)
	n := 0
	run := func(code, want string) {
		t.Helper()
		n++
		if got := strings.TrimRight(runCell(s, r, n, code), "\n"); got != want {
			t.Errorf("cell %d: %s\ngives\n%s\nexpected\n%s", n, code, got, want)
		}
	}
	run(`import "./shapes"`, "")
	run("p := shapes.Point{X: 1}\np.Move(2)\nfmt.Println(p, shapes.Limit, shapes.Count, shapes.Sum(1, 2), shapes.Sum(1.5), shapes.Count)", "(5,0) 3 11 3 1.5 13")
	run("shapes.Shift", "Out: 14") // what it uses comes first
	run(`shapes.Look("b")`, "Out: 2 true")
	run("type square float64\nfunc (s square) Area() float64 { return float64(s * s) }\nshapes.Total(square(2), square(3))", "Out: 13")
	run(`m := shapes.Named{shapes.Point{X: 2, Y: 3}, "n"}`+"\nm.Move(1)\nvar text fmt.Stringer = m\nfmt.Println(text, m.X, m.Point)", "(4,3) 4 (4,3)")
	run("func doubled() int { v, _ := shapes.Look(\"a\"); return 2 * v }\ndoubled()", "Out: 2")
	run(`import u "example.com/study/shapes/units"`+"\nu.Step", "Out: 2")
	run("p.hidden", "CompileError: p.hidden undefined (cannot refer to unexported field hidden)\nIn [9], line 1:\n    1 | p.hidden\n      |   ^")
	run("shapes.Fail(nil)", "Panic: no\nshapes/more.go, line 4, in Fail:\n    4 | \tpanic(\"no\")\n      | \t^\nIn [10], line 1:\n    1 | shapes.Fail(nil)")
	if b, ok := s.Inspect("shapes.Point", 8, 0); !ok || !strings.Contains(b.Data["text/plain"].(string), "type shapes.Point") {
		t.Errorf("shapes.Point? gives %v", b.Data)
	}

	write("shapes/units/units.go", "package units\n\nconst Step = 100\n\nvar Base = 8\n")
	text, err := os.ReadFile("shapes/shapes.go")
	if err != nil {
		t.Fatal(err)
	}
	write("shapes/shapes.go", strings.Replace(string(text), `{"a": 1}`, `{"a": 50}`, 1))
	run("doubled()", "note: package ./shapes has changed and is read again\nnote: package example.com/study/shapes/units has changed and is read again\nOut: 100")
	run("q := shapes.Point{}\nq.Move(1)\nq.X", "Out: 100")

	write("shapes/more.go", "package shapes\n\nfunc Fail() int { return nothing }\n")
	run("1 + 1", "CompileError: a file has changed: package ./shapes: shapes/more.go:3:26: undefined: nothing\nIn [13], line 1:\n    1 | 1 + 1\n      | ^")
	write("shapes/more.go", "package shapes\n")
	if got := runCell(s, r, 13, "1 + 1"); !strings.Contains(got, "Out: 2") {
		t.Errorf("after the mistake is mended: %s", got)
	}
}

// TestLocalRefusals has imports that can't be had say why.
func TestLocalRefusals(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{
		"prog/p.go": "package main\n\nfunc main() {}\n",
		"bad/b.go":  "package bad\n\nfunc f( {\n",
		"a/a.go":    "package a\n\nimport _ \"../b\"\n",
		"b/b.go":    "package b\n\nimport _ \"../a\"\n",
	} {
		os.MkdirAll(filepath.Dir(name), 0o755)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, r := newSession(t)
	for path, want := range map[string]string{
		"./prog": "is a program", "./bad": "expected", "./a": "imports itself", "./nothing": "nothing",
		"example.com/none": "is not compiled in: run %extend example.com/none",
	} {
		if got := runCell(s, r, 1, `import "`+path+`"`); !strings.HasPrefix(got, "CompileError: ") || !strings.Contains(got, want) || !strings.Contains(got, "In [1], line 1") {
			t.Errorf("import %q gives %s", path, got)
		}
	}
}
