package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"

	"sapf/dsl/session/core"
	"sapf/dsl/session/facts"
	"sapf/dsl/session/universe"
)

// forStmt lowers the loop with three clauses. Its variables are new in every
// round (Go 1.22), which only shows where something holds on to one: then it
// lives behind a pointer, and the post statement works on a copy.
func (l *lowerer) forStmt(st *ast.ForStmt, label string) {
	l.Emit(&ast.BlockStmt{Lbrace: st.Pos(), Rbrace: st.End(), List: l.collect(func() {
		l.inLoop(func() { l.forLoop(st, label) })
	})})
}

func (l *lowerer) forLoop(st *ast.ForStmt, label string) {
	pos := st.Pos()
	var held []types.Object
	if init, ok := st.Init.(*ast.AssignStmt); ok && init.Tok == token.DEFINE {
		for _, e := range init.Lhs {
			id := e.(*ast.Ident)
			if obj := l.Info.Defs[id]; obj != nil && id.Name != "_" && l.UsageOf(obj, st.Cond, st.Post, st.Body, init).Captured {
				held = append(held, obj)
				l.Captured[obj] = true
			}
		}
	}
	if st.Init != nil {
		l.stmt(st.Init, "")
	}
	defer l.keepLengths(st)()
	known := l.Known
	l.Known = maps.Clone(known)
	l.Forget(st) // what has been learnt of the first round alone
	defer func() { l.Known = known }()
	var cond ast.Expr
	before := l.collect(func() {
		if st.Cond != nil {
			cond = l.condition(st.Cond)
		}
	})
	post := l.collect(func() {
		for _, obj := range held { // a new variable
			old := l.boxes[obj]
			next := l.s.Fresh("p")
			l.Emit(l.VarOf(pos, next, types.NewPointer(obj.Type()), core.Call(pos, core.Ident(pos, "new"), l.TypeExpr(pos, obj.Type()))))
			v := l.Temp(pos, obj.Type(), &ast.StarExpr{Star: pos, X: core.Ident(pos, old)})
			l.Emit(core.Assign(pos, &ast.StarExpr{Star: pos, X: core.Ident(pos, next)}, v), core.Assign(pos, core.Ident(pos, old), core.Ident(pos, next)))
		}
		if st.Post != nil {
			l.stmt(st.Post, "")
		}
	})
	out := &ast.ForStmt{For: st.For}
	l.push(&target{label: label, loop: true})
	if len(held) == 0 {
		l.LoopFacts(st)
	}
	if len(before) == 0 && len(post) <= 1 {
		out.Cond = cond
		if len(post) == 1 {
			out.Post = post[0]
		}
		out.Body = l.block(st.Body)
		l.pop()
		l.Emit(l.Labelled(pos, label, out))
		return
	}
	// for { if again { post }; again = true; if !cond { break }; body }
	var list []ast.Stmt
	if len(post) > 0 {
		again := l.s.Fresh("again")
		l.Emit(l.VarOf(pos, again, types.Typ[types.Bool], nil))
		list = append(list, &ast.IfStmt{If: pos, Cond: core.Ident(pos, again), Body: &ast.BlockStmt{Lbrace: pos, List: post, Rbrace: pos}},
			core.Assign(pos, core.Ident(pos, again), core.Ident(pos, "true")))
	}
	if cond != nil {
		list = append(list, before...)
		list = append(list, l.collect(func() { l.leaveUnless(pos, cond) })...)
	}
	body := l.block(st.Body)
	out.Body = &ast.BlockStmt{Lbrace: body.Lbrace, List: append(list, &ast.BlockStmt{Lbrace: body.Lbrace, List: body.List, Rbrace: body.Rbrace}), Rbrace: body.Rbrace}
	l.pop()
	l.Emit(l.Labelled(pos, label, out))
}

