package session

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
)

// funcState is what the lowerer knows of the function it is in.
type funcState struct {
	sig     *types.Signature
	results []*ast.Ident // where `return` leaves its values inside a loop over a function
	saved   bool         // results are temporaries to be declared
	named   bool         // results are the function's own
	targets []*target    // the statements around that break and continue can mean
	depth   int          // bodies of loops over functions around
	mark    string       // the variable that says where the function has come to
}

// target is a statement that break or continue can refer to.
type target struct {
	label  string
	loop   bool
	code   *ast.Ident // loops over functions: the variable that says how the body was left
	leaves []leave
	depth  int // of bodies of loops over functions outside it
}

// leave is a break or continue of an outer statement from within the body of
// a loop over a function.
type leave struct {
	tok   token.Token
	label string
	to    *target
}

func (l *lowerer) block(b *ast.BlockStmt) *ast.BlockStmt {
	if b == nil {
		return nil
	}
	return &ast.BlockStmt{Lbrace: b.Lbrace, List: l.stmts(b.List), Rbrace: b.Rbrace}
}

func (l *lowerer) stmts(list []ast.Stmt) []ast.Stmt {
	var out []ast.Stmt
	for _, st := range list {
		if pos := risky(st); pos.IsValid() && l.fn.mark != "" {
			out = append(out, assign(pos, ident(pos, l.fn.mark), l.int(pos, int(pos))))
		}
		out = append(out, l.stmt(st, "")...)
	}
	return out
}

// one is the statement that a lowered one became, in a block if several.
func (l *lowerer) one(st ast.Stmt) ast.Stmt {
	if st == nil {
		return nil
	}
	list := l.stmt(st, "")
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return &ast.BlockStmt{Lbrace: st.Pos(), List: list, Rbrace: st.End()}
}

// stmt lowers a statement; label is the one it carries.
func (l *lowerer) stmt(st ast.Stmt, label string) []ast.Stmt {
	pos := st.Pos()
	switch st := st.(type) {
	case *ast.EmptyStmt:
		return nil
	case *ast.ExprStmt:
		return l.exprStmt(st)
	case *ast.BlockStmt:
		return []ast.Stmt{l.block(st)}
	case *ast.LabeledStmt:
		inner := l.stmt(st.Stmt, st.Label.Name)
		if len(inner) == 0 {
			inner = []ast.Stmt{&ast.EmptyStmt{Semicolon: st.End()}}
		}
		last := len(inner) - 1
		inner[last] = &ast.LabeledStmt{Label: ident(pos, st.Label.Name), Colon: st.Colon, Stmt: inner[last]}
		return inner
	case *ast.DeclStmt:
		return l.declStmt(st.Decl.(*ast.GenDecl))
	case *ast.AssignStmt:
		return l.assign(st)
	case *ast.IncDecStmt:
		return []ast.Stmt{&ast.IncDecStmt{X: l.expr(st.X), TokPos: st.TokPos, Tok: st.Tok}}
	case *ast.SendStmt:
		elem := l.typeOf(st.Chan).Underlying().(*types.Chan).Elem()
		return []ast.Stmt{&ast.SendStmt{Chan: l.expr(st.Chan), Arrow: st.Arrow, Value: l.assignable(st.Value, elem)}}
	case *ast.ReturnStmt:
		return l.returns(st)
	case *ast.BranchStmt:
		return l.branch(st)
	case *ast.DeferStmt:
		if l.fn.depth > 0 {
			l.refuse(pos, "defer in the body of a loop over a function can't be had in a cell: put the body in a function of its own")
		}
		if lit, ok := st.Call.Fun.(*ast.FuncLit); ok {
			return []ast.Stmt{l.deferLiteral(st, lit)}
		}
		c, ok := ast.Unparen(l.expr(st.Call)).(*ast.CallExpr)
		if !ok {
			l.refuse(pos, "this call can't be deferred in a cell")
		}
		return []ast.Stmt{&ast.DeferStmt{Defer: pos, Call: c}}
	case *ast.GoStmt:
		return []ast.Stmt{l.goStmt(st)}
	case *ast.IfStmt:
		return []ast.Stmt{l.ifStmt(st)}
	case *ast.SwitchStmt:
		return l.switchStmt(st, label)
	case *ast.TypeSwitchStmt:
		return l.typeSwitch(st, label)
	case *ast.SelectStmt:
		return l.selectStmt(st, label)
	case *ast.ForStmt:
		return l.forStmt(st, label)
	case *ast.RangeStmt:
		return l.rangeStmt(st, label)
	}
	l.refuse(pos, "this statement (%T) can't be used in a cell", st)
	return nil
}

