package session

import (
	"go/ast"
	"go/token"
	"go/types"
)

// A variable that is redefined with the same type keeps its place, so its old
// value goes at once. One that changes its type leaves a place behind that
// nothing can name; what is in there is let go unless something may still
// reach it.

// pin notes the session's variables that closures and pointers of a chunk may
// hold on to.
func (s *Session) pin(c *checked) {
	pin := func(obj types.Object) {
		if v, ok := obj.(*types.Var); ok {
			s.pinned[v] = true
			for now, symbol := range s.symbols {
				if symbol == s.symbols[v] && symbol != "" {
					s.pinned[now] = true
				}
			}
		}
	}
	l := s.lowerer(c.info)
	for _, st := range c.stmts {
		ast.Inspect(st, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				ast.Inspect(n.Body, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok && s.symbols[c.info.Uses[id]] != "" {
						pin(c.info.Uses[id])
					}
					return true
				})
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					pin(l.root(n.X))
				}
			case *ast.SliceExpr:
				if _, array := l.typeOf(n.X).Underlying().(*types.Array); array {
					pin(l.root(n.X))
				}
			case *ast.SelectorExpr:
				if sel := c.info.Selections[n]; sel != nil && sel.Kind() == types.MethodVal && isPointer(sel.Obj().(*types.Func).Signature().Recv().Type()) {
					pin(l.root(n.X))
				}
			}
			return true
		})
	}
}

// release lowers the letting go of variables that the plan has replaced.
func (s *Session) release(l *lowerer, pl *plan) []ast.Stmt {
	var out []ast.Stmt
	used := map[types.Object]bool{}
	for _, d := range s.current(pl) {
		for _, obj := range d.names {
			used[obj] = true
		}
	}
	for _, v := range pl.freed {
		if s.pinned[v] || used[v] || s.symbols[v] == "" {
			continue
		}
		zero := s.fresh("zero")
		out = append(out, l.varOf(v.Pos(), zero, v.Type(), nil), assign(v.Pos(), ident(v.Pos(), s.symbols[v]), ident(v.Pos(), zero)))
	}
	return out
}
