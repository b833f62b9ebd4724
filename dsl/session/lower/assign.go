package lower

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/core"
	"sapf/dsl/session/facts"
	"sapf/dsl/session/universe"
)

// varSpec lowers the declaration of variables in a function.
func (l *lowerer) varSpec(spec *ast.ValueSpec) {
	if len(spec.Values) == 1 && len(spec.Names) > 1 {
		l.assignMany(spec.Pos(), identExprs(spec.Names), spec.Values[0], true)
		return
	}
	if len(spec.Names) == 1 || len(spec.Values) == 0 {
		for i, name := range spec.Names {
			var value ast.Expr
			if len(spec.Values) > 0 {
				value = spec.Values[i]
			}
			l.declareVar(name, value)
		}
		return
	}
	l.parallel(spec.Pos(), identExprs(spec.Names), spec.Values, true)
}

func identExprs(names []*ast.Ident) []ast.Expr {
	out := make([]ast.Expr, len(names))
	for i, n := range names {
		out[i] = n
	}
	return out
}

// declareVar lowers `var name = value`; the variable may be one of the
// session's, which exists already.
func (l *lowerer) declareVar(name *ast.Ident, value ast.Expr) {
	pos := name.Pos()
	if name.Name == "_" {
		if value != nil {
			l.discard(value)
		}
		return
	}
	obj := l.Info.Defs[name]
	if value == nil {
		l.bindZero(pos, obj)
		return
	}
	l.bind(pos, obj, l.source(value, obj.Type()))
}

// source lowers what is assigned to a variable of type t: with a temporary,
// unless yaegi can compute it right there.
func (l *lowerer) source(e ast.Expr, t types.Type) ast.Expr {
	if universe.PlainBasic(t) && types.Identical(types.Default(l.TypeOf(e)).Underlying(), t.Underlying()) {
		if x := l.simple(e); x != nil {
			if _, isCall := x.(*ast.CallExpr); !isCall {
				return x
			}
		}
	}
	return l.operandTo(e, t)
}

// discard evaluates an expression for its effects.
func (l *lowerer) discard(e ast.Expr) {
	if tuple, many := l.TypeOf(e).(*types.Tuple); many && tuple.Len() > 0 {
		l.callResults(ast.Unparen(e).(*ast.CallExpr))
		return
	}
	if universe.IsNil(l.TypeOf(e)) || l.Info.Types[e].IsType() {
		return
	}
	if x := l.expr(e); x != nil {
		l.Hold(e.Pos(), x, l.TypeOf(e))
	}
}

// bind declares a variable with a value: one of the session's, which exists, one
// behind a pointer if closures hold it, or a plain one.
func (l *lowerer) bind(pos token.Pos, obj types.Object, value ast.Expr) {
	if sym, global := l.s.Symbols[obj]; global {
		l.Emit(core.Assign(pos, core.Ident(pos, sym), value))
		return
	}
	if !l.Captured[obj] {
		if !l.Shared[obj] && l.Early(obj.Type(), value) {
			l.DeclareEarly(pos, l.local(obj), obj.Type(), value)
			return
		}
		l.Emit(l.VarOf(pos, l.local(obj), obj.Type(), value))
		return
	}
	p := l.box(pos, obj)
	l.Emit(core.Assign(pos, &ast.StarExpr{Star: pos, X: core.Ident(pos, p)}, value))
}

// bindZero declares a variable with the zero value.
func (l *lowerer) bindZero(pos token.Pos, obj types.Object) {
	if sym, global := l.s.Symbols[obj]; global {
		l.Emit(core.Assign(pos, core.Ident(pos, sym), l.ZeroOf(pos, obj.Type())))
		return
	}
	if l.Captured[obj] {
		l.box(pos, obj)
		return
	}
	l.Emit(l.VarOf(pos, l.local(obj), obj.Type(), nil))
}

