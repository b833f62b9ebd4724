package lower

import (
	"go/ast"
	"go/token"

	"sapf/dsl/session/core"
	"sapf/dsl/session/facts"
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

// guarded runs a body with a list of deferred calls.
func (l *lowerer) guarded(pos token.Pos, defers string, body *ast.BlockStmt) []ast.Stmt {
	lit := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{Opening: pos, Closing: pos}}, Body: body}
	return []ast.Stmt{
		core.Define(pos, defers, l.RuntimeCall(pos, "Defers")),
		&ast.ExprStmt{X: core.Call(pos, core.Sel(core.Ident(pos, defers), "Guard"), lit)},
	}
}

// deferStmt adds a call to the list.
func (l *lowerer) deferStmt(st *ast.DeferStmt) {
	name := ""
	fun := ast.Unparen(st.Call.Fun)
	if _, ok := fun.(*ast.FuncLit); ok {
		name = machine.DeferredLiteral
		l.nextEnder = l.fn.defers
	} else if l.CompiledCallee(fun) != nil {
		name = machine.DeferredCompiled
	}
	if l.IsBuiltin(fun) && facts.BuiltinName(fun) == "recover" {
		l.deferRecover(st.Pos())
		return
	}
	l.later(st.Call, func(body *ast.FuncLit) {
		pos := st.Pos()
		l.Emit(&ast.ExprStmt{X: core.Call(pos, core.Sel(core.Ident(pos, l.fn.defers), "Push"), core.Quoted(pos, name), body)})
	})
}

// deferRecover lowers defer recover(): it stops a panic that the function at hand
// was deferred for, but none that has the function end.
func (l *lowerer) deferRecover(pos token.Pos) {
	if l.fn.ender == "" {
		return
	}
	body := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}}, Body: l.bodyOf(pos, func() {
		l.Emit(&ast.ExprStmt{X: core.Call(pos, core.Sel(core.Ident(pos, l.fn.ender), "RecoverFor"), core.Ident(pos, l.fn.defers))})
	})}
	l.Emit(&ast.ExprStmt{X: core.Call(pos, core.Sel(core.Ident(pos, l.fn.defers), "Push"), core.Quoted(pos, ""), body)})
}

// recoverCall lowers recover. Only the function that was deferred itself may
// stop a panic: a literal knows whose end it is, others are told by the machine.
func (l *lowerer) recoverCall(pos token.Pos) ast.Expr {
	if l.fn.ender != "" && l.fn.depth == 0 {
		return l.Temp(pos, core.EmptyInterfaceType, core.Call(pos, core.Sel(core.Ident(pos, l.fn.ender), "Recover")))
	}
	return l.Temp(pos, core.EmptyInterfaceType, l.RuntimeCall(pos, "Recover"))
}

// noteRecover keeps that a function calls recover.
func (s *Lowering) noteRecover(sym string, fn *ast.FuncDecl) {
	if fn.Body != nil && facts.CallsRecover(fn.Body) {
		s.recovers[sym] = true
		s.Out.Undo = append(s.Out.Undo, func() { delete(s.recovers, sym) })
	}
}
