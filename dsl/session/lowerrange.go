package session

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
)

// rangeStmt lowers a range loop over anything.
func (l *lowerer) rangeStmt(st *ast.RangeStmt, label string) []ast.Stmt {
	t := l.typeOf(st.X)
	switch u := coreType(t).(type) {
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
		if _, ok := coreType(t).(*types.Chan); ok {
			name := l.s.fresh("v")
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

func coreType(t types.Type) types.Type {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return p.Elem().Underlying()
	}
	return t.Underlying()
}

// bindRound gives the loop a hidden variable for a key or value, and the
// statements at the start of each round that set the one the user named.
func (l *lowerer) bindRound(st *ast.RangeStmt, e ast.Expr) (string, []ast.Stmt) {
	pos := e.Pos()
	if st.Tok == token.ASSIGN {
		hidden := l.s.fresh("v")
		return hidden, []ast.Stmt{assign(pos, l.expr(e), ident(pos, hidden))}
	}
	obj := l.info.Defs[e.(*ast.Ident)]
	if u := l.usageOf(obj, st.Body); !u.captured && !u.assigned {
		return l.local(obj), nil
	}
	hidden := l.s.fresh("v")
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
	counter := l.s.fresh("i")
	var first []ast.Stmt
	if st.Key != nil && !isBlank(st.Key) {
		counter, first = l.bindRound(st, st.Key)
	}
	as := func(x ast.Expr) ast.Expr { // as a value of the counter's type
		if types.Identical(t, types.Typ[types.Int]) {
			return x
		}
		return call(pos, &ast.ParenExpr{Lparen: pos, X: l.typeExpr(pos, t)}, x)
	}
	limit := l.s.fresh("n")
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
	code := ident(pos, l.s.fresh("left"))
	me := &target{label: label, loop: true, code: code}

	params := &ast.FieldList{Opening: pos, Closing: pos}
	var first []ast.Stmt
	vars := []ast.Expr{st.Key, st.Value}
	for i := range yield.Params().Len() {
		name := l.s.fresh("v")
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
	done := l.s.fresh("done")
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
	for _, r := range l.fn.results {
		st.Results = append(st.Results, ident(pos, r.Name))
	}
	return []ast.Stmt{st}
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
	if l.fn.depth == 0 {
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
				temp := l.s.fresh("t")
				pre = append(pre, l.varOf(pos, temp, t, x))
				x = ident(pos, temp)
			}
			out.Results = append(out.Results, x)
		}
		return append(pre, out)
	}
	// From within the body of a loop over a function.
	results := l.fn.sig.Results()
	if l.fn.results == nil && results.Len() > 0 {
		l.fn.saved = true
		for i := range results.Len() {
			_ = i
			l.fn.results = append(l.fn.results, ident(pos, l.s.fresh("result")))
		}
	}
	var out []ast.Stmt
	switch {
	case len(st.Results) == 0:
	case len(st.Results) == results.Len():
		temps := make([]string, results.Len())
		for i, e := range st.Results {
			temps[i] = l.s.fresh("t")
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
			temp := l.s.fresh("t")
			many.Lhs = append(many.Lhs, ident(pos, temp))
			after = append(after, assign(pos, ident(pos, r.Name), l.convert(pos, ident(pos, temp), tuple.At(i).Type(), results.At(i).Type())))
		}
		out = append(append(out, many), after...)
	}
	return append(out, l.exitLoop(pos, -1)...)
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
		temp := l.s.fresh("t")
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
			if label != "" {
				out.Label = ident(pos, label)
			}
			return []ast.Stmt{out}
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

// funcLit lowers a function literal.
func (l *lowerer) funcLit(e *ast.FuncLit) ast.Expr {
	sig := l.typeOf(e).Underlying().(*types.Signature)
	mark := l.s.literalMark(e)
	l.literals++
	defer func() { l.literals-- }()
	held, args := l.holds(e)
	typ, body := l.function(e.Type, sig, nil, e.Body, mark)
	lit := &ast.FuncLit{Type: typ, Body: body}
	if args == nil {
		return lit
	}
	// func(p *T) func() { return func() { ... *p ... } }(p)
	pos := e.Pos()
	params := held()
	outer := &ast.FuncLit{
		Type: &ast.FuncType{Func: pos, Params: params, Results: &ast.FieldList{List: []*ast.Field{{Type: l.funcType(pos, sig)}}}},
		Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{&ast.ReturnStmt{Return: pos, Results: []ast.Expr{lit}}}},
	}
	return call(pos, outer, args...)
}

// holds finds the boxed variables that a literal uses and lets it reach them
// through parameters: a yaegi closure sees the variables of the frame as they
// are when it runs, which is too late. It returns the arguments for now, and a
// function that ends this and gives the parameters.
func (l *lowerer) holds(e *ast.FuncLit) (end func() *ast.FieldList, args []ast.Expr) {
	pos := e.Pos()
	params := &ast.FieldList{Opening: pos, Closing: pos}
	before := map[types.Object]string{}
	ast.Inspect(e, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		obj := l.info.Uses[id]
		p, boxed := l.boxes[obj]
		if _, seen := before[obj]; seen || !boxed {
			return true
		}
		before[obj] = p
		l.boxes[obj] = l.s.fresh("p")
		args = append(args, ident(pos, p))
		ptr := &ast.StarExpr{Star: pos, X: l.typeExpr(pos, obj.Type())}
		params.List = append(params.List, &ast.Field{Names: []*ast.Ident{ident(pos, l.boxes[obj])}, Type: ptr})
		return true
	})
	return func() *ast.FieldList {
		for obj, p := range before {
			l.boxes[obj] = p
		}
		return params
	}, args
}

