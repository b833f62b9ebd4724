package lower

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/core"
	"sapf/dsl/session/plan"
	"sapf/dsl/session/universe"
)

// A variable that is redefined with the same type keeps its place, so its old
// value goes at once. One that changes its type leaves a place behind that
// nothing can name; what is in there is let go unless something may still
// reach it.

// pin notes the session's variables that closures and pointers of a chunk may
// hold on to.
func (s *Lowering) pin(c *universe.Checked) {
	pin := func(obj types.Object) {
		if v, ok := obj.(*types.Var); ok {
			s.pinned[v] = true
			for now, symbol := range s.Symbols {
				if symbol == s.Symbols[v] && symbol != "" {
					s.pinned[now] = true
				}
			}
		}
	}
	l := s.lowerer(c.Info)
	for _, st := range c.Stmts {
		ast.Inspect(st, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				ast.Inspect(n.Body, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok && s.Symbols[c.Info.Uses[id]] != "" {
						pin(c.Info.Uses[id])
					}
					return true
				})
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					pin(l.Root(n.X))
				}
			case *ast.SliceExpr:
				if _, array := l.TypeOf(n.X).Underlying().(*types.Array); array {
					pin(l.Root(n.X))
				}
			case *ast.SelectorExpr:
				if sel := c.Info.Selections[n]; sel != nil && sel.Kind() == types.MethodVal && universe.IsPointer(sel.Obj().(*types.Func).Signature().Recv().Type()) {
					pin(l.Root(n.X))
				}
			}
			return true
		})
	}
}

// release lowers the letting go of variables that the plan has replaced.
func (s *Lowering) release(l *lowerer, pl *plan.Plan) {
	for _, v := range pl.Freed {
		if s.pinned[v] || s.Symbols[v] == "" {
			continue
		}
		l.Emit(core.Assign(v.Pos(), core.Ident(v.Pos(), s.Symbols[v]), l.ZeroOf(v.Pos(), v.Type())))
	}
}
