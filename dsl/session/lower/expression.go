package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

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
	obj := l.info.Defs[id]
	if id.Name == "_" || obj == nil {
		return ident(id.Pos(), "_")
	}
	if sym, global := l.s.Symbols[obj]; global {
		return ident(id.Pos(), sym)
	}
	return ident(id.Pos(), l.local(obj))
}

// object is an expression for a use of obj.
func (l *lowerer) object(pos token.Pos, obj types.Object) ast.Expr {
	switch obj := obj.(type) {
	case *types.Nil:
		return ident(pos, "nil")
	case *types.Builtin:
		return ident(pos, obj.Name())
	case *types.TypeName:
		return l.typeExpr(pos, obj.Type())
	case *types.Func:
		if d := l.s.universe.Decls[obj]; d != nil {
			if d.Pkg != "main" && d.Node.(*ast.FuncDecl).Body == nil { // compiled
				return sel(ident(pos, l.s.importName(machine.RuntimePath)), strings.ToUpper(obj.Name()[:1])+obj.Name()[1:])
			}
			if l.statements && l.literals > 0 && d.Pkg == "main" {
				return ident(pos, l.s.link(l, pos, obj))
			}
			return ident(pos, l.s.funcSymbol(l, pos, obj, nil))
		}
		return l.exported(pos, obj)
	}
	if sym, global := l.s.Symbols[obj]; global {
		return ident(pos, sym)
	}
	if p, ok := l.boxes[obj]; ok {
		return &ast.ParenExpr{Lparen: pos, X: &ast.StarExpr{Star: pos, X: ident(pos, p)}, Rparen: pos}
	}
	if obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() && l.s.universe.Pkgs[obj.Pkg().Path()] == obj.Pkg() {
		if v, ok := obj.(*types.Var); ok {
			return l.packageVar(pos, v)
		}
		return l.exported(pos, obj)
	}
	return ident(pos, l.local(obj))
}

// packageVar is a variable of a compiled package: what a pointer of the session
// points to. By its name yaegi reads and writes a copy of it in some places.
func (l *lowerer) packageVar(pos token.Pos, v *types.Var) ast.Expr {
	direct := l.exported(pos, v)
	if !l.s.universe.Tables[v.Pkg().Path()].Symbols[v.Name()].CanAddr() {
		return direct
	}
	name, ok := l.s.links[v]
	if !ok {
		typ := l.spelt(pos, types.NewPointer(v.Type()))
		if typ == nil { // nothing can be assigned to it but itself
			return direct
		}
		name = l.s.Fresh(v.Name())
		l.s.declareLink(pos, v, name, typ, &ast.UnaryExpr{OpPos: pos, Op: token.AND, X: direct})
	}
	return &ast.ParenExpr{Lparen: pos, X: &ast.StarExpr{Star: pos, X: ident(pos, name)}, Rparen: pos}
}

// spelt is typeExpr, or nil for a type that can't be named.
func (l *lowerer) spelt(pos token.Pos, t types.Type) (x ast.Expr) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(refuse); !ok {
				panic(r)
			}
			x = nil
		}
	}()
	return l.typeExpr(pos, t)
}

func (l *lowerer) typeOf(e ast.Expr) types.Type {
	if tv, ok := l.info.Types[e]; ok && tv.Type != nil {
		return tv.Type
	}
	if id, ok := e.(*ast.Ident); ok {
		if obj := l.info.ObjectOf(id); obj != nil {
			return obj.Type()
		}
	}
	return types.Typ[types.Invalid]
}

func (l *lowerer) exprs(list []ast.Expr) []ast.Expr {
	out := make([]ast.Expr, len(list))
	for i, e := range list {
		out[i] = l.expr(e)
	}
	return out
}

