// Package lower turns checked cells into the part of Go that yaegi runs as Go
// does.
package lower

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"sapf/dsl/session/machine"
	"sapf/dsl/session/universe"
)

// Lowering turns checked Go into the part of Go that yaegi runs correctly:
// one function per instance of a generic one, constants as literals, promoted
// fields spelt out, loops with their own variables, and so on. Every
// package-level object has its own name for yaegi, which no cell can write
// ("f#2"), so a redefinition never meets what it replaces.

// lowerer lowers one checked piece of source.
type lowerer struct {
	s     *Lowering
	info  *types.Info
	names map[types.Object]string // of local objects
	// captured are the variables of loop bodies that closures hold on to. They
	// live behind pointers: boxes has the variables with those.
	captured map[types.Object]bool
	boxes    map[types.Object]string
	fn       *funcState
	// statements tells the statements of a cell from its declarations, literals
	// how many function literals are around.
	statements bool
	literals   int
	// nextName and nextEnder are the name and ender of the next function.
	nextName, nextEnder string
}

// refuse is thrown by the lowerer for what yaegi can't be made to do.
type refuse struct {
	pos token.Pos
	msg string
}

func (l *lowerer) refuse(pos token.Pos, format string, args ...any) {
	panic(refuse{pos, fmt.Sprintf(format, args...)})
}

func ident(pos token.Pos, name string) *ast.Ident { return &ast.Ident{NamePos: pos, Name: name} }

func sel(x ast.Expr, name string) ast.Expr {
	return &ast.SelectorExpr{X: x, Sel: ident(x.Pos(), name)}
}

func call(pos token.Pos, fun ast.Expr, args ...ast.Expr) *ast.CallExpr {
	return &ast.CallExpr{Fun: fun, Lparen: pos, Args: args, Rparen: pos}
}

// runtimeCall calls a function of the session's own package (machine/runtime.go).
func (l *lowerer) runtimeCall(pos token.Pos, name string, args ...ast.Expr) *ast.CallExpr {
	return call(pos, sel(ident(pos, l.s.importName(machine.RuntimePath)), name), args...)
}

// typeExpr spells a type in yaegi's terms.
func (l *lowerer) typeExpr(pos token.Pos, t types.Type) ast.Expr {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		if t.Kind() == types.UntypedNil {
			return l.emptyInterface(pos)
		}
		if t.Kind() == types.UnsafePointer {
			l.refuse(pos, "unsafe.Pointer can't be used in a cell")
		}
		return ident(pos, types.Default(t).(*types.Basic).Name())
	case *types.Named:
		return l.namedType(pos, t)
	case *types.Pointer:
		return &ast.StarExpr{Star: pos, X: l.typeExpr(pos, t.Elem())}
	case *types.Slice:
		return &ast.ArrayType{Lbrack: pos, Elt: l.typeExpr(pos, t.Elem())}
	case *types.Array:
		n := &ast.BasicLit{ValuePos: pos, Kind: token.INT, Value: strconv.FormatInt(t.Len(), 10)}
		return &ast.ArrayType{Lbrack: pos, Len: n, Elt: l.typeExpr(pos, t.Elem())}
	case *types.Map:
		return &ast.MapType{Map: pos, Key: l.typeExpr(pos, t.Key()), Value: l.typeExpr(pos, t.Elem())}
	case *types.Chan:
		dir := map[types.ChanDir]ast.ChanDir{types.SendRecv: ast.SEND | ast.RECV, types.SendOnly: ast.SEND, types.RecvOnly: ast.RECV}[t.Dir()]
		return &ast.ChanType{Begin: pos, Arrow: pos, Dir: dir, Value: l.typeExpr(pos, t.Elem())}
	case *types.Signature:
		return l.funcType(pos, t)
	case *types.Struct:
		return l.structType(pos, t, "")
	case *types.Interface:
		if !t.IsMethodSet() {
			l.refuse(pos, "a constraint can't be the type of a value")
		}
		return l.emptyInterface(pos)
	case *types.TypeParam:
		l.refuse(pos, "type parameter %s is not bound", t.Obj().Name())
	}
	l.refuse(pos, "type %s can't be used in a cell", t)
	return nil
}

func (l *lowerer) emptyInterface(pos token.Pos) ast.Expr {
	return &ast.InterfaceType{Interface: pos, Methods: &ast.FieldList{Opening: pos, Closing: pos}}
}

func (l *lowerer) namedType(pos token.Pos, t *types.Named) ast.Expr {
	obj := t.Obj()
	if obj.Pkg() == nil { // error, comparable
		return ident(pos, obj.Name())
	}
	if obj.Pkg().Path() == "iter" { // a function, whichever form it comes in
		return l.typeExpr(pos, t.Underlying())
	}
	if l.opaque(t) {
		return l.typeExpr(pos, t.Underlying())
	}
	if l.s.universe.Interpreted(t) {
		return ident(pos, l.s.typeSymbol(l, pos, t))
	}
	return l.exported(pos, obj)
}

