package core

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strconv"

	"sapf/dsl/session/machine"
	"sapf/dsl/session/universe"
)

// ConvertTo makes an operand of one type a value of another.
func (w *Writer) ConvertTo(pos token.Pos, x ast.Expr, from, to types.Type) ast.Expr {
	if types.IsInterface(to) {
		return w.Convert(pos, x, from, to)
	}
	if w.SameRep(from, to) {
		return x
	}
	return w.Reshape(pos, x, from, to)
}

// FieldName is the name of a field of a structure of type t, or that t points to.
func (w *Writer) FieldName(t types.Type, st *types.Struct, i int) string {
	if n, ok := universe.NamedBehind(t); ok && n.Obj().Pkg() != nil && !w.Universe.Interpreted(n) {
		return st.Field(i).Name()
	}
	return machine.FieldName(st, i)
}

// Refusal is thrown by the lowerer for what yaegi can't be made to do.
type Refusal struct {
	Pos token.Pos
	Msg string
}

// Refuse ends the lowering of the cell.
func (w *Writer) Refuse(pos token.Pos, format string, args ...any) {
	panic(Refusal{Pos: pos, Msg: fmt.Sprintf(format, args...)})
}

// TypeExpr spells the representation of a type (machine/rep.go): structures and
// types that contain themselves by a symbol of the machine's, others by their
// structure.
func (w *Writer) TypeExpr(pos token.Pos, t types.Type) ast.Expr {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		if t.Kind() == types.UntypedNil {
			return w.emptyInterface(pos)
		}
		if t.Kind() == types.UnsafePointer {
			w.Refuse(pos, "unsafe.Pointer can't be used in a cell")
		}
		return Ident(pos, types.Default(t).(*types.Basic).Name())
	case *types.Named:
		return w.namedType(pos, t)
	case *types.Pointer:
		return &ast.StarExpr{Star: pos, X: w.TypeExpr(pos, t.Elem())}
	case *types.Slice:
		return &ast.ArrayType{Lbrack: pos, Elt: w.TypeExpr(pos, t.Elem())}
	case *types.Array:
		n := &ast.BasicLit{ValuePos: pos, Kind: token.INT, Value: strconv.FormatInt(t.Len(), 10)}
		return &ast.ArrayType{Lbrack: pos, Len: n, Elt: w.TypeExpr(pos, t.Elem())}
	case *types.Map:
		return &ast.MapType{Map: pos, Key: w.TypeExpr(pos, t.Key()), Value: w.TypeExpr(pos, t.Elem())}
	case *types.Chan:
		dir := map[types.ChanDir]ast.ChanDir{types.SendRecv: ast.SEND | ast.RECV, types.SendOnly: ast.SEND, types.RecvOnly: ast.RECV}[t.Dir()]
		return &ast.ChanType{Begin: pos, Arrow: pos, Dir: dir, Value: w.TypeExpr(pos, t.Elem())}
	case *types.Signature:
		return w.FuncType(pos, t)
	case *types.Struct:
		w.Know(pos, t)
		return w.symbol(pos, t)
	case *types.Interface:
		if !t.IsMethodSet() {
			w.Refuse(pos, "a constraint can't be the type of a value")
		}
		return w.emptyInterface(pos)
	case *types.TypeParam:
		w.Refuse(pos, "type parameter %s is not bound", t.Obj().Name())
	}
	w.Refuse(pos, "type %s can't be used in a cell", t)
	return nil
}

// symbol is the machine's name of a type.
func (w *Writer) symbol(pos token.Pos, t types.Type) ast.Expr {
	rep, err := w.Machine.Rep(t)
	if err != nil {
		w.Refuse(pos, "%v", err)
	}
	return Sel(Ident(pos, w.ImportName(machine.RuntimePath)), w.Machine.TypeSymbol(rep))
}

// SameRep reports whether values of two types look the same to yaegi.
func (w *Writer) SameRep(a, b types.Type) bool {
	if types.Identical(a, b) || universe.IsNil(a) {
		return true
	}
	if _, ok := a.(*types.Tuple); ok {
		return true
	}
	ra, errA := w.Machine.Rep(types.Default(a))
	rb, errB := w.Machine.Rep(types.Default(b))
	return errA == nil && errB == nil && ra == rb
}

// Reshape makes x, of type from, a value of a type with the same layout: one of
// them contains itself, and the other is its structure written out.
func (w *Writer) Reshape(pos token.Pos, x ast.Expr, from, to types.Type) ast.Expr {
	if _, basic := to.Underlying().(*types.Basic); basic {
		return x
	}
	x = w.Hold(pos, x, from)
	y := w.Temp(pos, to, nil)
	w.Emit(&ast.ExprStmt{X: w.RuntimeCall(pos, "Reshape", AddressOf(pos, y), x)})
	return y
}

