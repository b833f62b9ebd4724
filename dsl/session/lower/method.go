package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"

	"sapf/dsl/session/core"
	"sapf/dsl/session/universe"
)

// selector lowers x.f: a qualified name, a field (with the way through
// embedded fields spelt out), a method value or a method expression.
func (l *lowerer) selector(e *ast.SelectorExpr) ast.Expr {
	pos := e.Pos()
	s, ok := l.Info.Selections[e]
	if !ok {
		obj := l.Info.Uses[e.Sel]
		if inst, ok := l.Info.Instances[e.Sel]; ok {
			return l.instanceValue(pos, obj, inst)
		}
		if fn, ok := obj.(*types.Func); ok {
			if l.s.Universe.Decls[fn] != nil {
				return l.funcValue(pos, l.object(pos, fn), fn.Signature())
			}
			return l.Temp(pos, fn.Signature(), l.object(pos, fn))
		}
		return l.object(pos, obj)
	}
	switch s.Kind() {
	case types.FieldVal:
		if x := l.simple(e); x != nil {
			return x
		}
		if l.Info.Types[e.X].Addressable() || universe.IsPointer(l.TypeOf(e.X)) || universe.IsPointerKind(l.TypeOf(e.X)) {
			return l.place(e)
		}
		return l.path(l.named(e.X), s.Recv(), s.Index())
	case types.MethodVal:
		return l.methodValue(e, s)
	}
	return l.methodExpression(pos, s)
}

// methodExpression is T.M, a function with the receiver first.
func (l *lowerer) methodExpression(pos token.Pos, s *types.Selection) ast.Expr {
	sig := s.Type().(*types.Signature)
	lit := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: l.Tuple(pos, sig.Params(), sig.Variadic(), "#a"), Results: l.Tuple(pos, sig.Results(), false, "")}}
	lit.Body = l.bodyOf(pos, func() {
		l.passOn(pos, l.methodCall(pos, core.Ident(pos, "#a0"), s.Recv(), s), sig, 1)
	})
	return l.Temp(pos, sig, lit)
}

// methodCall is the call, yet without arguments, of the method that s selects of
// a receiver of type t.
func (l *lowerer) methodCall(pos token.Pos, recv ast.Expr, t types.Type, s *types.Selection) *ast.CallExpr {
	way := s.Index()[:len(s.Index())-1]
	method := s.Obj().(*types.Func)
	at := l.walk(location{pos, recv, t, true}, way)
	if fn, named := l.UserMethod(s, at.t); fn != nil {
		return core.Call(pos, core.Ident(pos, l.s.methodSymbol(l, pos, fn, named)), l.receiver(pos, at, fn))
	}
	if l.Opaque(at.t) {
		return core.Call(pos, l.Method(pos, l.Hold(pos, at.x, at.t), method))
	}
	return core.Call(pos, core.Sel(l.compiledReceiver(pos, at, method), method.Name()))
}

// passOn gives a call the parameters #a of the function at hand, from the given
// one on, and returns what it returns.
func (l *lowerer) passOn(pos token.Pos, c *ast.CallExpr, sig *types.Signature, from int) {
	for i := from; i < sig.Params().Len(); i++ {
		c.Args = append(c.Args, core.Ident(pos, "#a"+strconv.Itoa(i)))
	}
	if sig.Variadic() {
		c.Ellipsis = pos
	}
	if fun, ok := c.Fun.(*ast.Ident); ok && l.s.recovers[fun.Name] {
		l.Emit(&ast.ExprStmt{X: l.RuntimeCall(pos, "Forwards")})
	}
	l.returnCall(pos, c, sig)
}

// returnCall returns the results of a call.
func (l *lowerer) returnCall(pos token.Pos, c *ast.CallExpr, sig *types.Signature) {
	var results []ast.Expr
	for _, x := range l.Results(pos, c, sig.Results()) {
		results = append(results, x)
	}
	l.Emit(&ast.ReturnStmt{Return: pos, Results: results})
}

// forward makes lit call fun with its parameters from the given one on.
func (l *lowerer) forward(lit *ast.FuncLit, fun ast.Expr, sig *types.Signature, from int) {
	lit.Body = l.bodyOf(fun.Pos(), func() { l.passOn(fun.Pos(), core.Call(fun.Pos(), fun), sig, from) })
}