// leaveUnless leaves the loop at hand unless a condition holds.
func (l *lowerer) leaveUnless(pos token.Pos, cond ast.Expr) {
	if _, name := cond.(*ast.Ident); !name {
		cond = l.Temp(pos, types.Typ[types.Bool], cond)
	}
	l.Emit(&ast.IfStmt{If: pos, Cond: &ast.UnaryExpr{OpPos: pos, Op: token.NOT, X: cond},
		Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{&ast.BranchStmt{TokPos: pos, Tok: token.BREAK}}}})
}

// rangeStmt lowers a range loop over anything.
func (l *lowerer) rangeStmt(st *ast.RangeStmt, label string) {
	l.Emit(&ast.BlockStmt{Lbrace: st.Pos(), Rbrace: st.End(), List: l.collect(func() { l.inLoop(func() { l.rangeLoop(st, label) }) })})
}

func (l *lowerer) rangeLoop(st *ast.RangeStmt, label string) {
	defer l.keepLengths(st)()
	switch u := universe.CoreType(l.TypeOf(st.X)).(type) {
	case *types.Basic:
		if u.Info()&types.IsInteger != 0 {
			l.rangeInt(st, label)
		} else {
			l.rangeString(st, label)
		}
	case *types.Signature:
		l.rangeFunc(st, u, label)
	case *types.Chan:
		l.rangeChan(st, u, label)
	case *types.Map:
		l.rangeMap(st, u, label)
	case *types.Slice:
		l.rangeList(st, u.Elem(), label)
	case *types.Array:
		l.rangeList(st, u.Elem(), label)
	}
}

// bindRound sets the variables that the user named for a key and a value, at the
// start of a round.
func (l *lowerer) bindRound(st *ast.RangeStmt, key, value typed) {
	var targets []ast.Expr
	var values []typed
	for i, e := range []ast.Expr{st.Key, st.Value} {
		if v := []typed{key, value}[i]; facts.Wanted(e) && v.x != nil {
			targets, values = append(targets, e), append(values, v)
		}
	}
	if st.Tok == token.ASSIGN {
		l.assignAll(targets, values)
		return
	}
	for i, e := range targets {
		if obj := l.Info.Defs[e.(*ast.Ident)]; obj != nil {
			l.bind(e.Pos(), obj, values[i].x)
		}
	}
}

// assignAll assigns operands to places, whose own operands are evaluated first.
func (l *lowerer) assignAll(targets []ast.Expr, values []typed) {
	places := make([]ast.Expr, len(targets))
	for i, e := range targets {
		places[i] = l.held(e)
	}
	for i, e := range targets {
		pos, to := e.Pos(), l.TypeOf(e)
		x := l.Hold(pos, l.ConvertTo(pos, values[i].x, values[i].t, to), to)
		l.checkPlace(e, places[i])
		l.Emit(core.Assign(pos, places[i], x))
	}
}

// body lowers the body of a loop behind what starts each round.
func (l *lowerer) loopBody(st *ast.RangeStmt, label string, first func()) *ast.BlockStmt {
	l.push(&target{label: label, loop: true})
	defer l.pop()
	list := l.collect(first)
	var body *ast.BlockStmt
	l.Keep(func() {
		l.Forget(st)
		l.RangeFacts(st)
		body = l.block(st.Body)
	})
	return &ast.BlockStmt{Lbrace: body.Lbrace, List: append(list, body.List...), Rbrace: body.Rbrace}
}

// count emits a loop that counts i from 0 to before limit.
func (l *lowerer) count(st *ast.RangeStmt, label string, i string, t types.Type, limit ast.Expr, first func()) {
	pos := st.Pos()
	init := l.VarOf(pos, i, t, l.Int(pos, 0))
	l.Emit(init)
	out := &ast.ForStmt{
		For:  st.For,
		Cond: &ast.BinaryExpr{X: core.Ident(pos, i), OpPos: pos, Op: token.LSS, Y: limit},
		Post: l.increment(pos, i, t),
	}
	out.Body = l.loopBody(st, label, first)
	l.Emit(l.Labelled(pos, label, out))
}