// exported is the name of a symbol of a compiled package.
func (l *lowerer) exported(pos token.Pos, obj types.Object) ast.Expr {
	path := obj.Pkg().Path()
	if _, ok := l.s.universe.Tables[path].Symbols[obj.Name()]; !ok {
		l.refuse(pos, "%s.%s can't be named in a cell, so no variable or function can have this type", obj.Pkg().Name(), obj.Name())
	}
	return sel(ident(pos, l.s.importName(path)), obj.Name())
}

func (l *lowerer) funcType(pos token.Pos, sig *types.Signature) *ast.FuncType {
	return &ast.FuncType{Func: pos, Params: l.tuple(pos, sig.Params(), sig.Variadic(), ""), Results: l.tuple(pos, sig.Results(), false, "")}
}

// tuple spells parameters. With a prefix they are named prefix0, prefix1, ...
func (l *lowerer) tuple(pos token.Pos, t *types.Tuple, variadic bool, prefix string) *ast.FieldList {
	list := &ast.FieldList{Opening: pos, Closing: pos}
	for i := range t.Len() {
		f := &ast.Field{Type: l.typeExpr(pos, t.At(i).Type())}
		if variadic && i == t.Len()-1 {
			f.Type = &ast.Ellipsis{Ellipsis: pos, Elt: l.typeExpr(pos, t.At(i).Type().Underlying().(*types.Slice).Elem())}
		}
		if prefix != "" {
			f.Names = []*ast.Ident{ident(pos, prefix+strconv.Itoa(i))}
		}
		list.List = append(list.List, f)
	}
	return list
}

// structType spells a struct. Embedded fields become fields with a name; the
// lowerer writes out the way to what they promote. The tag, if any, tells
// apart types of the same structure.
func (l *lowerer) structType(pos token.Pos, t *types.Struct, tag string) ast.Expr {
	list := &ast.FieldList{Opening: pos, Closing: pos}
	for i := range t.NumFields() {
		f := t.Field(i)
		field := &ast.Field{Names: []*ast.Ident{ident(pos, f.Name())}, Type: l.typeExpr(pos, f.Type())}
		text := machine.FieldTag(f, t.Tag(i))
		if i == 0 && tag != "" {
			text = strings.TrimSpace(text + " sapf:" + strconv.Quote(tag))
		}
		if text != "" {
			field.Tag = &ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: strconv.Quote(text)}
		}
		list.List = append(list.List, field)
	}
	return &ast.StructType{Struct: pos, Fields: list}
}

// constant is a literal with the value and type of a constant expression.
func (l *lowerer) constant(pos token.Pos, v constant.Value, t types.Type) ast.Expr {
	t = types.Default(t)
	b, ok := t.Underlying().(*types.Basic)
	if !ok { // a constant given to an interface
		b = types.Default(universe.Untyped(v)).(*types.Basic)
		t = b
	}
	var lit ast.Expr
	plain := types.Int
	switch info := b.Info(); {
	case info&types.IsBoolean != 0:
		lit, plain = ident(pos, strconv.FormatBool(constant.BoolVal(v))), types.Bool
	case info&types.IsString != 0:
		lit, plain = &ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: strconv.Quote(constant.StringVal(v))}, types.String
	case info&types.IsInteger != 0:
		lit = l.number(pos, token.INT, constant.ToInt(v).ExactString())
	case info&types.IsFloat != 0:
		f, _ := constant.Float64Val(v)
		text := strconv.FormatFloat(f, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		lit, plain = l.number(pos, token.FLOAT, text), types.Float64
	case info&types.IsComplex != 0:
		part := types.Typ[types.Float64]
		if b.Kind() == types.Complex64 {
			part = types.Typ[types.Float32]
		}
		lit = call(pos, ident(pos, "complex"), l.constant(pos, constant.Real(v), part), l.constant(pos, constant.Imag(v), part))
		plain = b.Kind()
	}
	if types.Identical(t, types.Typ[plain]) {
		return lit
	}
	return call(pos, l.typeExpr(pos, t), lit)
}

func (l *lowerer) number(pos token.Pos, kind token.Token, text string) ast.Expr {
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		return &ast.ParenExpr{Lparen: pos, X: &ast.UnaryExpr{OpPos: pos, Op: token.SUB, X: &ast.BasicLit{ValuePos: pos, Kind: kind, Value: rest}}}
	}
	return &ast.BasicLit{ValuePos: pos, Kind: kind, Value: text}
}
