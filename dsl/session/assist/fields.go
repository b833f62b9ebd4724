package assist

import (
	"fmt"
	"go/ast"
	"go/types"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"sapf/dsl/session/universe"
	"sapf/dsl/symbols"
	"sapf/sapf/attack"
	"sapf/sapf/option"
)

// fieldRow is a field of a structure as the table of a type shows it: with what
// it may be, and what it is where nothing is set, for options of attacks.
type fieldRow struct{ name, typ, value, doc string }

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
	values := defaults(obj)
	for i := range st.NumFields() {
		f := st.Field(i)
		if !f.Exported() && (f.Pkg() == nil || f.Pkg().Path() != "main") {
			continue
		}
		decl, doc := k.fieldDoc(f)
		row := fieldRow{name: f.Name(), typ: types.TypeString(f.Type(), shortName), value: values[f.Name()], doc: strings.Join(strings.Fields(doc), " ")}
		if words := k.wordsOf(f); len(words) > 0 {
			row.typ += ": " + strings.Join(words, ", ")
		} else if m := inRange.FindStringSubmatch(decl); m != nil {
			row.typ += " in " + m[1]
		}
		rows = append(rows, row)
	}
	return rows
}

// defaults are the values of an attack's options, by the fields' names, where
// nothing is set.
func defaults(obj types.Object) map[string]string {
	if obj.Pkg() == nil {
		return nil
	}
	path := obj.Pkg().Path()
	v, ok := symbols.Symbols[path+"/"+obj.Pkg().Name()][obj.Name()]
	if !ok || v.Kind() != reflect.Pointer || v.Type().Elem().Kind() != reflect.Struct {
		return nil
	}
	a, ok := reflect.New(v.Type().Elem()).Interface().(attack.Attack)
	if !ok {
		return nil
	}
	values, err := attack.Options(a)
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for i := range v.Type().Elem().NumField() {
		f := v.Type().Elem().Field(i)
		if !f.IsExported() {
			continue
		}
		alone := reflect.New(reflect.StructOf([]reflect.StructField{f})).Interface() // package option knows its name
		for _, name := range option.Names(alone) {
			if value, ok := values[name]; ok {
				out[f.Name] = fmt.Sprint(value)
			}
		}
	}
	return out
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
	columns := []string{"Field", "Type"}
	valued := slices.ContainsFunc(rows, func(r fieldRow) bool { return r.value != "" })
	if valued {
		columns = append(columns, "Default")
	}
	fmt.Fprintln(w, strings.Join(columns, "\t")+"\t")
	fmt.Fprintf(&m, "| %s | |\n%s|\n", strings.Join(columns, " | "), strings.Repeat("|---", len(columns)+1))
	said := ""
	for i, r := range rows {
		line := firstSentence(r.doc)
		if i > 0 && r.doc == rows[i-1].doc { // one comment for several
			line, r.doc = sentenceOn(r.name, r.doc), ""
		}
		if line == said {
			line = ""
		} else {
			said = line
		}
		cells, marked := []string{r.name, r.typ}, []string{code(r.name), code(r.typ)}
		if valued {
			cells, marked = append(cells, r.value), append(marked, code(r.value))
		}
		fmt.Fprintln(w, strings.Join(append(cells, line), "\t"))
		fmt.Fprintf(&m, "| %s | %s |\n", strings.Join(marked, " | "), strings.ReplaceAll(r.doc, "|", "\\|"))
	}
	w.Flush()
	return strings.TrimRight(t.String(), "\n"), m.String()
}

// code is text as Markdown's code in a table.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(s, "|", "\\|") + "`"
}

func firstSentence(doc string) string {
	if at := sentenceEnd.FindStringIndex(doc); at != nil {
		return doc[:at[0]+1]
	}
	return doc
}

// sentenceOn is the first sentence that begins with a name, else the first that
// has it.
func sentenceOn(name, doc string) string {
	word := regexp.MustCompile(`\b` + name + `\b`)
	found := ""
	for rest := doc; rest != ""; {
		s := firstSentence(rest)
		rest = strings.TrimSpace(strings.TrimPrefix(rest, s))
		if strings.HasPrefix(s, name+" ") {
			return s
		}
		if found == "" && word.MatchString(s) {
			found = s
		}
	}
	return found
}

var sentenceEnd = regexp.MustCompile(`\. [A-Z]`)

var (
	inRange = regexp.MustCompile("range:\"([^\"]*)\"")
	oneOf   = regexp.MustCompile("oneof:\"([^\"]*)\"")
	quoted  = regexp.MustCompile(`"([a-z0-9_]+)"`)
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
