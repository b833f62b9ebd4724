package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"strconv"

	"sapf/dsl/session/universe"
)

// usage is how the body of a loop treats one of its variables.
type usage struct{ assigned, captured bool }

// usageOf looks for assignments to obj, its address, and closures with it.
func (l *lowerer) usageOf(obj types.Object, nodes ...ast.Node) usage {
	var u usage
	is := func(e ast.Expr) bool {
		id, ok := ast.Unparen(e).(*ast.Ident)
		return ok && l.info.ObjectOf(id) == obj
	}
	for _, n := range nodes {
		if n == nil {
			continue
		}
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, e := range n.Lhs {
					u.assigned = u.assigned || is(e) || l.root(e) == obj
				}
			case *ast.IncDecStmt:
				u.assigned = u.assigned || is(n.X) || l.root(n.X) == obj
			case *ast.RangeStmt:
				u.assigned = u.assigned || n.Key != nil && is(n.Key) || n.Value != nil && is(n.Value)
			case *ast.UnaryExpr:
				if n.Op == token.AND && l.root(n.X) == obj {
					u.captured = true
				}
			case *ast.SliceExpr:
				if l.root(n.X) == obj {
					u.captured = true
				}
			case *ast.SelectorExpr:
				if s := l.info.Selections[n]; s != nil && s.Kind() == types.MethodVal && l.root(n.X) == obj {
					u.captured = true
				}
			case *ast.FuncLit:
				if l.uses(n, obj) {
					u.captured = true
				}
			}
			return true
		})
	}
	return u
}

func (l *lowerer) uses(n ast.Node, obj types.Object) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && l.info.Uses[id] == obj {
			found = true
		}
		return !found
	})
	return found
}

// root is the variable that an addressable expression is part of.
func (l *lowerer) root(e ast.Expr) types.Object {
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.Ident:
			return l.info.ObjectOf(x)
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// forStmt lowers the loop with three clauses. Its variables are new in every
// round (Go 1.22), which only shows where something holds on to one: then it
// lives behind a pointer, and the post statement works on a copy.
func (l *lowerer) forStmt(st *ast.ForStmt, label string) {
	l.emit(&ast.BlockStmt{Lbrace: st.Pos(), Rbrace: st.End(), List: l.collect(func() {
		l.inLoop(func() { l.forLoop(st, label) })
	})})
}

func (l *lowerer) forLoop(st *ast.ForStmt, label string) {
	pos := st.Pos()
	var held []types.Object
	if init, ok := st.Init.(*ast.AssignStmt); ok && init.Tok == token.DEFINE {
		for _, e := range init.Lhs {
			id := e.(*ast.Ident)
			if obj := l.info.Defs[id]; obj != nil && id.Name != "_" && l.usageOf(obj, st.Cond, st.Post, st.Body, init).captured {
				held = append(held, obj)
				l.captured[obj] = true
			}
		}
	}
	if st.Init != nil {
		l.stmt(st.Init, "")
	}
	defer l.keepLengths(st)()
	facts := l.facts
	l.facts = maps.Clone(facts)
	l.forget(st) // what has been learnt of the first round alone
	defer func() { l.facts = facts }()
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
			l.emit(l.varOf(pos, next, types.NewPointer(obj.Type()), call(pos, ident(pos, "new"), l.typeExpr(pos, obj.Type()))))
			v := l.temp(pos, obj.Type(), &ast.StarExpr{Star: pos, X: ident(pos, old)})
			l.emit(assign(pos, &ast.StarExpr{Star: pos, X: ident(pos, next)}, v), assign(pos, ident(pos, old), ident(pos, next)))
		}
		if st.Post != nil {
			l.stmt(st.Post, "")
		}
	})
	out := &ast.ForStmt{For: st.For}
	l.push(&target{label: label, loop: true})
	if len(held) == 0 {
		l.loopFacts(st)
	}
	if len(before) == 0 && len(post) <= 1 {
		out.Cond = cond
		if len(post) == 1 {
			out.Post = post[0]
		}
		out.Body = l.block(st.Body)
		l.pop()
		l.emit(l.labelled(pos, label, out))
		return
	}
	// for { if again { post }; again = true; if !cond { break }; body }
	var list []ast.Stmt
	if len(post) > 0 {
		again := l.s.Fresh("again")
		l.emit(l.varOf(pos, again, types.Typ[types.Bool], nil))
		list = append(list, &ast.IfStmt{If: pos, Cond: ident(pos, again), Body: &ast.BlockStmt{Lbrace: pos, List: post, Rbrace: pos}},
			assign(pos, ident(pos, again), ident(pos, "true")))
	}
	if cond != nil {
		list = append(list, before...)
		list = append(list, l.collect(func() { l.leaveUnless(pos, cond) })...)
	}
	body := l.block(st.Body)
	out.Body = &ast.BlockStmt{Lbrace: body.Lbrace, List: append(list, &ast.BlockStmt{Lbrace: body.Lbrace, List: body.List, Rbrace: body.Rbrace}), Rbrace: body.Rbrace}
	l.pop()
	l.emit(l.labelled(pos, label, out))
}

