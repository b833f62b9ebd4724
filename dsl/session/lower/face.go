package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"strconv"

	"golang.org/x/tools/go/types/typeutil"

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

// ambiguous reports types that reflection can't tell from others: those with a
// named type in them that yaegi knows by its structure only. Named structures
// are marked with a tag.
func (s *Lowering) ambiguous(t types.Type) bool {
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
			if t.Obj().Pkg() == nil || !s.universe.Interpreted(t) {
				return false
			}
			st, ok := t.Underlying().(*types.Struct)
			return !ok || st.NumFields() == 0
		case *types.Pointer:
			return look(t.Elem())
		case *types.Slice:
			return look(t.Elem())
		case *types.Array:
			return look(t.Elem())
		case *types.Chan:
			return look(t.Elem())
		case *types.Map:
			return look(t.Key()) || look(t.Elem())
		case *types.Struct:
			for i := range t.NumFields() {
				if t.Field(i).Embedded() || look(t.Field(i).Type()) {
					return true
				}
			}
		case *types.Signature:
			for _, tuple := range []*types.Tuple{t.Params(), t.Results()} {
				for i := range tuple.Len() {
					if look(tuple.At(i).Type()) {
						return true
					}
				}
			}
		case *types.Interface:
			return t.NumMethods() > 0
		}
		return false
	}
	return look(t)
}

// hasOwnMethods reports types whose methods, if any, are interpreted.
func (s *Lowering) hasOwnMethods(t types.Type) bool {
	n, ok := universe.NamedBehind(t)
	return ok && n.Obj().Pkg() != nil && s.universe.Interpreted(n)
}

// typeID is the number by which lowered source refers to a type.
func (l *lowerer) typeID(pos token.Pos, t types.Type) ast.Expr {
	s := l.s
	id, ok := s.typeIDs.At(t).(int)
	if !ok {
		id = s.machine.AddType(t)
		s.typeIDs.Set(t, id)
	}
	return l.int(pos, id)
}

func newTypeIDs() *typeutil.Map { return new(typeutil.Map) }

