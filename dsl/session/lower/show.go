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
func (l *lowerer) lastExpression(st ast.Stmt, quiet bool) []ast.Stmt {
	x := st.(*ast.ExprStmt).X
	if c, ok := x.(*ast.CallExpr); ok && quiet {
		if id, ok := c.Fun.(*ast.Ident); ok && id.Name == universe.ShowName {
			return []ast.Stmt{assign(x.Pos(), ident(x.Pos(), "_"), l.assignable(c.Args[0], emptyInterfaceType))}
		}
		return l.stmts([]ast.Stmt{st})
	}
	if at := risky(st); at.IsValid() {
		return append([]ast.Stmt{assign(at, ident(at, l.fn.mark), l.int(at, int(at)))}, l.valueOf(st, x)...)
	}
	return l.valueOf(st, x)
}

func (l *lowerer) valueOf(st ast.Stmt, x ast.Expr) []ast.Stmt {
	if c, ok := x.(*ast.CallExpr); ok {
		if id, ok := c.Fun.(*ast.Ident); ok && id.Name == universe.ShowName {
			return l.show(c.Args[0])
		}
	}
	tv := l.info.Types[x]
	if tv.IsVoid() || l.silent(x) {
		return l.stmts([]ast.Stmt{st})
	}
	return l.show(x)
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
func (l *lowerer) show(x ast.Expr) []ast.Stmt {
	pos := x.Pos()
	t := l.typeOf(x)
	tuple, many := t.(*types.Tuple)
	if !many {
		name := l.s.Fresh("shown")
		t = types.Default(t)
		if universe.IsNil(t) {
			return []ast.Stmt{&ast.ExprStmt{X: l.runtimeCall(pos, "Show", ident(pos, "nil"))}}
		}
		spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, name)}, Type: l.typeExprOrNil(pos, t), Values: []ast.Expr{l.expr(x)}}
		return []ast.Stmt{
			&ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}}},
			l.showVar(pos, name, t),
		}
	}
	def := &ast.AssignStmt{TokPos: pos, Tok: token.DEFINE, Rhs: []ast.Expr{l.expr(x)}}
	out := []ast.Stmt{def}
	for i := range tuple.Len() {
		name := l.s.Fresh("shown")
		def.Lhs = append(def.Lhs, ident(pos, name))
		out = append(out, l.showVar(pos, name, tuple.At(i).Type()))
	}
	return out
}

// typeExprOrNil leaves a type out that can't be written, where the value says
// it all.
func (l *lowerer) typeExprOrNil(pos token.Pos, t types.Type) (e ast.Expr) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(refuse); !ok {
				panic(r)
			}
			e = nil
		}
	}()
	return l.typeExpr(pos, t)
}

// showVar passes a variable to the machine.
func (l *lowerer) showVar(pos token.Pos, name string, t types.Type) ast.Stmt {
	return &ast.ExprStmt{X: l.runtimeCall(pos, "Show", l.convert(pos, ident(pos, name), t, emptyInterfaceType))}
}

func (l *lowerer) constantString(pos token.Pos, s string) ast.Expr {
	return &ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: `"` + s + `"`}
}
