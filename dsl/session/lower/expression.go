package lower

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"sapf/dsl/session/core"
	"sapf/dsl/session/facts"
	"sapf/dsl/session/machine"
	"sapf/dsl/session/universe"
)

// local is yaegi's name of a local object: its own with a number, so that no
// inner scope has to hide an outer one.
func (l *lowerer) local(obj types.Object) string {
	if obj.Name() == "_" {
		return "_"
	}
	name, ok := l.names[obj]
	if !ok {
		name = l.s.Fresh(obj.Name())
		l.names[obj] = name
	}
	return name
}

// define is the name of an object at the place that declares it.
func (l *lowerer) define(id *ast.Ident) *ast.Ident {
	obj := l.Info.Defs[id]
	if id.Name == "_" || obj == nil {
		return core.Ident(id.Pos(), "_")
	}
	if sym, global := l.s.Symbols[obj]; global {
		return core.Ident(id.Pos(), sym)
	}
	return core.Ident(id.Pos(), l.local(obj))
}

// object is an expression for a use of obj.
func (l *lowerer) object(pos token.Pos, obj types.Object) ast.Expr {
	switch obj := obj.(type) {
	case *types.Nil:
		return core.Ident(pos, "nil")
	case *types.Builtin:
		return core.Ident(pos, obj.Name())
	case *types.TypeName:
		return l.TypeExpr(pos, obj.Type())
	case *types.Func:
		if d := l.s.Universe.Decls[obj]; d != nil {
			if d.Pkg != "main" && d.Node.(*ast.FuncDecl).Body == nil { // compiled
				return core.Sel(core.Ident(pos, l.s.ImportName(machine.RuntimePath)), strings.ToUpper(obj.Name()[:1])+obj.Name()[1:])
			}
			if l.statements && l.literals > 0 && d.Pkg == "main" {
				return core.Ident(pos, l.s.link(l, pos, obj))
			}
			return core.Ident(pos, l.s.funcSymbol(l, pos, obj, nil))
		}
		return l.Exported(pos, obj)
	}
	if sym, global := l.s.Symbols[obj]; global {
		return core.Ident(pos, sym)
	}
	if p, ok := l.boxes[obj]; ok {
		return &ast.StarExpr{Star: pos, X: core.Ident(pos, p)}
	}
	if obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() && l.s.Universe.Pkgs[obj.Pkg().Path()] == obj.Pkg() {
		if v, ok := obj.(*types.Var); ok {
			return l.packageVar(pos, v)
		}
		return l.Exported(pos, obj)
	}
	return core.Ident(pos, l.local(obj))
}

// packageVar is a variable of a compiled package: what a pointer of the session
// points to. By its name yaegi reads and writes a copy of it in some places.
func (l *lowerer) packageVar(pos token.Pos, v *types.Var) ast.Expr {
	direct := l.Exported(pos, v)
	if !l.s.Universe.Tables[v.Pkg().Path()].Symbols[v.Name()].CanAddr() {
		return l.Temp(pos, v.Type(), direct)
	}
	name, ok := l.s.links[v]
	if !ok {
		name = l.s.Fresh(v.Name())
		l.s.declareLink(pos, v, name, l.TypeExpr(pos, types.NewPointer(v.Type())), &ast.UnaryExpr{OpPos: pos, Op: token.AND, X: direct})
	}
	return &ast.StarExpr{Star: pos, X: core.Ident(pos, name)}
}

// expr lowers an expression to a value of the core.
func (l *lowerer) expr(e ast.Expr) ast.Expr {
	pos := e.Pos()
	tv := l.Info.Types[e]
	if tv.Value != nil {
		return l.Constant(pos, tv.Value, tv.Type)
	}
	if tv.IsType() {
		return l.TypeExpr(pos, tv.Type)
	}
	switch e := e.(type) {
	case *ast.Ident:
		if e.Name == "_" {
			return core.Ident(pos, "_")
		}
		if inst, ok := l.Info.Instances[e]; ok {
			return l.instanceValue(pos, l.Info.Uses[e], inst)
		}
		obj := l.Info.ObjectOf(e)
		if fn, ok := obj.(*types.Func); ok {
			return l.funcValue(pos, l.object(pos, fn), fn.Signature())
		}
		return l.object(pos, obj)
	case *ast.ParenExpr:
		return l.expr(e.X)
	case *ast.SelectorExpr:
		return l.selector(e)
	case *ast.CallExpr:
		return l.call(e)
	case *ast.FuncLit:
		return l.funcLit(e)
	case *ast.CompositeLit:
		return l.composite(e, tv.Type)
	case *ast.UnaryExpr:
		return l.unary(e)
	case *ast.BinaryExpr:
		return l.binary(e)
	case *ast.StarExpr:
		return &ast.StarExpr{Star: pos, X: l.operand(e.X)}
	case *ast.IndexExpr:
		if id := facts.InstanceIdent(e.X); id != nil {
			if inst, ok := l.Info.Instances[id]; ok {
				return l.instanceValue(pos, l.Info.Uses[id], inst)
			}
		}
		return l.index(e)
	case *ast.IndexListExpr:
		if id := facts.InstanceIdent(e.X); id != nil {
			return l.instanceValue(pos, l.Info.Uses[id], l.Info.Instances[id])
		}
	case *ast.SliceExpr:
		return l.slice(e)
	case *ast.TypeAssertExpr:
		return l.assertion(e)
	}
	l.Refuse(pos, "%s can't be used in a cell", types.ExprString(e))
	return nil
}

