package lower

import (
	"go/ast"
	"go/token"

	"sapf/dsl/session/machine"
	"sapf/dsl/session/universe"
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
	switch fun := ast.Unparen(st.Call.Fun).(type) {
	case *ast.FuncLit:
		name = machine.DeferredLiteral
		l.nextEnder = l.fn.defers
	case *ast.Ident:
		if l.static(fun) {
			name = fun.Name
		}
	case *ast.SelectorExpr:
		name = l.methodName(fun)
	}
	l.later(st.Call, func(body *ast.FuncLit) {
		pos := st.Pos()
		l.emit(&ast.ExprStmt{X: call(pos, sel(ident(pos, l.fn.defers), "Push"), quoted(pos, name), body)})
	})
}

// methodName is what emitFunc calls a method of a cell's type, or "".
func (l *lowerer) methodName(e *ast.SelectorExpr) string {
	s, ok := l.info.Selections[e]
	if !ok {
		return ""
	}
	have := s.Recv()
	for _, i := range s.Index()[:len(s.Index())-1] {
		have = universe.StructOf(have).Field(i).Type()
	}
	if fn, named := l.userMethod(s, have); fn != nil {
		return plainName(instanceName(named.Obj().Name(), universe.TypeList(named.TypeArgs())) + "." + fn.Name())
	}
	return ""
}

// recoverCall lowers recover. Only the function that was deferred itself may
// stop a panic: a literal knows whose end it is, others say who they are.
func (l *lowerer) recoverCall(pos token.Pos) ast.Expr {
	if l.fn.ender != "" && l.fn.depth == 0 {
		return l.temp(pos, emptyInterfaceType, call(pos, sel(ident(pos, l.fn.ender), "Recover")))
	}
	return l.temp(pos, emptyInterfaceType, l.runtimeCall(pos, "Recover", quoted(pos, l.fn.name)))
}
