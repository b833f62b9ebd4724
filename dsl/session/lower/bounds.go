package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"

	"sapf/dsl/session/core"
	"sapf/dsl/session/universe"
)

// yaegi's panics do not say which index was out of range, so it is compared
// before:
//
//	if i >= len(x) || i < 0 { at = pos; rt.IndexOutOfRange(i, len(x)) }
//	... x[i] ...

// check emits the comparison for e, whose operands have been lowered to x and i,
// and returns the index as an operand. Within a simple expression it is kept in
// l.checks.
func (l *lowerer) check(e *ast.IndexExpr, x, i ast.Expr) ast.Expr {
	pos := e.Index.Pos()
	if l.KnownInRange(e) {
		return i
	}
	var limit ast.Expr
	fixed := l.Info.Types[e.Index].Value != nil
	switch u := universe.CoreType(l.TypeOf(e.X)).(type) {
	case *types.Array:
		if fixed {
			return i // the checker has seen to it
		}
		limit = &ast.BasicLit{ValuePos: pos, Kind: token.INT, Value: strconv.FormatInt(u.Len(), 10)}
	case *types.Slice, *types.Basic:
		limit = l.length(pos, e.X, x)
	default:
		return i
	}
	var list []ast.Stmt
	if !core.IsOperand(i) {
		list = l.collect(func() { i = l.Temp(pos, types.Typ[types.Int], i) })
	}
	out := ast.Expr(&ast.BinaryExpr{X: i, OpPos: pos, Op: token.GEQ, Y: limit})
	if !fixed && !l.NotNegative(e.Index) {
		negative := &ast.BinaryExpr{X: i, OpPos: pos, Op: token.LSS, Y: l.Int(pos, 0)}
		out = &ast.BinaryExpr{X: out, OpPos: pos, Op: token.LOR, Y: negative}
	}
	fail := "IndexOutOfRange"
	if l.WideUnsigned(e.Index) {
		fail = "UnsignedIndexOutOfRange"
	}
	list = append(list, l.failing(e.Pos(), out, fail, i, limit))
	l.Learn(e)
	if l.inSimple {
		l.checks = append(l.checks, list...)
	} else {
		l.Emit(list...)
	}
	return i
}

// length is the length of x, which e was lowered to.
func (l *lowerer) length(pos token.Pos, e, x ast.Expr) ast.Expr {
	if name, ok := l.lengths[l.Variable(e)]; ok {
		l.measured[name] = true
		return core.Ident(pos, name)
	}
	return core.Call(pos, core.Ident(pos, "len"), x)
}

// failing is the statement that panics under a condition.
func (l *lowerer) failing(pos token.Pos, cond ast.Expr, name string, args ...ast.Expr) ast.Stmt {
	body := l.collect(func() {
		l.mark(pos)
		for i, a := range args {
			if !core.IsOperand(a) {
				args[i] = l.Temp(pos, types.Typ[types.Int], a)
			}
		}
		l.Emit(&ast.ExprStmt{X: l.RuntimeCall(pos, name, args...)})
	})
	return &ast.IfStmt{If: pos, Cond: cond, Body: &ast.BlockStmt{Lbrace: pos, List: body, Rbrace: pos}}
}

// checkPlace is check for a place that e was lowered to.
func (l *lowerer) checkPlace(e ast.Expr, place ast.Expr) {
	x, ok := ast.Unparen(e).(*ast.IndexExpr)
	p, isIndex := place.(*ast.IndexExpr)
	if ok && isIndex {
		if m, isMap := universe.CoreType(l.TypeOf(x.X)).(*types.Map); isMap {
			l.checkKey(x.Index, p.Index, m.Key())
			return
		}
		p.Index = l.check(x, p.X, p.Index)
	}
}

// checkSlice compares the bounds of a slice expression with one another and with
// what there is.
func (l *lowerer) checkSlice(e *ast.SliceExpr, out *ast.SliceExpr) {
	if e.Low == nil && e.High == nil && e.Max == nil {
		return
	}
	pos := e.Pos()
	kind, limit := "length", ast.Expr(nil)
	switch u := universe.CoreType(l.TypeOf(e.X)).(type) {
	case *types.Array:
		limit = &ast.BasicLit{ValuePos: pos, Kind: token.INT, Value: strconv.FormatInt(u.Len(), 10)}
	case *types.Slice:
		kind, limit = "capacity", core.Call(pos, core.Ident(pos, "cap"), out.X)
	default:
		limit = core.Call(pos, core.Ident(pos, "len"), out.X)
	}
	none := l.Int(pos, -1<<31)
	low, high, top := none, none, none
	var conds []ast.Expr
	less := func(a, b ast.Expr) {
		conds = append(conds, &ast.BinaryExpr{X: a, OpPos: pos, Op: token.LSS, Y: b})
	}
	length := ast.Expr(nil)
	if e.High == nil {
		length = limit
		if kind == "capacity" {
			length = core.Call(pos, core.Ident(pos, "len"), out.X)
		}
	}
	if out.Max != nil {
		top = out.Max
		less(limit, top)
		less(top, out.High)
	} else if out.High != nil {
		less(limit, out.High)
	}
	if out.High != nil {
		high = out.High
		if out.Low == nil && l.Info.Types[e.High].Value == nil {
			less(high, l.Int(pos, 0))
		}
	}
	if out.Low != nil {
		low = out.Low
		if high == none {
			less(length, low)
		} else {
			less(high, low)
		}
		if l.Info.Types[e.Low].Value == nil {
			less(low, l.Int(pos, 0))
		}
	}
	cond := conds[0]
	for _, c := range conds[1:] {
		cond = &ast.BinaryExpr{X: cond, OpPos: pos, Op: token.LOR, Y: c}
	}
	n := limit
	if length != nil {
		n = length
	}
	unsigned := 0
	for i, b := range []ast.Expr{e.Low, e.High, e.Max} {
		if b != nil && l.WideUnsigned(b) {
			unsigned |= 1 << i
		}
	}
	l.Emit(l.failing(pos, cond, "SliceOutOfRange", core.Quoted(pos, kind), low, high, top, limit, n, l.Int(pos, unsigned)))
}
