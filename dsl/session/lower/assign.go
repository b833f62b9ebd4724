package lower

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/universe"
)

func assign(pos token.Pos, lhs, rhs ast.Expr) ast.Stmt {
	return &ast.AssignStmt{Lhs: []ast.Expr{lhs}, TokPos: pos, Tok: token.ASSIGN, Rhs: []ast.Expr{rhs}}
}

func define(pos token.Pos, name string, rhs ast.Expr) ast.Stmt {
	return &ast.AssignStmt{Lhs: []ast.Expr{ident(pos, name)}, TokPos: pos, Tok: token.DEFINE, Rhs: []ast.Expr{rhs}}
}

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
	obj := l.info.Defs[name]
	if value == nil {
		l.bindZero(pos, obj)
		return
	}
	l.bind(pos, obj, l.source(value, obj.Type()))
}

// source lowers what is assigned to a variable of type t: with a temporary,
// unless yaegi can compute it right there.
func (l *lowerer) source(e ast.Expr, t types.Type) ast.Expr {
	if plainBasic(t) && types.Identical(types.Default(l.typeOf(e)).Underlying(), t.Underlying()) {
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
	if tuple, many := l.typeOf(e).(*types.Tuple); many && tuple.Len() > 0 {
		l.callResults(ast.Unparen(e).(*ast.CallExpr))
		return
	}
	if universe.IsNil(l.typeOf(e)) || l.info.Types[e].IsType() {
		return
	}
	if x := l.expr(e); x != nil {
		l.hold(e.Pos(), x, l.typeOf(e))
	}
}

// bind declares a variable with a value: one of the session's, which exists, one
// behind a pointer if closures hold it, or a plain one.
func (l *lowerer) bind(pos token.Pos, obj types.Object, value ast.Expr) {
	if sym, global := l.s.Symbols[obj]; global {
		l.emit(assign(pos, ident(pos, sym), value))
		return
	}
	if !l.captured[obj] {
		if !l.shared[obj] && l.early(obj.Type(), value) {
			l.declareEarly(pos, l.local(obj), obj.Type(), value)
			return
		}
		l.emit(l.varOf(pos, l.local(obj), obj.Type(), value))
		return
	}
	p := l.box(pos, obj)
	l.emit(assign(pos, &ast.StarExpr{Star: pos, X: ident(pos, p)}, value))
}

// bindZero declares a variable with the zero value.
func (l *lowerer) bindZero(pos token.Pos, obj types.Object) {
	if sym, global := l.s.Symbols[obj]; global {
		l.emit(assign(pos, ident(pos, sym), l.zeroOf(pos, obj.Type())))
		return
	}
	if l.captured[obj] {
		l.box(pos, obj)
		return
	}
	l.emit(l.varOf(pos, l.local(obj), obj.Type(), nil))
}

// box makes a new variable behind a pointer and returns the pointer's name.
func (l *lowerer) box(pos token.Pos, obj types.Object) string {
	p := l.s.Fresh("p")
	l.emit(l.varOf(pos, p, types.NewPointer(obj.Type()), call(pos, ident(pos, "new"), l.typeExpr(pos, obj.Type()))))
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
	case isBlank(st.Lhs[0]):
		l.discard(st.Rhs[0])
	default:
		t := l.typeOf(st.Lhs[0])
		place := l.held(st.Lhs[0], st.Rhs...)
		value := l.source(st.Rhs[0], t)
		l.checkPlace(st.Lhs[0], place)
		l.set(pos, place, value)
	}
}

// held is a place whose operands can't change any more, whatever is evaluated
// before it is assigned to: if that calls nothing, they are left as they are.
func (l *lowerer) held(e ast.Expr, before ...ast.Expr) ast.Expr {
	l.unchecked = isIndex(e)
	place := l.placeOf(e)
	l.unchecked = false
	calls := len(before) == 0
	for _, x := range before {
		calls = calls || l.callsFunction(x)
	}
	if !calls {
		return place
	}
	fix := func(x ast.Expr, t types.Type) ast.Expr {
		if id, ok := x.(*ast.Ident); ok && id.Name != "nil" && !l.isTemp(id) {
			return l.temp(x.Pos(), t, x)
		}
		return x
	}
	switch p := place.(type) {
	case *ast.IndexExpr:
		x := ast.Unparen(e).(*ast.IndexExpr)
		t := l.typeOf(x.X)
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
			p.X = fix(p.X, l.typeOf(star.X))
		}
	case *ast.SelectorExpr:
		if s, ok := ast.Unparen(e).(*ast.SelectorExpr); ok && isPointerTo(l.typeOf(s.X)) {
			p.X = fix(p.X, l.typeOf(s.X))
		}
	}
	return place
}

