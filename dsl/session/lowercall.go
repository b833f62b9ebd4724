package session

import (
	"go/ast"
	"go/token"
	"go/types"
)

// call lowers a call: a conversion, a builtin, a method, a function.
func (l *lowerer) call(e *ast.CallExpr) ast.Expr {
	pos := e.Pos()
	fun := ast.Unparen(e.Fun)
	tv := l.info.Types[e.Fun]
	switch {
	case tv.IsType():
		return l.conversion(e, tv.Type)
	case tv.IsBuiltin():
		return l.builtin(e, builtinName(fun))
	}
	sig := tv.Type.Underlying().(*types.Signature)
	out := &ast.CallExpr{Lparen: e.Lparen, Ellipsis: e.Ellipsis, Rparen: e.Rparen}
	out.Args = l.args(e, sig)
	if s, ok := fun.(*ast.SelectorExpr); ok {
		if method, ok := l.info.Selections[s]; ok && method.Kind() == types.MethodVal {
			recv, have := l.receiver(s, method)
			if w := l.standardStream(s.X); w != nil && streamMethods[s.Sel.Name] {
				recv = w
			}
			if fn, named := l.userMethod(method, have); fn != nil {
				out.Fun = ident(s.Sel.Pos(), l.s.methodSymbol(l, pos, fn, named))
				out.Args = append([]ast.Expr{l.adjust(recv, have, fn)}, out.Args...)
				return l.spread(e, out)
			}
			out.Fun = sel(recv, s.Sel.Name)
			return l.replaced(e, out, method.Obj(), recv, have)
		}
		if obj, ok := l.info.Uses[s.Sel].(*types.Func); ok {
			out.Fun = l.expr(fun)
			return l.replaced(e, out, obj, nil, nil)
		}
	}
	out.Fun = l.expr(e.Fun)
	return out
}

// spread keeps f(g()) legal when a receiver came in front: yaegi spreads
// several values only where they are the only argument.
func (l *lowerer) spread(e *ast.CallExpr, out *ast.CallExpr) ast.Expr {
	if len(e.Args) != 1 {
		return out
	}
	t, ok := l.typeOf(e.Args[0]).(*types.Tuple)
	if !ok || t.Len() < 2 {
		return out
	}
	l.refuse(e.Pos(), "a method can't take the several values of another call: assign them to variables first")
	return nil
}

// args lowers arguments with the parameters they are for.
func (l *lowerer) args(e *ast.CallExpr, sig *types.Signature) []ast.Expr {
	out := make([]ast.Expr, len(e.Args))
	n := sig.Params().Len()
	for i, a := range e.Args {
		var to types.Type
		switch {
		case sig.Variadic() && i >= n-1:
			to = sig.Params().At(n - 1).Type()
			if s, ok := to.Underlying().(*types.Slice); ok && !e.Ellipsis.IsValid() {
				to = s.Elem()
			}
		case i < n:
			to = sig.Params().At(i).Type()
		}
		out[i] = l.assignable(a, to)
	}
	return out
}

// streamMethods are what the session's own streams can do as *os.File can.
var streamMethods = map[string]bool{"Write": true, "WriteString": true, "Sync": true}

// replaced swaps some compiled functions for ones that a cell needs: sleeping
// and locking that the interrupt ends, errors.As for interpreted types.
func (l *lowerer) replaced(e *ast.CallExpr, out *ast.CallExpr, obj types.Object, recv ast.Expr, have types.Type) ast.Expr {
	if obj.Pkg() == nil {
		return out
	}
	pos := e.Pos()
	name := obj.Pkg().Path() + "." + obj.Name()
	if recv != nil {
		if n, ok := types.Unalias(deref(have)).(*types.Named); ok {
			name = obj.Pkg().Path() + "." + n.Obj().Name() + "." + obj.Name()
			if !isPointer(have) && !types.IsInterface(have) {
				recv = &ast.UnaryExpr{OpPos: pos, Op: token.AND, X: recv}
			}
		}
	}
	switch name {
	case "time.Sleep":
		return l.runtimeCall(pos, "Sleep", out.Args...)
	case "sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock", "sync.WaitGroup.Wait":
		return l.runtimeCall(pos, obj.Name(), recv)
	case "sync.WaitGroup.Go":
		return l.runtimeCall(pos, "GroupGo", recv, out.Args[0])
	case "os.Exit":
		return l.runtimeCall(pos, "Exit", out.Args...)
	case "errors.As":
		return l.errorsAs(e, out)
	}
	return out
}

