package lower

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
//	simple    = operations on operands of one basic type each, see simple
//
// There are no conversions to interfaces but those of convert (face.go), no && and
// || but those of simple, no composite comparisons, no type switches or selects.
// Types have no names and no methods: typeExpr (type.go) spells their structure.

// emit appends statements to the block at hand.
func (l *lowerer) emit(list ...ast.Stmt) {
	for _, st := range list {
		l.out = append(l.out, l.signed(st)...)
	}
}

// collect returns what f emits.
func (l *lowerer) collect(f func()) []ast.Stmt {
	outer := l.out
	l.out = nil
	l.keepFacts(f)
	list := l.out
	l.out = outer
	return list
}

// blockOf is what f emits as a block.
func (l *lowerer) blockOf(pos token.Pos, f func()) *ast.BlockStmt {
	return &ast.BlockStmt{Lbrace: pos, List: l.collect(f), Rbrace: pos}
}

// bodyOf is what f emits as the body of a function, whose variables are its own.
func (l *lowerer) bodyOf(pos token.Pos, f func()) *ast.BlockStmt {
	loop := l.loop
	l.loop = nil
	defer func() { l.loop = loop }()
	return l.blockOf(pos, f)
}

// temp keeps a value in a new variable.
func (l *lowerer) temp(pos token.Pos, t types.Type, value ast.Expr) ast.Expr {
	name := l.s.Fresh("t")
	l.s.types[name] = t
	if l.early(t, value) {
		l.declareEarly(pos, name, t, value)
	} else {
		l.emit(l.varOf(pos, name, t, value))
	}
	return ident(pos, name)
}

// early reports variables that are declared before the loop that we are in, as a
// declaration costs yaegi as much as three additions.
func (l *lowerer) early(t types.Type, value ast.Expr) bool {
	if l.loop == nil || value == nil || !plainBasic(t) {
		return false
	}
	c, ok := value.(*ast.CallExpr)
	if !ok {
		return true
	}
	fun, ok := c.Fun.(*ast.Ident)
	return !ok || l.s.params[fun.Name] == nil // see signed
}

func (l *lowerer) declareEarly(pos token.Pos, name string, t types.Type, value ast.Expr) {
	*l.loop = append(*l.loop, l.varOf(pos, name, t, nil))
	l.emit(assign(pos, ident(pos, name), value))
}

// inLoop lowers a loop, and what it needs declared before it.
func (l *lowerer) inLoop(f func()) {
	if l.loop != nil {
		f()
		return
	}
	var decls []ast.Stmt
	l.loop = &decls
	list := l.collect(f)
	l.loop = nil
	l.out = append(append(l.out, decls...), list...)
}

// varOf is var name T = x.
func (l *lowerer) varOf(pos token.Pos, name string, t types.Type, x ast.Expr) ast.Stmt {
	return l.varAs(pos, name, l.typeExpr(pos, t), x)
}

func (l *lowerer) varAs(pos token.Pos, name string, t, x ast.Expr) ast.Stmt {
	spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, name)}, Type: t}
	if x != nil {
		spec.Values = []ast.Expr{x}
	}
	return &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}}}
}