func isIndex(e ast.Expr) bool {
	_, ok := ast.Unparen(e).(*ast.IndexExpr)
	return ok
}

// placeOf is place, of which only the outermost index is left unchecked.
func (l *lowerer) placeOf(e ast.Expr) ast.Expr {
	if x, ok := ast.Unparen(e).(*ast.IndexExpr); ok && l.unchecked {
		l.unchecked = false
		return l.outerPlace(x)
	}
	return l.place(e)
}

func (l *lowerer) constantOrFresh(e ast.Expr) bool { return l.info.Types[e].Value != nil }

// isTemp reports temporaries, which are set once.
func (l *lowerer) isTemp(id *ast.Ident) bool {
	return len(id.Name) > 2 && id.Name[:2] == "t#"
}

// set assigns to a place.
func (l *lowerer) set(pos token.Pos, place, value ast.Expr) {
	if _, name := place.(*ast.Ident); !name && !isOperand(value) {
		if bin, ok := value.(*ast.BinaryExpr); !ok || bin == nil {
			l.emit(assign(pos, place, value))
			return
		}
	}
	l.emit(assign(pos, place, value))
}

// assignOp lowers x op= y.
func (l *lowerer) assignOp(st *ast.AssignStmt) {
	pos := st.Pos()
	lhs := ast.Unparen(st.Lhs[0])
	t := l.typeOf(lhs)
	op := assignOps[st.Tok]
	// On variables, elements and fields of basic types yaegi does it right there.
	if plainBasic(t) && op != token.SHL && op != token.SHR {
		if place, ok := l.simple(lhs).(ast.Expr); ok {
			if y := l.simple(st.Rhs[0]); y != nil {
				_, isName := place.(*ast.Ident)
				if isName || !l.callsFunction(st.Rhs[0]) && !l.callsFunction(lhs) {
					l.emit(&ast.AssignStmt{Lhs: []ast.Expr{place}, TokPos: st.TokPos, Tok: st.Tok, Rhs: []ast.Expr{y}})
					return
				}
			}
		}
	}
	if obj := l.variable(lhs); obj != nil && plainBasic(t) && op != token.SHL && op != token.SHR && !l.shared[obj] && !l.isGlobal(obj) {
		// Nothing on the right side changes it.
		if place, ok := l.expr(lhs).(*ast.Ident); ok {
			y := l.operandOf(st.Rhs[0], t)
			l.emit(&ast.AssignStmt{Lhs: []ast.Expr{place}, TokPos: st.TokPos, Tok: st.Tok, Rhs: []ast.Expr{y}})
			return
		}
	}
	place := l.held(lhs, st.Rhs...)
	var value ast.Expr
	l.checkPlace(lhs, place)
	old := l.temp(pos, t, place)
	switch {
	case op == token.SHL || op == token.SHR:
		value = l.temp(pos, t, l.shift(pos, st.TokPos, op, old, t, st.Rhs[0]))
	case !plainBasic(t):
		value = l.runtimeInto(pos, t, "Arith", quoted(pos, op.String()), old, l.hold(pos, l.expr(st.Rhs[0]), t))
	default:
		value = l.temp(pos, t, &ast.BinaryExpr{X: old, OpPos: st.TokPos, Op: op, Y: l.operandOf(st.Rhs[0], t)})
	}
	l.emit(assign(pos, place, value))
}

var assignOps = map[token.Token]token.Token{
	token.ADD_ASSIGN: token.ADD, token.SUB_ASSIGN: token.SUB, token.MUL_ASSIGN: token.MUL, token.QUO_ASSIGN: token.QUO,
	token.REM_ASSIGN: token.REM, token.AND_ASSIGN: token.AND, token.OR_ASSIGN: token.OR, token.XOR_ASSIGN: token.XOR,
	token.SHL_ASSIGN: token.SHL, token.SHR_ASSIGN: token.SHR, token.AND_NOT_ASSIGN: token.AND_NOT,
}