// increment is i++, which yaegi does not have for uintptr.
func (l *lowerer) increment(pos token.Pos, i string, t types.Type) ast.Stmt {
	if b, ok := t.Underlying().(*types.Basic); ok && b.Kind() == types.Uintptr {
		return core.Assign(pos, core.Ident(pos, i), &ast.BinaryExpr{X: core.Ident(pos, i), OpPos: pos, Op: token.ADD, Y: l.Int(pos, 1)})
	}
	return &ast.IncDecStmt{X: core.Ident(pos, i), TokPos: pos, Tok: token.INC}
}

// rangeInt lowers `for i := range n` to a loop that counts in a variable of
// its own, unless the body leaves i alone.
func (l *lowerer) rangeInt(st *ast.RangeStmt, label string) {
	pos := st.Pos()
	t := types.Default(l.TypeOf(st.X))
	if facts.Wanted(st.Key) && st.Tok == token.DEFINE {
		t = l.TypeOf(st.Key)
	}
	limit := l.Temp(pos, t, l.operandOf(st.X, t))
	counter, own := l.s.Fresh("i"), true
	if facts.Wanted(st.Key) && st.Tok == token.DEFINE {
		obj := l.Info.Defs[st.Key.(*ast.Ident)]
		if u := l.UsageOf(obj, st.Body); !u.Captured && !u.Assigned && !l.Captured[obj] {
			counter, own = l.local(obj), false
			l.CountsUp(obj)
		}
	}
	l.count(st, label, counter, t, limit, func() {
		if own {
			l.bindRound(st, typed{core.Ident(pos, counter), t}, typed{})
		}
	})
}

// rangeList lowers a loop over a slice, an array or a pointer to one.
func (l *lowerer) rangeList(st *ast.RangeStmt, elem types.Type, label string) {
	pos := st.Pos()
	t := l.TypeOf(st.X)
	var x ast.Expr
	var limit ast.Expr
	if a, ok := universe.CoreType(t).(*types.Array); ok {
		limit = l.Int(pos, int(a.Len()))
		switch {
		case !facts.Wanted(st.Value) && !facts.HasCall(st.X):
		case universe.IsPointerKind(t):
			x = &ast.ParenExpr{X: &ast.StarExpr{Star: pos, X: l.Temp(pos, t, l.expr(st.X))}}
		default:
			x = l.Temp(pos, t, l.expr(st.X)) // the loop is over a copy
		}
	} else {
		x = l.Temp(pos, t, l.expr(st.X))
		_, ofChannels := elem.Underlying().(*types.Chan) // which yaegi takes for a loop over a channel
		if ofChannels || !facts.Wanted(st.Key) && !facts.Wanted(st.Value) {
			limit = l.Temp(pos, types.Typ[types.Int], core.Call(pos, core.Ident(pos, "len"), x))
		}
	}
	i, own := l.s.Fresh("i"), true
	if facts.Wanted(st.Key) && st.Tok == token.DEFINE {
		obj := l.Info.Defs[st.Key.(*ast.Ident)]
		if u := l.UsageOf(obj, st.Body); !u.Captured && !u.Assigned && !l.Captured[obj] {
			i, own = l.local(obj), false
			l.CountsUp(obj)
		}
	}
	if limit == nil {
		l.rangeSlice(st, label, x, elem, i, own)
		return
	}
	l.count(st, label, i, types.Typ[types.Int], limit, func() {
		var key, value typed
		if own {
			key = typed{core.Ident(pos, i), types.Typ[types.Int]}
		}
		if facts.Wanted(st.Value) {
			v := ast.Expr(&ast.IndexExpr{X: x, Lbrack: pos, Index: core.Ident(pos, i), Rbrack: pos})
			if st.Tok == token.ASSIGN {
				v = l.Temp(pos, elem, v)
			}
			value = typed{v, elem}
		}
		l.bindRound(st, key, value)
	})
}