// instance is the name of an instance of a generic function.
func (l *lowerer) instance(pos token.Pos, obj types.Object, inst types.Instance) ast.Expr {
	fn, ok := obj.(*types.Func)
	if !ok {
		return l.TypeExpr(pos, inst.Type)
	}
	if l.s.Universe.Decls[fn] == nil {
		l.Refuse(pos, "the generic function %s.%s can't be used in a cell", fn.Pkg().Name(), fn.Name())
	}
	return core.Ident(pos, l.s.funcSymbol(l, pos, fn, universe.TypeList(inst.TypeArgs)))
}

func (l *lowerer) instanceValue(pos token.Pos, obj types.Object, inst types.Instance) ast.Expr {
	x := l.instance(pos, obj, inst)
	if sig, ok := inst.Type.(*types.Signature); ok {
		return l.funcValue(pos, x, sig)
	}
	return x
}

// funcValue is a declared function as a value: a literal that calls it. By its
// name yaegi has a function for calls only.
func (l *lowerer) funcValue(pos token.Pos, fun ast.Expr, sig *types.Signature) ast.Expr {
	plain := types.NewSignatureType(nil, nil, nil, sig.Params(), sig.Results(), sig.Variadic())
	lit := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: l.Tuple(pos, sig.Params(), sig.Variadic(), "#a"), Results: l.Tuple(pos, sig.Results(), false, "")}}
	l.forward(lit, fun, plain, 0)
	return l.Temp(pos, plain, lit)
}

// unary lowers an operation with one operand.
func (l *lowerer) unary(e *ast.UnaryExpr) ast.Expr {
	pos := e.Pos()
	switch e.Op {
	case token.AND:
		if lit, ok := ast.Unparen(e.X).(*ast.CompositeLit); ok {
			return l.PointerTo(pos, l.composite(lit, l.TypeOf(lit)), l.TypeOf(lit))
		}
		return l.address(pos, e.X)
	case token.ARROW:
		return l.Temp(pos, l.TypeOf(e), &ast.UnaryExpr{OpPos: pos, Op: e.Op, X: l.named(e.X)})
	case token.NOT:
		return &ast.UnaryExpr{OpPos: pos, Op: e.Op, X: l.named(e.X)}
	case token.ADD:
		return l.expr(e.X)
	case token.XOR:
		// yaegi's ^x of an unsigned x is right in its own type only.
		x := l.Temp(pos, types.Default(l.TypeOf(e)), l.expr(e.X))
		return &ast.UnaryExpr{OpPos: pos, Op: e.Op, X: x}
	}
	if b, ok := l.TypeOf(e).Underlying().(*types.Basic); ok && b.Info()&types.IsComplex != 0 {
		zero := l.ZeroOf(pos, l.TypeOf(e))
		return l.RuntimeInto(pos, l.TypeOf(e), "Arith", core.Quoted(pos, "neg"), l.named(e.X), zero)
	}
	return &ast.UnaryExpr{OpPos: pos, Op: e.Op, X: l.named(e.X)}
}

// binary lowers an operation with two operands.
func (l *lowerer) binary(e *ast.BinaryExpr) ast.Expr {
	pos := e.Pos()
	switch e.Op {
	case token.LAND, token.LOR:
		return l.shortCircuit(e)
	case token.SHL, token.SHR:
		return l.shift(pos, e.OpPos, e.Op, l.expr(e.X), l.TypeOf(e), e.Y)
	case token.EQL, token.NEQ:
		if x := l.simple(e); x != nil {
			return x
		}
		return l.comparison(e)
	}
	if x := l.simple(e); x != nil {
		return x
	}
	t := l.TypeOf(e.X) // of a comparison the operands', and else also the result's
	if l.Info.Types[e.X].Value != nil {
		t = l.TypeOf(e.Y)
	}
	t = types.Default(t)
	x, y := l.operandOf(e.X, t), l.operandOf(e.Y, t)
	if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsComplex != 0 {
		return l.RuntimeInto(pos, t, "Arith", core.Quoted(pos, e.Op.String()), x, y)
	}
	return &ast.BinaryExpr{X: x, OpPos: e.OpPos, Op: e.Op, Y: y}
}

