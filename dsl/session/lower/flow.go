package lower

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/core"
	"sapf/dsl/session/facts"
	"sapf/dsl/session/universe"
)

func (l *lowerer) push(t *target) {
	t.depth = l.fn.depth
	l.fn.targets = append(l.fn.targets, t)
}

func (l *lowerer) pop() { l.fn.targets = l.fn.targets[:len(l.fn.targets)-1] }

// inBlock emits what f emits as a block.
func (l *lowerer) inBlock(st ast.Stmt, f func()) {
	l.Emit(&ast.BlockStmt{Lbrace: st.Pos(), List: l.collect(f), Rbrace: st.End()})
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
			t = types.Default(l.TypeOf(st.Tag))
			tag = l.Temp(st.Tag.Pos(), t, l.expr(st.Tag))
		}
		c := l.Choose(pos)
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
					l.Emit(c.Set(pos, fallback))
				}
				return
			}
			e := tests[i].e
			var cond ast.Expr
			if tag == nil && types.IsInterface(l.TypeOf(e)) {
				boolean := types.Typ[types.Bool]
				cond = l.tagEquals(l.Temp(e.Pos(), boolean, core.Ident(e.Pos(), "true")), boolean, e)
			} else if tag == nil {
				cond = l.condition(e)
			} else {
				cond = l.tagEquals(tag, t, e)
			}
			l.Emit(&ast.IfStmt{If: e.Pos(), Cond: cond,
				Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{c.Set(pos, tests[i].n)}},
				Else: l.blockOf(pos, func() { try(i + 1) })})
		}
		try(0)
		l.Forget(st) // one clause may fall through to the next
		l.push(&target{label: label})
		for _, cl := range st.Body.List {
			cl := cl.(*ast.CaseClause)
			c.Add(cl.Case, l.collect(func() { l.stmts(cl.Body) }))
		}
		l.pop()
		c.Emit(st.End(), label)
	})
}