func (l *lowerer) exprStmt(st *ast.ExprStmt) []ast.Stmt {
	if c, ok := ast.Unparen(st.X).(*ast.CallExpr); ok {
		if id, ok := c.Fun.(*ast.Ident); ok && id.Name == showName {
			return l.show(c.Args[0])
		}
	}
	return []ast.Stmt{&ast.ExprStmt{X: l.expr(st.X)}}
}

// declStmt lowers a declaration in a function. Constants are already in the
// expressions that use them, and types are declared when one is spelt.
func (l *lowerer) declStmt(d *ast.GenDecl) []ast.Stmt {
	if d.Tok != token.VAR {
		return nil
	}
	var out []ast.Stmt
	for _, spec := range d.Specs {
		out = append(out, l.varSpec(spec.(*ast.ValueSpec))...)
	}
	return out
}

func (l *lowerer) varSpec(spec *ast.ValueSpec) []ast.Stmt {
	pos := spec.Pos()
	if len(spec.Values) == 1 && len(spec.Names) > 1 {
		return l.assignMany(pos, identExprs(spec.Names), spec.Values[0], true)
	}
	var out []ast.Stmt
	for i, name := range spec.Names {
		var value ast.Expr
		if len(spec.Values) > 0 {
			value = spec.Values[i]
		}
		out = append(out, l.declareVar(name, value)...)
	}
	return out
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
func (l *lowerer) declareVar(name *ast.Ident, value ast.Expr) []ast.Stmt {
	pos := name.Pos()
	obj := l.info.Defs[name]
	if name.Name == "_" {
		if value == nil {
			return nil
		}
		return []ast.Stmt{&ast.AssignStmt{TokPos: pos, Tok: token.ASSIGN, Lhs: []ast.Expr{ident(pos, "_")}, Rhs: []ast.Expr{l.expr(value)}}}
	}
	decl := func(id string, value ast.Expr) ast.Stmt {
		spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, id)}, Type: l.typeExpr(pos, obj.Type())}
		if value != nil {
			spec.Values = []ast.Expr{value}
		}
		return &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}}}
	}
	sym, global := l.s.symbols[obj]
	if !global {
		var v ast.Expr
		if value != nil {
			v = l.assignable(value, obj.Type())
		}
		if l.captured[obj] {
			if v == nil {
				p := l.s.fresh("p")
				l.boxes[obj] = p
				return []ast.Stmt{define(pos, p, call(pos, ident(pos, "new"), l.typeExpr(pos, obj.Type())))}
			}
			return []ast.Stmt{l.bind(pos, obj, v)}
		}
		return []ast.Stmt{decl(l.local(obj), v)}
	}
	if value == nil { // back to zero
		zero := l.s.fresh("zero")
		return []ast.Stmt{decl(zero, nil), assign(pos, ident(pos, sym), ident(pos, zero))}
	}
	x := l.assignable(value, obj.Type())
	if c, ok := ast.Unparen(value).(*ast.CallExpr); ok && l.interpretedCall(c) {
		temp := l.s.fresh("t") // as in assign
		return []ast.Stmt{define(pos, temp, x), assign(pos, ident(pos, sym), ident(pos, temp))}
	}
	return []ast.Stmt{assign(pos, ident(pos, sym), x)}
}

func assign(pos token.Pos, lhs, rhs ast.Expr) ast.Stmt {
	return &ast.AssignStmt{Lhs: []ast.Expr{lhs}, TokPos: pos, Tok: token.ASSIGN, Rhs: []ast.Expr{rhs}}
}

func define(pos token.Pos, name string, rhs ast.Expr) ast.Stmt {
	return &ast.AssignStmt{Lhs: []ast.Expr{ident(pos, name)}, TokPos: pos, Tok: token.DEFINE, Rhs: []ast.Expr{rhs}}
}