// operandOf is an operand of an operation on type t.
func (l *lowerer) operandOf(e ast.Expr, t types.Type) ast.Expr {
	return l.Hold(e.Pos(), l.expr(e), t)
}

// shortCircuit lowers && and ||: t := x; if t { t = y }.
func (l *lowerer) shortCircuit(e *ast.BinaryExpr) ast.Expr {
	pos := e.Pos()
	t := l.Temp(pos, types.Typ[types.Bool], l.expr(e.X))
	cond := t
	if e.Op == token.LOR {
		cond = &ast.UnaryExpr{OpPos: pos, Op: token.NOT, X: t}
	}
	l.Emit(&ast.IfStmt{If: pos, Cond: cond, Body: l.blockOf(pos, func() {
		y := l.Hold(pos, l.expr(e.Y), types.Typ[types.Bool])
		l.Emit(core.Assign(pos, t, y))
	})})
	return t
}

// shift lowers x << y and x >> y, where x is a value of type t already. yaegi
// knows no panic for a negative y.
func (l *lowerer) shift(pos, opPos token.Pos, op token.Token, x ast.Expr, t types.Type, y ast.Expr) ast.Expr {
	x = l.Temp(pos, types.Default(t), x)
	tv := l.Info.Types[y]
	var count ast.Expr
	if tv.Value != nil {
		count = l.Number(pos, token.INT, constant.ToInt(tv.Value).ExactString())
	} else {
		count = l.expr(y)
		count = l.Hold(pos, count, tv.Type)
		if b := tv.Type.Underlying().(*types.Basic); b.Info()&types.IsUnsigned == 0 {
			negative := &ast.BinaryExpr{X: count, OpPos: pos, Op: token.LSS, Y: l.Int(pos, 0)}
			l.Emit(&ast.IfStmt{If: pos, Cond: negative, Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos,
				List: []ast.Stmt{&ast.ExprStmt{X: l.RuntimeCall(pos, "NegativeShift")}}}})
			count = l.Temp(pos, types.Typ[types.Uint], core.Call(pos, core.Ident(pos, "uint"), count))
		} else if b.Kind() != types.Uint {
			count = l.Temp(pos, types.Typ[types.Uint], core.Call(pos, core.Ident(pos, "uint"), count))
		}
	}
	return &ast.BinaryExpr{X: x, OpPos: opPos, Op: op, Y: count}
}

// comparison lowers == and != but for simple ones.
func (l *lowerer) comparison(e *ast.BinaryExpr) ast.Expr {
	pos := e.Pos()
	tx, ty := l.TypeOf(e.X), l.TypeOf(e.Y)
	not := e.Op == token.NEQ
	switch {
	case universe.IsNil(tx) && universe.IsNil(ty):
		return core.Ident(pos, "true")
	case universe.IsNil(ty):
		return l.isNil(pos, e.X, not)
	case universe.IsNil(tx):
		return l.isNil(pos, e.Y, not)
	}
	var x, y ast.Expr
	if l.Info.Types[e.X].Value != nil { // the other one says of what type
		x, y = l.operandOf(e.X, ty), l.operandOf(e.Y, ty)
	} else {
		x, y = l.operandOf(e.X, tx), l.operandOf(e.Y, ty)
	}
	eq := l.Equal(pos, x, y, tx, ty)
	if not {
		return &ast.UnaryExpr{OpPos: pos, Op: token.NOT, X: l.Temp(pos, types.Typ[types.Bool], eq)}
	}
	return eq
}

// isNil compares with nil.
func (l *lowerer) isNil(pos token.Pos, e ast.Expr, not bool) ast.Expr {
	op := token.EQL
	if not {
		op = token.NEQ
	}
	return &ast.BinaryExpr{X: l.named(e), OpPos: pos, Op: op, Y: core.Ident(pos, "nil")}
}

