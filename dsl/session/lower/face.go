package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"sapf/dsl/session/core"
	"sapf/dsl/session/syntax"
	"sapf/dsl/session/universe"
)

// assertion lowers x.(T) with one result.
func (l *lowerer) assertion(e *ast.TypeAssertExpr) ast.Expr {
	x := l.operand(e.X)
	v, _ := l.Assert(e.Pos(), x, l.TypeOf(e.X), l.TypeOf(e.Type), false)
	return v
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
	if !fn.Exported() && fn.Pkg() != nil && fn.Pkg().Path() != "main" && s.Universe.Decls[fn.Origin()] == nil {
		return
	}
	var target ast.Expr
	if n, ok := universe.Named(t); ok && len(m.Index()) == 1 {
		target = core.Ident(pos, s.methodSymbol(l, pos, fn, n))
	} else {
		target = l.promoted(pos, t, m)
	}
	s.Out.Links = append(s.Out.Links, &ast.ExprStmt{X: l.RuntimeCall(pos, "TypeMethod", l.TypeID(pos, t), core.Quoted(pos, fn.Name()), target)})
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
	params := l.Tuple(pos, sig.Params(), sig.Variadic(), "#a")
	params.List = append([]*ast.Field{{Names: []*ast.Ident{core.Ident(pos, "#r")}, Type: l.TypeExpr(pos, recv)}}, params.List...)
	lit := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: params, Results: l.Tuple(pos, sig.Results(), false, "")}}
	lit.Body = l.bodyOf(pos, func() {
		l.passOn(pos, l.methodCall(pos, core.Ident(pos, "#r"), recv, m), sig, 0)
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
	t := types.Default(l.TypeOf(e))
	x := l.operandTo(e, core.EmptyInterfaceType)
	_, basic := types.Unalias(t).(*types.Basic)
	switch {
	case basic:
		return x
	case pkg == "fmt" && strings.Contains(fn.Name(), "can"): // Sscan and its like
		return l.Temp(pos, core.EmptyInterfaceType, l.RuntimeCall(pos, "Scanned", x))
	case pkg == "log/slog":
		return l.Temp(pos, core.EmptyInterfaceType, l.RuntimeCall(pos, "Logged", x))
	case formatted[pkg]:
		return l.Temp(pos, core.EmptyInterfaceType, l.RuntimeCall(pos, formatter(fn), x))
	case decoders[pkg+"."+fn.Name()]: // see replaced
		return x
	case encoders[pkg+"."+fn.Name()]:
		return l.Temp(pos, core.EmptyInterfaceType, l.RuntimeCall(pos, "Encodable", x))
	case transparent[pkg]:
		return l.Temp(pos, core.EmptyInterfaceType, l.RuntimeCall(pos, "Shaped", x))
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
					args[n] = l.Temp(args[n].Pos(), types.Typ[types.String], l.RuntimeCall(args[n].Pos(), "TypeName", args[n]))
					changed = true
				case 'p':
					args[n] = l.Temp(args[n].Pos(), core.EmptyInterfaceType, l.RuntimeCall(args[n].Pos(), "Raw", args[n]))
				}
			}
			n++
		}
	}
	return string(out), changed
}
