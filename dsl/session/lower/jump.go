package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
)

// afterLoop acts on the code that a loop over a function left: -1 returns,
// n > 0 is the n-th break or continue of an outer statement.
func (l *lowerer) afterLoop(pos token.Pos, me *target) []ast.Stmt {
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
	return out
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
	return []ast.Stmt{
		assign(pos, ident(pos, l.innermost().code.Name), l.int(pos, code)),
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

func (l *lowerer) returns(st *ast.ReturnStmt) []ast.Stmt {
	pos := st.Pos()
	if l.fn.depth == 0 && l.fn.defers == "" {
		out := &ast.ReturnStmt{Return: pos}
		n := 0
		if l.fn.sig != nil {
			n = l.fn.sig.Results().Len()
		}
		var pre []ast.Stmt
		for i, e := range st.Results {
			if len(st.Results) != n {
				return l.returnMany(pos, e)
			}
			t := l.fn.sig.Results().At(i).Type()
			x := l.assignable(e, t)
			recv, isUnary := ast.Unparen(e).(*ast.UnaryExpr)
			if n > 1 && l.fn.sig.Results().At(0).Name() != "" || isUnary && recv.Op == token.ARROW {
				// yaegi sets named results one after the other, and can't return what
				// it receives.
				temp := l.s.Fresh("t")
				pre = append(pre, l.varOf(pos, temp, t, x))
				x = ident(pos, temp)
			}
			out.Results = append(out.Results, x)
		}
		return append(pre, out)
	}
	// From within the body of a loop over a function, or of a function that
	// defers calls.
	results := l.fn.sig.Results()
	if l.fn.results == nil {
		l.keepResults(pos)
	}
	var out []ast.Stmt
	switch {
	case len(st.Results) == 0:
	case len(st.Results) == results.Len():
		temps := make([]string, results.Len())
		for i, e := range st.Results {
			temps[i] = l.s.Fresh("t")
			t := results.At(i).Type()
			spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, temps[i])}, Type: l.typeExpr(pos, t), Values: []ast.Expr{l.assignable(e, t)}}
			out = append(out, &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}}})
		}
		for i, temp := range temps {
			out = append(out, assign(pos, ident(pos, l.fn.results[i].Name), ident(pos, temp)))
		}
	default: // return f()
		many := &ast.AssignStmt{TokPos: pos, Tok: token.DEFINE, Rhs: []ast.Expr{l.expr(st.Results[0])}}
		var after []ast.Stmt
		tuple, _ := l.typeOf(st.Results[0]).(*types.Tuple)
		for i, r := range l.fn.results {
			temp := l.s.Fresh("t")
			many.Lhs = append(many.Lhs, ident(pos, temp))
			after = append(after, assign(pos, ident(pos, r.Name), l.convert(pos, ident(pos, temp), tuple.At(i).Type(), results.At(i).Type())))
		}
		out = append(append(out, many), after...)
	}
	return append(out, l.leaveByReturn(pos)...)
}

// returnMany lowers return f() with several values.
func (l *lowerer) returnMany(pos token.Pos, e ast.Expr) []ast.Stmt {
	tuple := l.typeOf(e).(*types.Tuple)
	results := l.fn.sig.Results()
	same := true
	for i := range tuple.Len() {
		same = same && types.IsInterface(tuple.At(i).Type()) == types.IsInterface(results.At(i).Type())
	}
	if same {
		return []ast.Stmt{&ast.ReturnStmt{Return: pos, Results: []ast.Expr{l.expr(e)}}}
	}
	many := &ast.AssignStmt{TokPos: pos, Tok: token.DEFINE, Rhs: []ast.Expr{l.expr(e)}}
	ret := &ast.ReturnStmt{Return: pos}
	for i := range tuple.Len() {
		temp := l.s.Fresh("t")
		many.Lhs = append(many.Lhs, ident(pos, temp))
		ret.Results = append(ret.Results, l.convert(pos, ident(pos, temp), tuple.At(i).Type(), results.At(i).Type()))
	}
	return []ast.Stmt{many, ret}
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
			l.refuse(pos, "goto in the body of a loop over a function can't be had in a cell")
		}
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
		return []ast.Stmt{&ast.ReturnStmt{Return: pos, Results: []ast.Expr{ident(pos, strconv.FormatBool(tok == token.CONTINUE))}}}
	}
	in := l.innermost()
	if label == "" {
		label = t.label
	}
	in.leaves = append(in.leaves, leave{tok, label, t})
	return l.exitLoop(pos, len(in.leaves))
}