// incDec lowers x++ and x--.
func (l *lowerer) incDec(st *ast.IncDecStmt) {
	pos := st.Pos()
	t := l.typeOf(st.X)
	if id, ok := ast.Unparen(st.X).(*ast.Ident); ok && plainBasic(t) && t.Underlying().(*types.Basic).Kind() != types.Uintptr {
		if x, ok := l.expr(id).(*ast.Ident); ok {
			l.emit(&ast.IncDecStmt{X: x, TokPos: st.TokPos, Tok: st.Tok})
			return
		}
	}
	op := token.ADD
	if st.Tok == token.DEC {
		op = token.SUB
	}
	place := l.place(ast.Unparen(st.X))
	old := l.temp(pos, t, place)
	var value ast.Expr
	if plainBasic(t) {
		value = l.temp(pos, t, &ast.BinaryExpr{X: old, OpPos: st.TokPos, Op: op, Y: l.int(pos, 1)})
	} else {
		one := l.temp(pos, t, l.runtimeInto(pos, t, "Convert", l.temp(pos, types.Typ[types.Float64], l.number(pos, token.FLOAT, "1.0"))))
		value = l.runtimeInto(pos, t, "Arith", quoted(pos, op.String()), old, one)
	}
	l.emit(assign(pos, place, value))
}

// parallel lowers a, b = x, y: the operands of the left sides, then all right
// sides, then the assignments.
func (l *lowerer) parallel(pos token.Pos, lhs, rhs []ast.Expr, defining bool) {
	places := make([]ast.Expr, len(lhs))
	if !defining {
		for i, e := range lhs {
			if !isBlank(e) {
				places[i] = l.held(e)
			}
		}
	}
	values := make([]ast.Expr, len(rhs))
	for i, e := range rhs {
		if isBlank(lhs[i]) {
			l.discard(e)
			continue
		}
		t := l.typeOf(lhs[i])
		values[i] = l.temp(pos, t, l.value(e, t))
	}
	for i, e := range lhs {
		switch {
		case values[i] == nil:
		case places[i] != nil:
			l.checkPlace(e, places[i])
			l.emit(assign(pos, places[i], values[i]))
		default:
			l.store(pos, e, values[i], defining)
		}
	}
}

// store assigns an operand to a left side, or declares it there.
func (l *lowerer) store(pos token.Pos, lhs ast.Expr, value ast.Expr, defining bool) {
	if isBlank(lhs) {
		return
	}
	if id, ok := lhs.(*ast.Ident); ok && defining && l.info.Defs[id] != nil {
		l.bind(pos, l.info.Defs[id], value)
		return
	}
	l.emit(assign(pos, l.place(lhs), value))
}

// assignMany lowers a, b = f(), v, ok = m[k] and the like.
func (l *lowerer) assignMany(pos token.Pos, lhs []ast.Expr, rhs ast.Expr, defining bool) {
	places := make([]ast.Expr, len(lhs))
	if !defining {
		for i, e := range lhs {
			if !isBlank(e) {
				places[i] = l.held(e)
			}
		}
	}
	values := l.many(rhs)
	for i, e := range lhs {
		if isBlank(e) {
			continue
		}
		t := l.typeOf(e)
		x := l.hold(pos, l.convertTo(pos, values[i].x, values[i].t, t), t)
		if places[i] != nil {
			l.checkPlace(e, places[i])
			l.emit(assign(pos, places[i], x))
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
		tuple := l.typeOf(x).(*types.Tuple)
		var out []typed
		for i, r := range l.callResults(x) {
			out = append(out, typed{r, tuple.At(i).Type()})
		}
		return out
	case *ast.TypeAssertExpr:
		t := l.typeOf(x.Type)
		v, ok := l.assert(pos, l.operand(x.X), l.typeOf(x.X), t, true)
		return two(v, t, ok)
	case *ast.IndexExpr:
		m := l.typeOf(x.X).Underlying().(*types.Map)
		place := &ast.IndexExpr{X: l.operand(x.X), Lbrack: x.Lbrack, Rbrack: x.Rbrack}
		place.Index = l.usedKey(x.Index, place.X, m.Key())
		v, ok := l.define2(pos, place)
		return two(v, m.Elem(), ok)
	case *ast.UnaryExpr:
		c := l.typeOf(x.X).Underlying().(*types.Chan)
		v, ok := l.define2(pos, &ast.UnaryExpr{OpPos: pos, Op: token.ARROW, X: l.named(x.X)})
		return two(v, c.Elem(), ok)
	}
	l.refuse(pos, "this expression (%T) has one value in a cell", e)
	return nil
}

// define2 declares the two values of an expression.
func (l *lowerer) define2(pos token.Pos, x ast.Expr) (v, ok ast.Expr) {
	v, ok = ident(pos, l.s.Fresh("t")), ident(pos, l.s.Fresh("t"))
	l.s.types[ok.(*ast.Ident).Name] = types.Typ[types.Bool]
	l.emit(&ast.AssignStmt{TokPos: pos, Tok: token.DEFINE, Lhs: []ast.Expr{v, ok}, Rhs: []ast.Expr{x}})
	return v, ok
}