// isGlobal reports whether an identifier on the left of := is a variable of
// the session.
func (l *lowerer) isGlobal(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	if !ok {
		return false
	}
	_, global := l.s.symbols[l.info.ObjectOf(id)]
	return global
}

func (l *lowerer) assign(st *ast.AssignStmt) []ast.Stmt {
	pos := st.Pos()
	if len(st.Lhs) > 1 && len(st.Rhs) == 1 {
		return l.assignMany(pos, st.Lhs, st.Rhs[0], st.Tok == token.DEFINE)
	}
	if st.Tok == token.DEFINE && len(st.Lhs) == 1 {
		return l.declareVar(st.Lhs[0].(*ast.Ident), st.Rhs[0])
	}
	if st.Tok != token.DEFINE && len(st.Lhs) == 1 {
		if st.Tok == token.SHL_ASSIGN || st.Tok == token.SHR_ASSIGN {
			return []ast.Stmt{&ast.AssignStmt{Lhs: l.exprs(st.Lhs), TokPos: st.TokPos, Tok: st.Tok, Rhs: l.exprs(st.Rhs)}}
		}
		value := l.assignable(st.Rhs[0], l.typeOf(st.Lhs[0]))
		if c, ok := ast.Unparen(st.Rhs[0]).(*ast.CallExpr); ok && st.Tok == token.ASSIGN && !isBlank(st.Lhs[0]) && l.interpretedCall(c) {
			// yaegi lets the function write to the variable before it returns.
			temp := l.s.fresh("t")
			return []ast.Stmt{
				&ast.AssignStmt{Lhs: []ast.Expr{ident(pos, temp)}, TokPos: pos, Tok: token.DEFINE, Rhs: []ast.Expr{value}},
				&ast.AssignStmt{Lhs: l.exprs(st.Lhs), TokPos: st.TokPos, Tok: st.Tok, Rhs: []ast.Expr{ident(pos, temp)}},
			}
		}
		return []ast.Stmt{&ast.AssignStmt{Lhs: l.exprs(st.Lhs), TokPos: st.TokPos, Tok: st.Tok, Rhs: []ast.Expr{value}}}
	}
	// Parallel: the operands of the left sides, then all right sides, then the
	// assignments.
	var out []ast.Stmt
	places := make([]ast.Expr, len(st.Lhs))
	for i, lhs := range st.Lhs {
		var held []ast.Stmt
		if places[i], held = l.hold(lhs); held != nil {
			out = append(out, held...)
		}
	}
	temps := make([]string, len(st.Rhs))
	for i, r := range st.Rhs {
		temps[i] = l.s.fresh("t")
		if id, blank := st.Lhs[i].(*ast.Ident); blank && id.Name == "_" {
			temps[i] = ""
			out = append(out, assign(pos, ident(pos, "_"), l.expr(r)))
			continue
		}
		t := l.typeOf(st.Lhs[i])
		spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, temps[i])}, Type: l.typeExpr(pos, t), Values: []ast.Expr{l.assignable(r, t)}}
		out = append(out, &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}}})
	}
	for i, lhs := range st.Lhs {
		if temps[i] == "" {
			continue
		}
		if places[i] != nil {
			out = append(out, assign(pos, places[i], ident(pos, temps[i])))
			continue
		}
		out = append(out, l.store(pos, lhs, temps[i], nil, st.Tok == token.DEFINE))
	}
	return out
}

// hold evaluates the operands of a left side, an element or what a pointer
// points to, and returns it in terms of them; nil for what has none.
func (l *lowerer) hold(lhs ast.Expr) (ast.Expr, []ast.Stmt) {
	pos := lhs.Pos()
	keep := func(e ast.Expr, t types.Type) (ast.Expr, ast.Stmt) {
		temp := l.s.fresh("t")
		return ident(pos, temp), l.varOf(pos, temp, t, l.assignable(e, t))
	}
	switch e := ast.Unparen(lhs).(type) {
	case *ast.StarExpr:
		x, st := keep(e.X, l.typeOf(e.X))
		return &ast.StarExpr{Star: pos, X: x}, []ast.Stmt{st}
	case *ast.IndexExpr:
		index := l.info.Types[e.Index]
		var x, i ast.Expr
		var out []ast.Stmt
		t := types.Default(index.Type)
		under := l.typeOf(e.X).Underlying()
		if m, ok := under.(*types.Map); ok {
			t = m.Key()
		}
		if _, array := under.(*types.Array); array {
			x = l.expr(e.X)
		} else {
			var st ast.Stmt
			x, st = keep(e.X, l.typeOf(e.X))
			out = append(out, st)
		}
		if index.Value != nil {
			i = l.assignable(e.Index, t)
		} else {
			var st ast.Stmt
			i, st = keep(e.Index, t)
			out = append(out, st)
		}
		return &ast.IndexExpr{X: x, Lbrack: e.Lbrack, Index: i, Rbrack: e.Rbrack}, out
	}
	return nil, nil
}