// isOperand reports names and constants.
func isOperand(x ast.Expr) bool {
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

// hold is a value as an operand.
func (l *lowerer) hold(pos token.Pos, x ast.Expr, t types.Type) ast.Expr {
	if isOperand(x) {
		return x
	}
	return l.temp(pos, types.Default(t), x)
}

// operand lowers an expression to a name or constant.
func (l *lowerer) operand(e ast.Expr) ast.Expr {
	return l.hold(e.Pos(), l.expr(e), l.typeOf(e))
}

// named lowers an expression to a name: what constants are not.
func (l *lowerer) named(e ast.Expr) ast.Expr {
	x := l.expr(e)
	if id, ok := x.(*ast.Ident); ok && id.Name != "nil" && id.Name != "true" && id.Name != "false" {
		return x
	}
	return l.temp(e.Pos(), types.Default(l.typeOf(e)), x)
}

// operandTo lowers an expression to an operand of type t.
func (l *lowerer) operandTo(e ast.Expr, t types.Type) ast.Expr {
	return l.hold(e.Pos(), l.value(e, t), t)
}

// value lowers an expression where a value of type to is wanted; nil for its
// own type.
func (l *lowerer) value(e ast.Expr, to types.Type) ast.Expr {
	from := l.typeOf(e)
	if to == nil {
		return l.expr(e)
	}
	if types.IsInterface(to) {
		if w := l.standardStream(e); w != nil {
			return w
		}
	}
	if universe.IsNil(from) {
		return l.zeroOf(e.Pos(), to)
	}
	if types.IsInterface(to) {
		return l.convert(e.Pos(), l.expr(e), from, to)
	}
	x := l.expr(e)
	if l.sameRep(from, to) {
		return x
	}
	return l.reshape(e.Pos(), x, from, to)
}

// zeroOf is a variable with the zero value of t.
func (l *lowerer) zeroOf(pos token.Pos, t types.Type) ast.Expr { return l.temp(pos, t, nil) }

// simple lowers expressions that yaegi runs right wherever the core has a place
// for them, without temporaries: arithmetic and comparisons on one basic type,
// of variables, constants, elements and fields, and calls of declared functions
// among them. It returns nil for all others.
func (l *lowerer) simple(e ast.Expr) ast.Expr {
	if l.inSimple {
		return l.simpleExpr(e)
	}
	l.inSimple = true
	x := l.simpleExpr(e)
	l.inSimple = false
	checks := l.checks
	l.checks = nil
	if x == nil || len(checks) > 0 && l.callsFunction(e) {
		return nil // a call comes before the panic of an index
	}
	l.emit(checks...)
	return x
}

// callsFunction reports whether an expression calls anything but conversions and
// builtins, or receives.
func (l *lowerer) callsFunction(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			found = found || !l.info.Types[n.Fun].IsType() && !l.isBuiltin(n.Fun)
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		}
		return !found
	})
	return found
}

func (l *lowerer) simpleExpr(e ast.Expr) ast.Expr {
	pos := e.Pos()
	tv := l.info.Types[e]
	if tv.IsType() || !plainBasic(l.typeOf(e)) {
		return nil
	}
	if tv.Value != nil {
		if x := l.constant(pos, tv.Value, tv.Type); isOperand(x) {
			return x
		}
		return nil
	}
	switch e := e.(type) {
	case *ast.Ident:
		if x, ok := l.expr(e).(*ast.Ident); ok {
			return x
		}
	case *ast.ParenExpr:
		if x := l.simple(e.X); x != nil {
			if isOperand(x) {
				return x
			}
			return &ast.ParenExpr{Lparen: pos, X: x, Rparen: pos}
		}
	case *ast.BinaryExpr:
		return l.simpleBinary(e)
	case *ast.IndexExpr:
		return l.simpleIndex(e)
	case *ast.SelectorExpr:
		return l.simpleField(e)
	case *ast.CallExpr:
		if tv := l.info.Types[e.Fun]; tv.IsType() {
			return l.simpleConversion(e, tv.Type)
		}
		return l.simpleCall(e)
	}
	return nil
}

// simpleConversion is a conversion between integers, or from one to a float.
func (l *lowerer) simpleConversion(e *ast.CallExpr, t types.Type) ast.Expr {
	from := l.typeOf(e.Args[0])
	if l.info.Types[e.Args[0]].Value != nil || !isNumber(t, types.IsInteger|types.IsFloat) || !isNumber(from, types.IsInteger|types.IsFloat) {
		return nil
	}
	if isNumber(from, types.IsFloat) && isNumber(t, types.IsInteger) {
		return nil
	}
	x := l.simple(e.Args[0])
	if x == nil {
		return nil
	}
	if l.sameRep(from, t) {
		return x
	}
	return call(e.Pos(), l.typeExpr(e.Pos(), t), x)
}

func isNumber(t types.Type, info types.BasicInfo) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&info != 0
}

// plainBasic reports the basic types of simple expressions.
func plainBasic(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&(types.IsInteger|types.IsFloat|types.IsString|types.IsBoolean) != 0 && b.Kind() != types.UntypedNil
}

