package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"strconv"
	"strings"

	"sapf/dsl/session/machine"
	"sapf/dsl/session/syntax"
	"sapf/dsl/session/universe"
)

// Interfaces are not left to yaegi, for which a named type is no more than its
// structure once it is in one. In lowered source every interface that cells
// declare is interface{}; what goes in carries its type (box), what comes out
// is asked for it (assertion), and methods are found by the type (method).
// Interfaces of compiled packages stay what they are: an interpreted value
// becomes one by an adapter. The other half of this is
// machine/dynamic.go.

// opaque reports interfaces that lowered source has as interface{}: all but
// those with methods that compiled packages declare.
func (l *lowerer) opaque(t types.Type) bool {
	if !types.IsInterface(t) {
		return false
	}
	n, ok := universe.Named(t)
	return !ok || n.Obj().Pkg() != nil && l.s.universe.Interpreted(n) || n.Underlying().(*types.Interface).NumMethods() == 0
}

// boxed reports types whose values carry their type with them in an interface:
// all that their representation does not tell, those with a type of a cell in
// them.
func (s *Lowering) boxed(t types.Type) bool {
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
			return t.Obj().Pkg() != nil && s.universe.Interpreted(t)
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
func (s *Lowering) hasOwnMethods(t types.Type) bool {
	if n, ok := universe.NamedBehind(t); ok {
		return n.Obj().Pkg() != nil && s.universe.Interpreted(n)
	}
	_, isStruct := universe.Deref(t).(*types.Struct)
	return isStruct && types.NewMethodSet(t).Len() > 0
}

// typeNumber is the machine's number of a type.
func (s *Lowering) typeNumber(t types.Type) int {
	id, ok := s.typeIDs.At(t).(int)
	if !ok {
		id = s.machine.AddType(t)
		s.typeIDs.Set(t, id)
	}
	return id
}

// typeID is the number by which lowered source refers to a type.
func (l *lowerer) typeID(pos token.Pos, t types.Type) ast.Expr {
	return l.int(pos, l.s.typeNumber(t))
}

// convert makes x, a value of type from, one of type to.
func (l *lowerer) convert(pos token.Pos, x ast.Expr, from, to types.Type) ast.Expr {
	if to == nil || from == nil || !types.IsInterface(to) {
		return x
	}
	if _, param := types.Unalias(to).(*types.TypeParam); param {
		return x
	}
	if universe.IsNil(from) {
		return l.zeroOf(pos, to)
	}
	from = types.Default(from)
	switch {
	case types.IsInterface(from):
		x = l.hold(pos, x, from)
		switch {
		case l.opaque(from) && l.opaque(to):
			return x
		case l.opaque(from):
			return call(pos, l.adapter(pos, to), x)
		case l.opaque(to):
			return l.runtimeCall(pos, "Any", x)
		}
		return l.temp(pos, to, x)
	case l.opaque(to):
		return l.toAny(pos, x, from)
	case l.s.hasOwnMethods(from):
		return call(pos, l.adapter(pos, to), l.hold(pos, l.toAny(pos, x, from), emptyInterfaceType))
	}
	return l.temp(pos, to, l.typedName(pos, x, from))
}

// toAny puts a value of a type that is no interface into an interface{}.
func (l *lowerer) toAny(pos token.Pos, x ast.Expr, from types.Type) ast.Expr {
	l.know(pos, from)
	x = l.typedName(pos, x, from)
	if l.s.boxed(from) {
		return l.runtimeCall(pos, "Box", l.typeID(pos, from), x)
	}
	if _, basic := from.Underlying().(*types.Basic); basic {
		return l.temp(pos, emptyInterfaceType, x)
	}
	return l.runtimeCall(pos, "Any", x)
}

// typedName is a value as a name of its type.
func (l *lowerer) typedName(pos token.Pos, x ast.Expr, t types.Type) ast.Expr {
	if id, ok := x.(*ast.Ident); ok && id.Name != "true" && id.Name != "false" && id.Name != "nil" {
		return x
	}
	return l.temp(pos, t, x)
}

var emptyInterfaceType = types.NewInterfaceType(nil, nil)

// adapter is a function that makes a compiled interface of an interface{}.
func (l *lowerer) adapter(pos token.Pos, to types.Type) ast.Expr {
	name, err := l.s.adapterSymbol(to)
	if err != nil {
		l.refuse(pos, "%v", err)
	}
	return sel(ident(pos, l.s.importName(machine.RuntimePath)), name)
}

// adapterSymbol enters the adapter to a compiled interface into the runtime
// package, once.
func (s *Lowering) adapterSymbol(to types.Type) (string, error) {
	named, _ := universe.Named(to)
	key := "adapter " + named.String()
	if name, ok := s.instances[key]; ok {
		return name, nil
	}
	iface, wrapper := universe.ErrorType, reflect.Type(nil)
	if pkg := named.Obj().Pkg(); pkg != nil {
		table := s.universe.Tables[pkg.Path()].Symbols
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
	name := s.machine.AddAdapter(iface, wrapper, to)
	s.instances[key] = name
	return name, nil
}

// assertion lowers x.(T) with one result.
func (l *lowerer) assertion(e *ast.TypeAssertExpr) ast.Expr {
	x := l.operand(e.X)
	v, _ := l.assert(e.Pos(), x, l.typeOf(e.X), l.typeOf(e.Type), false)
	return v
}

// assert asks for the type of x, an interface of type from:
//
//	var v T
//	ok := rt.Into(number of T, x, &v)
//
// or the like with rt.Must, which panics, if ok is not wanted.
func (l *lowerer) assert(pos token.Pos, x ast.Expr, from, t types.Type, two bool) (v, ok ast.Expr) {
	l.know(pos, t)
	a := l.hold(pos, l.convert(pos, x, from, emptyInterfaceType), emptyInterfaceType)
	name, args := "Must", []ast.Expr{l.typeID(pos, t), l.typeID(pos, from), a}
	if two {
		name, args = "Into", []ast.Expr{l.typeID(pos, t), a}
	}
	v = l.zeroOf(pos, t)
	if !types.IsInterface(t) {
		args = append(args, addressOf(pos, v))
	}
	asked := l.runtimeCall(pos, name, args...)
	if two {
		ok = l.temp(pos, types.Typ[types.Bool], asked)
	} else {
		l.emit(&ast.ExprStmt{X: asked})
	}
	if !types.IsInterface(t) {
		return v, ok
	}
	set := func() { l.emit(assign(pos, v, l.hold(pos, l.convert(pos, a, emptyInterfaceType, t), t))) }
	if two {
		l.emit(&ast.IfStmt{If: pos, Cond: ok, Body: l.blockOf(pos, set)})
	} else {
		set()
	}
	return v, ok
}

// method is the method of an interface{} with that name, bound to it.
func (l *lowerer) method(pos token.Pos, x ast.Expr, fn *types.Func) ast.Expr {
	sig := fn.Signature()
	ft := types.NewSignatureType(nil, nil, nil, sig.Params(), sig.Results(), sig.Variadic())
	f := l.zeroOf(pos, ft)
	l.emit(&ast.ExprStmt{X: l.runtimeCall(pos, "Method", x, quoted(pos, methodKey(fn)), addressOf(pos, f))})
	return f
}

// methodKey tells apart methods of different packages whose names are not
// exported.
func methodKey(fn *types.Func) string { return fn.Name() }

// equal lowers a comparison of operands that are not both of a basic type.
func (l *lowerer) equal(pos token.Pos, x, y ast.Expr, tx, ty types.Type) ast.Expr {
	ix, iy := types.IsInterface(tx), types.IsInterface(ty)
	if ix || iy {
		x = l.hold(pos, l.convert(pos, x, tx, emptyInterfaceType), emptyInterfaceType)
		y = l.hold(pos, l.convert(pos, y, ty, emptyInterfaceType), emptyInterfaceType)
		return l.runtimeCall(pos, "Equal", x, y)
	}
	if b, ok := tx.Underlying().(*types.Basic); ok && b.Info()&types.IsComplex == 0 {
		return &ast.BinaryExpr{X: x, OpPos: pos, Op: token.EQL, Y: y}
	}
	name := "Same"
	if _, isChan := tx.Underlying().(*types.Chan); isChan && !types.Identical(tx, ty) { // of another direction
		name = "SameChan"
	}
	return l.runtimeCall(pos, name, l.typedName(pos, x, tx), l.typedName(pos, y, ty))
}

// registerMethods tells the machine the functions behind the methods of a type.
func (s *Lowering) registerMethods(l *lowerer, pos token.Pos, t types.Type) {
	set := types.NewMethodSet(types.NewPointer(t))
	for i := range set.Len() {
		s.registerMethod(l, pos, t, set.At(i))
	}
}

// registerMethod tells the machine the function behind a method.
func (s *Lowering) registerMethod(l *lowerer, pos token.Pos, t types.Type, m *types.Selection) {
	fn := m.Obj().(*types.Func)
	if !fn.Exported() && fn.Pkg() != nil && fn.Pkg().Path() != "main" && s.universe.Decls[fn.Origin()] == nil {
		return
	}
	var target ast.Expr
	if n, ok := universe.Named(t); ok && len(m.Index()) == 1 {
		target = ident(pos, s.methodSymbol(l, pos, fn, n))
	} else {
		target = l.promoted(pos, t, m)
	}
	s.Out.links = append(s.Out.links, &ast.ExprStmt{X: l.runtimeCall(pos, "TypeMethod", l.typeID(pos, t), quoted(pos, fn.Name()), target)})
}

// promoted is a function that passes a method call on to the embedded field
// that the method comes from.
func (l *lowerer) promoted(pos token.Pos, t types.Type, m *types.Selection) ast.Expr {
	fn := m.Obj().(*types.Func)
	sig := m.Type().(*types.Signature)
	recv := t
	if types.NewMethodSet(t).Lookup(fn.Pkg(), fn.Name()) == nil {
		recv = types.NewPointer(t)
	}
	params := l.tuple(pos, sig.Params(), sig.Variadic(), "#a")
	params.List = append([]*ast.Field{{Names: []*ast.Ident{ident(pos, "#r")}, Type: l.typeExpr(pos, recv)}}, params.List...)
	lit := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: params, Results: l.tuple(pos, sig.Results(), false, "")}}
	lit.Body = l.bodyOf(pos, func() {
		l.passOn(pos, l.methodCall(pos, ident(pos, "#r"), recv, m), sig, 0)
	})
	return lit
}

