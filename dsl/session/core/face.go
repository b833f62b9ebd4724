package core

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"

	"sapf/dsl/session/machine"
	"sapf/dsl/session/universe"
)

// Interfaces are not left to yaegi, for which a named type is no more than its
// structure once it is in one. In lowered source every interface that cells
// declare is interface{}; what goes in carries its type (box), what comes out
// is asked for it (assertion), and methods are found by the type (method).
// Interfaces of compiled packages stay what they are: an interpreted value
// becomes one by an adapter. The other half of this is
// machine/dynamic.go.

// Opaque reports interfaces that lowered source has as interface{}: all but
// those with methods that compiled packages declare.
func (w *Writer) Opaque(t types.Type) bool {
	if !types.IsInterface(t) {
		return false
	}
	n, ok := universe.Named(t)
	return !ok || n.Obj().Pkg() != nil && w.Universe.Interpreted(n) || n.Underlying().(*types.Interface).NumMethods() == 0
}

// boxed reports types whose values carry their type with them in an interface:
// all that their representation does not tell, those with a type of a cell in
// them.
func (p *Program) boxed(t types.Type) bool {
	seen := map[types.Type]bool{}
	var look func(types.Type) bool
	look = func(t types.Type) bool {
		t = types.Unalias(t)
		if seen[t] {
			return false
		}
		seen[t] = true
		switch t := t.(type) {
		case *types.Named:
			return t.Obj().Pkg() != nil && p.Universe.Interpreted(t)
		case *types.Struct:
			return true
		case *types.Interface:
			return t.NumMethods() > 0
		case *types.Basic, *types.TypeParam:
			return false
		}
		for _, part := range machine.ComponentsOf(t) {
			if look(part) {
				return true
			}
		}
		return false
	}
	return look(t)
}

// hasOwnMethods reports types with methods that are a cell's: those of its named
// types, and of its structures that embed something.
func (p *Program) hasOwnMethods(t types.Type) bool {
	if n, ok := universe.NamedBehind(t); ok {
		return n.Obj().Pkg() != nil && p.Universe.Interpreted(n)
	}
	_, isStruct := universe.Deref(t).(*types.Struct)
	return isStruct && types.NewMethodSet(t).Len() > 0
}

// typeNumber is the machine's number of a type.
func (p *Program) typeNumber(t types.Type) int {
	id, ok := p.TypeIDs.At(t).(int)
	if !ok {
		id = p.Machine.AddType(t)
		p.TypeIDs.Set(t, id)
	}
	return id
}

// TypeID is the number by which lowered source refers to a type.
func (w *Writer) TypeID(pos token.Pos, t types.Type) ast.Expr {
	return w.Int(pos, w.typeNumber(t))
}

// Convert makes x, a value of type from, one of type to.
func (w *Writer) Convert(pos token.Pos, x ast.Expr, from, to types.Type) ast.Expr {
	if to == nil || from == nil || !types.IsInterface(to) {
		return x
	}
	if _, param := types.Unalias(to).(*types.TypeParam); param {
		return x
	}
	if universe.IsNil(from) {
		return w.ZeroOf(pos, to)
	}
	from = types.Default(from)
	switch {
	case types.IsInterface(from):
		x = w.Hold(pos, x, from)
		switch {
		case w.Opaque(from) && w.Opaque(to):
			return x
		case w.Opaque(from):
			return Call(pos, w.Adapter(pos, to), x)
		case w.Opaque(to):
			return w.RuntimeCall(pos, "Any", x)
		}
		return w.Temp(pos, to, x)
	case w.Opaque(to):
		return w.toAny(pos, x, from)
	case w.hasOwnMethods(from):
		return Call(pos, w.Adapter(pos, to), w.Hold(pos, w.toAny(pos, x, from), EmptyInterfaceType))
	}
	return w.Temp(pos, to, w.TypedName(pos, x, from))
}

// toAny puts a value of a type that is no interface into an interface{}.
func (w *Writer) toAny(pos token.Pos, x ast.Expr, from types.Type) ast.Expr {
	w.Know(pos, from)
	x = w.TypedName(pos, x, from)
	if w.boxed(from) {
		return w.RuntimeCall(pos, "Box", w.TypeID(pos, from), x)
	}
	if _, basic := from.Underlying().(*types.Basic); basic {
		return w.Temp(pos, EmptyInterfaceType, x)
	}
	return w.RuntimeCall(pos, "Any", x)
}

// Adapter is a function that makes a compiled interface of an interface{}.
func (w *Writer) Adapter(pos token.Pos, to types.Type) ast.Expr {
	name, err := w.adapterSymbol(to)
	if err != nil {
		w.Refuse(pos, "%v", err)
	}
	return Sel(Ident(pos, w.ImportName(machine.RuntimePath)), name)
}

