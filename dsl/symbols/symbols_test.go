package symbols

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"sort"
	"strings"
	"testing"
)

// exported lists the exported package-level names of a package of this module,
// but for generic ones, which have no symbols.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	notTest := func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }
	pkgs, err := parser.ParseDir(token.NewFileSet(), dir, notTest, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	add := func(id *ast.Ident, params *ast.FieldList) {
		if id.IsExported() && params == nil {
			out[id.Name] = true
		}
	}
	for _, pkg := range pkgs {
		for _, file := range pkg.Files {
			for _, d := range file.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					if d.Recv == nil {
						add(d.Name, d.Type.TypeParams)
					}
				case *ast.GenDecl:
					for _, spec := range d.Specs {
						switch spec := spec.(type) {
						case *ast.TypeSpec:
							add(spec.Name, spec.TypeParams)
						case *ast.ValueSpec:
							for _, id := range spec.Names {
								add(id, nil)
							}
						}
					}
				}
			}
		}
	}
	return out
}

// TestSymbolsAreCurrent holds the tables of this module's packages against
// their sources.
func TestSymbolsAreCurrent(t *testing.T) {
	n := 0
	for key, table := range Symbols {
		dir := path.Dir(key)
		if !strings.HasPrefix(dir, "sapf/") {
			continue
		}
		n++
		want := exported(t, "../.."+strings.TrimPrefix(dir, "sapf"))
		var stale []string
		for name := range want {
			if _, ok := table[name]; !ok {
				stale = append(stale, "+"+name)
			}
		}
		for name := range table {
			if !want[name] && token.IsExported(name) {
				stale = append(stale, "-"+name)
			}
		}
		sort.Strings(stale)
		if len(stale) > 0 {
			t.Errorf("%s: the table is not that of the source (%s): run `go generate ./dsl/symbols`", dir, strings.Join(stale, " "))
		}
	}
	if n < 5 {
		t.Errorf("tables of %d packages of this module, expected at least 5", n)
	}
}

func TestDocumentation(t *testing.T) {
	for _, c := range []struct{ path, symbol, decl, doc string }{
		{"strings", "Repeat", "func Repeat(s string, count int) string", "Repeat returns a new string"},
		{"strings", "Builder.WriteString", "func (b *Builder) WriteString(s string) (int, error)", "appends"},
		{"gonum.org/v1/plot", "New", "func New() *Plot", "default"},
		{"sapf/dsl", "Show", "func Show(values ...any) *Handle", "displays"},
	} {
		decl, doc, ok := Doc(c.path, c.symbol)
		if !ok || decl != c.decl || !strings.Contains(doc, c.doc) {
			t.Errorf("Doc(%q, %q) = %q, %q, %v; expected %q and something on %q", c.path, c.symbol, decl, doc, ok, c.decl, c.doc)
		}
	}
	if _, _, ok := Doc("strings", "NoSuchThing"); ok {
		t.Error("documentation of strings.NoSuchThing")
	}
}