// encoders are the functions that only read what they are given, by reflection.
var encoders = map[string]bool{
	"encoding/json.Marshal": true, "encoding/json.MarshalIndent": true, "encoding/json.Encode": true,
	"encoding/xml.Marshal": true, "encoding/xml.MarshalIndent": true,
}

// decoders are those that the machine stands in for.
var decoders = map[string]bool{
	"reflect.TypeOf": true, "encoding/json.Unmarshal": true, "encoding/json.Decode": true,
	"text/template.Execute": true, "text/template.ExecuteTemplate": true,
	"html/template.Execute": true, "html/template.ExecuteTemplate": true,
}

// formatted are the packages whose arguments of type any are printed or shown,
// transparent those that look into them by reflection.
var (
	formatted   = map[string]bool{"fmt": true, "log": true, syntax.DSLPath: true, syntax.DisplayPath: true}
	transparent = map[string]bool{
		"sort": true, "reflect": true, "encoding/json": true, "encoding/gob": true, "encoding/xml": true,
		"encoding/binary": true, "text/template": true, "html/template": true,
	}
)

// formatter is what prepares the arguments of a function that formats them: those
// that put blanks between operands look which of them are strings.
func formatter(fn *types.Func) string {
	switch fn.Name() {
	case "Print", "Sprint", "Fprint", "Append", "Panic", "Fatal":
		return "Printed"
	}
	return "Formatted"
}