// store assigns a temporary to a left side, or declares it there. from is the
// temporary's type where it may differ.
func (l *lowerer) store(pos token.Pos, lhs ast.Expr, temp string, from types.Type, defining bool) ast.Stmt {
	value := l.convert(pos, ident(pos, temp), from, l.typeOf(lhs))
	if id, ok := lhs.(*ast.Ident); ok && defining && l.info.Defs[id] != nil && !l.isGlobal(id) {
		return l.bind(pos, l.info.Defs[id], value)
	}
	return assign(pos, l.expr(lhs), value)
}

// assignMany lowers a, b = f(), v, ok = m[k] and the like: into temporaries
// first, unless all of the left side is new and local.
func (l *lowerer) assignMany(pos token.Pos, lhs []ast.Expr, rhs ast.Expr, defining bool) []ast.Stmt {
	var value ast.Expr
	if x, ok := ast.Unparen(rhs).(*ast.TypeAssertExpr); ok {
		value = l.assertion(x, true)
	} else {
		value = l.expr(rhs)
	}
	out := &ast.AssignStmt{TokPos: pos, Tok: token.DEFINE, Rhs: []ast.Expr{value}}
	if defining {
		simple := true
		for _, e := range lhs {
			id := e.(*ast.Ident)
			simple = simple && (id.Name == "_" || l.info.Defs[id] != nil && !l.isGlobal(id) && !l.captured[l.info.Defs[id]])
		}
		if simple {
			for _, e := range lhs {
				out.Lhs = append(out.Lhs, l.define(e.(*ast.Ident)))
			}
			return l.onlyBlank(out)
		}
	}
	stmts := []ast.Stmt{out}
	tuple, _ := l.typeOf(rhs).(*types.Tuple)
	for i, e := range lhs {
		if id, ok := e.(*ast.Ident); ok && id.Name == "_" {
			out.Lhs = append(out.Lhs, ident(pos, "_"))
			continue
		}
		temp := l.s.fresh("t")
		out.Lhs = append(out.Lhs, ident(pos, temp))
		var from types.Type
		if tuple != nil && i < tuple.Len() {
			from = tuple.At(i).Type()
		}
		stmts = append(stmts, l.store(pos, e, temp, from, defining))
	}
	return append(l.onlyBlank(out), stmts[1:]...)
}

// onlyBlank turns `_, _ := f()` into `_, _ = f()`.
func (l *lowerer) onlyBlank(st *ast.AssignStmt) []ast.Stmt {
	for _, e := range st.Lhs {
		if e.(*ast.Ident).Name != "_" {
			return []ast.Stmt{st}
		}
	}
	st.Tok = token.ASSIGN
	return []ast.Stmt{st}
}

func (l *lowerer) ifStmt(st *ast.IfStmt) ast.Stmt {
	out := &ast.IfStmt{If: st.If}
	var init []ast.Stmt
	if st.Init != nil {
		init = l.stmt(st.Init, "")
	}
	out.Cond = l.expr(st.Cond)
	out.Body = l.block(st.Body)
	if st.Else != nil {
		out.Else = l.one(st.Else)
		if _, isIf := out.Else.(*ast.IfStmt); !isIf {
			if _, isBlock := out.Else.(*ast.BlockStmt); !isBlock {
				out.Else = &ast.BlockStmt{Lbrace: st.Else.Pos(), List: []ast.Stmt{out.Else}, Rbrace: st.Else.End()}
			}
		}
	}
	if len(init) == 0 {
		return out
	}
	return &ast.BlockStmt{Lbrace: st.Pos(), List: append(init, out), Rbrace: st.End()}
}