// box makes a new variable behind a pointer and returns the pointer's name.
func (l *lowerer) box(pos token.Pos, obj types.Object) string {
	p := l.s.Fresh("p")
	l.Emit(l.VarOf(pos, p, types.NewPointer(obj.Type()), core.Call(pos, core.Ident(pos, "new"), l.TypeExpr(pos, obj.Type()))))
	l.boxes[obj] = p
	return p
}

// assign lowers an assignment or a short declaration.
func (l *lowerer) assign(st *ast.AssignStmt) {
	pos := st.Pos()
	switch {
	case st.Tok != token.ASSIGN && st.Tok != token.DEFINE:
		l.assignOp(st)
	case len(st.Lhs) > 1 && len(st.Rhs) == 1:
		l.assignMany(pos, st.Lhs, st.Rhs[0], st.Tok == token.DEFINE)
	case len(st.Lhs) > 1:
		l.parallel(pos, st.Lhs, st.Rhs, st.Tok == token.DEFINE)
	case st.Tok == token.DEFINE:
		l.declareVar(st.Lhs[0].(*ast.Ident), st.Rhs[0])
	case facts.IsBlank(st.Lhs[0]):
		l.discard(st.Rhs[0])
	default:
		t := l.TypeOf(st.Lhs[0])
		place := l.held(st.Lhs[0], st.Rhs...)
		value := l.source(st.Rhs[0], t)
		l.checkPlace(st.Lhs[0], place)
		l.set(pos, place, value)
	}
}

// held is a place whose operands can't change any more, whatever is evaluated
// before it is assigned to: if that calls nothing, they are left as they are.
func (l *lowerer) held(e ast.Expr, before ...ast.Expr) ast.Expr {
	l.unchecked = facts.IsIndex(e)
	place := l.placeOf(e)
	l.unchecked = false
	calls := len(before) == 0
	for _, x := range before {
		calls = calls || l.CallsFunction(x)
	}
	if !calls {
		return place
	}
	fix := func(x ast.Expr, t types.Type) ast.Expr {
		if id, ok := x.(*ast.Ident); ok && id.Name != "nil" && !l.IsTemp(id) {
			return l.Temp(x.Pos(), t, x)
		}
		return x
	}
	switch p := place.(type) {
	case *ast.IndexExpr:
		x := ast.Unparen(e).(*ast.IndexExpr)
		t := l.TypeOf(x.X)
		switch u := t.Underlying().(type) {
		case *types.Map:
			if !l.constantOrFresh(x.Index) {
				p.Index = fix(p.Index, u.Key())
			}
			p.X = fix(p.X, t)
		case *types.Slice:
			p.X = fix(p.X, t)
			p.Index = fix(p.Index, types.Typ[types.Int])
		case *types.Array:
			if _, ok := p.Index.(*ast.Ident); ok {
				p.Index = fix(p.Index, types.Typ[types.Int])
			}
		}
	case *ast.StarExpr:
		if star, ok := ast.Unparen(e).(*ast.StarExpr); ok {
			p.X = fix(p.X, l.TypeOf(star.X))
		}
	case *ast.SelectorExpr:
		if s, ok := ast.Unparen(e).(*ast.SelectorExpr); ok && universe.IsPointerKind(l.TypeOf(s.X)) {
			p.X = fix(p.X, l.TypeOf(s.X))
		}
	}
	return place
}

// placeOf is place, of which only the outermost index is left unchecked.
func (l *lowerer) placeOf(e ast.Expr) ast.Expr {
	if x, ok := ast.Unparen(e).(*ast.IndexExpr); ok && l.unchecked {
		l.unchecked = false
		return l.outerPlace(x)
	}
	return l.place(e)
}

func (l *lowerer) constantOrFresh(e ast.Expr) bool { return l.Info.Types[e].Value != nil }

// set assigns to a place.
func (l *lowerer) set(pos token.Pos, place, value ast.Expr) {
	if _, name := place.(*ast.Ident); !name && !core.IsOperand(value) {
		if bin, ok := value.(*ast.BinaryExpr); !ok || bin == nil {
			l.Emit(core.Assign(pos, place, value))
			return
		}
	}
	l.Emit(core.Assign(pos, place, value))
}