// tagEquals is the comparison that a case of a switch stands for.
func (l *lowerer) tagEquals(tag ast.Expr, t types.Type, e ast.Expr) ast.Expr {
	pos := e.Pos()
	te := l.TypeOf(e)
	if universe.IsNil(te) {
		return &ast.BinaryExpr{X: tag, OpPos: pos, Op: token.EQL, Y: core.Ident(pos, "nil")}
	}
	if universe.PlainBasic(t) && universe.PlainBasic(te) && !universe.IsBoolean(t) {
		if x := l.simple(e); x != nil {
			return &ast.BinaryExpr{X: tag, OpPos: pos, Op: token.EQL, Y: x}
		}
	}
	x := l.operandOf(e, te)
	if l.Info.Types[e].Value != nil && !types.IsInterface(t) {
		x, te = l.operandOf(e, t), t
	}
	return l.Hold(pos, l.Equal(pos, tag, x, t, te), types.Typ[types.Bool])
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
		from := l.TypeOf(x)
		value := l.Temp(pos, from, l.expr(x))
		c := l.Choose(pos)
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
			if obj := l.Info.Implicits[cl]; obj != nil && len(cl.List) == 1 && !l.Info.Types[cl.List[0]].IsNil() && l.Uses(cl, obj) {
				matched[n] = l.ZeroOf(pos, obj.Type())
			}
		}
		var try func(i int)
		try = func(i int) {
			if i == len(tests) {
				if fallback >= 0 {
					l.Emit(c.Set(pos, fallback))
				}
				return
			}
			e, n := tests[i].e, tests[i].n
			var cond ast.Expr
			set := []ast.Stmt{c.Set(pos, n)}
			if l.Info.Types[e].IsNil() {
				cond = &ast.BinaryExpr{X: value, OpPos: e.Pos(), Op: token.EQL, Y: core.Ident(e.Pos(), "nil")}
			} else {
				v, ok := l.Assert(e.Pos(), value, from, l.TypeOf(e), true)
				cond = ok
				if matched[n] != nil {
					set = append(set, core.Assign(e.Pos(), matched[n], v))
				}
			}
			l.Emit(&ast.IfStmt{If: e.Pos(), Cond: cond,
				Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: set},
				Else: l.blockOf(pos, func() { try(i + 1) })})
		}
		try(0)
		l.push(&target{label: label})
		for n, cl := range st.Body.List {
			cl := cl.(*ast.CaseClause)
			c.Add(cl.Case, l.collect(func() {
				if obj := l.Info.Implicits[cl]; obj != nil && l.Uses(cl, obj) {
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
		c.Emit(st.End(), label)
	})
}

// selectStmt lowers a select: the machine waits, and says which case it was.
func (l *lowerer) selectStmt(st *ast.SelectStmt, label string) {
	l.inBlock(st, func() {
		pos := st.Pos()
		s := l.s.Fresh("select")
		l.Emit(core.Define(pos, s, l.RuntimeCall(pos, "NewSelect")))
		do := func(name string, args ...ast.Expr) *ast.CallExpr {
			return core.Call(pos, core.Sel(core.Ident(pos, s), name), args...)
		}
		received := make([]typed, len(st.Body.List))
		for n, cl := range st.Body.List {
			at := cl.Pos()
			switch comm := cl.(*ast.CommClause).Comm.(type) {
			case nil:
				l.Emit(&ast.ExprStmt{X: do("Default", l.Int(at, n))})
			case *ast.SendStmt:
				elem := l.TypeOf(comm.Chan).Underlying().(*types.Chan).Elem()
				c := l.operand(comm.Chan)
				v := l.Temp(at, elem, l.value(comm.Value, elem))
				l.Emit(&ast.ExprStmt{X: do("Send", l.Int(at, n), c, core.AddressOf(at, v))})
			default:
				var x ast.Expr
				switch comm := comm.(type) {
				case *ast.ExprStmt:
					x = comm.X
				case *ast.AssignStmt:
					x = comm.Rhs[0]
				}
				c := ast.Unparen(x).(*ast.UnaryExpr).X
				elem := l.TypeOf(c).Underlying().(*types.Chan).Elem()
				v := l.ZeroOf(at, elem)
				received[n] = typed{v, elem}
				l.Emit(&ast.ExprStmt{X: do("Receive", l.Int(at, n), l.operand(c), core.AddressOf(at, v))})
			}
		}
		c := l.Choose(pos)
		l.Emit(core.Assign(pos, core.Ident(pos, c.Name), do("Wait")))
		l.push(&target{label: label})
		for n, cl := range st.Body.List {
			cl := cl.(*ast.CommClause)
			c.Add(cl.Case, l.collect(func() {
				if as, ok := cl.Comm.(*ast.AssignStmt); ok {
					l.receive(as, received[n], func() ast.Expr { return l.Temp(cl.Case, types.Typ[types.Bool], do("Ok")) })
				}
				l.stmts(cl.Body)
			}))
		}
		l.pop()
		c.Emit(st.End(), label)
	})
}

// receive assigns what a case of a select has received.
func (l *lowerer) receive(as *ast.AssignStmt, v typed, ok func() ast.Expr) {
	values := []typed{v}
	if len(as.Lhs) > 1 {
		values = append(values, typed{ok(), types.Typ[types.Bool]})
	}
	for i, e := range as.Lhs {
		if facts.IsBlank(e) {
			continue
		}
		t := l.TypeOf(e)
		x := l.Hold(e.Pos(), l.ConvertTo(e.Pos(), values[i].x, values[i].t, t), t)
		if as.Tok == token.DEFINE {
			l.store(e.Pos(), e, x, true)
		} else {
			place := l.held(e)
			l.checkPlace(e, place)
			l.Emit(core.Assign(e.Pos(), place, x))
		}
	}
}
