package syntax

import (
	"go/ast"
	"go/printer"
	"go/token"
	"strings"
)

// Declares lists the package-level names of a declaration.
func Declares(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		var out []string
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				out = append(out, spec.Name.Name)
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					out = append(out, n.Name)
				}
			}
		}
		return out
	}
	return nil
}

// DefinedNames are the identifiers that a statement introduces where it
// stands.
func DefinedNames(st ast.Stmt) []*ast.Ident {
	var out []*ast.Ident
	switch st := st.(type) {
	case *ast.LabeledStmt:
		return DefinedNames(st.Stmt)
	case *ast.AssignStmt:
		if st.Tok == token.DEFINE {
			for _, l := range st.Lhs {
				if id, ok := l.(*ast.Ident); ok && id.Name != "_" {
					out = append(out, id)
				}
			}
		}
	case *ast.DeclStmt:
		for _, spec := range st.Decl.(*ast.GenDecl).Specs {
			if spec, ok := spec.(*ast.ValueSpec); ok {
				for _, id := range spec.Names {
					if id.Name != "_" {
						out = append(out, id)
					}
				}
			}
		}
	}
	return out
}

// mentions collects the names that occur freely in a declaration. The parser
// has resolved local names; the keys of structures are told from variables by
// the type of their literal.
func mentions(d ast.Node) map[string]bool {
	out := map[string]bool{}
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			ast.Inspect(n.X, visit)
			return false
		case *ast.CompositeLit:
			switch n.Type.(type) {
			case *ast.MapType, *ast.ArrayType, nil:
				return true
			}
			ast.Inspect(n.Type, visit)
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					e = kv.Value
				}
				ast.Inspect(e, visit)
			}
			return false
		case *ast.Ident:
			if n.Obj == nil || n.Obj.Pos() < d.Pos() || n.Obj.Pos() >= d.End() {
				out[n.Name] = true
			}
		}
		return true
	}
	ast.Inspect(d, visit)
	return out
}

// InFunction wraps statements so that the checker takes them as a body.
func InFunction(stmts []ast.Stmt) *ast.FuncDecl {
	pos, end := stmts[0].Pos(), stmts[len(stmts)-1].End()
	return &ast.FuncDecl{
		Name: &ast.Ident{Name: "_", NamePos: pos},
		Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{Opening: pos, Closing: pos}},
		Body: &ast.BlockStmt{Lbrace: pos, List: stmts, Rbrace: end},
	}
}

// ReceiverBase is the name of the type that a method belongs to.
func ReceiverBase(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return ""
	}
	t := fn.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.ParenExpr:
			t = x.X
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// asDeclaration is a statement that declares variables as a file would have
// it, or nil.
func asDeclaration(st ast.Stmt) *ast.GenDecl {
	switch st := st.(type) {
	case *ast.DeclStmt:
		if d := st.Decl.(*ast.GenDecl); d.Tok == token.VAR {
			return d
		}
	case *ast.AssignStmt:
		if st.Tok != token.DEFINE {
			return nil
		}
		spec := &ast.ValueSpec{Values: st.Rhs}
		for _, l := range st.Lhs {
			id, ok := l.(*ast.Ident)
			if !ok {
				return nil
			}
			spec.Names = append(spec.Names, id)
		}
		return &ast.GenDecl{TokPos: st.Pos(), Tok: token.VAR, Specs: []ast.Spec{spec}}
	}
	return nil
}

func NodeText(n ast.Node) string {
	var b strings.Builder
	printer.Fprint(&b, token.NewFileSet(), n)
	return b.String()
}