// deferLiteral defers a literal. What it holds are arguments of it, not of a
// function around: recover works in what is deferred itself only.
func (l *lowerer) deferLiteral(st *ast.DeferStmt, lit *ast.FuncLit) ast.Stmt {
	pos := st.Pos()
	sig := l.typeOf(lit).Underlying().(*types.Signature)
	args := l.args(st.Call, sig, nil)
	mark := l.s.literalMark(lit)
	end, held := l.holds(lit)
	typ, body := l.function(lit.Type, sig, nil, lit.Body, mark)
	params := end()
	params.List = append(params.List, typ.Params.List...)
	typ.Params = params
	c := call(pos, &ast.FuncLit{Type: typ, Body: body}, append(held, args...)...)
	c.Ellipsis = st.Call.Ellipsis
	return &ast.DeferStmt{Defer: pos, Call: c}
}

// varOf is var name T = x.
func (l *lowerer) varOf(pos token.Pos, name string, t types.Type, x ast.Expr) ast.Stmt {
	spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, name)}, Type: l.typeExpr(pos, t)}
	if x != nil {
		spec.Values = []ast.Expr{x}
	}
	return &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}}}
}

// interpretedCall reports calls that may be of interpreted functions.
func (l *lowerer) interpretedCall(c *ast.CallExpr) bool {
	tv := l.info.Types[c.Fun]
	return !tv.IsType() && !tv.IsBuiltin() && l.compiledCallee(ast.Unparen(c.Fun)) == nil
}

// goStmt starts a goroutine whose panic ends only itself. The call's operands
// are evaluated now, as parameters of a function around.
func (l *lowerer) goStmt(st *ast.GoStmt) ast.Stmt {
	pos := st.Pos()
	lowered, ok := ast.Unparen(l.expr(st.Call)).(*ast.CallExpr)
	if !ok {
		l.refuse(pos, "this call can't be started as a goroutine in a cell")
	}
	outer := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}}}
	inner := &ast.CallExpr{Fun: lowered.Fun, Lparen: lowered.Lparen, Ellipsis: lowered.Ellipsis, Rparen: lowered.Rparen}
	var now []ast.Expr
	hold := func(x ast.Expr, t types.Type) ast.Expr {
		name := "#g" + strconv.Itoa(len(now))
		outer.Type.Params.List = append(outer.Type.Params.List, &ast.Field{Names: []*ast.Ident{ident(pos, name)}, Type: l.typeExpr(pos, t)})
		now = append(now, x)
		return ident(pos, name)
	}
	sig, isFunc := l.typeOf(st.Call.Fun).Underlying().(*types.Signature)
	fun := ast.Unparen(st.Call.Fun)
	if isFunc && !l.static(fun) {
		// A function value, or a method: its receiver is evaluated now.
		inner.Fun = hold(l.expr(fun), sig)
		lowered.Args = l.args(st.Call, sig, nil)
	}
	extra := len(lowered.Args) - len(st.Call.Args)
	for i, a := range lowered.Args {
		var t types.Type
		switch {
		case !isFunc || i < extra:
			inner.Args = append(inner.Args, a)
			continue
		case sig.Variadic() && i-extra >= sig.Params().Len()-1 && !lowered.Ellipsis.IsValid():
			t = sig.Params().At(sig.Params().Len() - 1).Type().(*types.Slice).Elem()
		default:
			t = sig.Params().At(i - extra).Type()
		}
		inner.Args = append(inner.Args, hold(a, t))
	}
	body := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}}, Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{&ast.ExprStmt{X: inner}}}}
	start := &ast.ExprStmt{X: l.runtimeCall(pos, "Go", body)}
	if len(now) == 0 {
		return start
	}
	outer.Body = &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{start}}
	return &ast.ExprStmt{X: call(pos, outer, now...)}
}

// static reports whether fun names a declared function.
func (l *lowerer) static(fun ast.Expr) bool {
	switch fun := fun.(type) {
	case *ast.Ident:
		_, ok := l.info.Uses[fun].(*types.Func)
		return ok
	case *ast.IndexExpr, *ast.IndexListExpr:
		return true
	case *ast.SelectorExpr:
		_, method := l.info.Selections[fun]
		_, ok := l.info.Uses[fun.Sel].(*types.Func)
		return ok && !method
	}
	return false
}