// rangeSlice lowers a loop over a slice to one: yaegi counts in a variable of its own
// there, which i is unless the user does something else with it.
func (l *lowerer) rangeSlice(st *ast.RangeStmt, label string, x ast.Expr, elem types.Type, i string, own bool) {
	pos := st.Pos()
	out := &ast.RangeStmt{For: st.For, Key: core.Ident(pos, i), TokPos: pos, Tok: token.DEFINE, X: x}
	var key, value typed
	if own {
		key = typed{core.Ident(pos, i), types.Typ[types.Int]}
	}
	if facts.Wanted(st.Value) {
		name := ""
		if id, ok := st.Value.(*ast.Ident); ok && st.Tok == token.DEFINE {
			if obj := l.Info.Defs[id]; obj != nil && !l.Captured[obj] && l.s.Symbols[obj] == "" && !l.UsageOf(obj, st.Body).Captured {
				name = l.local(obj)
			}
		}
		if name == "" {
			name = l.s.Fresh("v")
			l.s.Types[name] = elem
			value = typed{core.Ident(pos, name), elem}
		}
		out.Value = core.Ident(pos, name)
	}
	out.Body = l.loopBody(st, label, func() { l.bindRound(st, key, value) })
	l.Emit(l.Labelled(pos, label, out))
}

// rangeString lowers a loop over the runes of a string.
func (l *lowerer) rangeString(st *ast.RangeStmt, label string) {
	pos := st.Pos()
	str := types.Typ[types.String]
	integer := types.Typ[types.Int]
	s := l.Temp(pos, str, l.operandOf(st.X, str))
	limit := l.Temp(pos, integer, core.Call(pos, core.Ident(pos, "len"), s))
	i, next, r := l.s.Fresh("i"), l.s.Fresh("i"), l.s.Fresh("r")
	l.Emit(l.VarOf(pos, i, integer, nil), l.VarOf(pos, next, integer, nil))
	out := &ast.ForStmt{For: st.For, Cond: &ast.BinaryExpr{X: core.Ident(pos, next), OpPos: pos, Op: token.LSS, Y: limit}}
	out.Body = l.loopBody(st, label, func() {
		l.Emit(core.Assign(pos, core.Ident(pos, i), core.Ident(pos, next)))
		l.Emit(l.VarOf(pos, r, types.Typ[types.Int32], l.RuntimeCall(pos, "NextRune", core.AddressOf(pos, core.Ident(pos, next)), s)))
		l.bindRound(st, typed{l.Temp(pos, integer, core.Ident(pos, i)), integer}, typed{core.Ident(pos, r), types.Typ[types.Int32]})
	})
	l.Emit(l.Labelled(pos, label, out))
}

// rangeChan lowers a loop over what a channel delivers.
func (l *lowerer) rangeChan(st *ast.RangeStmt, c *types.Chan, label string) {
	pos := st.Pos()
	x := l.Temp(pos, l.TypeOf(st.X), l.expr(st.X))
	out := &ast.ForStmt{For: st.For}
	out.Body = l.loopBody(st, label, func() {
		v, ok := l.Define2(pos, &ast.UnaryExpr{OpPos: pos, Op: token.ARROW, X: x})
		l.leaveUnless(pos, ok)
		l.bindRound(st, typed{v, c.Elem()}, typed{})
	})
	l.Emit(l.Labelled(pos, label, out))
}

// rangeMap lowers a loop over a map: of the keys that it has at the start those
// that it still has when their turn comes.
func (l *lowerer) rangeMap(st *ast.RangeStmt, m *types.Map, label string) {
	pos := st.Pos()
	x := l.Temp(pos, l.TypeOf(st.X), l.expr(st.X))
	iter := l.s.Fresh("iter")
	l.Emit(core.Define(pos, iter, l.RuntimeCall(pos, "MapIter", x)))
	out := &ast.ForStmt{For: st.For}
	out.Body = l.loopBody(st, label, func() {
		k, v := l.ZeroOf(pos, m.Key()), l.ZeroOf(pos, m.Elem())
		ok := l.Temp(pos, types.Typ[types.Bool], core.Call(pos, core.Sel(core.Ident(pos, iter), "Next"), core.AddressOf(pos, k), core.AddressOf(pos, v)))
		l.leaveUnless(pos, ok)
		l.bindRound(st, typed{k, m.Key()}, typed{v, m.Elem()})
	})
	l.Emit(l.Labelled(pos, label, out))
}