// location is where a value is: at a place that can be addressed, or in an
// operand.
type location struct {
	pos         token.Pos
	x           ast.Expr
	t           types.Type
	addressable bool
}

// walk goes from a location along the fields with the given indexes.
func (l *lowerer) walk(at location, way []int) location {
	pos := at.pos
	for _, i := range way {
		st := universe.StructOf(at.t)
		f := st.Field(i)
		if universe.IsPointerKind(at.t) {
			at.addressable = true
		}
		base := at.x
		if !core.IsOperand(base) { // one field at a time
			if at.addressable && !universe.IsPointerKind(at.t) {
				base = l.Temp(pos, types.NewPointer(at.t), core.AddressOf(pos, base))
			} else {
				base = l.Hold(pos, base, at.t)
			}
		}
		at.x, at.t = core.Sel(base, l.FieldName(at.t, st, i)), f.Type()
	}
	return at
}

// path is walk where only the value counts.
func (l *lowerer) path(x ast.Expr, t types.Type, index []int) ast.Expr {
	return l.walk(location{x.Pos(), x, t, false}, index).x
}

// locate lowers an expression that a method is called on.
func (l *lowerer) locate(e ast.Expr) location {
	t := l.TypeOf(e)
	if universe.IsPointerKind(t) {
		return location{e.Pos(), l.operand(e), t, false}
	}
	if l.Info.Types[e].Addressable() {
		return location{e.Pos(), l.place(e), t, true}
	}
	return location{e.Pos(), l.Hold(e.Pos(), l.expr(e), t), t, false}
}

// place lowers an expression that can be assigned to, or addressed.
func (l *lowerer) place(e ast.Expr) ast.Expr {
	pos := e.Pos()
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if e.Name == "_" {
			return core.Ident(pos, "_")
		}
		return l.object(pos, l.Info.ObjectOf(e))
	case *ast.StarExpr:
		return &ast.StarExpr{Star: pos, X: l.operand(e.X)}
	case *ast.SelectorExpr:
		s, ok := l.Info.Selections[e]
		if !ok {
			return l.object(pos, l.Info.Uses[e.Sel])
		}
		at := l.locate(e.X)
		if star, ok := at.x.(*ast.StarExpr); ok { // what a pointer points to
			at.x, at.t = star.X, types.NewPointer(at.t)
		}
		if !core.IsOperand(at.x) && at.addressable {
			at.x, at.t = l.Temp(pos, types.NewPointer(at.t), core.AddressOf(pos, at.x)), types.NewPointer(at.t)
		}
		return l.walk(at, s.Index()).x
	case *ast.IndexExpr:
		return l.elementPlace(e)
	}
	return l.Hold(pos, l.expr(e), l.TypeOf(e))
}

// elementPlace is x[i] as a place.
func (l *lowerer) elementPlace(e *ast.IndexExpr) ast.Expr {
	out := l.outerPlace(e)
	l.checkPlace(e, out)
	return out
}

// outerPlace is x[i] as a place that is not checked yet.
func (l *lowerer) outerPlace(e *ast.IndexExpr) ast.Expr {
	pos := e.Pos()
	t := l.TypeOf(e.X)
	out := &ast.IndexExpr{Lbrack: e.Lbrack, Rbrack: e.Rbrack}
	switch u := t.Underlying().(type) {
	case *types.Map:
		out.X = l.operand(e.X)
		out.Index = l.mapKey(e.Index, u.Key())
		return out
	case *types.Pointer:
		out.X = &ast.ParenExpr{X: &ast.StarExpr{Star: pos, X: l.operand(e.X)}}
	case *types.Array:
		x := l.place(e.X)
		switch star := x.(type) {
		case *ast.Ident:
			out.X = x
		case *ast.StarExpr:
			out.X = &ast.ParenExpr{X: star}
		default:
			p := l.Temp(pos, types.NewPointer(t), core.AddressOf(pos, x))
			out.X = &ast.ParenExpr{X: &ast.StarExpr{Star: pos, X: p}}
		}
	default:
		out.X = l.operand(e.X)
	}
	out.Index = l.indexOperand(e.Index)
	return out
}

