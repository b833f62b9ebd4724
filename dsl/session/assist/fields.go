package assist

import (
	"fmt"
	"go/ast"
	"go/types"
	"reflect"
	"regexp"
	"strings"
	"text/tabwriter"

	"sapf/dsl/session/universe"
	"sapf/dsl/symbols"
)

// fieldRow is a field of a structure as the table of a type shows it.
type fieldRow struct{ name, typ, doc string }

// fieldsOf are the fields of the structure that a type name stands for: the
// exported ones, and all of a cell's own.
func (k Known) fieldsOf(obj types.Object) []fieldRow {
	t, ok := obj.(*types.TypeName)
	if !ok {
		return nil
	}
	st, ok := t.Type().Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	var rows []fieldRow
	for i := range st.NumFields() {
		f := st.Field(i)
		if !f.Exported() && (f.Pkg() == nil || f.Pkg().Path() != "main") {
			continue
		}
		_, doc := k.fieldDoc(f)
		row := fieldRow{name: f.Name(), typ: types.TypeString(f.Type(), shortName), doc: strings.Join(strings.Fields(doc), " ")}
		if words := k.wordsOf(f); len(words) > 0 {
			row.typ += ": " + strings.Join(words, ", ")
		}
		rows = append(rows, row)
	}
	return rows
}

func shortName(p *types.Package) string {
	if p.Path() == "main" {
		return ""
	}
	return p.Name()
}

// fieldDoc is the declaration and the doc comment of a field.
func (k Known) fieldDoc(f *types.Var) (decl, doc string) {
	if f.Pkg() == nil {
		return "", ""
	}
	if f.Pkg().Path() == "main" {
		return "", k.ownFieldDoc(f)
	}
	decl, doc, _ = symbols.Doc(f.Pkg().Path(), k.Declared.Universe.StructWith(f)+"."+f.Name())
	return decl, doc
}

// ownFieldDoc is the comment at a field that a cell declared.
func (k Known) ownFieldDoc(f *types.Var) string {
	doc := ""
	for _, d := range k.Declared.Universe.Decls {
		if d.Node == nil || f.Pos() < d.Node.Pos() || f.Pos() >= d.Node.End() {
			continue
		}
		ast.Inspect(d.Node, func(n ast.Node) bool {
			if field, ok := n.(*ast.Field); ok && field.Pos() <= f.Pos() && f.Pos() < field.End() {
				doc = field.Doc.Text() + field.Comment.Text()
			}
			return true
		})
	}
	return doc
}

// fieldTable presents fields as text and as Markdown.
func fieldTable(rows []fieldRow) (text, markdown string) {
	var t, m strings.Builder
	w := tabwriter.NewWriter(&t, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "Field\tType\t")
	m.WriteString("| Field | Type | |\n|---|---|---|\n")
	for i, r := range rows {
		if i > 0 && r.doc == rows[i-1].doc { // one comment for several
			r.doc = ""
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.name, r.typ, firstSentence(r.doc))
		fmt.Fprintf(&m, "| `%s` | `%s` | %s |\n", r.name, r.typ, strings.ReplaceAll(r.doc, "|", "\\|"))
	}
	w.Flush()
	return strings.TrimRight(t.String(), "\n"), m.String()
}

func firstSentence(doc string) string {
	if at := sentenceEnd.FindStringIndex(doc); at != nil {
		return doc[:at[0]+1]
	}
	return doc
}

var sentenceEnd = regexp.MustCompile(`\. [A-Z]`)

var (
	oneOf  = regexp.MustCompile("oneof:\"([^\"]*)\"")
	quoted = regexp.MustCompile(`"([a-z0-9_]+)"`)
)

// wordsOf are the words that a field of text can be: those of its tag, or those
// that its doc comment has in quotes.
func (k Known) wordsOf(f *types.Var) []string {
	if b, ok := f.Type().Underlying().(*types.Basic); !ok || b.Info()&types.IsString == 0 {
		return nil
	}
	decl, doc := k.fieldDoc(f)
	if m := oneOf.FindStringSubmatch(decl); m != nil {
		return strings.Fields(m[1])
	}
	var out []string
	seen := map[string]bool{}
	for _, m := range quoted.FindAllStringSubmatch(doc, -1) {
		if !seen[m[1]] {
			seen[m[1]] = true
			out = append(out, m[1])
		}
	}
	return out
}

// optionWords are the words that a string in a cell can be because of the field
// that it is for: Options{Round: "|"} and options.Round = "|".
func (k Known) optionWords(code string, start, end int) []string {
	quote := code[start-1 : start]
	rest := strings.TrimPrefix(code[end:], quote)
	a := analyse(k.Declared, code[:start]+stand+quote+rest)
	lit, path := a.literalAt(start - 1)
	if lit == nil || len(path) < 2 {
		return nil
	}
	switch parent := path[len(path)-1].(type) {
	case *ast.KeyValueExpr:
		composite, ok := path[len(path)-2].(*ast.CompositeLit)
		key, named := parent.Key.(*ast.Ident)
		t := a.info.Types[composite].Type
		if !ok || !named || t == nil || parent.Value != lit {
			return nil
		}
		st, ok := universe.Deref(t).Underlying().(*types.Struct)
		if !ok {
			return nil
		}
		for i := range st.NumFields() {
			if f := st.Field(i); f.Name() == key.Name {
				if m := reflect.StructTag(st.Tag(i)).Get("oneof"); m != "" {
					return strings.Fields(m)
				}
				return k.wordsOf(f)
			}
		}
	case *ast.AssignStmt:
		for i, r := range parent.Rhs {
			if x, ok := at(parent.Lhs, i).(*ast.SelectorExpr); ok && r == lit {
				if f, ok := a.info.ObjectOf(x.Sel).(*types.Var); ok && f.IsField() {
					return k.wordsOf(f)
				}
			}
		}
	}
	return nil
}

func at(list []ast.Expr, i int) ast.Expr {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// literalAt finds the literal that starts at an offset, with the nodes that it
// is in, outermost first.
func (a *analysis) literalAt(offset int) (ast.Expr, []ast.Node) {
	var found ast.Expr
	var path, stack []ast.Node
	for _, d := range a.decls {
		ast.Inspect(d, func(n ast.Node) bool {
			if n == nil {
				stack = stack[:len(stack)-1]
				return true
			}
			if lit, ok := n.(*ast.BasicLit); ok && found == nil && a.offset(lit.Pos()) == offset {
				found, path = lit, append([]ast.Node(nil), stack...)
			}
			stack = append(stack, n)
			return true
		})
		stack = stack[:0]
	}
	return found, path
}
