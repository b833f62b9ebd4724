// Package core writes the part of Go that yaegi runs as Go does: its types, its
// temporaries and the statements that lowered cells consist of.
package core

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/universe"
)

// The core is the part of Go that lowered source is written in. yaegi takes the
// same expression for different things in different places (as the second
// result of a return, as an element of a literal, under a conversion to an
// interface, in the case of a select), and is wrong in some. So an expression
// has few places here, and the same ones everywhere: it is cut into operations
// whose results are kept in typed temporaries, in the order in which Go
// evaluates them.
//
//	statement = "var" name type [ "=" value ]
//	          | name "," name ":=" call                   several results
//	          | place "=" value | name op "=" simple | name "++"
//	          | call
//	          | "if" condition block [ "else" block ]
//	          | "for" [ statement ] ";" [ condition ] ";" [ statement ] block
//	          | "for" name "," name ":=" "range" operand block
//	          | "switch" "{" { "case" condition ":" block } "}"
//	          | "return" [ operand { "," operand } ] | "return" simple
//	          | "break" | "continue" | "goto" | label | block
//	value     = operand | simple | call
//	          | operand "." name | operand "[" operand "]" | "*" operand | "&" place
//	          | operand "[" operand ":" operand ":" operand "]"
//	          | "<-" operand | unary operand | operand binary operand
//	          | type "(" operand ")"                      between basic types, strings and slices of bytes
//	          | type "{" operand ":" operand ... "}"
//	          | "func" parameters block
//	call      = name "(" { operand | simple } ")"         of a function, a builtin or machine/runtime.go
//	place     = name | operand "." name | operand "[" operand "]" | "*" operand
//	operand   = name | constant
//	condition = simple of type bool
//	simple    = operations on operands of one basic type each, see lower/simple.go
//
// There are no conversions to interfaces but those of Convert (face.go), no && and
// || but those of simple, no composite comparisons, no type switches or selects.
// Types have no names and no methods: TypeExpr (type.go) spells their structure.

// Emit appends statements to the block at hand.
func (w *Writer) Emit(list ...ast.Stmt) {
	for _, st := range list {
		w.Block = append(w.Block, w.signed(st)...)
	}
}

// Temp keeps a value in a new variable.
func (w *Writer) Temp(pos token.Pos, t types.Type, value ast.Expr) ast.Expr {
	name := w.Fresh("t")
	w.Types[name] = t
	if w.Early(t, value) {
		w.DeclareEarly(pos, name, t, value)
	} else {
		w.Emit(w.VarOf(pos, name, t, value))
	}
	return Ident(pos, name)
}

// Early reports variables that are declared before the loop that we are in, as a
// declaration costs yaegi as much as three additions.
func (w *Writer) Early(t types.Type, value ast.Expr) bool {
	if w.Loop == nil || value == nil || !universe.PlainBasic(t) {
		return false
	}
	c, ok := value.(*ast.CallExpr)
	if !ok {
		return true
	}
	fun, ok := c.Fun.(*ast.Ident)
	return !ok || w.Params[fun.Name] == nil // see signed
}

// DeclareEarly declares a variable before the loop that we are in, and sets it here.
func (w *Writer) DeclareEarly(pos token.Pos, name string, t types.Type, value ast.Expr) {
	*w.Loop = append(*w.Loop, w.VarOf(pos, name, t, nil))
	w.Emit(Assign(pos, Ident(pos, name), value))
}

// VarOf is var name T = x.
func (w *Writer) VarOf(pos token.Pos, name string, t types.Type, x ast.Expr) ast.Stmt {
	return w.varAs(pos, name, w.TypeExpr(pos, t), x)
}

func (w *Writer) varAs(pos token.Pos, name string, t, x ast.Expr) ast.Stmt {
	spec := &ast.ValueSpec{Names: []*ast.Ident{Ident(pos, name)}, Type: t}
	if x != nil {
		spec.Values = []ast.Expr{x}
	}
	return &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}}}
}

// IsOperand reports names and constants.
func IsOperand(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident, *ast.BasicLit:
		return true
	case *ast.ParenExpr:
		u, ok := x.X.(*ast.UnaryExpr)
		if !ok || u.Op != token.SUB {
			return false
		}
		_, lit := u.X.(*ast.BasicLit)
		return lit
	}
	return false
}

// Hold is a value as an operand.
func (w *Writer) Hold(pos token.Pos, x ast.Expr, t types.Type) ast.Expr {
	if IsOperand(x) {
		return x
	}
	return w.Temp(pos, types.Default(t), x)
}

// ZeroOf is a variable with the zero value of t.
func (w *Writer) ZeroOf(pos token.Pos, t types.Type) ast.Expr { return w.Temp(pos, t, nil) }

// PointerTo is a pointer to a new variable with that value.
func (w *Writer) PointerTo(pos token.Pos, x ast.Expr, t types.Type) ast.Expr {
	p := w.Temp(pos, types.NewPointer(t), Call(pos, Ident(pos, "new"), w.TypeExpr(pos, t)))
	w.Emit(Assign(pos, &ast.StarExpr{Star: pos, X: p}, w.Hold(pos, x, t)))
	return p
}

// RuntimeInto calls a function of the machine's that puts its result where its
// first argument points to.
func (w *Writer) RuntimeInto(pos token.Pos, t types.Type, name string, args ...ast.Expr) ast.Expr {
	v := w.ZeroOf(pos, t)
	w.Emit(&ast.ExprStmt{X: w.RuntimeCall(pos, name, append([]ast.Expr{AddressOf(pos, v)}, args...)...)})
	return v
}

// TypedName is a value as a name of its type.
func (w *Writer) TypedName(pos token.Pos, x ast.Expr, t types.Type) ast.Expr {
	if id, ok := x.(*ast.Ident); ok && id.Name != "true" && id.Name != "false" && id.Name != "nil" {
		return x
	}
	return w.Temp(pos, t, x)
}

// Results makes a call and returns the names of its results.
func (w *Writer) Results(pos token.Pos, c *ast.CallExpr, t *types.Tuple) []ast.Expr {
	switch t.Len() {
	case 0:
		w.Emit(&ast.ExprStmt{X: c})
		return nil
	case 1:
		return []ast.Expr{w.Temp(pos, t.At(0).Type(), c)}
	}
	st := &ast.AssignStmt{TokPos: pos, Tok: token.DEFINE, Rhs: []ast.Expr{c}}
	for i := range t.Len() {
		name := w.Fresh("t")
		w.Types[name] = t.At(i).Type()
		st.Lhs = append(st.Lhs, Ident(pos, name))
	}
	w.Emit(st)
	return st.Lhs
}

// IsTemp reports temporaries, which are set once.
func (w *Writer) IsTemp(id *ast.Ident) bool {
	return len(id.Name) > 2 && id.Name[:2] == "t#"
}

// Define2 declares the two values of an expression.
func (w *Writer) Define2(pos token.Pos, x ast.Expr) (v, ok ast.Expr) {
	v, ok = Ident(pos, w.Fresh("t")), Ident(pos, w.Fresh("t"))
	w.Types[ok.(*ast.Ident).Name] = types.Typ[types.Bool]
	w.Emit(&ast.AssignStmt{TokPos: pos, Tok: token.DEFINE, Lhs: []ast.Expr{v, ok}, Rhs: []ast.Expr{x}})
	return v, ok
}
