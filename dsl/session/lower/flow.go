package lower

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/universe"
)

func (l *lowerer) push(t *target) {
	t.depth = l.fn.depth
	l.fn.targets = append(l.fn.targets, t)
}

func (l *lowerer) pop() { l.fn.targets = l.fn.targets[:len(l.fn.targets)-1] }

// choice is a switch, type switch or select in the making: a number says which
// clause is chosen, and then a switch over conditions jumps there:
//
//	chosen := -1
//	if x == 1 { chosen = 0 } else if x == f() { chosen = 1 } else { chosen = 2 }
//	switch { case chosen == 0: ... case chosen == 1: ... case chosen == 2: ... }
type choice struct {
	l       *lowerer
	pos     token.Pos
	name    string
	clauses []*ast.CaseClause
}

func (l *lowerer) choose(pos token.Pos) *choice {
	c := &choice{l: l, pos: pos, name: l.s.Fresh("chosen")}
	l.emit(l.varOf(pos, c.name, types.Typ[types.Int], l.number(pos, token.INT, "-1")))
	return c
}

func (c *choice) is(pos token.Pos, n int) ast.Expr {
	return &ast.BinaryExpr{X: ident(pos, c.name), OpPos: pos, Op: token.EQL, Y: c.l.int(pos, n)}
}

// set is the statement that chooses clause n.
func (c *choice) set(pos token.Pos, n int) ast.Stmt {
	return assign(pos, ident(pos, c.name), c.l.int(pos, n))
}

// add adds the body of the next clause.
func (c *choice) add(pos token.Pos, body []ast.Stmt) {
	c.clauses = append(c.clauses, &ast.CaseClause{Case: pos, Colon: pos, List: []ast.Expr{c.is(pos, len(c.clauses))}, Body: body})
}

// emit emits the switch.
func (c *choice) emit(end token.Pos, label string) {
	out := &ast.SwitchStmt{Switch: c.pos, Body: &ast.BlockStmt{Lbrace: c.pos, Rbrace: end}}
	for _, cl := range c.clauses {
		out.Body.List = append(out.Body.List, cl)
	}
	c.l.emit(c.l.labelled(c.pos, label, out))
}

// inBlock emits what f emits as a block.
func (l *lowerer) inBlock(st ast.Stmt, f func()) {
	l.emit(&ast.BlockStmt{Lbrace: st.Pos(), List: l.collect(f), Rbrace: st.End()})
}

// switchStmt lowers a switch on a value or on conditions.
func (l *lowerer) switchStmt(st *ast.SwitchStmt, label string) {
	l.inBlock(st, func() {
		pos := st.Pos()
		if st.Init != nil {
			l.stmt(st.Init, "")
		}
		var tag ast.Expr
		var t types.Type
		if st.Tag != nil {
			t = types.Default(l.typeOf(st.Tag))
			tag = l.temp(st.Tag.Pos(), t, l.expr(st.Tag))
		}
		c := l.choose(pos)
		fallback := -1
		type one struct {
			n int
			e ast.Expr
		}
		var tests []one
		for n, cl := range st.Body.List {
			cl := cl.(*ast.CaseClause)
			if cl.List == nil {
				fallback = n
			}
			for _, e := range cl.List {
				tests = append(tests, one{n, e})
			}
		}
		var try func(i int)
		try = func(i int) {
			if i == len(tests) {
				if fallback >= 0 {
					l.emit(c.set(pos, fallback))
				}
				return
			}
			e := tests[i].e
			var cond ast.Expr
			if tag == nil && types.IsInterface(l.typeOf(e)) {
				boolean := types.Typ[types.Bool]
				cond = l.tagEquals(l.temp(e.Pos(), boolean, ident(e.Pos(), "true")), boolean, e)
			} else if tag == nil {
				cond = l.condition(e)
			} else {
				cond = l.tagEquals(tag, t, e)
			}
			l.emit(&ast.IfStmt{If: e.Pos(), Cond: cond,
				Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{c.set(pos, tests[i].n)}},
				Else: l.blockOf(pos, func() { try(i + 1) })})
		}
		try(0)
		l.forget(st) // one clause may fall through to the next
		l.push(&target{label: label})
		for _, cl := range st.Body.List {
			cl := cl.(*ast.CaseClause)
			c.add(cl.Case, l.collect(func() { l.stmts(cl.Body) }))
		}
		l.pop()
		c.emit(st.End(), label)
	})
}

// tagEquals is the comparison that a case of a switch stands for.
func (l *lowerer) tagEquals(tag ast.Expr, t types.Type, e ast.Expr) ast.Expr {
	pos := e.Pos()
	te := l.typeOf(e)
	if universe.IsNil(te) {
		return &ast.BinaryExpr{X: tag, OpPos: pos, Op: token.EQL, Y: ident(pos, "nil")}
	}
	if plainBasic(t) && plainBasic(te) && !isBoolean(t) {
		if x := l.simple(e); x != nil {
			return &ast.BinaryExpr{X: tag, OpPos: pos, Op: token.EQL, Y: x}
		}
	}
	x := l.operandOf(e, te)
	if l.info.Types[e].Value != nil && !types.IsInterface(t) {
		x, te = l.operandOf(e, t), t
	}
	return l.hold(pos, l.equal(pos, tag, x, t, te), types.Typ[types.Bool])
}