func (w *Writer) namedType(pos token.Pos, t *types.Named) ast.Expr {
	obj := t.Obj()
	if obj.Pkg() == nil { // error, comparable
		return Ident(pos, obj.Name())
	}
	if obj.Pkg().Path() == "iter" { // a function, whichever form it comes in
		return w.TypeExpr(pos, t.Underlying())
	}
	if !w.Universe.Interpreted(t) {
		if _, named := w.Universe.Tables[obj.Pkg().Path()].Symbols[obj.Name()]; named && t.TypeArgs().Len() == 0 {
			return w.Exported(pos, obj)
		}
		return w.symbol(pos, t)
	}
	w.Know(pos, t)
	if _, isStruct := t.Underlying().(*types.Struct); isStruct || containsItself(t) {
		return w.symbol(pos, t)
	}
	return w.TypeExpr(pos, t.Underlying())
}

// containsItself reports whether the spelling of a type would have no end.
func containsItself(t *types.Named) bool {
	seen := map[types.Type]bool{}
	var look func(types.Type) bool
	look = func(u types.Type) bool {
		u = types.Unalias(u)
		if n, ok := u.(*types.Named); ok {
			if types.Identical(n, t) {
				return true
			}
			if seen[n] || types.IsInterface(n) {
				return false
			}
			seen[n] = true
			u = n.Underlying()
		}
		switch u.(type) {
		case *types.Struct, *types.Interface, *types.Basic, *types.TypeParam:
			return false
		}
		for _, part := range machine.ComponentsOf(u) {
			if look(part) {
				return true
			}
		}
		return false
	}
	for _, part := range partsOf(t.Underlying()) {
		if look(part) {
			return true
		}
	}
	return false
}

// partsOf are the components of a type literal, if it has any.
func partsOf(t types.Type) []types.Type {
	switch t.(type) {
	case *types.Basic, *types.Interface, *types.TypeParam, *types.Tuple:
		return nil
	}
	return machine.ComponentsOf(t)
}

// Know sees to it that the machine knows the methods of a type and of those it
// consists of: values of any of them may be met inside one of t.
func (w *Writer) Know(pos token.Pos, t types.Type) {
	t = types.Unalias(t)
	if w.Known.At(t) != nil {
		return
	}
	w.Known.Set(t, true)
	w.Out.Undo = append(w.Out.Undo, func() { w.Known.Delete(t) })
	if n, ok := t.(*types.Named); ok {
		if n.Obj().Pkg() == nil || !w.Universe.Interpreted(n) {
			return
		}
		if !types.IsInterface(n) {
			w.Out.Queue = append(w.Out.Queue, func() { w.Announce(pos, n) })
		}
		t = n.Underlying()
	} else if st, ok := t.(*types.Struct); ok {
		for f := range st.Fields() {
			if f.Embedded() { // it may have methods of its fields
				w.Out.Queue = append(w.Out.Queue, func() { w.Announce(pos, t) })
				break
			}
		}
	}
	for _, part := range partsOf(t) {
		w.Know(pos, part)
	}
}

// Exported is the name of a symbol of a compiled package.
func (w *Writer) Exported(pos token.Pos, obj types.Object) ast.Expr {
	path := obj.Pkg().Path()
	if _, ok := w.Universe.Tables[path].Symbols[obj.Name()]; !ok {
		w.Refuse(pos, "%s.%s can't be named in a cell", obj.Pkg().Name(), obj.Name())
	}
	return Sel(Ident(pos, w.ImportName(path)), obj.Name())
}

// FuncType spells the type of a function.
func (w *Writer) FuncType(pos token.Pos, sig *types.Signature) *ast.FuncType {
	return &ast.FuncType{Func: pos, Params: w.Tuple(pos, sig.Params(), sig.Variadic(), ""), Results: w.Tuple(pos, sig.Results(), false, "")}
}

// Tuple spells parameters. With a prefix they are named prefix0, prefix1, ...
func (w *Writer) Tuple(pos token.Pos, t *types.Tuple, variadic bool, prefix string) *ast.FieldList {
	list := &ast.FieldList{Opening: pos, Closing: pos}
	for i := range t.Len() {
		f := &ast.Field{Type: w.TypeExpr(pos, t.At(i).Type())}
		if variadic && i == t.Len()-1 {
			f.Type = &ast.Ellipsis{Ellipsis: pos, Elt: w.TypeExpr(pos, t.At(i).Type().Underlying().(*types.Slice).Elem())}
		}
		if prefix != "" {
			f.Names = []*ast.Ident{Ident(pos, prefix+strconv.Itoa(i))}
		}
		list.List = append(list.List, f)
	}
	return list
}