// convert makes x, a value of type from, one of type to.
func (l *lowerer) convert(pos token.Pos, x ast.Expr, from, to types.Type) ast.Expr {
	if to == nil || from == nil || !types.IsInterface(to) || universe.IsNil(from) {
		return x
	}
	if _, param := types.Unalias(to).(*types.TypeParam); param {
		return x
	}
	from = types.Default(from)
	switch {
	case types.IsInterface(from):
		if l.opaque(from) && !l.opaque(to) {
			return call(pos, l.adapter(pos, to), x)
		}
		return x
	case l.opaque(to):
		if l.s.ambiguous(from) {
			return l.runtimeCall(pos, "Box", l.typeID(pos, from), x)
		}
		if l.s.hasOwnMethods(from) {
			l.typeExpr(pos, from) // so that the type is known when it is asked for
		}
		return x
	case l.s.hasOwnMethods(from):
		return call(pos, l.adapter(pos, to), l.convert(pos, x, from, emptyInterfaceType))
	}
	return x
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

// assertion lowers x.(T) to a call with one result, or two with the ok.
func (l *lowerer) assertion(e *ast.TypeAssertExpr, two bool) ast.Expr {
	return l.assert(e.Pos(), l.expr(e.X), l.typeOf(e.X), l.typeOf(e.Type), two)
}

// assert is func(x any) (v T, ok bool) { ok = rt.Into(id, x, &v); return }(x),
// or the like with rt.Must and no ok. Type from is that of x in the source.
func (l *lowerer) assert(pos token.Pos, x ast.Expr, from, t types.Type, two bool) ast.Expr {
	field := func(name string, t ast.Expr) *ast.Field {
		return &ast.Field{Names: []*ast.Ident{ident(pos, name)}, Type: t}
	}
	lit := &ast.FuncLit{Type: &ast.FuncType{Func: pos,
		Params:  &ast.FieldList{List: []*ast.Field{field("#x", l.emptyInterface(pos))}},
		Results: &ast.FieldList{List: []*ast.Field{{Type: l.typeExpr(pos, t)}}},
	}}
	var body []ast.Stmt
	name, args := "Must", []ast.Expr{l.typeID(pos, t)}
	if two {
		name = "Into"
		lit.Type.Results.List = append(lit.Type.Results.List, &ast.Field{Type: ident(pos, "bool")})
	} else {
		args = append(args, l.typeID(pos, from))
	}
	args = append(args, ident(pos, "#x"))
	v := ast.Expr(ident(pos, "#v"))
	switch {
	case !types.IsInterface(t):
		body = append(body, l.varOf(pos, "#v", t, nil))
		args = append(args, &ast.UnaryExpr{OpPos: pos, Op: token.AND, X: v})
	case l.opaque(t):
		v = ident(pos, "#x")
	default:
		// An interface of a compiled package.
		body = append(body, l.varOf(pos, "#v", t, nil))
		make := assign(pos, v, call(pos, l.adapter(pos, t), ident(pos, "#x")))
		ok := l.runtimeCall(pos, name, args...)
		if two {
			body = append(body, define(pos, "#ok", ok),
				&ast.IfStmt{If: pos, Cond: ident(pos, "#ok"), Body: &ast.BlockStmt{Lbrace: pos, List: []ast.Stmt{make}, Rbrace: pos}},
				&ast.ReturnStmt{Return: pos, Results: []ast.Expr{v, ident(pos, "#ok")}})
		} else {
			body = append(body, &ast.ExprStmt{X: ok}, make, &ast.ReturnStmt{Return: pos, Results: []ast.Expr{v}})
		}
		lit.Body = &ast.BlockStmt{Lbrace: pos, List: body, Rbrace: pos}
		return call(pos, lit, x)
	}
	ok := l.runtimeCall(pos, name, args...)
	if two {
		body = append(body, define(pos, "#ok", ok))
		if v.(*ast.Ident).Name == "#x" {
			none := &ast.ReturnStmt{Return: pos, Results: []ast.Expr{ident(pos, "nil"), ident(pos, "false")}}
			body = append(body, &ast.IfStmt{If: pos, Cond: &ast.UnaryExpr{OpPos: pos, Op: token.NOT, X: ident(pos, "#ok")}, Body: &ast.BlockStmt{Lbrace: pos, List: []ast.Stmt{none}, Rbrace: pos}})
		}
		body = append(body, &ast.ReturnStmt{Return: pos, Results: []ast.Expr{v, ident(pos, "#ok")}})
	} else {
		body = append(body, &ast.ExprStmt{X: ok}, &ast.ReturnStmt{Return: pos, Results: []ast.Expr{v}})
	}
	lit.Body = &ast.BlockStmt{Lbrace: pos, List: body, Rbrace: pos}
	return call(pos, lit, x)
}

// method is the method of an interface{} with that name, bound to it:
// func(x any) func(...) { var f func(...); rt.Method(x, "M", &f); return f }(x).
func (l *lowerer) method(pos token.Pos, x ast.Expr, fn *types.Func) ast.Expr {
	sig := fn.Signature()
	ft := types.NewSignatureType(nil, nil, nil, sig.Params(), sig.Results(), sig.Variadic())
	lit := &ast.FuncLit{
		Type: &ast.FuncType{Func: pos,
			Params:  &ast.FieldList{List: []*ast.Field{{Names: []*ast.Ident{ident(pos, "#x")}, Type: l.emptyInterface(pos)}}},
			Results: &ast.FieldList{List: []*ast.Field{{Type: l.funcType(pos, ft)}}}},
		Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{
			l.varOf(pos, "#f", ft, nil),
			&ast.ExprStmt{X: l.runtimeCall(pos, "Method", ident(pos, "#x"), l.constantString(pos, fn.Name()), &ast.UnaryExpr{OpPos: pos, Op: token.AND, X: ident(pos, "#f")})},
			&ast.ReturnStmt{Return: pos, Results: []ast.Expr{ident(pos, "#f")}},
		}},
	}
	return call(pos, lit, x)
}

// equal lowers a comparison with an interface on one side at least.
func (l *lowerer) equal(pos token.Pos, x, y ast.Expr, tx, ty types.Type) ast.Expr {
	x = l.convert(pos, x, tx, emptyInterfaceType)
	y = l.convert(pos, y, ty, emptyInterfaceType)
	return l.runtimeCall(pos, "Equal", x, y)
}