// typeSwitch lowers a switch on a type: the types are asked for one after the
// other.
func (l *lowerer) typeSwitch(st *ast.TypeSwitchStmt, label string) {
	l.inBlock(st, func() {
		pos := st.Pos()
		if st.Init != nil {
			l.stmt(st.Init, "")
		}
		var x ast.Expr
		switch a := st.Assign.(type) {
		case *ast.AssignStmt:
			x = a.Rhs[0].(*ast.TypeAssertExpr).X
		case *ast.ExprStmt:
			x = a.X.(*ast.TypeAssertExpr).X
		}
		from := l.typeOf(x)
		value := l.temp(pos, from, l.expr(x))
		c := l.choose(pos)
		type one struct {
			n int
			e ast.Expr
		}
		var tests []one
		fallback := -1
		matched := make([]ast.Expr, len(st.Body.List))
		for n, cl := range st.Body.List {
			cl := cl.(*ast.CaseClause)
			if cl.List == nil {
				fallback = n
			}
			for _, e := range cl.List {
				tests = append(tests, one{n, e})
			}
			if obj := l.info.Implicits[cl]; obj != nil && len(cl.List) == 1 && !l.info.Types[cl.List[0]].IsNil() && l.uses(cl, obj) {
				matched[n] = l.zeroOf(pos, obj.Type())
			}
		}
		var try func(i int)
		try = func(i int) {
			if i == len(tests) {
				if fallback >= 0 {
					l.emit(c.set(pos, fallback))
				}
				return
			}
			e, n := tests[i].e, tests[i].n
			var cond ast.Expr
			set := []ast.Stmt{c.set(pos, n)}
			if l.info.Types[e].IsNil() {
				cond = &ast.BinaryExpr{X: value, OpPos: e.Pos(), Op: token.EQL, Y: ident(e.Pos(), "nil")}
			} else {
				v, ok := l.assert(e.Pos(), value, from, l.typeOf(e), true)
				cond = ok
				if matched[n] != nil {
					set = append(set, assign(e.Pos(), matched[n], v))
				}
			}
			l.emit(&ast.IfStmt{If: e.Pos(), Cond: cond,
				Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: set},
				Else: l.blockOf(pos, func() { try(i + 1) })})
		}
		try(0)
		l.push(&target{label: label})
		for n, cl := range st.Body.List {
			cl := cl.(*ast.CaseClause)
			c.add(cl.Case, l.collect(func() {
				if obj := l.info.Implicits[cl]; obj != nil && l.uses(cl, obj) {
					v := matched[n]
					if v == nil {
						v = value
					}
					l.bind(cl.Colon, obj, v)
				}
				l.stmts(cl.Body)
			}))
		}
		l.pop()
		c.emit(st.End(), label)
	})
}

// selectStmt lowers a select: the machine waits, and says which case it was.
func (l *lowerer) selectStmt(st *ast.SelectStmt, label string) {
	l.inBlock(st, func() {
		pos := st.Pos()
		s := l.s.Fresh("select")
		l.emit(define(pos, s, l.runtimeCall(pos, "NewSelect")))
		do := func(name string, args ...ast.Expr) *ast.CallExpr {
			return call(pos, sel(ident(pos, s), name), args...)
		}
		received := make([]typed, len(st.Body.List))
		for n, cl := range st.Body.List {
			at := cl.Pos()
			switch comm := cl.(*ast.CommClause).Comm.(type) {
			case nil:
				l.emit(&ast.ExprStmt{X: do("Default", l.int(at, n))})
			case *ast.SendStmt:
				elem := l.typeOf(comm.Chan).Underlying().(*types.Chan).Elem()
				c := l.operand(comm.Chan)
				v := l.temp(at, elem, l.value(comm.Value, elem))
				l.emit(&ast.ExprStmt{X: do("Send", l.int(at, n), c, addressOf(at, v))})
			default:
				var x ast.Expr
				switch comm := comm.(type) {
				case *ast.ExprStmt:
					x = comm.X
				case *ast.AssignStmt:
					x = comm.Rhs[0]
				}
				c := ast.Unparen(x).(*ast.UnaryExpr).X
				elem := l.typeOf(c).Underlying().(*types.Chan).Elem()
				v := l.zeroOf(at, elem)
				received[n] = typed{v, elem}
				l.emit(&ast.ExprStmt{X: do("Receive", l.int(at, n), l.operand(c), addressOf(at, v))})
			}
		}
		c := l.choose(pos)
		l.emit(assign(pos, ident(pos, c.name), do("Wait")))
		l.push(&target{label: label})
		for n, cl := range st.Body.List {
			cl := cl.(*ast.CommClause)
			c.add(cl.Case, l.collect(func() {
				if as, ok := cl.Comm.(*ast.AssignStmt); ok {
					l.receive(as, received[n], func() ast.Expr { return l.temp(cl.Case, types.Typ[types.Bool], do("Ok")) })
				}
				l.stmts(cl.Body)
			}))
		}
		l.pop()
		c.emit(st.End(), label)
	})
}

// receive assigns what a case of a select has received.
func (l *lowerer) receive(as *ast.AssignStmt, v typed, ok func() ast.Expr) {
	values := []typed{v}
	if len(as.Lhs) > 1 {
		values = append(values, typed{ok(), types.Typ[types.Bool]})
	}
	for i, e := range as.Lhs {
		if isBlank(e) {
			continue
		}
		t := l.typeOf(e)
		x := l.hold(e.Pos(), l.convertTo(e.Pos(), values[i].x, values[i].t, t), t)
		if as.Tok == token.DEFINE {
			l.store(e.Pos(), e, x, true)
		} else {
			place := l.held(e)
			l.checkPlace(e, place)
			l.emit(assign(e.Pos(), place, x))
		}
	}
}
