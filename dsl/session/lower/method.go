package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"

	"sapf/dsl/session/universe"
)

// selector lowers x.f: a qualified name, a field (with the way through
// embedded fields spelt out), a method value or a method expression.
func (l *lowerer) selector(e *ast.SelectorExpr) ast.Expr {
	pos := e.Pos()
	s, ok := l.info.Selections[e]
	if !ok {
		if inst, ok := l.info.Instances[e.Sel]; ok {
			return l.instance(pos, l.info.Uses[e.Sel], inst)
		}
		return l.object(pos, l.info.Uses[e.Sel])
	}
	switch s.Kind() {
	case types.FieldVal:
		return l.path(l.expr(e.X), s.Recv(), s.Index())
	case types.MethodVal:
		recv, _ := l.receiver(e, s)
		return l.methodValue(pos, recv, s)
	}
	// T.M is a function with the receiver first.
	sig := s.Type().(*types.Signature)
	lit := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: l.tuple(pos, sig.Params(), sig.Variadic(), "#a"), Results: l.tuple(pos, sig.Results(), false, "")}}
	way := s.Index()[:len(s.Index())-1]
	target, at := l.path(ident(pos, "#a0"), s.Recv(), way), s.Recv()
	for _, i := range way {
		at = universe.StructOf(at).Field(i).Type()
	}
	fn, named := l.userMethod(s, at)
	switch {
	case fn != nil:
		l.forward(lit, ident(pos, l.s.methodSymbol(l, pos, fn, named)), sig, 1)
		c := firstCall(lit)
		c.Args = append([]ast.Expr{l.adjust(target, at, fn)}, c.Args...)
	case l.opaque(at):
		l.forward(lit, l.method(pos, target, s.Obj().(*types.Func)), sig, 1)
	default:
		l.forward(lit, sel(target, s.Obj().Name()), sig, 1)
	}
	return lit
}

// forward makes lit call fun with its parameters from the given one on.
func (l *lowerer) forward(lit *ast.FuncLit, fun ast.Expr, sig *types.Signature, from int) {
	pos := fun.Pos()
	c := call(pos, fun)
	for i := from; i < sig.Params().Len(); i++ {
		c.Args = append(c.Args, ident(pos, "#a"+strconv.Itoa(i)))
	}
	if sig.Variadic() {
		c.Ellipsis = pos
	}
	var st ast.Stmt = &ast.ExprStmt{X: c}
	if sig.Results().Len() > 0 {
		st = &ast.ReturnStmt{Return: pos, Results: []ast.Expr{c}}
	}
	lit.Body = &ast.BlockStmt{Lbrace: pos, List: []ast.Stmt{st}, Rbrace: pos}
}

// path writes x.a.b for the fields with the given indexes.
func (l *lowerer) path(x ast.Expr, t types.Type, index []int) ast.Expr {
	for _, i := range index {
		st := universe.StructOf(t)
		f := st.Field(i)
		x, t = sel(x, f.Name()), f.Type()
	}
	return x
}

// receiver is the expression that a method is called on and its type: the
// operand, led through the embedded fields on the way.
func (l *lowerer) receiver(e *ast.SelectorExpr, s *types.Selection) (ast.Expr, types.Type) {
	way := s.Index()[:len(s.Index())-1]
	t := s.Recv()
	for _, i := range way {
		t = universe.StructOf(t).Field(i).Type()
	}
	return l.path(l.expr(e.X), s.Recv(), way), t
}

// userMethod is the method of an interpreted type that s selects, or nil.
func (l *lowerer) userMethod(s *types.Selection, recv types.Type) (*types.Func, *types.Named) {
	fn := s.Obj().(*types.Func)
	named, ok := universe.NamedBehind(recv)
	if !ok || l.s.universe.Decls[fn.Origin()] == nil || types.IsInterface(named) {
		return nil, nil
	}
	return fn, named
}

// adjust takes the address of a receiver, or follows it, as its method asks.
func (l *lowerer) adjust(x ast.Expr, have types.Type, fn *types.Func) ast.Expr {
	want := universe.IsPointer(fn.Signature().Recv().Type())
	switch {
	case want && !universe.IsPointer(have):
		return &ast.UnaryExpr{OpPos: x.Pos(), Op: token.AND, X: x}
	case !want && universe.IsPointer(have):
		return &ast.StarExpr{Star: x.Pos(), X: x}
	}
	return x
}

// methodValue lowers x.M where it is not called. The receiver is evaluated
// now, so a closure holds it.
func (l *lowerer) methodValue(pos token.Pos, recv ast.Expr, s *types.Selection) ast.Expr {
	way := s.Index()[:len(s.Index())-1]
	t := s.Recv()
	for _, i := range way {
		t = universe.StructOf(t).Field(i).Type()
	}
	fn, named := l.userMethod(s, t)
	if fn == nil && l.opaque(t) {
		return l.method(pos, recv, s.Obj().(*types.Func))
	}
	if fn == nil && !l.nameable(t) {
		return sel(recv, s.Obj().Name())
	}
	sig := s.Type().(*types.Signature)
	method := s.Obj().(*types.Func)
	recvType := method.Signature().Recv().Type()
	if fn == nil && types.IsInterface(t) {
		recvType = t
	}
	inner := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: l.tuple(pos, sig.Params(), sig.Variadic(), "#a"), Results: l.tuple(pos, sig.Results(), false, "")}}
	if fn == nil {
		l.forward(inner, sel(ident(pos, "#r"), method.Name()), sig, 0)
	} else {
		l.forward(inner, ident(pos, l.s.methodSymbol(l, pos, fn, named)), sig, 0)
		c := firstCall(inner)
		c.Args = append([]ast.Expr{ident(pos, "#r")}, c.Args...)
	}
	outer := &ast.FuncLit{
		Type: &ast.FuncType{Func: pos,
			Params:  &ast.FieldList{List: []*ast.Field{{Names: []*ast.Ident{ident(pos, "#r")}, Type: l.typeExpr(pos, recvType)}}},
			Results: &ast.FieldList{List: []*ast.Field{{Type: l.funcType(pos, sig)}}}},
		Body: &ast.BlockStmt{Lbrace: pos, List: []ast.Stmt{&ast.ReturnStmt{Return: pos, Results: []ast.Expr{inner}}}, Rbrace: pos},
	}
	if fn == nil && types.IsInterface(t) {
		return call(pos, outer, recv)
	}
	return call(pos, outer, l.adjust(recv, t, method))
}

// nameable reports whether a compiled type, or what it points to, has a name
// that lowered source can use.
func (l *lowerer) nameable(t types.Type) bool {
	n, ok := universe.NamedBehind(t)
	if !ok || n.Obj().Pkg() == nil {
		return false
	}
	table, ok := l.s.universe.Tables[n.Obj().Pkg().Path()]
	if !ok {
		return false
	}
	_, ok = table.Symbols[n.Obj().Name()]
	return ok && n.TypeArgs().Len() == 0
}

func firstCall(lit *ast.FuncLit) *ast.CallExpr {
	switch st := lit.Body.List[0].(type) {
	case *ast.ReturnStmt:
		return st.Results[0].(*ast.CallExpr)
	case *ast.ExprStmt:
		return st.X.(*ast.CallExpr)
	}
	return nil
}