// receiver is the receiver that a method of a cell's type wants, given where the
// value is.
func (l *lowerer) receiver(pos token.Pos, at location, fn *types.Func) ast.Expr {
	want := universe.IsPointer(fn.Signature().Recv().Type())
	have := universe.IsPointerKind(at.t)
	switch {
	case want && !have:
		x := at.x
		if star, ok := x.(*ast.StarExpr); ok {
			return star.X
		}
		if !at.addressable { // a parameter of our own making
			if !core.IsOperand(x) {
				x = l.Temp(pos, at.t, x)
			}
		}
		return l.Temp(pos, types.NewPointer(at.t), core.AddressOf(pos, x))
	case !want && have:
		return l.Temp(pos, universe.Deref(at.t.Underlying()), &ast.StarExpr{Star: pos, X: l.Hold(pos, at.x, at.t)})
	}
	return l.Hold(pos, at.x, at.t)
}

// methodValue lowers x.M where it is not called. The receiver is evaluated
// now, so a closure holds it.
func (l *lowerer) methodValue(e *ast.SelectorExpr, s *types.Selection) ast.Expr {
	pos := e.Pos()
	sig := s.Type().(*types.Signature)
	method := s.Obj().(*types.Func)
	at := l.locate(e.X)
	way := s.Index()[:len(s.Index())-1]
	addressable := at.addressable
	if len(way) > 0 {
		if star, ok := at.x.(*ast.StarExpr); ok {
			at.x, at.t = star.X, types.NewPointer(at.t)
		} else if !core.IsOperand(at.x) && addressable {
			at.x, at.t = l.Temp(pos, types.NewPointer(at.t), core.AddressOf(pos, at.x)), types.NewPointer(at.t)
		}
		at.addressable = addressable
		at = l.walk(at, way)
	}
	fn, named := l.UserMethod(s, at.t)
	if fn == nil && l.Opaque(at.t) {
		return l.Method(pos, l.Hold(pos, at.x, at.t), method)
	}
	var recv ast.Expr
	recvType := at.t
	if fn != nil {
		recv, recvType = l.receiver(pos, at, fn), method.Signature().Recv().Type()
	} else {
		recv = l.Hold(pos, at.x, at.t)
		if _, isNamed := universe.Named(at.t); isNamed && !types.IsInterface(at.t) && at.addressable && types.NewMethodSet(at.t).Lookup(method.Pkg(), method.Name()) == nil {
			recvType = types.NewPointer(at.t)
			recv = l.Temp(pos, recvType, core.AddressOf(pos, at.x))
		}
		if types.IsInterface(at.t) {
			l.Emit(&ast.ExprStmt{X: l.RuntimeCall(pos, "NotNil", recv)})
		}
	}
	inner := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: l.Tuple(pos, sig.Params(), sig.Variadic(), "#a"), Results: l.Tuple(pos, sig.Results(), false, "")}}
	inner.Body = l.bodyOf(pos, func() {
		c := core.Call(pos, core.Sel(core.Ident(pos, "#r"), method.Name()))
		if fn != nil {
			c = core.Call(pos, core.Ident(pos, l.s.methodSymbol(l, pos, fn, named)), core.Ident(pos, "#r"))
		}
		l.passOn(pos, c, sig, 0)
	})
	return l.bound(pos, inner, sig, "#r", recvType, recv)
}

// bound is a literal that holds on to a value by a name:
// func(name T) func(...) { return lit }(value).
func (l *lowerer) bound(pos token.Pos, lit *ast.FuncLit, sig *types.Signature, name string, t types.Type, value ast.Expr) ast.Expr {
	ft := l.FuncType(pos, sig)
	outer := &ast.FuncLit{
		Type: &ast.FuncType{Func: pos,
			Params:  &ast.FieldList{List: []*ast.Field{{Names: []*ast.Ident{core.Ident(pos, name)}, Type: l.TypeExpr(pos, t)}}},
			Results: &ast.FieldList{List: []*ast.Field{{Type: ft}}}},
		Body: &ast.BlockStmt{Lbrace: pos, List: []ast.Stmt{&ast.ReturnStmt{Return: pos, Results: []ast.Expr{lit}}}, Rbrace: pos},
	}
	plain := types.NewSignatureType(nil, nil, nil, sig.Params(), sig.Results(), sig.Variadic())
	return l.Temp(pos, plain, core.Call(pos, outer, value))
}
