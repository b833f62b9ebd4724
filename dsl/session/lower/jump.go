package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
)

// afterLoop acts on the code that a loop over a function left: -1 returns,
// n > 0 is the n-th break or continue of an outer statement.
func (l *lowerer) afterLoop(pos token.Pos, me *target) {
	when := func(code int, then []ast.Stmt) ast.Stmt {
		return &ast.IfStmt{If: pos, Cond: &ast.BinaryExpr{X: ident(pos, me.code.Name), OpPos: pos, Op: token.EQL, Y: l.int(pos, code)},
			Body: &ast.BlockStmt{Lbrace: pos, List: then, Rbrace: pos}}
	}
	var out []ast.Stmt
	if l.fn.results != nil || l.fn.sig == nil || l.fn.sig.Results().Len() == 0 {
		out = append(out, when(-1, l.leaveByReturn(pos)))
	}
	for i, lv := range me.leaves {
		out = append(out, when(i+1, l.jump(pos, lv.tok, lv.label, lv.to)))
	}
	l.emit(out...)
}

// leaveByReturn returns the values that were left in the function's results.
func (l *lowerer) leaveByReturn(pos token.Pos) []ast.Stmt {
	if l.fn.depth > 0 {
		return l.exitLoop(pos, -1)
	}
	st := &ast.ReturnStmt{Return: pos}
	if l.fn.defers == "" {
		st.Results = identList(pos, l.fn.results)
	}
	return []ast.Stmt{st}
}

func identList(pos token.Pos, list []*ast.Ident) []ast.Expr {
	var out []ast.Expr
	for _, id := range list {
		out = append(out, ident(pos, id.Name))
	}
	return out
}

// keepResults gives the function variables for its results.
func (l *lowerer) keepResults(pos token.Pos) {
	for range l.fn.sig.Results().Len() {
		l.fn.saved = true
		l.fn.results = append(l.fn.results, ident(pos, l.s.Fresh("result")))
	}
}

// exitLoop ends the body of the innermost loop over a function with a code.
func (l *lowerer) exitLoop(pos token.Pos, code int) []ast.Stmt {
	in := l.innermost()
	return []ast.Stmt{
		assign(pos, ident(pos, in.code.Name), l.int(pos, code)),
		assign(pos, ident(pos, in.state), l.int(pos, 2)),
		&ast.ReturnStmt{Return: pos, Results: []ast.Expr{ident(pos, "false")}},
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
		l.emit(&ast.ExprStmt{X: l.runtimeCall(pos, "End")})
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
			values = append(values, l.hold(pos, l.convertTo(pos, v.x, v.t, t), t))
		}
	case n == 1 && direct && results.At(0).Name() == "" && plainBasic(results.At(0).Type()):
		x := l.simple(st.Results[0])
		if x == nil {
			x = l.operandTo(st.Results[0], results.At(0).Type())
		}
		values = append(values, l.returned(x, results.At(0).Type()))
	default:
		for i, e := range st.Results {
			t := results.At(i).Type()
			x := l.operandTo(e, t)
			if id, ok := x.(*ast.Ident); ok && n > 1 && l.s.types[id.Name] == nil && id.Name != "true" && id.Name != "false" {
				// It may be a result, and set before it is read.
				x = l.temp(pos, t, x)
			}
			values = append(values, l.returned(x, t))
		}
	}
	if direct {
		l.emit(&ast.ReturnStmt{Return: pos, Results: values})
		return
	}
	// From within the body of a loop over a function, or of a function that
	// defers calls.
	if l.fn.results == nil {
		l.keepResults(pos)
	}
	for i, v := range values {
		l.emit(assign(pos, ident(pos, l.fn.results[i].Name), v))
	}
	l.emit(l.leaveByReturn(pos)...)
}

// returned is a value that a return statement may have: yaegi takes a literal
// there for an int.
func (l *lowerer) returned(x ast.Expr, t types.Type) ast.Expr {
	number, ok := x.(*ast.BasicLit)
	if !ok || number.Kind != token.INT {
		return x
	}
	if _, err := strconv.ParseInt(number.Value, 0, 64); err != nil {
		return l.temp(x.Pos(), t, x)
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
			l.refuse(pos, "goto in the body of a loop over a function can't be had in a cell: use a labelled break or continue")
		}
		label = gotoLabel(label)
	}
	out := &ast.BranchStmt{TokPos: pos, Tok: st.Tok}
	if label != "" {
		out.Label = ident(st.Label.Pos(), label)
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
			out.Label = ident(pos, label)
			// At the end of a clause yaegi would only leave the switch or select,
			// but not from within another statement.
			return []ast.Stmt{&ast.IfStmt{If: pos, Cond: ident(pos, "true"), Body: &ast.BlockStmt{Lbrace: pos, List: []ast.Stmt{out}, Rbrace: pos}}}
		}
		// Of the loop over a function itself: its body returns.
		state := 2
		if tok == token.CONTINUE {
			state = 0
		}
		return []ast.Stmt{
			assign(pos, ident(pos, t.state), l.int(pos, state)),
			&ast.ReturnStmt{Return: pos, Results: []ast.Expr{ident(pos, strconv.FormatBool(tok == token.CONTINUE))}},
		}
	}
	in := l.innermost()
	if label == "" {
		label = t.label
	}
	in.leaves = append(in.leaves, leave{tok, label, t})
	return l.exitLoop(pos, len(in.leaves))
}
