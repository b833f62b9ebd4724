package notebook

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// item is one declaration or statement at the top of a cell, with the comments
// that stand before it.
type item struct {
	text  string
	first token.Token // its first token
	name  bool        // of a func: it has a name or a receiver, so it is a declaration
}

// items parts a cell's source at the semicolons outside all brackets, which
// parser.ParseFile can't do: a cell mixes what a file and what a function holds.
func items(source string) ([]item, error) {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(source))
	var s scanner.Scanner
	var problem error
	s.Init(file, []byte(source), func(pos token.Position, msg string) {
		if problem == nil {
			problem = fmt.Errorf("line %d: %s", pos.Line, msg)
		}
	}, scanner.ScanComments)
	var found []item
	var it item
	start, depth, tokens := 0, 0, 0
	flush := func(end int) {
		if tokens > 0 || strings.TrimSpace(source[start:end]) != "" {
			it.text = strings.TrimSpace(source[start:end])
			found = append(found, it)
		}
		it, tokens, start = item{}, 0, end
	}
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			break
		}
		at := file.Offset(pos)
		switch tok {
		case token.COMMENT:
			continue
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		case token.SEMICOLON:
			if depth == 0 && tokens > 0 {
				end := at
				if text == ";" {
					end++
				} else if i := strings.IndexByte(source[at:], '\n'); i >= 0 {
					end = at + i // a comment behind it belongs to it
				} else {
					end = len(source)
				}
				flush(end)
				it.text = ""
			}
			continue
		}
		switch tokens++; {
		case tokens == 1:
			it.first = tok
		case tokens == 2 && it.first == token.FUNC:
			it.name = tok == token.IDENT
		case it.first == token.FUNC && depth == 0 && tok == token.IDENT && tokens > 2 && !it.name:
			// func (receiver) Name: an identifier right behind the first brackets.
			it.name = strings.HasSuffix(strings.TrimSpace(source[:at]), ")")
		}
	}
	flush(len(source))
	if problem != nil {
		return nil, problem
	}
	for i := range found {
		found[i].text = strings.TrimSuffix(strings.TrimSpace(found[i].text), ";")
	}
	return found, nil
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
