package judge

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var filesOf = flag.String("files", "", "a pattern of Go programs to judge, such as '/home/me/try/*.go'")

// TestFiles judges whole programs of one's own: what Go prints for them against
// what they print as one cell, and as cells of statements.
func TestFiles(t *testing.T) {
	if *filesOf == "" {
		t.Skip("no -files")
	}
	files, err := filepath.Glob(*filesOf)
	if err != nil {
		t.Fatal(err)
	}
	var w worker
	defer w.stop()
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := goRun(t.TempDir(), string(text))
			if err != nil {
				t.Fatal(err)
			}
			for name, cells := range map[string][]string{"one cell": {string(text)}, "statements": mainAsStatements(t, string(text))} {
				got := w.ask(question{Fresh: true, Cells: cells, Seconds: 30})
				if tidy(got.text()) != tidy(want) {
					t.Errorf("as %s: %s\n--- Go prints\n%s\n--- the cells print\n%s\n%s", name, firstDifference(want, got.text()), want, got.text(), strings.Join(got.Traceback, "\n"))
				}
			}
		})
	}
}

// mainAsStatements is a program as two cells: its declarations, and what main
// does, one cell for each five statements.
func mainAsStatements(t *testing.T, text string) []string {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	at := func(p token.Pos) int { return fset.Position(p).Offset }
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Name.Name != "main" || fn.Recv != nil {
			continue
		}
		cells := []string{text[at(file.Name.End()):at(fn.Pos())] + text[at(fn.End()):]}
		list := fn.Body.List
		for i := 0; i < len(list); i += 5 {
			// Without a value at the end, which would be shown.
			cells = append(cells, text[at(list[i].Pos()):at(list[min(i+5, len(list))-1].End())]+"\n;")
		}
		return cells
	}
	t.Fatal("no main")
	return nil
}