// assignOp lowers x op= y.
func (l *lowerer) assignOp(st *ast.AssignStmt) {
	pos := st.Pos()
	lhs := ast.Unparen(st.Lhs[0])
	t := l.TypeOf(lhs)
	op := assignOps[st.Tok]
	// On variables, elements and fields of basic types yaegi does it right there.
	if universe.PlainBasic(t) && op != token.SHL && op != token.SHR {
		if place, ok := l.simple(lhs).(ast.Expr); ok {
			if y := l.simple(st.Rhs[0]); y != nil {
				_, isName := place.(*ast.Ident)
				if isName || !l.CallsFunction(st.Rhs[0]) && !l.CallsFunction(lhs) {
					l.Emit(&ast.AssignStmt{Lhs: []ast.Expr{place}, TokPos: st.TokPos, Tok: st.Tok, Rhs: []ast.Expr{y}})
					return
				}
			}
		}
	}
	if obj := l.Variable(lhs); obj != nil && universe.PlainBasic(t) && op != token.SHL && op != token.SHR && !l.Shared[obj] && !l.IsGlobal(obj) {
		// Nothing on the right side changes it.
		if place, ok := l.expr(lhs).(*ast.Ident); ok {
			y := l.operandOf(st.Rhs[0], t)
			l.Emit(&ast.AssignStmt{Lhs: []ast.Expr{place}, TokPos: st.TokPos, Tok: st.Tok, Rhs: []ast.Expr{y}})
			return
		}
	}
	place := l.held(lhs, st.Rhs...)
	var value ast.Expr
	l.checkPlace(lhs, place)
	old := l.Temp(pos, t, place)
	switch {
	case op == token.SHL || op == token.SHR:
		value = l.Temp(pos, t, l.shift(pos, st.TokPos, op, old, t, st.Rhs[0]))
	case !universe.PlainBasic(t):
		value = l.RuntimeInto(pos, t, "Arith", core.Quoted(pos, op.String()), old, l.Hold(pos, l.expr(st.Rhs[0]), t))
	default:
		value = l.Temp(pos, t, &ast.BinaryExpr{X: old, OpPos: st.TokPos, Op: op, Y: l.operandOf(st.Rhs[0], t)})
	}
	l.Emit(core.Assign(pos, place, value))
}

var assignOps = map[token.Token]token.Token{
	token.ADD_ASSIGN: token.ADD, token.SUB_ASSIGN: token.SUB, token.MUL_ASSIGN: token.MUL, token.QUO_ASSIGN: token.QUO,
	token.REM_ASSIGN: token.REM, token.AND_ASSIGN: token.AND, token.OR_ASSIGN: token.OR, token.XOR_ASSIGN: token.XOR,
	token.SHL_ASSIGN: token.SHL, token.SHR_ASSIGN: token.SHR, token.AND_NOT_ASSIGN: token.AND_NOT,
}

// incDec lowers x++ and x--.
func (l *lowerer) incDec(st *ast.IncDecStmt) {
	pos := st.Pos()
	t := l.TypeOf(st.X)
	if id, ok := ast.Unparen(st.X).(*ast.Ident); ok && universe.PlainBasic(t) && t.Underlying().(*types.Basic).Kind() != types.Uintptr {
		if x, ok := l.expr(id).(*ast.Ident); ok {
			l.Emit(&ast.IncDecStmt{X: x, TokPos: st.TokPos, Tok: st.Tok})
			return
		}
	}
	op := token.ADD
	if st.Tok == token.DEC {
		op = token.SUB
	}
	place := l.place(ast.Unparen(st.X))
	old := l.Temp(pos, t, place)
	var value ast.Expr
	if universe.PlainBasic(t) {
		value = l.Temp(pos, t, &ast.BinaryExpr{X: old, OpPos: st.TokPos, Op: op, Y: l.Int(pos, 1)})
	} else {
		one := l.Temp(pos, t, l.RuntimeInto(pos, t, "Convert", l.Temp(pos, types.Typ[types.Float64], l.Number(pos, token.FLOAT, "1.0"))))
		value = l.RuntimeInto(pos, t, "Arith", core.Quoted(pos, op.String()), old, one)
	}
	l.Emit(core.Assign(pos, place, value))
}

