package lower

import (
	"go/ast"
	"go/token"

	"sapf/dsl/session/machine"
)

// yaegi evaluates what is deferred late, lets go of the rest when a deferred
// call panics, and hangs when one runs a closure of the function that ends. So
// a function that defers keeps its calls in a list of our own, and its body
// becomes a closure that runs under the eyes of that list:
//
//	func f() (n int) {
//		d := runtime.Defers()
//		d.Guard(func() {
//			d.Push("", func() { n++ }) // defer func() { n++ }()
//			n = 1                      // return 1
//			return
//		})
//		return n
//	}

// hasDefer reports whether the function with that body defers a call.
func hasDefer(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.DeferStmt:
			found = true
		}
		return !found
	})
	return found
}

// guarded runs a body with a list of deferred calls.
func (l *lowerer) guarded(pos token.Pos, defers string, body *ast.BlockStmt) []ast.Stmt {
	lit := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{Opening: pos, Closing: pos}}, Body: body}
	return []ast.Stmt{
		define(pos, defers, l.runtimeCall(pos, "Defers")),
		&ast.ExprStmt{X: call(pos, sel(ident(pos, defers), "Guard"), lit)},
	}
}

// deferStmt adds a call to the list.
func (l *lowerer) deferStmt(st *ast.DeferStmt) {
	name := ""
	fun := ast.Unparen(st.Call.Fun)
	if _, ok := fun.(*ast.FuncLit); ok {
		name = machine.DeferredLiteral
		l.nextEnder = l.fn.defers
	} else if l.compiledCallee(fun) != nil {
		name = machine.DeferredCompiled
	}
	if l.isBuiltin(fun) && builtinName(fun) == "recover" {
		l.deferRecover(st.Pos())
		return
	}
	l.later(st.Call, func(body *ast.FuncLit) {
		pos := st.Pos()
		l.emit(&ast.ExprStmt{X: call(pos, sel(ident(pos, l.fn.defers), "Push"), quoted(pos, name), body)})
	})
}

// deferRecover lowers defer recover(): it stops a panic that the function at hand
// was deferred for, but none that has the function end.
func (l *lowerer) deferRecover(pos token.Pos) {
	if l.fn.ender == "" {
		return
	}
	body := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}}, Body: l.bodyOf(pos, func() {
		l.emit(&ast.ExprStmt{X: call(pos, sel(ident(pos, l.fn.ender), "RecoverFor"), ident(pos, l.fn.defers))})
	})}
	l.emit(&ast.ExprStmt{X: call(pos, sel(ident(pos, l.fn.defers), "Push"), quoted(pos, ""), body)})
}

// recoverCall lowers recover. Only the function that was deferred itself may
// stop a panic: a literal knows whose end it is, others are told by the machine.
func (l *lowerer) recoverCall(pos token.Pos) ast.Expr {
	if l.fn.ender != "" && l.fn.depth == 0 {
		return l.temp(pos, emptyInterfaceType, call(pos, sel(ident(pos, l.fn.ender), "Recover")))
	}
	return l.temp(pos, emptyInterfaceType, l.runtimeCall(pos, "Recover"))
}

// callsRecover reports whether a function's body calls recover.
func callsRecover(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			id, ok := ast.Unparen(n.Fun).(*ast.Ident)
			found = found || ok && id.Name == "recover"
		}
		return !found
	})
	return found
}

// noteRecover keeps that a function calls recover.
func (s *Lowering) noteRecover(sym string, fn *ast.FuncDecl) {
	if fn.Body != nil && callsRecover(fn.Body) {
		s.recovers[sym] = true
		s.Out.undo = append(s.Out.undo, func() { delete(s.recovers, sym) })
	}
}