// errorsAs is errors.As for a target of an interpreted type, which the
// compiled one can't see: it walks the chain here.
func (l *lowerer) errorsAs(e *ast.CallExpr, out *ast.CallExpr) ast.Expr {
	pos := e.Pos()
	p, ok := l.typeOf(e.Args[1]).Underlying().(*types.Pointer)
	if !ok || !l.s.interpreted(deref(p.Elem())) {
		return out
	}
	t := l.typeExpr(pos, p.Elem())
	// func(err error, to *T) bool { return rt.As(err, func(e error) bool { t, ok := e.(T); if ok { *to = t }; return ok }) }(err, target)
	errType := ident(pos, "error")
	param := func(name string, t ast.Expr) *ast.Field {
		return &ast.Field{Names: []*ast.Ident{ident(pos, name)}, Type: t}
	}
	boolResult := &ast.FieldList{List: []*ast.Field{{Type: ident(pos, "bool")}}}
	match := &ast.FuncLit{
		Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{List: []*ast.Field{param("#e", errType)}}, Results: boolResult},
		Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{
			&ast.AssignStmt{TokPos: pos, Tok: token.DEFINE, Lhs: []ast.Expr{ident(pos, "#t"), ident(pos, "#ok")}, Rhs: []ast.Expr{&ast.TypeAssertExpr{X: ident(pos, "#e"), Type: t}}},
			&ast.IfStmt{If: pos, Cond: ident(pos, "#ok"), Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{
				&ast.AssignStmt{TokPos: pos, Tok: token.ASSIGN, Lhs: []ast.Expr{&ast.StarExpr{Star: pos, X: ident(pos, "#to")}}, Rhs: []ast.Expr{ident(pos, "#t")}}}}},
			&ast.ReturnStmt{Return: pos, Results: []ast.Expr{ident(pos, "#ok")}},
		}},
	}
	walk := &ast.FuncLit{
		Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{List: []*ast.Field{param("#err", errType), param("#to", &ast.StarExpr{Star: pos, X: t})}}, Results: boolResult},
		Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{
			&ast.ReturnStmt{Return: pos, Results: []ast.Expr{l.runtimeCall(pos, "As", ident(pos, "#err"), match)}}}},
	}
	return call(pos, walk, out.Args...)
}

func (l *lowerer) conversion(e *ast.CallExpr, t types.Type) ast.Expr {
	pos := e.Pos()
	return call(pos, &ast.ParenExpr{Lparen: pos, X: l.typeExpr(pos, t), Rparen: pos}, l.assignable(e.Args[0], t))
}

func builtinName(fun ast.Expr) string {
	if id, ok := fun.(*ast.Ident); ok {
		return id.Name
	}
	return fun.(*ast.SelectorExpr).Sel.Name // unsafe.Sizeof and the like
}

// builtin lowers a call of a predeclared function.
func (l *lowerer) builtin(e *ast.CallExpr, name string) ast.Expr {
	pos := e.Pos()
	result := l.typeOf(e)
	switch name {
	case "min", "max":
		return l.extremum(e, name, result)
	case "clear":
		return l.runtimeCall(pos, "Clear", l.expr(e.Args[0]))
	case "print", "println":
		return l.runtimeCall(pos, map[string]string{"print": "Print", "println": "Println"}[name], l.exprs(e.Args)...)
	case "panic":
		return l.runtimeCall(pos, "Panic", l.expr(e.Args[0]))
	case "recover":
		return l.runtimeCall(pos, "Recover", call(pos, ident(pos, "recover")))
	case "make":
		args := append([]ast.Expr{l.typeExpr(pos, l.typeOf(e.Args[0]))}, l.exprs(e.Args[1:])...)
		return call(pos, ident(pos, name), args...)
	case "new":
		if l.info.Types[e.Args[0]].IsType() {
			return call(pos, ident(pos, name), l.typeExpr(pos, l.typeOf(e.Args[0])))
		}
		// new(x) of Go 1.26: func(v T) *T { return &v }(x)
		elem := deref(result)
		lit := &ast.FuncLit{
			Type: &ast.FuncType{Func: pos,
				Params:  &ast.FieldList{List: []*ast.Field{{Names: []*ast.Ident{ident(pos, "#v")}, Type: l.typeExpr(pos, elem)}}},
				Results: &ast.FieldList{List: []*ast.Field{{Type: l.typeExpr(pos, result)}}}},
			Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{
				&ast.ReturnStmt{Return: pos, Results: []ast.Expr{&ast.UnaryExpr{OpPos: pos, Op: token.AND, X: ident(pos, "#v")}}}}},
		}
		return call(pos, lit, l.expr(e.Args[0]))
	case "append":
		out := call(pos, ident(pos, name), l.expr(e.Args[0]))
		elem := result.Underlying().(*types.Slice).Elem()
		for _, a := range e.Args[1:] {
			out.Args = append(out.Args, l.assignable(a, elem))
		}
		if out.Ellipsis = e.Ellipsis; e.Ellipsis.IsValid() && isString(l.typeOf(e.Args[1])) {
			bytes := &ast.ArrayType{Lbrack: pos, Elt: ident(pos, "byte")}
			out.Args[1] = call(pos, &ast.ParenExpr{Lparen: pos, X: bytes}, out.Args[1])
		}
		return out
	case "len", "cap", "copy", "delete", "close", "complex", "real", "imag":
		return call(pos, ident(pos, name), l.exprs(e.Args)...)
	}
	l.refuse(pos, "%s can't be used in a cell", name)
	return nil
}

func isString(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

// extremum lowers min and max to the compiled ones of the basic type.
func (l *lowerer) extremum(e *ast.CallExpr, name string, t types.Type) ast.Expr {
	pos := e.Pos()
	basic := t.Underlying().(*types.Basic)
	fun := map[string]string{"min": "Min", "max": "Max"}[name] + "_" + basic.Name()
	out := l.runtimeCall(pos, fun)
	named := !types.Identical(t, basic)
	for _, a := range e.Args {
		x := l.expr(a)
		if named {
			x = call(pos, ident(pos, basic.Name()), x)
		}
		out.Args = append(out.Args, x)
	}
	if named {
		return call(pos, &ast.ParenExpr{Lparen: pos, X: l.typeExpr(pos, t)}, out)
	}
	return out
}