// adapterSymbol enters the adapter to a compiled interface into the runtime
// package, once.
func (p *Program) adapterSymbol(to types.Type) (string, error) {
	named, _ := universe.Named(to)
	key := "adapter " + named.String()
	if name, ok := p.Instances[key]; ok {
		return name, nil
	}
	iface, wrapper := universe.ErrorType, reflect.Type(nil)
	if pkg := named.Obj().Pkg(); pkg != nil {
		table := p.Universe.Tables[pkg.Path()].Symbols
		v, ok := table[named.Obj().Name()]
		if !ok {
			return "", machine.Errorf("a cell's value can't be a %s: it has no name there", named)
		}
		iface = v.Type().Elem()
		if w, ok := table["_"+named.Obj().Name()]; ok {
			wrapper = w.Type().Elem()
		}
		if wrapper == nil {
			return "", machine.Errorf("a type of a cell can't implement %s", named)
		}
	}
	name := p.Machine.AddAdapter(iface, wrapper, to)
	p.Instances[key] = name
	return name, nil
}

// Assert asks for the type of x, an interface of type from:
//
//	var v T
//	ok := rt.Into(number of T, x, &v)
//
// or the like with rt.Must, which panics, if ok is not wanted.
func (w *Writer) Assert(pos token.Pos, x ast.Expr, from, t types.Type, two bool) (v, ok ast.Expr) {
	w.Know(pos, t)
	a := w.Hold(pos, w.Convert(pos, x, from, EmptyInterfaceType), EmptyInterfaceType)
	name, args := "Must", []ast.Expr{w.TypeID(pos, t), w.TypeID(pos, from), a}
	if two {
		name, args = "Into", []ast.Expr{w.TypeID(pos, t), a}
	}
	v = w.ZeroOf(pos, t)
	if !types.IsInterface(t) {
		args = append(args, AddressOf(pos, v))
	}
	asked := w.RuntimeCall(pos, name, args...)
	if two {
		ok = w.Temp(pos, types.Typ[types.Bool], asked)
	} else {
		w.Emit(&ast.ExprStmt{X: asked})
	}
	if !types.IsInterface(t) {
		return v, ok
	}
	set := func() { w.Emit(Assign(pos, v, w.Hold(pos, w.Convert(pos, a, EmptyInterfaceType, t), t))) }
	if two {
		outer := w.Block
		w.Block = nil
		set()
		then := &ast.BlockStmt{Lbrace: pos, List: w.Block, Rbrace: pos}
		w.Block = outer
		w.Emit(&ast.IfStmt{If: pos, Cond: ok, Body: then})
	} else {
		set()
	}
	return v, ok
}

// Method is the method of an interface{} with that name, bound to it.
func (w *Writer) Method(pos token.Pos, x ast.Expr, fn *types.Func) ast.Expr {
	sig := fn.Signature()
	ft := types.NewSignatureType(nil, nil, nil, sig.Params(), sig.Results(), sig.Variadic())
	f := w.ZeroOf(pos, ft)
	w.Emit(&ast.ExprStmt{X: w.RuntimeCall(pos, "Method", x, Quoted(pos, methodKey(fn)), AddressOf(pos, f))})
	return f
}

// methodKey tells apart methods of different packages whose names are not
// exported.
func methodKey(fn *types.Func) string { return fn.Name() }

// Equal lowers a comparison of operands that are not both of a basic type.
func (w *Writer) Equal(pos token.Pos, x, y ast.Expr, tx, ty types.Type) ast.Expr {
	ix, iy := types.IsInterface(tx), types.IsInterface(ty)
	if ix || iy {
		x = w.Hold(pos, w.Convert(pos, x, tx, EmptyInterfaceType), EmptyInterfaceType)
		y = w.Hold(pos, w.Convert(pos, y, ty, EmptyInterfaceType), EmptyInterfaceType)
		return w.RuntimeCall(pos, "Equal", x, y)
	}
	if b, ok := tx.Underlying().(*types.Basic); ok && b.Info()&types.IsComplex == 0 {
		return &ast.BinaryExpr{X: x, OpPos: pos, Op: token.EQL, Y: y}
	}
	name := "Same"
	if _, isChan := tx.Underlying().(*types.Chan); isChan && !types.Identical(tx, ty) { // of another direction
		name = "SameChan"
	}
	return w.RuntimeCall(pos, name, w.TypedName(pos, x, tx), w.TypedName(pos, y, ty))
}
