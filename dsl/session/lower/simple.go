package lower

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/core"
	"sapf/dsl/session/universe"
)

// collect returns what f emits.
func (l *lowerer) collect(f func()) []ast.Stmt {
	outer := l.Block
	l.Block = nil
	l.Keep(f)
	list := l.Block
	l.Block = outer
	return list
}

// blockOf is what f emits as a block.
func (l *lowerer) blockOf(pos token.Pos, f func()) *ast.BlockStmt {
	return &ast.BlockStmt{Lbrace: pos, List: l.collect(f), Rbrace: pos}
}

// bodyOf is what f emits as the body of a function, whose variables are its own.
func (l *lowerer) bodyOf(pos token.Pos, f func()) *ast.BlockStmt {
	loop := l.Loop
	l.Loop = nil
	defer func() { l.Loop = loop }()
	return l.blockOf(pos, f)
}

// inLoop lowers a loop, and what it needs declared before it.
func (l *lowerer) inLoop(f func()) {
	if l.Loop != nil {
		f()
		return
	}
	var decls []ast.Stmt
	l.Loop = &decls
	list := l.collect(f)
	l.Loop = nil
	l.Block = append(append(l.Block, decls...), list...)
}

// operand lowers an expression to a name or constant.
func (l *lowerer) operand(e ast.Expr) ast.Expr {
	return l.Hold(e.Pos(), l.expr(e), l.TypeOf(e))
}

// named lowers an expression to a name: what constants are not.
func (l *lowerer) named(e ast.Expr) ast.Expr {
	x := l.expr(e)
	if id, ok := x.(*ast.Ident); ok && id.Name != "nil" && id.Name != "true" && id.Name != "false" {
		return x
	}
	return l.Temp(e.Pos(), types.Default(l.TypeOf(e)), x)
}

// operandTo lowers an expression to an operand of type t.
func (l *lowerer) operandTo(e ast.Expr, t types.Type) ast.Expr {
	return l.Hold(e.Pos(), l.value(e, t), t)
}

// value lowers an expression where a value of type to is wanted; nil for its
// own type.
func (l *lowerer) value(e ast.Expr, to types.Type) ast.Expr {
	from := l.TypeOf(e)
	if to == nil {
		return l.expr(e)
	}
	if types.IsInterface(to) {
		if w := l.standardStream(e); w != nil {
			return w
		}
	}
	if universe.IsNil(from) {
		return l.ZeroOf(e.Pos(), to)
	}
	if types.IsInterface(to) {
		return l.Convert(e.Pos(), l.expr(e), from, to)
	}
	x := l.expr(e)
	if l.SameRep(from, to) {
		return x
	}
	return l.Reshape(e.Pos(), x, from, to)
}

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
	if x == nil || len(checks) > 0 && l.CallsFunction(e) {
		return nil // a call comes before the panic of an index
	}
	l.Emit(checks...)
	return x
}

func (l *lowerer) simpleExpr(e ast.Expr) ast.Expr {
	pos := e.Pos()
	tv := l.Info.Types[e]
	if tv.IsType() || !universe.PlainBasic(l.TypeOf(e)) {
		return nil
	}
	if tv.Value != nil {
		if x := l.Constant(pos, tv.Value, tv.Type); core.IsOperand(x) {
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
			if core.IsOperand(x) {
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
		if tv := l.Info.Types[e.Fun]; tv.IsType() {
			return l.simpleConversion(e, tv.Type)
		}
		return l.simpleCall(e)
	}
	return nil
}

// simpleConversion is a conversion between integers, or from one to a float.
func (l *lowerer) simpleConversion(e *ast.CallExpr, t types.Type) ast.Expr {
	from := l.TypeOf(e.Args[0])
	if l.Info.Types[e.Args[0]].Value != nil || !universe.IsNumber(t, types.IsInteger|types.IsFloat) || !universe.IsNumber(from, types.IsInteger|types.IsFloat) {
		return nil
	}
	if universe.IsNumber(from, types.IsFloat) && universe.IsNumber(t, types.IsInteger) {
		return nil
	}
	x := l.simple(e.Args[0])
	if x == nil {
		return nil
	}
	if l.SameRep(from, t) {
		return x
	}
	return core.Call(e.Pos(), l.TypeExpr(e.Pos(), t), x)
}

func (l *lowerer) simpleBinary(e *ast.BinaryExpr) ast.Expr {
	tx, ty := l.TypeOf(e.X), l.TypeOf(e.Y)
	comparison := false
	switch e.Op {
	case token.ADD, token.SUB, token.MUL, token.QUO, token.REM, token.AND, token.OR, token.XOR, token.AND_NOT:
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		comparison = true
	default:
		return nil
	}
	if !universe.PlainBasic(tx) || !universe.PlainBasic(ty) || comparison && universe.IsBoolean(tx) {
		return nil
	}
	if l.Info.Types[e.X].Value != nil && l.Info.Types[e.Y].Value != nil {
		return nil
	}
	before := len(l.Block)
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
		if len(l.Block) != before {
			panic("lower: simple has emitted something")
		}
		return nil
	}
	return &ast.BinaryExpr{X: x, OpPos: e.OpPos, Op: e.Op, Y: y}
}

// simpleOrLength is an operand of a simple comparison, which may be the length of a
// slice or string in a variable.
func (l *lowerer) simpleOrLength(e ast.Expr) ast.Expr {
	list := l.LengthOf(e)
	if list == nil || l.Info.Types[e].Value != nil {
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

// simpleIndex is an element of a slice or array in a variable.
func (l *lowerer) simpleIndex(e *ast.IndexExpr) ast.Expr {
	id, ok := ast.Unparen(e.X).(*ast.Ident)
	if !ok || !l.IsVariable(id) {
		return nil
	}
	switch l.TypeOf(id).Underlying().(type) {
	case *types.Slice, *types.Array:
	default:
		return nil
	}
	x, ok := l.expr(id).(*ast.Ident)
	if !ok {
		return nil
	}
	i := l.simple(e.Index)
	if i == nil || l.Info.Types[e.Index].Value == nil && !universe.IsInt(l.TypeOf(e.Index)) {
		return nil
	}
	i = l.check(e, x, i)
	return &ast.IndexExpr{X: x, Lbrack: e.Lbrack, Index: i, Rbrack: e.Rbrack}
}

// simpleField is a field of a structure in a variable, or of one that a variable
// points to.
func (l *lowerer) simpleField(e *ast.SelectorExpr) ast.Expr {
	id, ok := ast.Unparen(e.X).(*ast.Ident)
	s := l.Info.Selections[e]
	if !ok || s == nil || s.Kind() != types.FieldVal || len(s.Index()) != 1 || !l.IsVariable(id) {
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
	fn, ok := l.Info.Uses[id].(*types.Func)
	if !ok || l.s.Universe.Decls[fn] == nil || l.Info.Instances[id].TypeArgs != nil {
		return nil
	}
	sig := fn.Signature()
	if sig.Variadic() || sig.Results().Len() != 1 || sig.Params().Len() != len(e.Args) || universe.TakesFloats(sig) {
		return nil
	}
	args := make([]ast.Expr, len(e.Args))
	for i, a := range e.Args {
		if !universe.PlainBasic(sig.Params().At(i).Type()) {
			return nil
		}
		if args[i] = l.simple(a); args[i] == nil {
			return nil
		}
	}
	return &ast.CallExpr{Fun: l.object(e.Fun.Pos(), fn), Lparen: e.Lparen, Args: args, Rparen: e.Rparen}
}