// index lowers x[i] that is read.
func (l *lowerer) index(e *ast.IndexExpr) ast.Expr {
	if x := l.simple(e); x != nil {
		return x
	}
	t := l.TypeOf(e.X)
	if m, ok := t.Underlying().(*types.Map); ok {
		x := l.operand(e.X)
		return &ast.IndexExpr{X: x, Lbrack: e.Lbrack, Index: l.usedKey(e.Index, x, m.Key()), Rbrack: e.Rbrack}
	}
	if _, array := t.Underlying().(*types.Array); array && l.Info.Types[e.X].Addressable() {
		return l.place(e)
	}
	x := l.named(e.X)
	if _, pointer := t.Underlying().(*types.Pointer); pointer {
		x = &ast.ParenExpr{X: &ast.StarExpr{Star: x.Pos(), X: x}}
	}
	i := l.check(e, x, l.indexOperand(e.Index))
	return &ast.IndexExpr{X: x, Lbrack: e.Lbrack, Index: i, Rbrack: e.Rbrack}
}

// indexOperand lowers an index, which yaegi wants to be an int.
func (l *lowerer) indexOperand(e ast.Expr) ast.Expr {
	if l.Info.Types[e].Value != nil {
		return l.expr(e)
	}
	x := l.Hold(e.Pos(), l.expr(e), l.TypeOf(e))
	if universe.IsInt(l.TypeOf(e)) {
		return x
	}
	return l.Temp(e.Pos(), types.Typ[types.Int], core.Call(e.Pos(), core.Ident(e.Pos(), "int"), x))
}

// slice lowers x[i:j:k].
func (l *lowerer) slice(e *ast.SliceExpr) ast.Expr {
	out := &ast.SliceExpr{Lbrack: e.Lbrack, Slice3: e.Slice3, Rbrack: e.Rbrack}
	t := l.TypeOf(e.X)
	switch t.Underlying().(type) {
	case *types.Array:
		p := l.address(e.X.Pos(), e.X)
		p = l.Hold(e.X.Pos(), p, types.NewPointer(t))
		out.X = &ast.ParenExpr{X: &ast.StarExpr{Star: e.Pos(), X: p}}
	case *types.Pointer:
		out.X = &ast.ParenExpr{X: &ast.StarExpr{Star: e.Pos(), X: l.operand(e.X)}}
	default:
		out.X = l.named(e.X)
	}
	for _, p := range []struct {
		to   *ast.Expr
		from ast.Expr
	}{{&out.Low, e.Low}, {&out.High, e.High}, {&out.Max, e.Max}} {
		if p.from != nil {
			*p.to = l.indexOperand(p.from)
		}
	}
	l.checkSlice(e, out)
	return out
}

// composite lowers a literal, every type and every field's name written out.
func (l *lowerer) composite(e *ast.CompositeLit, t types.Type) ast.Expr {
	pos := e.Pos()
	if p, ok := types.Unalias(t).(*types.Pointer); ok { // {...} in a []*T
		return l.PointerTo(pos, l.composite(e, p.Elem()), p.Elem())
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return l.PointerTo(pos, l.composite(e, p.Elem()), p.Elem())
	}
	if st, ok := t.Underlying().(*types.Struct); ok {
		return l.structLiteral(e, t, st)
	}
	out := &ast.CompositeLit{Type: l.TypeExpr(pos, t), Lbrace: e.Lbrace, Rbrace: e.Rbrace}
	var elem, key types.Type
	switch u := t.Underlying().(type) {
	case *types.Slice:
		elem = u.Elem()
	case *types.Array:
		elem = u.Elem()
	case *types.Map:
		elem, key = u.Elem(), u.Key()
		return l.mapLiteral(e, t, key, elem)
	}
	for _, el := range e.Elts {
		if kv, ok := el.(*ast.KeyValueExpr); ok {
			out.Elts = append(out.Elts, &ast.KeyValueExpr{Key: l.expr(kv.Key), Colon: kv.Colon, Value: l.element(kv.Value, elem)})
			continue
		}
		out.Elts = append(out.Elts, l.element(el, elem))
	}
	return out
}

// element lowers an element of a literal.
func (l *lowerer) element(e ast.Expr, t types.Type) ast.Expr {
	if lit, ok := e.(*ast.CompositeLit); ok && !types.IsInterface(t) {
		return l.Hold(e.Pos(), l.composite(lit, l.TypeOf(lit)), t)
	}
	return l.operandTo(e, t)
}

