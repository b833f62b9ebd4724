package core

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"sapf/dsl/session/machine"
	"sapf/dsl/session/universe"
)

// Assign is lhs = rhs.
func Assign(pos token.Pos, lhs, rhs ast.Expr) ast.Stmt {
	return &ast.AssignStmt{Lhs: []ast.Expr{lhs}, TokPos: pos, Tok: token.ASSIGN, Rhs: []ast.Expr{rhs}}
}

// Define is name := rhs.
func Define(pos token.Pos, name string, rhs ast.Expr) ast.Stmt {
	return &ast.AssignStmt{Lhs: []ast.Expr{Ident(pos, name)}, TokPos: pos, Tok: token.DEFINE, Rhs: []ast.Expr{rhs}}
}

// EmptyInterfaceType is interface{}.
var EmptyInterfaceType = types.NewInterfaceType(nil, nil)

// Quoted is a constant string.
func Quoted(pos token.Pos, s string) ast.Expr {
	return &ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: strconv.Quote(s)}
}

// IdentList is a list of names, each at pos.
func IdentList(pos token.Pos, list []*ast.Ident) []ast.Expr {
	var out []ast.Expr
	for _, id := range list {
		out = append(out, Ident(pos, id.Name))
	}
	return out
}

// Labelled puts a label on a statement that a break or continue may name.
func (w *Writer) Labelled(pos token.Pos, label string, st ast.Stmt) ast.Stmt {
	if label == "" {
		return st
	}
	return &ast.LabeledStmt{Label: Ident(pos, label), Colon: pos, Stmt: st}
}

// Int is a constant int.
func (w *Writer) Int(pos token.Pos, n int) ast.Expr {
	return w.Number(pos, token.INT, strconv.Itoa(n))
}

// Ident is a name.
func Ident(pos token.Pos, name string) *ast.Ident { return &ast.Ident{NamePos: pos, Name: name} }

// Sel is x.name.
func Sel(x ast.Expr, name string) ast.Expr {
	return &ast.SelectorExpr{X: x, Sel: Ident(x.Pos(), name)}
}

// Call is fun(args).
func Call(pos token.Pos, fun ast.Expr, args ...ast.Expr) *ast.CallExpr {
	return &ast.CallExpr{Fun: fun, Lparen: pos, Args: args, Rparen: pos}
}

// RuntimeCall calls a function of the session's own package (machine/runtime.go).
func (w *Writer) RuntimeCall(pos token.Pos, name string, args ...ast.Expr) *ast.CallExpr {
	return Call(pos, Sel(Ident(pos, w.ImportName(machine.RuntimePath)), name), args...)
}

// AddressOf is &x.
func AddressOf(pos token.Pos, x ast.Expr) ast.Expr {
	return &ast.UnaryExpr{OpPos: pos, Op: token.AND, X: x}
}

func (w *Writer) emptyInterface(pos token.Pos) ast.Expr {
	return &ast.InterfaceType{Interface: pos, Methods: &ast.FieldList{Opening: pos, Closing: pos}}
}

// Constant is a literal with the value of a constant expression. It takes its
// type from where it stands; complex ones, which yaegi can't compute with, are
// kept in a temporary.
func (w *Writer) Constant(pos token.Pos, v constant.Value, t types.Type) ast.Expr {
	b := constantType(v, t)
	switch info := b.Info(); {
	case info&types.IsBoolean != 0:
		return Ident(pos, strconv.FormatBool(constant.BoolVal(v)))
	case info&types.IsString != 0:
		return Quoted(pos, constant.StringVal(v))
	case info&types.IsInteger != 0:
		return w.Number(pos, token.INT, constant.ToInt(v).ExactString())
	case info&types.IsFloat != 0:
		return w.Number(pos, token.FLOAT, floatText(v))
	}
	part := types.Typ[types.Float64]
	if b.Kind() == types.Complex64 {
		part = types.Typ[types.Float32]
	}
	re := w.Temp(pos, part, w.Number(pos, token.FLOAT, floatText(constant.Real(v))))
	im := w.Temp(pos, part, w.Number(pos, token.FLOAT, floatText(constant.Imag(v))))
	return w.Temp(pos, b, Call(pos, Ident(pos, "complex"), re, im))
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

// Number is a numeric constant; a negative one stands in parentheses.
func (w *Writer) Number(pos token.Pos, kind token.Token, text string) ast.Expr {
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		return &ast.ParenExpr{Lparen: pos, X: &ast.UnaryExpr{OpPos: pos, Op: token.SUB, X: &ast.BasicLit{ValuePos: pos, Kind: kind, Value: rest}}}
	}
	return &ast.BasicLit{ValuePos: pos, Kind: kind, Value: text}
}
