package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"sapf/dsl/session/syntax"
	"sapf/dsl/session/universe"
)

// lastExpression lowers the last statement of a cell, an expression, so that
// its value is shown.
func (l *lowerer) lastExpression(st ast.Stmt, quiet bool) {
	x := st.(*ast.ExprStmt).X
	if quiet {
		if c, ok := x.(*ast.CallExpr); ok {
			if id, ok := c.Fun.(*ast.Ident); ok && id.Name == universe.ShowName {
				l.mark(l.risky(st))
				l.discard(c.Args[0])
				return
			}
			l.stmts([]ast.Stmt{st})
			return
		}
	}
	l.mark(l.risky(st))
	if c, ok := x.(*ast.CallExpr); ok {
		if id, ok := c.Fun.(*ast.Ident); ok && id.Name == universe.ShowName {
			l.show(c.Args[0])
			return
		}
	}
	if tv := l.info.Types[x]; tv.IsVoid() || l.silent(x) {
		l.stmt(st, "")
		return
	}
	l.show(x)
}

// silent reports calls whose results nobody wants to see: fmt.Print and its
// like, and verbs that return a handle to what they have shown.
func (l *lowerer) silent(x ast.Expr) bool {
	c, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return false
	}
	if n, ok := universe.NamedBehind(l.typeOf(c)); ok && n.Obj().Name() == "Handle" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == syntax.DSLPath {
		return true
	}
	s, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	obj := l.info.Uses[s.Sel]
	return obj != nil && obj.Pkg() != nil && obj.Pkg().Path() == "fmt" && (strings.HasPrefix(obj.Name(), "Print") || strings.HasPrefix(obj.Name(), "Fprint"))
}

// show lowers the showing of an expression, which may have several values.
func (l *lowerer) show(x ast.Expr) {
	pos := x.Pos()
	t := l.typeOf(x)
	if tuple, many := t.(*types.Tuple); many {
		for i, v := range l.callResults(ast.Unparen(x).(*ast.CallExpr)) {
			l.showVar(pos, v, tuple.At(i).Type())
		}
		return
	}
	if universe.IsNil(t) {
		l.emit(&ast.ExprStmt{X: l.runtimeCall(pos, "Show", l.zeroOf(pos, emptyInterfaceType))})
		return
	}
	l.showVar(pos, l.operand(x), types.Default(t))
}

// showVar passes an operand to the machine.
func (l *lowerer) showVar(pos token.Pos, x ast.Expr, t types.Type) {
	shown := l.hold(pos, l.convert(pos, x, t, emptyInterfaceType), emptyInterfaceType)
	l.emit(&ast.ExprStmt{X: l.runtimeCall(pos, "Show", shown)})
}