// structLiteral sets the fields of a new variable.
func (l *lowerer) structLiteral(e *ast.CompositeLit, t types.Type, st *types.Struct) ast.Expr {
	pos := e.Pos()
	out := &ast.CompositeLit{Type: l.TypeExpr(pos, t), Lbrace: e.Lbrace, Rbrace: e.Rbrace}
	for i, el := range e.Elts {
		field, x := i, el
		if kv, ok := el.(*ast.KeyValueExpr); ok {
			field, x = universe.FieldIndex(st, kv.Key.(*ast.Ident).Name), kv.Value
		}
		if st.Field(field).Name() == "_" { // which keeps no value
			l.discard(x)
			continue
		}
		value := l.element(x, st.Field(field).Type())
		out.Elts = append(out.Elts, &ast.KeyValueExpr{Key: core.Ident(el.Pos(), l.FieldName(t, st, field)), Colon: el.Pos(), Value: value})
	}
	return out
}

// mapLiteral makes a map and sets its entries.
func (l *lowerer) mapLiteral(e *ast.CompositeLit, t, key, elem types.Type) ast.Expr {
	pos := e.Pos()
	m := l.Temp(pos, t, core.Call(pos, core.Ident(pos, "make"), l.TypeExpr(pos, t)))
	for _, el := range e.Elts {
		kv := el.(*ast.KeyValueExpr)
		k := l.mapKey(kv.Key, key)
		if l.MayNotHash(kv.Key, key) {
			k = l.Hold(kv.Pos(), k, key)
		}
		v := l.element(kv.Value, elem)
		l.checkKey(kv.Key, k, key)
		l.setEntry(kv.Pos(), m, key, elem, k, v)
	}
	return m
}

// mapKey lowers a key of a map. What adapts a cell's value to a compiled interface
// is one for equal values there.
func (l *lowerer) mapKey(e ast.Expr, key types.Type) ast.Expr {
	k := l.element(e, key)
	if types.IsInterface(key) && !l.Opaque(key) && !universe.IsNil(l.TypeOf(e)) {
		return l.RuntimeInto(e.Pos(), key, "Key", k)
	}
	return k
}

// usedKey is a key that the map m is asked for at once.
func (l *lowerer) usedKey(e, m ast.Expr, key types.Type) ast.Expr {
	k := l.mapKey(e, key)
	if l.MayNotHash(e, key) {
		k = l.Hold(e.Pos(), k, key)
		l.checkKey(e, k, key, m)
	}
	return k
}

// checkKey emits what panics if k, which e was lowered to, can't be a key. Go looks
// at it when the map is asked, after all that the statement evaluates; what it says
// depends on whether there is something in the map that is read.
func (l *lowerer) checkKey(e, k ast.Expr, key types.Type, read ...ast.Expr) {
	if l.MayNotHash(e, key) {
		pos := e.Pos()
		x := l.Hold(pos, l.Convert(pos, k, key, core.EmptyInterfaceType), core.EmptyInterfaceType)
		l.Emit(&ast.ExprStmt{X: l.RuntimeCall(pos, "Hashable", append([]ast.Expr{x}, read...)...)})
	}
}

// setEntry sets m[k] = v.
func (l *lowerer) setEntry(pos token.Pos, m ast.Expr, key, elem types.Type, k, v ast.Expr) {
	l.Emit(core.Assign(pos, &ast.IndexExpr{X: m, Lbrack: pos, Index: k, Rbrack: pos}, v))
}

// address lowers &x.
func (l *lowerer) address(pos token.Pos, x ast.Expr) ast.Expr {
	switch e := ast.Unparen(x).(type) {
	case *ast.CompositeLit:
		return l.PointerTo(pos, l.composite(e, l.TypeOf(e)), l.TypeOf(e))
	case *ast.StarExpr: // &*p is p, which must not be nil
		p := l.operand(e.X)
		l.Emit(&ast.ExprStmt{X: l.RuntimeCall(pos, "NotNil", p)})
		return p
	}
	p := l.place(x)
	if star, ok := p.(*ast.StarExpr); ok {
		return star.X // a variable that is kept behind a pointer
	}
	return core.AddressOf(pos, p)
}

// standardStream is the session's own writer where os.Stdout or os.Stderr is
// used as one: then nothing has to go round through a pipe, and the order of
// output is kept.
func (l *lowerer) standardStream(e ast.Expr) ast.Expr {
	s, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	obj, ok := l.Info.Uses[s.Sel].(*types.Var)
	if !ok || obj.Pkg() == nil || obj.Pkg().Path() != "os" || obj.IsField() {
		return nil
	}
	if name := obj.Name(); name == "Stdout" || name == "Stderr" || name == "Stdin" {
		return core.Sel(core.Ident(e.Pos(), l.s.ImportName(machine.RuntimePath)), name)
	}
	return nil
}
