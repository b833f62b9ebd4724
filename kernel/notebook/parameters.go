package notebook

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"sort"
	"strconv"
	"strings"
)

// Tags that papermill gave their meaning.
const (
	TagParameters = "parameters"
	TagInjected   = "injected-parameters"
)

// Parameter is a variable that the parameters cell sets and a run may change.
type Parameter struct {
	Name    string
	Default string      // Go source
	kind    token.Token // of a literal default; otherwise ILLEGAL
	list    string      // "[]float64", where the default is a list
	element token.Token // and the kind of what such a list holds
}

// Parameters lists what the cell tagged "parameters" sets, in its order.
func (n *Notebook) Parameters() ([]Parameter, error) {
	at := n.parametersCell()
	if at < 0 {
		return nil, nil
	}
	source := n.Cells[at].Source
	const head = "package p; func _() {\n"
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", head+source+"\n}", 0)
	if err != nil {
		return nil, fmt.Errorf("parameters cell: %w", err)
	}
	text := func(x ast.Expr) string {
		file := fset.File(f.Pos())
		return source[file.Offset(x.Pos())-len(head) : file.Offset(x.End())-len(head)]
	}
	var found []Parameter
	add := func(name ast.Expr, value ast.Expr) {
		if id, ok := name.(*ast.Ident); ok && id.Name != "_" {
			p := Parameter{Name: id.Name, Default: text(value), kind: literal(value)}
			if lit, ok := value.(*ast.CompositeLit); ok {
				if of, ok := lit.Type.(*ast.ArrayType); ok && of.Len == nil {
					if name, ok := of.Elt.(*ast.Ident); ok && elements[name.Name] != token.ILLEGAL {
						p.list, p.element = "[]"+name.Name, elements[name.Name]
					}
				}
			}
			found = append(found, p)
		}
	}
	for _, s := range f.Decls[0].(*ast.FuncDecl).Body.List {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if len(s.Lhs) == len(s.Rhs) {
				for i := range s.Lhs {
					add(s.Lhs[i], s.Rhs[i])
				}
			}
		case *ast.DeclStmt:
			for _, spec := range s.Decl.(*ast.GenDecl).Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && len(v.Names) == len(v.Values) {
					for i := range v.Names {
						add(v.Names[i], v.Values[i])
					}
				}
			}
		}
	}
	return found, nil
}

// elements are the kinds of what lists may be given as "2,7,25".
var elements = map[string]token.Token{"string": token.STRING, "int": token.INT, "float64": token.FLOAT, "bool": token.IDENT}

// literal is the kind of a literal: INT, FLOAT, STRING, CHAR, or IDENT for a
// bool; ILLEGAL for any other expression.
func literal(x ast.Expr) token.Token {
	if u, ok := x.(*ast.UnaryExpr); ok && u.Op == token.SUB {
		x = u.X
	}
	switch x := x.(type) {
	case *ast.BasicLit:
		return x.Kind
	case *ast.Ident:
		if x.Name == "true" || x.Name == "false" {
			return token.IDENT
		}
	}
	return token.ILLEGAL
}

func (n *Notebook) parametersCell() int {
	for i := range n.Cells {
		if c := &n.Cells[i]; c.Type == Code && c.Tagged(TagParameters) {
			return i
		}
	}
	return -1
}

// Inject puts a cell behind the parameters cell that sets the named parameters,
// in the place of one that is there from an earlier run. A name that the
// parameters cell does not set is refused, and so is a value that does not suit
// the default: it is taken as text where the default is a string, as a number
// where that is a number, as such, with commas between, where that is a list of
// them, and as Go source otherwise.
func (n *Notebook) Inject(values map[string]string) error {
	if len(values) == 0 {
		return nil
	}
	at := n.parametersCell()
	if at < 0 {
		return errors.New("the notebook takes no parameters: no code cell has the tag \"parameters\"")
	}
	known, err := n.Parameters()
	if err != nil {
		return err
	}
	byName := map[string]Parameter{}
	names := make([]string, len(known))
	for i, p := range known {
		byName[p.Name], names[i] = p, p.Name
	}
	var b strings.Builder
	b.WriteString("// Parameters of this run")
	for _, name := range sortedKeys(values) {
		p, ok := byName[name]
		if !ok {
			sort.Strings(names)
			return fmt.Errorf("parameter %s: the notebook has no such parameter, but %s", name, strings.Join(names, ", "))
		}
		source, err := p.source(values[name])
		if err != nil {
			return fmt.Errorf("parameter %s: %w", name, err)
		}
		fmt.Fprintf(&b, "\n%s = %s", name, source)
	}
	injected := Cell{
		ID: "injected-parameters", Type: Code, Source: b.String(),
		Metadata: map[string]any{"tags": []any{TagInjected}},
	}
	kept := n.Cells[:0:0]
	for i := range n.Cells {
		if c := n.Cells[i]; !c.Tagged(TagInjected) {
			kept = append(kept, c)
		}
		if i == at {
			kept = append(kept, injected)
		}
	}
	n.Cells = kept
	return nil
}

// source is a value as Go source.
func (p Parameter) source(value string) (string, error) {
	mismatch := func(what string) error {
		return fmt.Errorf("%s expected (the default is %s), got %q", what, p.Default, value)
	}
	if p.list != "" && !strings.HasPrefix(strings.TrimSpace(value), "[]") {
		return p.listed(value)
	}
	switch p.kind {
	case token.STRING:
		return strconv.Quote(value), nil
	case token.INT:
		if _, err := strconv.ParseInt(value, 0, 64); err != nil {
			return "", mismatch("whole number")
		}
	case token.FLOAT:
		f, err := strconv.ParseFloat(value, 64)
		if err != nil || f != f || f-f != 0 { // neither NaN nor infinite
			return "", mismatch("number")
		}
	case token.IDENT:
		if value != "true" && value != "false" {
			return "", mismatch("true or false")
		}
	default:
		if _, err := parser.ParseExpr(value); err != nil {
			return "", mismatch("Go expression")
		}
	}
	return value, nil
}

// listed is a list in Go from its elements with commas between; an empty value is
// an empty list. Brackets around all are left out.
func (p Parameter) listed(value string) (string, error) {
	value = strings.TrimSpace(value)
	if inner, ok := strings.CutPrefix(value, "["); ok && strings.HasSuffix(inner, "]") {
		value = strings.TrimSpace(strings.TrimSuffix(inner, "]"))
	}
	var parts []string
	if value != "" {
		one := Parameter{Default: p.Default, kind: p.element}
		for part := range strings.SplitSeq(value, ",") {
			source, err := one.source(strings.TrimSpace(part))
			if err != nil {
				return "", err
			}
			parts = append(parts, source)
		}
	}
	return p.list + "{" + strings.Join(parts, ", ") + "}", nil
}