// bind declares a variable with a value, behind a pointer if closures hold it.
func (l *lowerer) bind(pos token.Pos, obj types.Object, value ast.Expr) ast.Stmt {
	if !l.captured[obj] {
		return define(pos, l.local(obj), value)
	}
	p := l.s.fresh("p")
	l.boxes[obj] = p
	return define(pos, p, l.copyOf(pos, obj.Type(), value))
}

// capturedInLoops finds the variables declared in the bodies of loops that
// function literals use.
func capturedInLoops(info *types.Info, body *ast.BlockStmt) map[types.Object]bool {
	inLoop := map[types.Object]ast.Node{} // the function each is declared in
	out := map[types.Object]bool{}
	var walk func(n ast.Node, fn ast.Node, loop bool)
	visitor := func(fn ast.Node, loop bool, root ast.Node) func(ast.Node) bool {
		return func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				if n != root {
					walk(n, n, false)
					return false
				}
			case *ast.ForStmt, *ast.RangeStmt:
				if n != root {
					walk(n, fn, true)
					return false
				}
			case *ast.CaseClause:
				if obj := info.Implicits[n]; obj != nil && loop {
					inLoop[obj] = fn
				}
			case *ast.Ident:
				if v, ok := info.Defs[n].(*types.Var); ok && loop {
					inLoop[v] = fn
				}
				if obj := info.Uses[n]; obj != nil {
					if at, ok := inLoop[obj]; ok && at != fn {
						out[obj] = true
					}
				}
			}
			return true
		}
	}
	walk = func(n ast.Node, fn ast.Node, loop bool) { ast.Inspect(n, visitor(fn, loop, n)) }
	walk(body, body, false)
	return out
}

// function lowers the type and body of a function; recv comes first among its
// parameters, and mark is the variable for its place.
func (l *lowerer) function(ft *ast.FuncType, sig *types.Signature, recv *ast.FieldList, body *ast.BlockStmt, mark string) (*ast.FuncType, *ast.BlockStmt) {
	outer := l.fn
	defer func() { l.fn = outer }()
	l.fn = &funcState{sig: sig, mark: mark}
	pos := ft.Pos()
	typ := &ast.FuncType{Func: pos, Params: &ast.FieldList{Opening: pos, Closing: pos}}
	add := func(to *ast.FieldList, from *ast.FieldList, results bool) {
		if from == nil {
			return
		}
		for _, f := range from.List {
			ftype := func() ast.Expr {
				if el, ok := f.Type.(*ast.Ellipsis); ok {
					return &ast.Ellipsis{Ellipsis: el.Pos(), Elt: l.typeExpr(el.Pos(), l.typeOf(el.Elt))}
				}
				return l.typeExpr(f.Type.Pos(), l.typeOf(f.Type))
			}
			if len(f.Names) == 0 {
				field := &ast.Field{Type: ftype()}
				if !results {
					field.Names = []*ast.Ident{ident(f.Pos(), l.s.fresh("p"))}
				}
				to.List = append(to.List, field)
			}
			for _, name := range f.Names {
				id := l.define(name)
				if id.Name == "_" {
					id = ident(name.Pos(), l.s.fresh("p"))
				}
				to.List = append(to.List, &ast.Field{Names: []*ast.Ident{id}, Type: ftype()})
				if results {
					l.fn.results = append(l.fn.results, id)
				}
			}
		}
	}
	add(typ.Params, recv, false)
	add(typ.Params, ft.Params, false)
	if ft.Results != nil {
		typ.Results = &ast.FieldList{Opening: pos, Closing: pos}
		add(typ.Results, ft.Results, true)
	}
	out := l.block(body)
	if ft.Results != nil && len(l.fn.results) > 0 && !l.fn.saved {
		// yaegi may hand over a place that has been used before.
		var zeros []ast.Stmt
		for i, r := range l.fn.results {
			zero := l.s.fresh("zero")
			zeros = append(zeros, l.varOf(pos, zero, sig.Results().At(i).Type(), nil), assign(pos, ident(pos, r.Name), ident(pos, zero)))
		}
		out.List = append(zeros, out.List...)
	}
	if l.fn.saved {
		var decls []ast.Stmt
		for i, r := range l.fn.results {
			spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, r.Name)}, Type: l.typeExpr(pos, sig.Results().At(i).Type())}
			decls = append(decls, &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}}})
		}
		out.List = append(decls, out.List...)
	}
	return typ, out
}