// anyArgument lowers an argument for a parameter of type any of a compiled
// function, by what the function's package does with it.
func (l *lowerer) anyArgument(e ast.Expr, fn *types.Func) ast.Expr {
	pos := e.Pos()
	pkg := fn.Pkg().Path()
	t := types.Default(l.typeOf(e))
	x := l.operandTo(e, emptyInterfaceType)
	_, basic := types.Unalias(t).(*types.Basic)
	switch {
	case basic:
		return x
	case pkg == "fmt" && strings.Contains(fn.Name(), "can"): // Sscan and its like
		return l.temp(pos, emptyInterfaceType, l.runtimeCall(pos, "Scanned", x))
	case pkg == "log/slog":
		return l.temp(pos, emptyInterfaceType, l.runtimeCall(pos, "Logged", x))
	case formatted[pkg]:
		return l.temp(pos, emptyInterfaceType, l.runtimeCall(pos, formatter(fn), x))
	case decoders[pkg+"."+fn.Name()]: // see replaced
		return x
	case encoders[pkg+"."+fn.Name()]:
		return l.temp(pos, emptyInterfaceType, l.runtimeCall(pos, "Encodable", x))
	case transparent[pkg]:
		return l.temp(pos, emptyInterfaceType, l.runtimeCall(pos, "Shaped", x))
	}
	return x
}

// typeNames rewrites the arguments of two verbs of a constant format, which fmt
// does not leave to the argument's own Format: what %T names is the type of the
// argument for a cell, not for yaegi, and %p is for the plain pointer. args are
// those after the format.
func (l *lowerer) typeNames(format string, args []ast.Expr) (string, bool) {
	out := []byte(format)
	n := 0
	changed := false
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		for i++; i < len(format); i++ {
			c := format[i]
			if c == '*' {
				n++
				continue
			}
			if c == '[' {
				return format, false
			}
			if c >= '0' && c <= '9' || c == '.' || c == '+' || c == '-' || c == '#' || c == ' ' {
				continue
			}
			break
		}
		if i < len(format) && format[i] != '%' {
			if n < len(args) {
				switch format[i] {
				case 'T':
					out[i] = 's'
					args[n] = l.temp(args[n].Pos(), types.Typ[types.String], l.runtimeCall(args[n].Pos(), "TypeName", args[n]))
					changed = true
				case 'p':
					args[n] = l.temp(args[n].Pos(), emptyInterfaceType, l.runtimeCall(args[n].Pos(), "Raw", args[n]))
				}
			}
			n++
		}
	}
	return string(out), changed
}

func quoted(pos token.Pos, s string) ast.Expr {
	return &ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: strconv.Quote(s)}
}