// expr lowers an expression.
func (l *lowerer) expr(e ast.Expr) ast.Expr {
	pos := e.Pos()
	tv := l.info.Types[e]
	if tv.Value != nil {
		return l.constant(pos, tv.Value, tv.Type)
	}
	if tv.IsType() {
		return l.typeExpr(pos, tv.Type)
	}
	switch e := e.(type) {
	case *ast.Ident:
		if e.Name == "_" {
			return ident(pos, "_")
		}
		if inst, ok := l.info.Instances[e]; ok {
			return l.instance(pos, l.info.Uses[e], inst)
		}
		return l.object(pos, l.info.ObjectOf(e))
	case *ast.ParenExpr:
		return &ast.ParenExpr{Lparen: pos, X: l.expr(e.X), Rparen: e.Rparen}
	case *ast.SelectorExpr:
		return l.selector(e)
	case *ast.CallExpr:
		return l.call(e)
	case *ast.FuncLit:
		return l.funcLit(e)
	case *ast.CompositeLit:
		return l.composite(e, tv.Type)
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			if lit, ok := ast.Unparen(e.X).(*ast.CompositeLit); ok {
				return &ast.UnaryExpr{OpPos: pos, Op: e.Op, X: l.composite(lit, l.typeOf(lit))}
			}
			return l.address(pos, e.X)
		}
		return &ast.UnaryExpr{OpPos: pos, Op: e.Op, X: l.expr(e.X)}
	case *ast.BinaryExpr:
		return l.binary(e)
	case *ast.StarExpr:
		return &ast.StarExpr{Star: pos, X: l.expr(e.X)}
	case *ast.IndexExpr:
		if id := instanceIdent(e.X); id != nil {
			if inst, ok := l.info.Instances[id]; ok {
				return l.instance(pos, l.info.Uses[id], inst)
			}
		}
		index := l.expr(e.Index)
		if m, ok := l.typeOf(e.X).Underlying().(*types.Map); ok {
			index = l.assignable(e.Index, m.Key())
		}
		return &ast.IndexExpr{X: l.expr(e.X), Lbrack: e.Lbrack, Index: index, Rbrack: e.Rbrack}
	case *ast.IndexListExpr:
		if id := instanceIdent(e.X); id != nil {
			return l.instance(pos, l.info.Uses[id], l.info.Instances[id])
		}
	case *ast.SliceExpr:
		out := &ast.SliceExpr{X: l.expr(e.X), Lbrack: e.Lbrack, Slice3: e.Slice3, Rbrack: e.Rbrack}
		for _, p := range []struct {
			to   *ast.Expr
			from ast.Expr
		}{{&out.Low, e.Low}, {&out.High, e.High}, {&out.Max, e.Max}} {
			if p.from != nil {
				*p.to = l.expr(p.from)
			}
		}
		return out
	case *ast.TypeAssertExpr:
		return l.assertion(e, false)
	}
	l.refuse(pos, "this expression (%T) can't be used in a cell", e)
	return nil
}

func instanceIdent(x ast.Expr) *ast.Ident {
	switch x := ast.Unparen(x).(type) {
	case *ast.Ident:
		return x
	case *ast.SelectorExpr:
		return x.Sel
	}
	return nil
}

// instance is a use of a generic function with its type arguments.
func (l *lowerer) instance(pos token.Pos, obj types.Object, inst types.Instance) ast.Expr {
	fn, ok := obj.(*types.Func)
	if !ok {
		return l.typeExpr(pos, inst.Type)
	}
	if l.s.universe.Decls[fn] == nil {
		l.refuse(pos, "the generic function %s.%s can't be used in a cell", fn.Pkg().Name(), fn.Name())
	}
	return ident(pos, l.s.funcSymbol(l, pos, fn, universe.TypeList(inst.TypeArgs)))
}

