package lower

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/core"
	"sapf/dsl/session/universe"
)

// lastExpression lowers the last statement of a cell, an expression, so that
// its value is shown.
func (l *lowerer) lastExpression(st ast.Stmt, quiet bool) {
	x := st.(*ast.ExprStmt).X
	if quiet {
		if c, ok := x.(*ast.CallExpr); ok {
			if id, ok := c.Fun.(*ast.Ident); ok && id.Name == universe.ShowName {
				l.mark(l.Risky(st))
				l.discard(c.Args[0])
				return
			}
			l.stmts([]ast.Stmt{st})
			return
		}
	}
	l.mark(l.Risky(st))
	if c, ok := x.(*ast.CallExpr); ok {
		if id, ok := c.Fun.(*ast.Ident); ok && id.Name == universe.ShowName {
			l.show(c.Args[0])
			return
		}
	}
	if tv := l.Info.Types[x]; tv.IsVoid() || l.Silent(x) {
		l.stmt(st, "")
		return
	}
	l.show(x)
}

// show lowers the showing of an expression, which may have several values.
func (l *lowerer) show(x ast.Expr) {
	pos := x.Pos()
	t := l.TypeOf(x)
	if tuple, many := t.(*types.Tuple); many {
		for i, v := range l.callResults(ast.Unparen(x).(*ast.CallExpr)) {
			l.showVar(pos, v, tuple.At(i).Type())
		}
		return
	}
	if universe.IsNil(t) {
		l.Emit(&ast.ExprStmt{X: l.RuntimeCall(pos, "Show", l.ZeroOf(pos, core.EmptyInterfaceType))})
		return
	}
	l.showVar(pos, l.operand(x), types.Default(t))
}

// showVar passes an operand to the machine.
func (l *lowerer) showVar(pos token.Pos, x ast.Expr, t types.Type) {
	shown := l.Hold(pos, l.Convert(pos, x, t, core.EmptyInterfaceType), core.EmptyInterfaceType)
	l.Emit(&ast.ExprStmt{X: l.RuntimeCall(pos, "Show", shown)})
}
