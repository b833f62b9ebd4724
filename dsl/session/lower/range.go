package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"

	"sapf/dsl/session/universe"
)

// rangeStmt lowers a range loop over anything.
func (l *lowerer) rangeStmt(st *ast.RangeStmt, label string) []ast.Stmt {
	t := l.typeOf(st.X)
	switch u := universe.CoreType(t).(type) {
	case *types.Basic:
		if u.Info()&types.IsInteger != 0 {
			return l.rangeInt(st, label)
		}
	case *types.Signature:
		return l.rangeFunc(st, u, label)
	}
	pos := st.Pos()
	out := &ast.RangeStmt{For: st.For, TokPos: st.TokPos, Tok: token.DEFINE, X: l.expr(st.X)}
	if _, ok := t.Underlying().(*types.Pointer); ok { // to an array
		out.X = &ast.StarExpr{Star: pos, X: out.X}
	}
	var first []ast.Stmt
	bind := func(e ast.Expr) ast.Expr {
		name, after := l.bindRound(st, e)
		first = append(first, after...)
		return ident(e.Pos(), name)
	}
	if st.Key != nil && !isBlank(st.Key) {
		out.Key = bind(st.Key)
	}
	if st.Value != nil && !isBlank(st.Value) {
		if out.Key == nil {
			out.Key = ident(pos, "_")
		}
		out.Value = bind(st.Value)
	}
	if out.Key == nil {
		// yaegi wants a variable to range over a channel or count rounds with.
		out.Key = ident(pos, "_")
		if _, ok := universe.CoreType(t).(*types.Chan); ok {
			name := l.s.Fresh("v")
			out.Key = ident(pos, name)
			first = append(first, assign(pos, ident(pos, "_"), ident(pos, name)))
		}
	}
	return []ast.Stmt{l.loopBody(st, out, label, first)}
}

func (l *lowerer) loopBody(st *ast.RangeStmt, out *ast.RangeStmt, label string, first []ast.Stmt) ast.Stmt {
	l.push(&target{label: label, loop: true})
	out.Body = l.block(st.Body)
	l.pop()
	out.Body.List = append(first, out.Body.List...)
	return out
}

func isBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

// bindRound gives the loop a hidden variable for a key or value, and the
// statements at the start of each round that set the one the user named.
func (l *lowerer) bindRound(st *ast.RangeStmt, e ast.Expr) (string, []ast.Stmt) {
	pos := e.Pos()
	if st.Tok == token.ASSIGN {
		hidden := l.s.Fresh("v")
		return hidden, []ast.Stmt{assign(pos, l.expr(e), ident(pos, hidden))}
	}
	obj := l.info.Defs[e.(*ast.Ident)]
	if u := l.usageOf(obj, st.Body); !u.captured && !u.assigned {
		return l.local(obj), nil
	}
	hidden := l.s.Fresh("v")
	return hidden, []ast.Stmt{l.bind(pos, obj, ident(pos, hidden))}
}

// rangeInt lowers `for i := range n` to a loop that counts in a variable of
// its own, unless the body leaves i alone.
func (l *lowerer) rangeInt(st *ast.RangeStmt, label string) []ast.Stmt {
	pos := st.Pos()
	t := types.Default(l.typeOf(st.X))
	if st.Key != nil && !isBlank(st.Key) {
		t = l.typeOf(st.Key)
	}
	counter := l.s.Fresh("i")
	var first []ast.Stmt
	if st.Key != nil && !isBlank(st.Key) {
		counter, first = l.bindRound(st, st.Key)
	}
	as := func(x ast.Expr) ast.Expr { // as a value of the counter's type
		if types.Identical(t, types.Typ[types.Int]) {
			return x
		}
		return converted(pos, l.typeExpr(pos, t), x)
	}
	limit := l.s.Fresh("n")
	pre := []ast.Stmt{define(pos, limit, as(l.expr(st.X)))}
	zero := &ast.BasicLit{ValuePos: pos, Kind: token.INT, Value: "0"}
	out := &ast.ForStmt{
		For:  st.For,
		Init: define(pos, counter, as(zero)),
		Cond: &ast.BinaryExpr{X: ident(pos, counter), OpPos: pos, Op: token.LSS, Y: ident(pos, limit)},
		Post: &ast.IncDecStmt{X: ident(pos, counter), TokPos: pos, Tok: token.INC},
	}
	l.push(&target{label: label, loop: true})
	out.Body = l.block(st.Body)
	l.pop()
	out.Body.List = append(first, out.Body.List...)
	return l.scoped(st, pre, out, label)
}

// rangeFunc lowers a loop over a function: the body becomes the function that
// is handed over, and the ways out of it become a code that is looked at when
// the function has returned.
func (l *lowerer) rangeFunc(st *ast.RangeStmt, sig *types.Signature, label string) []ast.Stmt {
	pos := st.Pos()
	yield := sig.Params().At(0).Type().Underlying().(*types.Signature)
	code := ident(pos, l.s.Fresh("left"))
	me := &target{label: label, loop: true, code: code}

	params := &ast.FieldList{Opening: pos, Closing: pos}
	var first []ast.Stmt
	vars := []ast.Expr{st.Key, st.Value}
	for i := range yield.Params().Len() {
		name := l.s.Fresh("v")
		params.List = append(params.List, &ast.Field{Names: []*ast.Ident{ident(pos, name)}, Type: l.typeExpr(pos, yield.Params().At(i).Type())})
		if i < len(vars) && vars[i] != nil && !isBlank(vars[i]) {
			if st.Tok == token.ASSIGN {
				first = append(first, assign(pos, l.expr(vars[i]), ident(pos, name)))
			} else if obj := l.info.Defs[vars[i].(*ast.Ident)]; obj != nil {
				first = append(first, l.bind(pos, obj, ident(pos, name)))
			}
		}
	}
	seq := l.expr(st.X)
	l.push(me)
	l.fn.depth++
	body := l.block(st.Body)
	l.fn.depth--
	l.pop()
	done := l.s.Fresh("done")
	again := &ast.IfStmt{If: pos, Cond: ident(pos, done), Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{
		&ast.ExprStmt{X: l.runtimeCall(pos, "IterationAfterEnd")}}}}
	end := st.Body.Rbrace
	body.List = append(append([]ast.Stmt{again}, first...), body.List...)
	body.List = append(body.List, &ast.ReturnStmt{Return: end, Results: []ast.Expr{ident(end, "true")}})
	lit := &ast.FuncLit{
		Type: &ast.FuncType{Func: pos, Params: params, Results: &ast.FieldList{List: []*ast.Field{{Type: ident(pos, "bool")}}}},
		Body: body,
	}
	out := []ast.Stmt{
		define(pos, code.Name, l.int(pos, 0)),
		define(pos, done, ident(pos, "false")),
		assign(pos, ident(pos, "_"), ident(pos, code.Name)),
		&ast.ExprStmt{X: call(pos, seq, lit)},
		assign(pos, ident(pos, done), ident(pos, "true")),
	}
	out = append(out, l.afterLoop(pos, me)...)
	return []ast.Stmt{&ast.BlockStmt{Lbrace: pos, List: out, Rbrace: st.End()}}
}

func (l *lowerer) int(pos token.Pos, n int) ast.Expr {
	return l.number(pos, token.INT, strconv.Itoa(n))
}