// leaveUnless leaves the loop at hand unless a condition holds.
func (l *lowerer) leaveUnless(pos token.Pos, cond ast.Expr) {
	if _, name := cond.(*ast.Ident); !name {
		cond = l.temp(pos, types.Typ[types.Bool], cond)
	}
	l.emit(&ast.IfStmt{If: pos, Cond: &ast.UnaryExpr{OpPos: pos, Op: token.NOT, X: cond},
		Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{&ast.BranchStmt{TokPos: pos, Tok: token.BREAK}}}})
}

// labelled puts a label on a statement that a break or continue may name.
func (l *lowerer) labelled(pos token.Pos, label string, st ast.Stmt) ast.Stmt {
	if label == "" {
		return st
	}
	return &ast.LabeledStmt{Label: ident(pos, label), Colon: pos, Stmt: st}
}

// rangeStmt lowers a range loop over anything.
func (l *lowerer) rangeStmt(st *ast.RangeStmt, label string) {
	l.emit(&ast.BlockStmt{Lbrace: st.Pos(), Rbrace: st.End(), List: l.collect(func() { l.inLoop(func() { l.rangeLoop(st, label) }) })})
}

func (l *lowerer) rangeLoop(st *ast.RangeStmt, label string) {
	defer l.keepLengths(st)()
	switch u := universe.CoreType(l.typeOf(st.X)).(type) {
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

func isBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

func wanted(e ast.Expr) bool { return e != nil && !isBlank(e) }

// bindRound sets the variables that the user named for a key and a value, at the
// start of a round.
func (l *lowerer) bindRound(st *ast.RangeStmt, key, value typed) {
	var targets []ast.Expr
	var values []typed
	for i, e := range []ast.Expr{st.Key, st.Value} {
		if v := []typed{key, value}[i]; wanted(e) && v.x != nil {
			targets, values = append(targets, e), append(values, v)
		}
	}
	if st.Tok == token.ASSIGN {
		l.assignAll(targets, values)
		return
	}
	for i, e := range targets {
		if obj := l.info.Defs[e.(*ast.Ident)]; obj != nil {
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
		pos, to := e.Pos(), l.typeOf(e)
		x := l.hold(pos, l.convertTo(pos, values[i].x, values[i].t, to), to)
		l.checkPlace(e, places[i])
		l.emit(assign(pos, places[i], x))
	}
}

// body lowers the body of a loop behind what starts each round.
func (l *lowerer) loopBody(st *ast.RangeStmt, label string, first func()) *ast.BlockStmt {
	l.push(&target{label: label, loop: true})
	defer l.pop()
	list := l.collect(first)
	var body *ast.BlockStmt
	l.keepFacts(func() {
		l.forget(st)
		l.rangeFacts(st)
		body = l.block(st.Body)
	})
	return &ast.BlockStmt{Lbrace: body.Lbrace, List: append(list, body.List...), Rbrace: body.Rbrace}
}

// count emits a loop that counts i from 0 to before limit.
func (l *lowerer) count(st *ast.RangeStmt, label string, i string, t types.Type, limit ast.Expr, first func()) {
	pos := st.Pos()
	init := l.varOf(pos, i, t, l.int(pos, 0))
	l.emit(init)
	out := &ast.ForStmt{
		For:  st.For,
		Cond: &ast.BinaryExpr{X: ident(pos, i), OpPos: pos, Op: token.LSS, Y: limit},
		Post: l.increment(pos, i, t),
	}
	out.Body = l.loopBody(st, label, first)
	l.emit(l.labelled(pos, label, out))
}

// increment is i++, which yaegi does not have for uintptr.
func (l *lowerer) increment(pos token.Pos, i string, t types.Type) ast.Stmt {
	if b, ok := t.Underlying().(*types.Basic); ok && b.Kind() == types.Uintptr {
		return assign(pos, ident(pos, i), &ast.BinaryExpr{X: ident(pos, i), OpPos: pos, Op: token.ADD, Y: l.int(pos, 1)})
	}
	return &ast.IncDecStmt{X: ident(pos, i), TokPos: pos, Tok: token.INC}
}

// rangeInt lowers `for i := range n` to a loop that counts in a variable of
// its own, unless the body leaves i alone.
func (l *lowerer) rangeInt(st *ast.RangeStmt, label string) {
	pos := st.Pos()
	t := types.Default(l.typeOf(st.X))
	if wanted(st.Key) && st.Tok == token.DEFINE {
		t = l.typeOf(st.Key)
	}
	limit := l.temp(pos, t, l.operandOf(st.X, t))
	counter, own := l.s.Fresh("i"), true
	if wanted(st.Key) && st.Tok == token.DEFINE {
		obj := l.info.Defs[st.Key.(*ast.Ident)]
		if u := l.usageOf(obj, st.Body); !u.captured && !u.assigned && !l.captured[obj] {
			counter, own = l.local(obj), false
			l.countsUp(obj)
		}
	}
	l.count(st, label, counter, t, limit, func() {
		if own {
			l.bindRound(st, typed{ident(pos, counter), t}, typed{})
		}
	})
}

// rangeList lowers a loop over a slice, an array or a pointer to one.
func (l *lowerer) rangeList(st *ast.RangeStmt, elem types.Type, label string) {
	pos := st.Pos()
	t := l.typeOf(st.X)
	var x ast.Expr
	var limit ast.Expr
	if a, ok := universe.CoreType(t).(*types.Array); ok {
		limit = l.int(pos, int(a.Len()))
		switch {
		case !wanted(st.Value) && !hasCall(st.X):
		case isPointerTo(t):
			x = &ast.ParenExpr{X: &ast.StarExpr{Star: pos, X: l.temp(pos, t, l.expr(st.X))}}
		default:
			x = l.temp(pos, t, l.expr(st.X)) // the loop is over a copy
		}
	} else {
		x = l.temp(pos, t, l.expr(st.X))
		_, ofChannels := elem.Underlying().(*types.Chan) // which yaegi takes for a loop over a channel
		if ofChannels || !wanted(st.Key) && !wanted(st.Value) {
			limit = l.temp(pos, types.Typ[types.Int], call(pos, ident(pos, "len"), x))
		}
	}
	i, own := l.s.Fresh("i"), true
	if wanted(st.Key) && st.Tok == token.DEFINE {
		obj := l.info.Defs[st.Key.(*ast.Ident)]
		if u := l.usageOf(obj, st.Body); !u.captured && !u.assigned && !l.captured[obj] {
			i, own = l.local(obj), false
			l.countsUp(obj)
		}
	}
	if limit == nil {
		l.rangeSlice(st, label, x, elem, i, own)
		return
	}
	l.count(st, label, i, types.Typ[types.Int], limit, func() {
		var key, value typed
		if own {
			key = typed{ident(pos, i), types.Typ[types.Int]}
		}
		if wanted(st.Value) {
			v := ast.Expr(&ast.IndexExpr{X: x, Lbrack: pos, Index: ident(pos, i), Rbrack: pos})
			if st.Tok == token.ASSIGN {
				v = l.temp(pos, elem, v)
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
	out := &ast.RangeStmt{For: st.For, Key: ident(pos, i), TokPos: pos, Tok: token.DEFINE, X: x}
	var key, value typed
	if own {
		key = typed{ident(pos, i), types.Typ[types.Int]}
	}
	if wanted(st.Value) {
		name := ""
		if id, ok := st.Value.(*ast.Ident); ok && st.Tok == token.DEFINE {
			if obj := l.info.Defs[id]; obj != nil && !l.captured[obj] && l.s.Symbols[obj] == "" && !l.usageOf(obj, st.Body).captured {
				name = l.local(obj)
			}
		}
		if name == "" {
			name = l.s.Fresh("v")
			l.s.types[name] = elem
			value = typed{ident(pos, name), elem}
		}
		out.Value = ident(pos, name)
	}
	out.Body = l.loopBody(st, label, func() { l.bindRound(st, key, value) })
	l.emit(l.labelled(pos, label, out))
}

// countsUp notes a counter that is not negative.
func (l *lowerer) countsUp(obj types.Object) {
	if l.unsigned == nil {
		l.unsigned = map[types.Object]bool{}
	}
	l.unsigned[obj] = true
}

func hasCall(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			found = true
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		}
		return !found
	})
	return found
}

// rangeString lowers a loop over the runes of a string.
func (l *lowerer) rangeString(st *ast.RangeStmt, label string) {
	pos := st.Pos()
	str := types.Typ[types.String]
	integer := types.Typ[types.Int]
	s := l.temp(pos, str, l.operandOf(st.X, str))
	limit := l.temp(pos, integer, call(pos, ident(pos, "len"), s))
	i, next, r := l.s.Fresh("i"), l.s.Fresh("i"), l.s.Fresh("r")
	l.emit(l.varOf(pos, i, integer, nil), l.varOf(pos, next, integer, nil))
	out := &ast.ForStmt{For: st.For, Cond: &ast.BinaryExpr{X: ident(pos, next), OpPos: pos, Op: token.LSS, Y: limit}}
	out.Body = l.loopBody(st, label, func() {
		l.emit(assign(pos, ident(pos, i), ident(pos, next)))
		l.emit(l.varOf(pos, r, types.Typ[types.Int32], l.runtimeCall(pos, "NextRune", addressOf(pos, ident(pos, next)), s)))
		l.bindRound(st, typed{l.temp(pos, integer, ident(pos, i)), integer}, typed{ident(pos, r), types.Typ[types.Int32]})
	})
	l.emit(l.labelled(pos, label, out))
}

// rangeChan lowers a loop over what a channel delivers.
func (l *lowerer) rangeChan(st *ast.RangeStmt, c *types.Chan, label string) {
	pos := st.Pos()
	x := l.temp(pos, l.typeOf(st.X), l.expr(st.X))
	out := &ast.ForStmt{For: st.For}
	out.Body = l.loopBody(st, label, func() {
		v, ok := l.define2(pos, &ast.UnaryExpr{OpPos: pos, Op: token.ARROW, X: x})
		l.leaveUnless(pos, ok)
		l.bindRound(st, typed{v, c.Elem()}, typed{})
	})
	l.emit(l.labelled(pos, label, out))
}

// rangeMap lowers a loop over a map: of the keys that it has at the start those
// that it still has when their turn comes.
func (l *lowerer) rangeMap(st *ast.RangeStmt, m *types.Map, label string) {
	pos := st.Pos()
	x := l.temp(pos, l.typeOf(st.X), l.expr(st.X))
	iter := l.s.Fresh("iter")
	l.emit(define(pos, iter, l.runtimeCall(pos, "MapIter", x)))
	out := &ast.ForStmt{For: st.For}
	out.Body = l.loopBody(st, label, func() {
		k, v := l.zeroOf(pos, m.Key()), l.zeroOf(pos, m.Elem())
		ok := l.temp(pos, types.Typ[types.Bool], call(pos, sel(ident(pos, iter), "Next"), addressOf(pos, k), addressOf(pos, v)))
		l.leaveUnless(pos, ok)
		l.bindRound(st, typed{k, m.Key()}, typed{v, m.Elem()})
	})
	l.emit(l.labelled(pos, label, out))
}

// rangeFunc lowers a loop over a function: the body becomes the function that
// is handed over, and the ways out of it become a code that is looked at when
// the function has returned.
func (l *lowerer) rangeFunc(st *ast.RangeStmt, sig *types.Signature, label string) {
	pos := st.Pos()
	yieldSig := sig.Params().At(0).Type().Underlying().(*types.Signature)
	code := ident(pos, l.s.Fresh("left"))
	me := &target{label: label, loop: true, code: code}
	seq := l.hold(pos, l.expr(st.X), l.typeOf(st.X))
	integer := types.Typ[types.Int]
	// What the loop is doing: 0 waits, 1 is in the body, 2 is over.
	state := l.s.Fresh("state")
	l.emit(l.varOf(pos, code.Name, integer, nil), l.varOf(pos, state, integer, nil))
	params := &ast.FieldList{Opening: pos, Closing: pos}
	var names []string
	for i := range yieldSig.Params().Len() {
		name := l.s.Fresh("v")
		names = append(names, name)
		params.List = append(params.List, &ast.Field{Names: []*ast.Ident{ident(pos, name)}, Type: l.typeExpr(pos, yieldSig.Params().At(i).Type())})
	}
	is := func(n int) ast.Expr {
		return &ast.BinaryExpr{X: ident(pos, state), OpPos: pos, Op: token.NEQ, Y: l.int(pos, n)}
	}
	end := st.Body.Rbrace
	loop := l.loop
	l.loop = nil // the body is a function
	l.push(me)
	l.fn.depth++
	body := l.collect(func() {
		l.emit(&ast.IfStmt{If: pos, Cond: is(0), Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{
			&ast.ExprStmt{X: l.runtimeCall(pos, "IterationAfterEnd", ident(pos, state))}}}})
		l.emit(assign(pos, ident(pos, state), l.int(pos, 1)))
		var round [2]typed
		for i, name := range names {
			round[i] = typed{ident(pos, name), yieldSig.Params().At(i).Type()}
		}
		l.bindRound(st, round[0], round[1])
		me.state = state
		l.emit(l.block(st.Body).List...)
		l.emit(assign(end, ident(end, state), l.int(end, 0)))
		l.emit(&ast.ReturnStmt{Return: end, Results: []ast.Expr{ident(end, "true")}})
	})
	l.fn.depth--
	l.pop()
	l.loop = loop
	lit := &ast.FuncLit{
		Type: &ast.FuncType{Func: pos, Params: params, Results: &ast.FieldList{List: []*ast.Field{{Type: ident(pos, "bool")}}}},
		Body: &ast.BlockStmt{Lbrace: pos, List: body, Rbrace: end},
	}
	yield := l.temp(pos, yieldSig, lit)
	l.emit(&ast.ExprStmt{X: call(pos, seq, yield)})
	l.emit(&ast.IfStmt{If: pos, Cond: &ast.BinaryExpr{X: ident(pos, state), OpPos: pos, Op: token.EQL, Y: l.int(pos, 1)},
		Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{&ast.ExprStmt{X: l.runtimeCall(pos, "IterationAfterEnd", l.int(pos, 3))}}}})
	l.emit(assign(pos, ident(pos, state), l.int(pos, 2)))
	l.afterLoop(pos, me)
}

func (l *lowerer) int(pos token.Pos, n int) ast.Expr {
	return l.number(pos, token.INT, strconv.Itoa(n))
}
