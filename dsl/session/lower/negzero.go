package lower

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/machine"
)

// yaegi does not hand over an argument that reflection takes for zero, as it does
// the negative zero of floating point, and what consists of nothing but zeros: the
// parameter of a declared function is 0 then. So where such an argument may be
// zero, the machine makes the call:
//
//	var t float64
//	if x == 0.0 { rt.CallWith("f#2", &t, x) } else { t = f#2(x) }

// noteParams keeps the types of a function's parameters if any has a part that may
// be a negative zero.
func (s *Lowering) noteParams(sym string, recv types.Type, sig *types.Signature) {
	var list []types.Type
	if recv != nil {
		list = append(list, recv)
	}
	for v := range sig.Params().Variables() {
		list = append(list, v.Type())
	}
	for _, t := range list {
		if holdsFloat(t) {
			s.params[sym] = list
			s.Out.undo = append(s.Out.undo, func() { delete(s.params, sym) })
			return
		}
	}
}

// holdsFloat reports floating-point types, and those that have one in every value.
func holdsFloat(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&(types.IsFloat|types.IsComplex) != 0
	case *types.Array:
		return u.Len() > 0 && holdsFloat(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if holdsFloat(f.Type()) {
				return true
			}
		}
	}
	return false
}

// takesFloats reports whether calls of a function may need the machine.
func takesFloats(sig *types.Signature) bool {
	for v := range sig.Params().Variables() {
		if holdsFloat(v.Type()) {
			return true
		}
	}
	return false
}

// signed is a statement with a call of a declared function, or those that take its
// place.
func (l *lowerer) signed(st ast.Stmt) []ast.Stmt {
	var c *ast.CallExpr
	switch st := st.(type) {
	case *ast.ExprStmt:
		c, _ = st.X.(*ast.CallExpr)
	case *ast.AssignStmt:
		if st.Tok == token.DEFINE && len(st.Rhs) == 1 {
			c, _ = st.Rhs[0].(*ast.CallExpr)
		}
	case *ast.DeclStmt:
		if spec, ok := st.Decl.(*ast.GenDecl).Specs[0].(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			c, _ = spec.Values[0].(*ast.CallExpr)
		}
	}
	if c == nil {
		return []ast.Stmt{st}
	}
	fun, ok := c.Fun.(*ast.Ident)
	if !ok || l.s.params[fun.Name] == nil {
		return []ast.Stmt{st}
	}
	return l.collect(func() { l.signedCall(st, c, fun) })
}

func (l *lowerer) signedCall(st ast.Stmt, c *ast.CallExpr, fun *ast.Ident) {
	pos := c.Pos()
	var zero ast.Expr
	for i, t := range l.s.params[fun.Name] {
		if !holdsFloat(t) || isLiteral(c.Args[i]) {
			continue
		}
		if !isOperand(c.Args[i]) {
			c.Args[i] = l.temp(pos, t, c.Args[i])
		}
		is := &ast.BinaryExpr{X: l.firstFloat(pos, c.Args[i], t), OpPos: pos, Op: token.EQL, Y: l.number(pos, token.FLOAT, "0.0")}
		if zero == nil {
			zero = is
		} else {
			zero = &ast.BinaryExpr{X: zero, OpPos: pos, Op: token.LOR, Y: is}
		}
	}
	if zero == nil {
		l.out = append(l.out, st)
		return
	}
	l.s.registerFunction(l, pos, fun.Name)
	args := []ast.Expr{quoted(pos, fun.Name), l.int(pos, 0)}
	call := func(then ...ast.Stmt) {
		args[1] = l.int(pos, len(args)-2)
		slow := &ast.ExprStmt{X: l.runtimeCall(pos, "CallWith", append(args, c.Args...)...)}
		l.out = append(l.out, &ast.IfStmt{If: pos, Cond: zero,
			Body: &ast.BlockStmt{Lbrace: pos, List: []ast.Stmt{slow}, Rbrace: pos},
			Else: &ast.BlockStmt{Lbrace: pos, List: then, Rbrace: pos}})
	}
	switch st := st.(type) {
	case *ast.ExprStmt:
		call(st)
	case *ast.DeclStmt:
		spec := *st.Decl.(*ast.GenDecl).Specs[0].(*ast.ValueSpec)
		spec.Values = nil
		name := spec.Names[0].Name
		l.out = append(l.out, &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{&spec}}})
		args = append(args, addressOf(pos, ident(pos, name)))
		call(assign(pos, ident(pos, name), c))
	case *ast.AssignStmt:
		again := &ast.AssignStmt{TokPos: pos, Tok: token.DEFINE, Rhs: st.Rhs}
		var set []ast.Stmt
		for _, e := range st.Lhs {
			name := e.(*ast.Ident).Name
			l.out = append(l.out, l.varOf(pos, name, l.s.types[name], nil))
			args = append(args, addressOf(pos, ident(pos, name)))
			t := l.s.Fresh("t")
			again.Lhs = append(again.Lhs, ident(pos, t))
			set = append(set, assign(pos, ident(pos, name), ident(pos, t)))
		}
		call(append([]ast.Stmt{again}, set...)...)
	}
}

// firstFloat is the first floating-point number in an operand: what is zero has
// one that is.
func (l *lowerer) firstFloat(pos token.Pos, x ast.Expr, t types.Type) ast.Expr {
	switch u := t.Underlying().(type) {
	case *types.Array:
		return l.firstFloat(pos, l.temp(pos, u.Elem(), &ast.IndexExpr{X: x, Lbrack: pos, Index: l.int(pos, 0), Rbrack: pos}), u.Elem())
	case *types.Struct:
		for i := range u.NumFields() {
			if f := u.Field(i); holdsFloat(f.Type()) {
				return l.firstFloat(pos, l.temp(pos, f.Type(), sel(x, l.fieldName(t, u, i))), f.Type())
			}
		}
	case *types.Basic:
		if u.Info()&types.IsComplex != 0 {
			part := types.Typ[types.Float64]
			if u.Kind() == types.Complex64 {
				part = types.Typ[types.Float32]
			}
			return l.temp(pos, part, call(pos, ident(pos, "real"), x))
		}
	}
	return x
}

// isLiteral reports constants, of which none is a negative zero.
func isLiteral(x ast.Expr) bool {
	_, name := x.(*ast.Ident)
	return !name && isOperand(x)
}

// registerFunction lets the machine call a declared function by its symbol.
func (s *Lowering) registerFunction(l *lowerer, pos token.Pos, sym string) {
	key := "function " + sym
	if _, done := s.instances[key]; done {
		return
	}
	s.remember(key, sym)
	s.Out.links = append(s.Out.links, &ast.ExprStmt{X: call(pos, sel(ident(pos, s.importName(machine.RuntimePath)), "Function"), quoted(pos, sym), ident(pos, sym))})
}