// parallel lowers a, b = x, y: the operands of the left sides, then all right
// sides, then the assignments.
func (l *lowerer) parallel(pos token.Pos, lhs, rhs []ast.Expr, defining bool) {
	places := make([]ast.Expr, len(lhs))
	if !defining {
		for i, e := range lhs {
			if !facts.IsBlank(e) {
				places[i] = l.held(e)
			}
		}
	}
	values := make([]ast.Expr, len(rhs))
	for i, e := range rhs {
		if facts.IsBlank(lhs[i]) {
			l.discard(e)
			continue
		}
		t := l.TypeOf(lhs[i])
		values[i] = l.Temp(pos, t, l.value(e, t))
	}
	for i, e := range lhs {
		switch {
		case values[i] == nil:
		case places[i] != nil:
			l.checkPlace(e, places[i])
			l.Emit(core.Assign(pos, places[i], values[i]))
		default:
			l.store(pos, e, values[i], defining)
		}
	}
}

// store assigns an operand to a left side, or declares it there.
func (l *lowerer) store(pos token.Pos, lhs ast.Expr, value ast.Expr, defining bool) {
	if facts.IsBlank(lhs) {
		return
	}
	if id, ok := lhs.(*ast.Ident); ok && defining && l.Info.Defs[id] != nil {
		l.bind(pos, l.Info.Defs[id], value)
		return
	}
	l.Emit(core.Assign(pos, l.place(lhs), value))
}

// assignMany lowers a, b = f(), v, ok = m[k] and the like.
func (l *lowerer) assignMany(pos token.Pos, lhs []ast.Expr, rhs ast.Expr, defining bool) {
	places := make([]ast.Expr, len(lhs))
	if !defining {
		for i, e := range lhs {
			if !facts.IsBlank(e) {
				places[i] = l.held(e)
			}
		}
	}
	values := l.many(rhs)
	for i, e := range lhs {
		if facts.IsBlank(e) {
			continue
		}
		t := l.TypeOf(e)
		x := l.Hold(pos, l.ConvertTo(pos, values[i].x, values[i].t, t), t)
		if places[i] != nil {
			l.checkPlace(e, places[i])
			l.Emit(core.Assign(pos, places[i], x))
		} else {
			l.store(pos, e, x, defining)
		}
	}
}

// many lowers an expression with several values, or with an ok.
func (l *lowerer) many(e ast.Expr) []typed {
	pos := e.Pos()
	boolean := types.Typ[types.Bool]
	two := func(v ast.Expr, t types.Type, ok ast.Expr) []typed { return []typed{{v, t}, {ok, boolean}} }
	switch x := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		tuple := l.TypeOf(x).(*types.Tuple)
		var out []typed
		for i, r := range l.callResults(x) {
			out = append(out, typed{r, tuple.At(i).Type()})
		}
		return out
	case *ast.TypeAssertExpr:
		t := l.TypeOf(x.Type)
		v, ok := l.Assert(pos, l.operand(x.X), l.TypeOf(x.X), t, true)
		return two(v, t, ok)
	case *ast.IndexExpr:
		m := l.TypeOf(x.X).Underlying().(*types.Map)
		place := &ast.IndexExpr{X: l.operand(x.X), Lbrack: x.Lbrack, Rbrack: x.Rbrack}
		place.Index = l.usedKey(x.Index, place.X, m.Key())
		v, ok := l.Define2(pos, place)
		return two(v, m.Elem(), ok)
	case *ast.UnaryExpr:
		c := l.TypeOf(x.X).Underlying().(*types.Chan)
		v, ok := l.Define2(pos, &ast.UnaryExpr{OpPos: pos, Op: token.ARROW, X: l.named(x.X)})
		return two(v, c.Elem(), ok)
	}
	l.Refuse(pos, "%s has one value in a cell", types.ExprString(e))
	return nil
}