// rangeFunc lowers a loop over a function: the body becomes the function that
// is handed over, and the ways out of it become a code that is looked at when
// the function has returned.
func (l *lowerer) rangeFunc(st *ast.RangeStmt, sig *types.Signature, label string) {
	pos := st.Pos()
	yieldSig := sig.Params().At(0).Type().Underlying().(*types.Signature)
	code := core.Ident(pos, l.s.Fresh("left"))
	me := &target{label: label, loop: true, code: code}
	seq := l.Hold(pos, l.expr(st.X), l.TypeOf(st.X))
	integer := types.Typ[types.Int]
	// What the loop is doing: 0 waits, 1 is in the body, 2 the body has left it, 4 is
	// over.
	state := l.s.Fresh("state")
	l.Emit(l.VarOf(pos, code.Name, integer, nil), l.VarOf(pos, state, integer, nil))
	params := &ast.FieldList{Opening: pos, Closing: pos}
	var names []string
	for i := range yieldSig.Params().Len() {
		name := l.s.Fresh("v")
		names = append(names, name)
		params.List = append(params.List, &ast.Field{Names: []*ast.Ident{core.Ident(pos, name)}, Type: l.TypeExpr(pos, yieldSig.Params().At(i).Type())})
	}
	is := func(n int) ast.Expr {
		return &ast.BinaryExpr{X: core.Ident(pos, state), OpPos: pos, Op: token.NEQ, Y: l.Int(pos, n)}
	}
	end := st.Body.Rbrace
	loop := l.Loop
	l.Loop = nil // the body is a function
	l.push(me)
	l.fn.depth++
	body := l.collect(func() {
		l.Emit(&ast.IfStmt{If: pos, Cond: is(0), Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{
			&ast.ExprStmt{X: l.RuntimeCall(pos, "IterationAfterEnd", core.Ident(pos, state))}}}})
		l.Emit(core.Assign(pos, core.Ident(pos, state), l.Int(pos, 1)))
		var round [2]typed
		for i, name := range names {
			round[i] = typed{core.Ident(pos, name), yieldSig.Params().At(i).Type()}
		}
		l.bindRound(st, round[0], round[1])
		me.state = state
		l.Emit(l.block(st.Body).List...)
		l.Emit(core.Assign(end, core.Ident(end, state), l.Int(end, 0)))
		l.Emit(&ast.ReturnStmt{Return: end, Results: []ast.Expr{core.Ident(end, "true")}})
	})
	l.fn.depth--
	l.pop()
	l.Loop = loop
	lit := &ast.FuncLit{
		Type: &ast.FuncType{Func: pos, Params: params, Results: &ast.FieldList{List: []*ast.Field{{Type: core.Ident(pos, "bool")}}}},
		Body: &ast.BlockStmt{Lbrace: pos, List: body, Rbrace: end},
	}
	yield := l.Temp(pos, yieldSig, lit)
	l.Emit(&ast.ExprStmt{X: core.Call(pos, seq, yield)})
	l.Emit(&ast.IfStmt{If: pos, Cond: &ast.BinaryExpr{X: core.Ident(pos, state), OpPos: pos, Op: token.EQL, Y: l.Int(pos, 1)},
		Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{&ast.ExprStmt{X: l.RuntimeCall(pos, "IterationAfterEnd", l.Int(pos, 3))}}}})
	l.Emit(core.Assign(pos, core.Ident(pos, state), l.Int(pos, 4)))
	l.afterLoop(pos, me)
}
