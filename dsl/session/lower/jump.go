package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"

	"sapf/dsl/session/core"
	"sapf/dsl/session/universe"
)

// afterLoop acts on the code that a loop over a function left: -1 returns,
// n > 0 is the n-th break or continue of an outer statement.
func (l *lowerer) afterLoop(pos token.Pos, me *target) {
	when := func(code int, then []ast.Stmt) ast.Stmt {
		return &ast.IfStmt{If: pos, Cond: &ast.BinaryExpr{X: core.Ident(pos, me.code.Name), OpPos: pos, Op: token.EQL, Y: l.Int(pos, code)},
			Body: &ast.BlockStmt{Lbrace: pos, List: then, Rbrace: pos}}
	}
	var out []ast.Stmt
	if l.fn.results != nil || l.fn.sig == nil || l.fn.sig.Results().Len() == 0 {
		out = append(out, when(-1, l.leaveByReturn(pos)))
	}
	for i, lv := range me.leaves {
		out = append(out, when(i+1, l.jump(pos, lv.tok, lv.label, lv.to)))
	}
	l.Emit(out...)
}

// leaveByReturn returns the values that were left in the function's results.
func (l *lowerer) leaveByReturn(pos token.Pos) []ast.Stmt {
	if l.fn.depth > 0 {
		return l.exitLoop(pos, -1)
	}
	st := &ast.ReturnStmt{Return: pos}
	if l.fn.defers == "" {
		st.Results = core.IdentList(pos, l.fn.results)
	}
	return []ast.Stmt{st}
}

// keepResults gives the function variables for its results.
func (l *lowerer) keepResults(pos token.Pos) {
	for range l.fn.sig.Results().Len() {
		l.fn.saved = true
		l.fn.results = append(l.fn.results, core.Ident(pos, l.s.Fresh("result")))
	}
}

// exitLoop ends the body of the innermost loop over a function with a code.
func (l *lowerer) exitLoop(pos token.Pos, code int) []ast.Stmt {
	in := l.innermost()
	return []ast.Stmt{
		core.Assign(pos, core.Ident(pos, in.code.Name), l.Int(pos, code)),
		core.Assign(pos, core.Ident(pos, in.state), l.Int(pos, 2)),
		&ast.ReturnStmt{Return: pos, Results: []ast.Expr{core.Ident(pos, "false")}},
	}
}

// innermost is the loop over a function whose body we are in.
func (l *lowerer) innermost() *target {
	for i := len(l.fn.targets) - 1; i >= 0; i-- {
		if t := l.fn.targets[i]; t.code != nil && t.depth < l.fn.depth {
			return t
		}
	}
	return nil
}

// returns lowers a return.
func (l *lowerer) returns(st *ast.ReturnStmt) {
	pos := st.Pos()
	direct := l.fn.depth == 0 && l.fn.defers == "" && !l.fn.kept
	if l.statements && l.literals == 0 { // of the cell
		l.Emit(&ast.ExprStmt{X: l.RuntimeCall(pos, "End")})
	}
	var results *types.Tuple
	if l.fn.sig != nil {
		results = l.fn.sig.Results()
	}
	n := results.Len()
	var values []ast.Expr
	switch {
	case len(st.Results) == 0:
	case len(st.Results) == 1 && n > 1: // return f()
		for i, v := range l.many(st.Results[0]) {
			t := results.At(i).Type()
			values = append(values, l.Hold(pos, l.ConvertTo(pos, v.x, v.t, t), t))
		}
	case n == 1 && direct && results.At(0).Name() == "" && universe.PlainBasic(results.At(0).Type()):
		x := l.simple(st.Results[0])
		if x == nil {
			x = l.operandTo(st.Results[0], results.At(0).Type())
		}
		values = append(values, l.returned(x, results.At(0).Type()))
	default:
		for i, e := range st.Results {
			t := results.At(i).Type()
			x := l.operandTo(e, t)
			if id, ok := x.(*ast.Ident); ok && n > 1 && l.s.Types[id.Name] == nil && id.Name != "true" && id.Name != "false" {
				// It may be a result, and set before it is read.
				x = l.Temp(pos, t, x)
			}
			values = append(values, l.returned(x, t))
		}
	}
	if direct {
		l.Emit(&ast.ReturnStmt{Return: pos, Results: values})
		return
	}
	// From within the body of a loop over a function, or of a function that
	// defers calls.
	if l.fn.results == nil {
		l.keepResults(pos)
	}
	for i, v := range values {
		l.Emit(core.Assign(pos, core.Ident(pos, l.fn.results[i].Name), v))
	}
	l.Emit(l.leaveByReturn(pos)...)
}

// returned is a value that a return statement may have: yaegi takes a literal
// there for an int.
func (l *lowerer) returned(x ast.Expr, t types.Type) ast.Expr {
	number, ok := x.(*ast.BasicLit)
	if !ok || number.Kind != token.INT {
		return x
	}
	if _, err := strconv.ParseInt(number.Value, 0, 64); err != nil {
		return l.Temp(x.Pos(), t, x)
	}
	return x
}

func (l *lowerer) branch(st *ast.BranchStmt) []ast.Stmt {
	pos := st.Pos()
	label := ""
	if st.Label != nil {
		label = st.Label.Name
	}
	switch st.Tok {
	case token.BREAK, token.CONTINUE:
		for i := len(l.fn.targets) - 1; i >= 0; i-- {
			t := l.fn.targets[i]
			if label == "" && (st.Tok == token.BREAK || t.loop) || label != "" && t.label == label {
				return l.jump(pos, st.Tok, label, t)
			}
		}
	case token.GOTO:
		if l.fn.depth > 0 {
			l.Refuse(pos, "goto in the body of a loop over a function can't be had in a cell: use a labelled break or continue")
		}
		label = gotoLabel(label)
	}
	out := &ast.BranchStmt{TokPos: pos, Tok: st.Tok}
	if label != "" {
		out.Label = core.Ident(st.Label.Pos(), label)
	}
	return []ast.Stmt{out}
}

// jump is a break or continue of t, from where we are.
func (l *lowerer) jump(pos token.Pos, tok token.Token, label string, t *target) []ast.Stmt {
	mine := t.depth // how deep the statements of t's own body are
	if t.code != nil {
		mine++
	}
	if mine == l.fn.depth {
		if t.code == nil {
			out := &ast.BranchStmt{TokPos: pos, Tok: tok}
			if label == "" {
				return []ast.Stmt{out}
			}
			out.Label = core.Ident(pos, label)
			// At the end of a clause yaegi would only leave the switch or select,
			// but not from within another statement.
			return []ast.Stmt{&ast.IfStmt{If: pos, Cond: core.Ident(pos, "true"), Body: &ast.BlockStmt{Lbrace: pos, List: []ast.Stmt{out}, Rbrace: pos}}}
		}
		// Of the loop over a function itself: its body returns.
		state := 2
		if tok == token.CONTINUE {
			state = 0
		}
		return []ast.Stmt{
			core.Assign(pos, core.Ident(pos, t.state), l.Int(pos, state)),
			&ast.ReturnStmt{Return: pos, Results: []ast.Expr{core.Ident(pos, strconv.FormatBool(tok == token.CONTINUE))}},
		}
	}
	in := l.innermost()
	if label == "" {
		label = t.label
	}
	in.leaves = append(in.leaves, leave{tok, label, t})
	return l.exitLoop(pos, len(in.leaves))
}
