package lower

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"

	"sapf/dsl/session/universe"
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
		var result *types.Tuple
		if t := l.info.Types[e]; t.IsValue() {
			result = types.NewTuple(types.NewParam(pos, nil, "", t.Type))
		}
		if spread := l.spreadCall(e, result); spread != nil {
			return spread
		}
		return l.builtin(e, builtinName(fun))
	}
	sig := tv.Type.Underlying().(*types.Signature)
	out := &ast.CallExpr{Lparen: e.Lparen, Ellipsis: e.Ellipsis, Rparen: e.Rparen}
	if spread := l.spreadCall(e, sig.Results()); spread != nil {
		return spread
	}
	out.Args = l.args(e, sig, l.compiledCallee(fun))
	if s, ok := fun.(*ast.SelectorExpr); ok {
		if method, ok := l.info.Selections[s]; ok && method.Kind() == types.MethodVal {
			recv, have := l.receiver(s, method)
			if w := l.standardStream(s.X); w != nil && streamMethods[s.Sel.Name] {
				recv = w
			}
			if fn, named := l.userMethod(method, have); fn != nil {
				out.Fun = ident(s.Sel.Pos(), l.s.methodSymbol(l, pos, fn, named))
				out.Args = append([]ast.Expr{l.adjust(recv, have, fn)}, out.Args...)
				return out
			}
			if l.opaque(have) {
				out.Fun = l.method(pos, recv, method.Obj().(*types.Func))
				return out
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

// spreadCall lowers f(g()) where g has several values: they become parameters
// of a function around the call, which converts each to what f wants. results
// are those of f.
func (l *lowerer) spreadCall(e *ast.CallExpr, results *types.Tuple) ast.Expr {
	if len(e.Args) != 1 {
		return nil
	}
	tuple, ok := l.typeOf(e.Args[0]).(*types.Tuple)
	if !ok || tuple.Len() < 2 {
		return nil
	}
	pos := e.Pos()
	flat := &ast.CallExpr{Fun: e.Fun, Lparen: e.Lparen, Rparen: e.Rparen}
	for i := range tuple.Len() {
		id := ident(pos, "v")
		obj := types.NewVar(pos, nil, "v"+strconv.Itoa(i), tuple.At(i).Type())
		l.info.Uses[id] = obj
		l.info.Types[id] = types.TypeAndValue{Type: tuple.At(i).Type()}
		l.names[obj] = "#a" + strconv.Itoa(i)
		flat.Args = append(flat.Args, id)
	}
	lit := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: l.tuple(pos, tuple, false, "#a"), Results: l.tuple(pos, results, false, "")}}
	l.info.Types[flat] = l.info.Types[e]
	var st ast.Stmt = &ast.ExprStmt{X: l.call(flat)}
	if results.Len() > 0 {
		st = &ast.ReturnStmt{Return: pos, Results: []ast.Expr{st.(*ast.ExprStmt).X}}
	}
	lit.Body = &ast.BlockStmt{Lbrace: pos, List: []ast.Stmt{st}, Rbrace: pos}
	return call(pos, lit, l.expr(e.Args[0]))
}

// compiledCallee is the compiled function or method that fun names, or nil.
func (l *lowerer) compiledCallee(fun ast.Expr) *types.Func {
	var id *ast.Ident
	switch fun := fun.(type) {
	case *ast.Ident:
		id = fun
	case *ast.SelectorExpr:
		id = fun.Sel
	default:
		return nil
	}
	fn, ok := l.info.Uses[id].(*types.Func)
	if !ok || fn.Pkg() == nil || l.s.universe.Decls[fn.Origin()] != nil || l.s.universe.Pkgs[fn.Pkg().Path()] != fn.Pkg() {
		return nil
	}
	return fn
}

// args lowers arguments with the parameters they are for. compiled is the
// compiled function they go to, or nil.
func (l *lowerer) args(e *ast.CallExpr, sig *types.Signature, compiled *types.Func) []ast.Expr {
	out := make([]ast.Expr, len(e.Args))
	n := sig.Params().Len()
	for i, a := range e.Args {
		var to types.Type
		whole := false
		switch {
		case sig.Variadic() && i >= n-1:
			to = sig.Params().At(n - 1).Type()
			if s, ok := to.Underlying().(*types.Slice); ok && !e.Ellipsis.IsValid() {
				to = s.Elem()
			} else if ok {
				whole = universe.IsAny(s.Elem())
			}
		case i < n:
			to = sig.Params().At(i).Type()
		}
		switch {
		case compiled != nil && whole && formatted[compiled.Pkg().Path()]:
			out[i] = l.runtimeCall(a.Pos(), "FormattedAll", l.expr(a))
		case compiled != nil && to != nil && universe.IsAny(to):
			out[i] = l.anyArgument(a, compiled.Pkg().Path())
		default:
			out[i] = l.assignable(a, to)
		}
	}
	if compiled != nil && sig.Variadic() && n >= 2 && !e.Ellipsis.IsValid() && formatted[compiled.Pkg().Path()] && len(e.Args) >= n-1 {
		if tv := l.info.Types[e.Args[n-2]]; tv.Value != nil && tv.Value.Kind() == constant.String {
			if format, changed := l.typeNames(constant.StringVal(tv.Value), out[n-1:]); changed {
				out[n-2] = quoted(e.Args[n-2].Pos(), format)
			}
		}
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
		if n, ok := universe.NamedBehind(have); ok {
			name = obj.Pkg().Path() + "." + n.Obj().Name() + "." + obj.Name()
			if !universe.IsPointer(have) && !types.IsInterface(have) {
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
	if !ok || !l.s.hasOwnMethods(p.Elem()) && !l.opaque(p.Elem()) {
		return out
	}
	return l.runtimeCall(pos, "ErrorAs", l.assignable(e.Args[0], types.Universe.Lookup("error").Type()), l.typeID(pos, p.Elem()), l.expr(e.Args[1]))
}

func (l *lowerer) conversion(e *ast.CallExpr, t types.Type) ast.Expr {
	pos := e.Pos()
	x := l.assignable(e.Args[0], t)
	if types.IsInterface(t) && !l.opaque(t) && l.opaque(l.typeOf(e.Args[0])) {
		return x
	}
	return converted(pos, l.typeExpr(pos, t), x)
}

// converted is the conversion t(x). A type that is a name stands bare: the
// interpreter takes the result of (float64)(x) < y for a condition to branch on
// when && or || follows.
func converted(pos token.Pos, t, x ast.Expr) ast.Expr {
	switch t.(type) {
	case *ast.Ident, *ast.SelectorExpr:
		return call(pos, t, x)
	}
	return call(pos, &ast.ParenExpr{Lparen: pos, X: t, Rparen: pos}, x)
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
		return l.runtimeCall(pos, "Panic", l.assignable(e.Args[0], emptyInterfaceType))
	case "recover":
		return l.recoverCall(pos)
	case "make":
		args := append([]ast.Expr{l.typeExpr(pos, l.typeOf(e.Args[0]))}, l.exprs(e.Args[1:])...)
		return call(pos, ident(pos, name), args...)
	case "new":
		if l.info.Types[e.Args[0]].IsType() {
			return call(pos, ident(pos, name), l.typeExpr(pos, l.typeOf(e.Args[0])))
		}
		// new(x) of Go 1.26: func(v T) *T { return &v }(x)
		elem := universe.Deref(result)
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
		if out.Ellipsis = e.Ellipsis; e.Ellipsis.IsValid() && universe.IsString(l.typeOf(e.Args[1])) {
			bytes := &ast.ArrayType{Lbrack: pos, Elt: ident(pos, "byte")}
			out.Args[1] = converted(pos, bytes, out.Args[1])
		}
		return out
	case "delete":
		m := universe.CoreType(l.typeOf(e.Args[0])).(*types.Map)
		return call(pos, ident(pos, name), l.expr(e.Args[0]), l.assignable(e.Args[1], m.Key()))
	case "len", "cap", "copy", "close", "complex", "real", "imag":
		return call(pos, ident(pos, name), l.exprs(e.Args)...)
	}
	l.refuse(pos, "%s can't be used in a cell", name)
	return nil
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
		return converted(pos, l.typeExpr(pos, t), out)
	}
	return out
}
