package notebook

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"sapf/dsl/session/syntax"
	"strings"
)

// item is one declaration or statement at the top of a cell, with the comments
// that stand before it.
type item struct {
	text  string
	first token.Token // its first token
	name  bool        // of a func: it has a name or a receiver, so it is a declaration
}

// items parts a cell's source into what stands at its top.
func items(source string) []item {
	var found []item
	start := 0
	for _, it := range syntax.Split(source) {
		end := it.Next(source)
		text := strings.TrimSpace(source[start:end])
		found = append(found, item{strings.TrimSuffix(text, ";"), it.First, it.First == token.FUNC && it.Decl})
		start = end
	}
	if text := strings.TrimSpace(source[start:]); text != "" { // comments alone
		found = append(found, item{text: strings.TrimSuffix(text, ";")})
	}
	return found
}

// parseDecl parses a declaration of a file, and says which names in it are
// declared elsewhere.
func parseDecl(text string) (ast.Decl, map[string]bool, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+text, 0)
	if err != nil {
		return nil, nil, err
	}
	free := map[string]bool{}
	for _, id := range f.Unresolved {
		free[id.Name] = true
	}
	if len(f.Decls) != 1 {
		return nil, nil, fmt.Errorf("one declaration expected, got %d", len(f.Decls))
	}
	return f.Decls[0], free, nil
}

// parseStmt parses a statement, and says which names in it are read.
func parseStmt(text string) (ast.Stmt, map[string]bool, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc _() {\n"+text+"\n}", parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	body := f.Decls[0].(*ast.FuncDecl).Body.List
	if len(body) == 0 {
		return nil, map[string]bool{}, nil
	}
	read := map[string]bool{}
	ast.Inspect(body[0], func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			read[n.Name] = true
		case *ast.SelectorExpr:
			ast.Inspect(n.X, func(x ast.Node) bool {
				if id, ok := x.(*ast.Ident); ok {
					read[id.Name] = true
				}
				return true
			})
			return false
		case *ast.AssignStmt: // a name that is only assigned to is not read
			for _, x := range append(n.Rhs, n.Lhs...) {
				if _, plain := x.(*ast.Ident); plain && contains(n.Lhs, x) {
					continue
				}
				ast.Inspect(x, func(y ast.Node) bool {
					if id, ok := y.(*ast.Ident); ok {
						read[id.Name] = true
					}
					return true
				})
			}
			return false
		case *ast.ValueSpec: // nor is one that is declared
			for _, x := range n.Values {
				ast.Inspect(x, func(y ast.Node) bool {
					if id, ok := y.(*ast.Ident); ok {
						read[id.Name] = true
					}
					return true
				})
			}
			return false
		}
		return true
	})
	return body[0], read, nil
}

func contains(list []ast.Expr, x ast.Expr) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

// defined are the variables that a statement declares.
func defined(s ast.Stmt) []string {
	var names []string
	switch s := s.(type) {
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE {
			for _, x := range s.Lhs {
				if id, ok := x.(*ast.Ident); ok && id.Name != "_" {
					names = append(names, id.Name)
				}
			}
		}
	case *ast.DeclStmt:
		if d := s.Decl.(*ast.GenDecl); d.Tok == token.VAR {
			for _, spec := range d.Specs {
				for _, id := range spec.(*ast.ValueSpec).Names {
					if id.Name != "_" {
						names = append(names, id.Name)
					}
				}
			}
		}
	}
	return names
}