// binary lowers an operation. A value compared with an interface is first
// made one.
func (l *lowerer) binary(e *ast.BinaryExpr) ast.Expr {
	x, y := l.expr(e.X), l.expr(e.Y)
	if e.Op == token.EQL || e.Op == token.NEQ {
		tx, ty := l.typeOf(e.X), l.typeOf(e.Y)
		ix, iy := types.IsInterface(tx), types.IsInterface(ty)
		if (ix || iy) && !universe.IsNil(ty) && !universe.IsNil(tx) {
			eq := l.equal(e.Pos(), x, y, tx, ty)
			if e.Op == token.NEQ {
				eq = &ast.UnaryExpr{OpPos: e.Pos(), Op: token.NOT, X: eq}
			}
			return eq
		}
	}
	return &ast.BinaryExpr{X: x, OpPos: e.OpPos, Op: e.Op, Y: y}
}

// composite lowers a literal, every type and every field's name written out.
func (l *lowerer) composite(e *ast.CompositeLit, t types.Type) ast.Expr {
	pos := e.Pos()
	if p, ok := types.Unalias(t).(*types.Pointer); ok { // {...} in a []*T
		return &ast.UnaryExpr{OpPos: pos, Op: token.AND, X: l.composite(e, p.Elem())}
	}
	out := &ast.CompositeLit{Type: l.typeExpr(pos, t), Lbrace: e.Lbrace, Rbrace: e.Rbrace}
	var elem, key types.Type
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for i, el := range e.Elts {
			kv, keyed := el.(*ast.KeyValueExpr)
			if !keyed {
				f := u.Field(i)
				out.Elts = append(out.Elts, &ast.KeyValueExpr{Key: ident(el.Pos(), f.Name()), Colon: el.Pos(), Value: l.assignable(el, f.Type())})
				continue
			}
			name := kv.Key.(*ast.Ident).Name
			out.Elts = append(out.Elts, &ast.KeyValueExpr{Key: ident(kv.Pos(), name), Colon: kv.Colon, Value: l.assignable(kv.Value, universe.FieldType(u, name))})
		}
		return out
	case *types.Slice:
		elem = u.Elem()
	case *types.Array:
		elem = u.Elem()
	case *types.Map:
		elem, key = u.Elem(), u.Key()
	}
	for _, el := range e.Elts {
		if kv, ok := el.(*ast.KeyValueExpr); ok {
			k := kv.Key
			var lk ast.Expr
			if key != nil {
				lk = l.assignable(k, key)
			} else {
				lk = l.expr(k)
			}
			out.Elts = append(out.Elts, &ast.KeyValueExpr{Key: lk, Colon: kv.Colon, Value: l.assignable(kv.Value, elem)})
			continue
		}
		out.Elts = append(out.Elts, l.assignable(el, elem))
	}
	return out
}

// address lowers &x.
func (l *lowerer) address(pos token.Pos, x ast.Expr) ast.Expr {
	lowered := l.expr(x)
	if _, written := ast.Unparen(x).(*ast.StarExpr); !written {
		if star, ok := ast.Unparen(lowered).(*ast.StarExpr); ok {
			return star.X // a variable that is kept behind a pointer
		}
	}
	return &ast.UnaryExpr{OpPos: pos, Op: token.AND, X: lowered}
}

// assignable lowers e where a value of type to is wanted.
func (l *lowerer) assignable(e ast.Expr, to types.Type) ast.Expr {
	if to != nil && types.IsInterface(to) {
		if w := l.standardStream(e); w != nil {
			return w
		}
	}
	return l.convert(e.Pos(), l.expr(e), l.typeOf(e), to)
}

// standardStream is the session's own writer where os.Stdout or os.Stderr is
// used as one: then nothing has to go round through a pipe, and the order of
// output is kept.
func (l *lowerer) standardStream(e ast.Expr) ast.Expr {
	s, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	obj, ok := l.info.Uses[s.Sel].(*types.Var)
	if !ok || obj.Pkg() == nil || obj.Pkg().Path() != "os" || obj.IsField() {
		return nil
	}
	if name := obj.Name(); name == "Stdout" || name == "Stderr" || name == "Stdin" {
		return sel(ident(e.Pos(), l.s.importName(machine.RuntimePath)), name)
	}
	return nil
}
