package baseline

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sapf/sapf/attack"
)

// sources parses the package's files, tests apart.
func sources(t *testing.T) map[string]*ast.File {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*ast.File{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = f
	}
	return files
}

// TestComments: the comment of a function, type or constant begins with its
// name, as go doc expects; those of a method that an interface prescribes may be
// absent.
func TestComments(t *testing.T) {
	begins := func(file string, doc *ast.CommentGroup, name string) {
		words := strings.Fields(doc.Text())
		if len(words) > 0 && strings.Trim(words[0], ",:.'s") != strings.Trim(name, ",:.'s") {
			t.Errorf("%s: the comment of %s begins with %q", file, name, words[0])
		}
	}
	for file, f := range sources(t) {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				begins(file, d.Doc, d.Name.Name)
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						begins(file, d.Doc, s.Name.Name)
					case *ast.ValueSpec:
						if len(d.Specs) == 1 && s.Names[0].Name != "_" {
							begins(file, d.Doc, s.Names[0].Name)
						}
					}
				}
			}
		}
	}
}

// attackFiles are the files of one attack each, by the attack's type.
func attackFiles(t *testing.T) map[string]*ast.TypeSpec {
	t.Helper()
	found := map[string]*ast.TypeSpec{}
	for _, f := range sources(t) {
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
				for _, s := range g.Specs {
					s := s.(*ast.TypeSpec)
					s.Doc = g.Doc
					found[s.Name.Name] = s
				}
			}
		}
	}
	return found
}

// TestAttacksReadAsTheirPapers: the comment of every attack of this package has
// its citation's year, its problem, and a table of symbols, code, shape and
// range.
func TestAttacksReadAsTheirPapers(t *testing.T) {
	table := regexp.MustCompile(`(?m)^\t(paper|theirs|formula)\b.*\bcode +shape +range$(\n\t\S.*){3,}`)
	types := attackFiles(t)
	for _, e := range All() {
		if e.Name == "sapf" || strings.HasSuffix(e.Name, matchedSuffix) {
			continue // package sapf's own
		}
		name := reflect.Indirect(reflect.ValueOf(e.New())).Type().Name()
		doc := types[name].Doc.Text()
		year := regexp.MustCompile(`\d{4}`).FindString(e.Paper)
		if !strings.Contains(doc, year) {
			t.Errorf("%s: no citation of %s", name, e.Paper)
		}
		if !regexp.MustCompile(`\b(min|max)(_\S+)?\b`).MatchString(doc) {
			t.Errorf("%s: no problem that it solves", name)
		}
		if !table.MatchString(doc) {
			t.Errorf("%s: no table of symbols", name)
		}
	}
}

// meaning is what a field's comment says of its zero.
var meaning = regexp.MustCompile(`(?:0|"") means ([^.;,\s]+(?:[.,][0-9]+)*)`)

// TestOptionComments: what a comment says of an option is what its tags say:
// the default, the choices, and every preset.
func TestOptionComments(t *testing.T) {
	types := attackFiles(t)
	for _, e := range All() {
		a := reflect.Indirect(reflect.ValueOf(e.New()))
		spec, ok := types[a.Type().Name()]
		if !ok || strings.HasSuffix(e.Name, matchedSuffix) {
			continue // package sapf has its own
		}
		for _, f := range spec.Type.(*ast.StructType).Fields.List {
			for _, name := range f.Names {
				field, _ := a.Type().FieldByName(name.Name)
				comment := strings.Join(strings.Fields(f.Doc.Text()), " ")
				optionComment(t, e, field, comment)
			}
		}
	}
}

func optionComment(t *testing.T, e Entry, field reflect.StructField, comment string) {
	where := e.Name + ", " + field.Name
	if !field.IsExported() {
		return
	}
	if first := strings.Fields(comment); len(first) == 0 || !strings.Contains(strings.Join(first[:min(3, len(first))], " "), field.Name) {
		t.Errorf("%s: the comment begins with %q", where, comment)
	}
	said := meaning.FindStringSubmatch(comment)
	def := field.Tag.Get("def")
	switch {
	case def != "" && said == nil:
		t.Errorf("%s: the comment does not say that 0 means %s", where, def)
	case def != "":
		want, err := strconv.ParseFloat(def, 64)
		got, ok := fraction(said[1])
		if err != nil || !ok || math.Abs(got-want) > 1e-12*math.Abs(want) {
			t.Errorf("%s: the comment says %s, the tag %s", where, said[1], def)
		}
	}
	if choices := strings.Fields(field.Tag.Get("oneof")); len(choices) > 0 {
		for _, c := range choices {
			if !strings.Contains(comment, `"`+c+`"`) {
				t.Errorf("%s: the comment does not name the choice %q", where, c)
			}
		}
		if said == nil || said[1] != choices[0] {
			t.Errorf(`%s: the comment does not say that "" means %s`, where, choices[0])
		}
	}
	if p, ok := e.New().(interface {
		Presets() map[string]attack.Attack
	}); ok && field.Name == "Preset" {
		var named []string
		for _, m := range regexp.MustCompile(`"([a-z0-9-]+)"`).FindAllStringSubmatch(comment, -1) {
			named = append(named, m[1])
		}
		slices.Sort(named)
		if want := slices.Sorted(maps.Keys(p.Presets())); !slices.Equal(named, want) {
			t.Errorf("%s: the comment names %q, there are %q", where, named, want)
		}
	}
}

// fraction reads "10,000", "2e6" or "8/255".
func fraction(s string) (float64, bool) {
	over, under, found := strings.Cut(strings.ReplaceAll(s, ",", ""), "/")
	v, err := strconv.ParseFloat(over, 64)
	if err != nil || !found {
		return v, err == nil
	}
	w, err := strconv.ParseFloat(under, 64)
	return v / w, err == nil
}
