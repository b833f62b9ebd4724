package core

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/machine"
	"sapf/dsl/session/universe"
)

// yaegi does not hand over an argument that reflection takes for zero, as it does
// the negative zero of floating point, and what consists of nothing but zeros: the
// parameter of a declared function is 0 then. So where such an argument may be
// zero, the machine makes the call:
//
//	var t float64
//	if x == 0.0 { rt.CallWith("f#2", &t, x) } else { t = f#2(x) }

// NoteParams keeps the types of a function's parameters if any has a part that may
// be a negative zero.
func (p *Program) NoteParams(sym string, recv types.Type, sig *types.Signature) {
	var list []types.Type
	if recv != nil {
		list = append(list, recv)
	}
	for v := range sig.Params().Variables() {
		list = append(list, v.Type())
	}
	for _, t := range list {
		if universe.HoldsFloat(t) {
			p.Params[sym] = list
			p.Out.Undo = append(p.Out.Undo, func() { delete(p.Params, sym) })
			return
		}
	}
}

// signed is a statement with a call of a declared function, or those that take its
// place.
func (w *Writer) signed(st ast.Stmt) []ast.Stmt {
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
	if !ok || w.Params[fun.Name] == nil {
		return []ast.Stmt{st}
	}
	outer := w.Block
	w.Block = nil
	w.signedCall(st, c, fun)
	list := w.Block
	w.Block = outer
	return list
}

func (w *Writer) signedCall(st ast.Stmt, c *ast.CallExpr, fun *ast.Ident) {
	pos := c.Pos()
	var zero ast.Expr
	for i, t := range w.Params[fun.Name] {
		if !universe.HoldsFloat(t) || isLiteral(c.Args[i]) {
			continue
		}
		if !IsOperand(c.Args[i]) {
			c.Args[i] = w.Temp(pos, t, c.Args[i])
		}
		is := &ast.BinaryExpr{X: w.firstFloat(pos, c.Args[i], t), OpPos: pos, Op: token.EQL, Y: w.Number(pos, token.FLOAT, "0.0")}
		if zero == nil {
			zero = is
		} else {
			zero = &ast.BinaryExpr{X: zero, OpPos: pos, Op: token.LOR, Y: is}
		}
	}
	if zero == nil {
		w.Block = append(w.Block, st)
		return
	}
	w.registerFunction(pos, fun.Name)
	args := []ast.Expr{Quoted(pos, fun.Name), w.Int(pos, 0)}
	call := func(then ...ast.Stmt) {
		args[1] = w.Int(pos, len(args)-2)
		slow := &ast.ExprStmt{X: w.RuntimeCall(pos, "CallWith", append(args, c.Args...)...)}
		w.Block = append(w.Block, &ast.IfStmt{If: pos, Cond: zero,
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
		w.Block = append(w.Block, &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{&spec}}})
		args = append(args, AddressOf(pos, Ident(pos, name)))
		call(Assign(pos, Ident(pos, name), c))
	case *ast.AssignStmt:
		again := &ast.AssignStmt{TokPos: pos, Tok: token.DEFINE, Rhs: st.Rhs}
		var set []ast.Stmt
		for _, e := range st.Lhs {
			name := e.(*ast.Ident).Name
			w.Block = append(w.Block, w.VarOf(pos, name, w.Types[name], nil))
			args = append(args, AddressOf(pos, Ident(pos, name)))
			t := w.Fresh("t")
			again.Lhs = append(again.Lhs, Ident(pos, t))
			set = append(set, Assign(pos, Ident(pos, name), Ident(pos, t)))
		}
		call(append([]ast.Stmt{again}, set...)...)
	}
}

// firstFloat is the first floating-point number in an operand: what is zero has
// one that is.
func (w *Writer) firstFloat(pos token.Pos, x ast.Expr, t types.Type) ast.Expr {
	switch u := t.Underlying().(type) {
	case *types.Array:
		return w.firstFloat(pos, w.Temp(pos, u.Elem(), &ast.IndexExpr{X: x, Lbrack: pos, Index: w.Int(pos, 0), Rbrack: pos}), u.Elem())
	case *types.Struct:
		for i := range u.NumFields() {
			if f := u.Field(i); universe.HoldsFloat(f.Type()) {
				return w.firstFloat(pos, w.Temp(pos, f.Type(), Sel(x, w.FieldName(t, u, i))), f.Type())
			}
		}
	case *types.Basic:
		if u.Info()&types.IsComplex != 0 {
			part := types.Typ[types.Float64]
			if u.Kind() == types.Complex64 {
				part = types.Typ[types.Float32]
			}
			return w.Temp(pos, part, Call(pos, Ident(pos, "real"), x))
		}
	}
	return x
}

// isLiteral reports constants, of which none is a negative zero.
func isLiteral(x ast.Expr) bool {
	_, name := x.(*ast.Ident)
	return !name && IsOperand(x)
}

// registerFunction lets the machine call a declared function by its symbol.
func (p *Program) registerFunction(pos token.Pos, sym string) {
	key := "function " + sym
	if _, done := p.Instances[key]; done {
		return
	}
	p.Remember(key, sym)
	p.Out.Links = append(p.Out.Links, &ast.ExprStmt{X: Call(pos, Sel(Ident(pos, p.ImportName(machine.RuntimePath)), "Function"), Quoted(pos, sym), Ident(pos, sym))})
}