// registerType tells the machine the type behind a yaegi type, and its methods.
func (s *Lowering) registerType(l *lowerer, pos token.Pos, t *types.Named, sym string) {
	ptr := call(pos, &ast.ParenExpr{Lparen: pos, X: &ast.StarExpr{Star: pos, X: ident(pos, sym)}, Rparen: pos}, ident(pos, "nil"))
	s.Out.links = append(s.Out.links, &ast.ExprStmt{X: l.runtimeCall(pos, "Type", l.typeID(pos, t), ptr)})
	set := types.NewMethodSet(types.NewPointer(t))
	for i := range set.Len() {
		s.registerMethod(l, pos, t, set.At(i))
	}
}

// registerMethod tells the machine the function behind a method.
func (s *Lowering) registerMethod(l *lowerer, pos token.Pos, t *types.Named, m *types.Selection) {
	fn := m.Obj().(*types.Func)
	var target ast.Expr
	if len(m.Index()) == 1 {
		target = ident(pos, s.methodSymbol(l, pos, fn, t))
	} else {
		target = l.promoted(pos, t, m)
	}
	name := fn.Name()
	if !fn.Exported() && fn.Pkg() != nil && fn.Pkg().Path() != "main" {
		return
	}
	s.Out.links = append(s.Out.links, &ast.ExprStmt{X: l.runtimeCall(pos, "TypeMethod", l.typeID(pos, t), l.constantString(pos, name), target)})
}

// promoted is a function that passes a method call on to the embedded field
// that the method comes from.
func (l *lowerer) promoted(pos token.Pos, t *types.Named, m *types.Selection) ast.Expr {
	fn := m.Obj().(*types.Func)
	sig := m.Type().(*types.Signature)
	recv := types.Type(t)
	if types.NewMethodSet(t).Lookup(fn.Pkg(), fn.Name()) == nil {
		recv = types.NewPointer(t)
	}
	way := m.Index()[:len(m.Index())-1]
	at := recv
	for _, i := range way {
		at = universe.StructOf(at).Field(i).Type()
	}
	params := l.tuple(pos, sig.Params(), sig.Variadic(), "#a")
	params.List = append([]*ast.Field{{Names: []*ast.Ident{ident(pos, "#r")}, Type: l.typeExpr(pos, recv)}}, params.List...)
	lit := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: params, Results: l.tuple(pos, sig.Results(), false, "")}}
	target := l.path(ident(pos, "#r"), recv, way)
	if own, named := l.userMethod(m, at); own != nil {
		l.forward(lit, ident(pos, l.s.methodSymbol(l, pos, own, named)), sig, 0)
		c := firstCall(lit)
		c.Args = append([]ast.Expr{l.adjust(target, at, own)}, c.Args...)
		return lit
	}
	if l.opaque(at) {
		l.forward(lit, l.method(pos, target, fn), sig, 0)
		return lit
	}
	l.forward(lit, sel(target, fn.Name()), sig, 0)
	return lit
}

// formatted are the packages whose arguments of type any are printed or shown,
// transparent those that look into them by reflection, structured those of them
// to which it matters what is embedded.
var (
	formatted   = map[string]bool{"fmt": true, "log": true, syntax.DSLPath: true, syntax.DisplayPath: true}
	transparent = map[string]bool{
		"sort": true, "reflect": true, "encoding/json": true, "encoding/gob": true, "encoding/xml": true,
		"encoding/binary": true, "text/template": true, "html/template": true,
	}
	structured = map[string]bool{"encoding/json": true, "encoding/xml": true}
)

// anyArgument lowers an argument for a parameter of type any of a compiled
// function, by what the function's package does with it.
func (l *lowerer) anyArgument(e ast.Expr, pkg string) ast.Expr {
	pos := e.Pos()
	t := types.Default(l.typeOf(e))
	switch {
	case universe.IsNil(t):
		return l.expr(e)
	case formatted[pkg]:
		x := l.assignable(e, emptyInterfaceType)
		if _, basic := t.(*types.Basic); basic {
			return x
		}
		return l.runtimeCall(pos, "Formatted", x)
	case structured[pkg]:
		x := l.expr(e)
		if _, basic := t.(*types.Basic); basic {
			return x
		}
		return l.runtimeCall(pos, "Shaped", x)
	case transparent[pkg] && types.IsInterface(t):
		return l.runtimeCall(pos, "Raw", l.expr(e))
	case transparent[pkg]:
		return l.expr(e)
	}
	return l.assignable(e, emptyInterfaceType)
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
					args[n] = l.runtimeCall(args[n].Pos(), "TypeName", args[n])
					changed = true
				case 'p':
					args[n] = l.runtimeCall(args[n].Pos(), "Raw", args[n])
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