func (l *lowerer) simpleBinary(e *ast.BinaryExpr) ast.Expr {
	tx, ty := l.typeOf(e.X), l.typeOf(e.Y)
	comparison := false
	switch e.Op {
	case token.ADD, token.SUB, token.MUL, token.QUO, token.REM, token.AND, token.OR, token.XOR, token.AND_NOT:
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		comparison = true
	default:
		return nil
	}
	if !plainBasic(tx) || !plainBasic(ty) || comparison && isBoolean(tx) {
		return nil
	}
	if l.info.Types[e.X].Value != nil && l.info.Types[e.Y].Value != nil {
		return nil
	}
	before := len(l.out)
	operand := l.simple
	if comparison {
		operand = l.simpleOrLength
	}
	x := operand(e.X)
	if x == nil {
		return nil
	}
	y := operand(e.Y)
	if y == nil {
		if len(l.out) != before {
			panic("lower: simple has emitted something")
		}
		return nil
	}
	return &ast.BinaryExpr{X: x, OpPos: e.OpPos, Op: e.Op, Y: y}
}

// simpleOrLength is an operand of a simple comparison, which may be the length of a
// slice or string in a variable.
func (l *lowerer) simpleOrLength(e ast.Expr) ast.Expr {
	list := l.lengthOf(e)
	if list == nil || l.info.Types[e].Value != nil {
		return l.simple(e)
	}
	switch list.Type().Underlying().(type) {
	case *types.Slice, *types.Basic:
		if x, ok := l.object(e.Pos(), list).(*ast.Ident); ok {
			return l.length(e.Pos(), ast.Unparen(e).(*ast.CallExpr).Args[0], x)
		}
	}
	return nil
}

func isBoolean(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsBoolean != 0
}

// simpleIndex is an element of a slice or array in a variable.
func (l *lowerer) simpleIndex(e *ast.IndexExpr) ast.Expr {
	id, ok := ast.Unparen(e.X).(*ast.Ident)
	if !ok || !l.isVariable(id) {
		return nil
	}
	switch l.typeOf(id).Underlying().(type) {
	case *types.Slice, *types.Array:
	default:
		return nil
	}
	x, ok := l.expr(id).(*ast.Ident)
	if !ok {
		return nil
	}
	i := l.simple(e.Index)
	if i == nil || l.info.Types[e.Index].Value == nil && !isInt(l.typeOf(e.Index)) {
		return nil
	}
	i = l.check(e, x, i)
	return &ast.IndexExpr{X: x, Lbrack: e.Lbrack, Index: i, Rbrack: e.Rbrack}
}

func isInt(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == types.Int
}

// isVariable reports names of variables.
func (l *lowerer) isVariable(id *ast.Ident) bool {
	_, ok := l.info.ObjectOf(id).(*types.Var)
	return ok
}

// simpleField is a field of a structure in a variable, or of one that a variable
// points to.
func (l *lowerer) simpleField(e *ast.SelectorExpr) ast.Expr {
	id, ok := ast.Unparen(e.X).(*ast.Ident)
	s := l.info.Selections[e]
	if !ok || s == nil || s.Kind() != types.FieldVal || len(s.Index()) != 1 || !l.isVariable(id) {
		return nil
	}
	x, ok := l.expr(id).(*ast.Ident)
	if !ok {
		return nil
	}
	return l.path(x, s.Recv(), s.Index())
}

// simpleCall is a call of a cell's function that takes and returns basic types.
func (l *lowerer) simpleCall(e *ast.CallExpr) ast.Expr {
	id, ok := ast.Unparen(e.Fun).(*ast.Ident)
	if !ok || e.Ellipsis.IsValid() {
		return nil
	}
	fn, ok := l.info.Uses[id].(*types.Func)
	if !ok || l.s.universe.Decls[fn] == nil || l.info.Instances[id].TypeArgs != nil {
		return nil
	}
	sig := fn.Signature()
	if sig.Variadic() || sig.Results().Len() != 1 || sig.Params().Len() != len(e.Args) || takesFloats(sig) {
		return nil
	}
	args := make([]ast.Expr, len(e.Args))
	for i, a := range e.Args {
		if !plainBasic(sig.Params().At(i).Type()) {
			return nil
		}
		if args[i] = l.simple(a); args[i] == nil {
			return nil
		}
	}
	return &ast.CallExpr{Fun: l.object(e.Fun.Pos(), fn), Lparen: e.Lparen, Args: args, Rparen: e.Rparen}
}
