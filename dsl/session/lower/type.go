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
	out      []ast.Stmt // the block at hand
	// checks are statements that a simple expression wants in front of it.
	checks   []ast.Stmt
	inSimple bool
	// unchecked is set while a place is lowered that is checked later.
	unchecked bool
	unsigned  map[types.Object]bool   // counters of loops, which are not negative
	facts     map[inRange]bool        // see facts.go
	shared    map[types.Object]bool   // variables that facts can't be about
	loop      *[]ast.Stmt             // what the loop that we are in needs declared before it
	lengths   map[types.Object]string // variables with the lengths of lists, see keepLengths
	measured  map[string]bool         // those of them that are used
	given     []inRange               // facts of the next function literal
	// statements tells the statements of a cell from its declarations, literals
	// how many function literals are around.
	statements bool
	literals   int
	nextEnder  string // the ender of the next function
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

// typeExpr spells the representation of a type (machine/rep.go): structures and
// types that contain themselves by a symbol of the machine's, others by their
// structure.
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
		l.know(pos, t)
		return l.symbol(pos, t)
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

// symbol is the machine's name of a type.
func (l *lowerer) symbol(pos token.Pos, t types.Type) ast.Expr {
	rep, err := l.s.machine.Rep(t)
	if err != nil {
		l.refuse(pos, "%v", err)
	}
	return sel(ident(pos, l.s.importName(machine.RuntimePath)), l.s.machine.TypeSymbol(rep))
}

// sameRep reports whether values of two types look the same to yaegi.
func (l *lowerer) sameRep(a, b types.Type) bool {
	if types.Identical(a, b) || universe.IsNil(a) {
		return true
	}
	if _, ok := a.(*types.Tuple); ok {
		return true
	}
	ra, errA := l.s.machine.Rep(types.Default(a))
	rb, errB := l.s.machine.Rep(types.Default(b))
	return errA == nil && errB == nil && ra == rb
}

// reshape makes x, of type from, a value of a type with the same layout: one of
// them contains itself, and the other is its structure written out.
func (l *lowerer) reshape(pos token.Pos, x ast.Expr, from, to types.Type) ast.Expr {
	if _, basic := to.Underlying().(*types.Basic); basic {
		return x
	}
	x = l.hold(pos, x, from)
	y := l.temp(pos, to, nil)
	l.emit(&ast.ExprStmt{X: l.runtimeCall(pos, "Reshape", addressOf(pos, y), x)})
	return y
}

func addressOf(pos token.Pos, x ast.Expr) ast.Expr {
	return &ast.UnaryExpr{OpPos: pos, Op: token.AND, X: x}
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
	if !l.s.universe.Interpreted(t) {
		if _, named := l.s.universe.Tables[obj.Pkg().Path()].Symbols[obj.Name()]; named && t.TypeArgs().Len() == 0 {
			return l.exported(pos, obj)
		}
		return l.symbol(pos, t)
	}
	l.know(pos, t)
	if _, isStruct := t.Underlying().(*types.Struct); isStruct || containsItself(t) {
		return l.symbol(pos, t)
	}
	return l.typeExpr(pos, t.Underlying())
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

// know sees to it that the machine knows the methods of a type and of those it
// consists of: values of any of them may be met inside one of t.
func (l *lowerer) know(pos token.Pos, t types.Type) {
	t = types.Unalias(t)
	if l.s.known.At(t) != nil {
		return
	}
	l.s.known.Set(t, true)
	l.s.Out.undo = append(l.s.Out.undo, func() { l.s.known.Delete(t) })
	if n, ok := t.(*types.Named); ok {
		if n.Obj().Pkg() == nil || !l.s.universe.Interpreted(n) {
			return
		}
		if !types.IsInterface(n) {
			l.s.Out.queue = append(l.s.Out.queue, func() { l.s.registerMethods(l, pos, n) })
		}
		t = n.Underlying()
	} else if st, ok := t.(*types.Struct); ok {
		for f := range st.Fields() {
			if f.Embedded() { // it may have methods of its fields
				l.s.Out.queue = append(l.s.Out.queue, func() { l.s.registerMethods(l, pos, t) })
				break
			}
		}
	}
	for _, part := range partsOf(t) {
		l.know(pos, part)
	}
}

// exported is the name of a symbol of a compiled package.
func (l *lowerer) exported(pos token.Pos, obj types.Object) ast.Expr {
	path := obj.Pkg().Path()
	if _, ok := l.s.universe.Tables[path].Symbols[obj.Name()]; !ok {
		l.refuse(pos, "%s.%s can't be named in a cell", obj.Pkg().Name(), obj.Name())
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

// constant is a literal with the value of a constant expression. It takes its
// type from where it stands; complex ones, which yaegi can't compute with, are
// kept in a temporary.
func (l *lowerer) constant(pos token.Pos, v constant.Value, t types.Type) ast.Expr {
	b := constantType(v, t)
	switch info := b.Info(); {
	case info&types.IsBoolean != 0:
		return ident(pos, strconv.FormatBool(constant.BoolVal(v)))
	case info&types.IsString != 0:
		return quoted(pos, constant.StringVal(v))
	case info&types.IsInteger != 0:
		return l.number(pos, token.INT, constant.ToInt(v).ExactString())
	case info&types.IsFloat != 0:
		return l.number(pos, token.FLOAT, floatText(v))
	}
	part := types.Typ[types.Float64]
	if b.Kind() == types.Complex64 {
		part = types.Typ[types.Float32]
	}
	re := l.temp(pos, part, l.number(pos, token.FLOAT, floatText(constant.Real(v))))
	im := l.temp(pos, part, l.number(pos, token.FLOAT, floatText(constant.Imag(v))))
	return l.temp(pos, b, call(pos, ident(pos, "complex"), re, im))
}

// constantType is the basic type of a constant where t is wanted.
func constantType(v constant.Value, t types.Type) *types.Basic {
	if b, ok := types.Default(t).Underlying().(*types.Basic); ok {
		return b
	}
	return types.Default(universe.Untyped(v)).(*types.Basic) // it is given to an interface
}

func floatText(v constant.Value) string {
	f, _ := constant.Float64Val(v)
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

func (l *lowerer) number(pos token.Pos, kind token.Token, text string) ast.Expr {
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		return &ast.ParenExpr{Lparen: pos, X: &ast.UnaryExpr{OpPos: pos, Op: token.SUB, X: &ast.BasicLit{ValuePos: pos, Kind: kind, Value: rest}}}
	}
	return &ast.BasicLit{ValuePos: pos, Kind: kind, Value: text}
}
