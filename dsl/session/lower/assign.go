package lower

import (
	"go/ast"
	"go/token"
	"go/types"
)

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
	sym, global := l.s.Symbols[obj]
	if !global {
		var v ast.Expr
		if value != nil {
			v = l.assignable(value, obj.Type())
		}
		if l.captured[obj] {
			if v == nil {
				p := l.s.Fresh("p")
				l.boxes[obj] = p
				return []ast.Stmt{define(pos, p, call(pos, ident(pos, "new"), l.typeExpr(pos, obj.Type())))}
			}
			return []ast.Stmt{l.bind(pos, obj, v)}
		}
		if value != nil && received(value) { // yaegi could not take its address
			temp := l.s.Fresh("t")
			return []ast.Stmt{define(pos, temp, v), decl(l.local(obj), ident(pos, temp))}
		}
		return []ast.Stmt{decl(l.local(obj), v)}
	}
	if value == nil { // back to zero
		zero := l.s.Fresh("zero")
		return []ast.Stmt{decl(zero, nil), assign(pos, ident(pos, sym), ident(pos, zero))}
	}
	x := l.assignable(value, obj.Type())
	if l.inPlace(value) {
		temp := l.s.Fresh("t") // as in assign
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
	_, global := l.s.Symbols[l.info.ObjectOf(id)]
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
		if st.Tok == token.ASSIGN && !isBlank(st.Lhs[0]) && l.inPlace(st.Rhs[0]) {
			temp := l.s.Fresh("t")
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
		temps[i] = l.s.Fresh("t")
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
		temp := l.s.Fresh("t")
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
		temp := l.s.Fresh("t")
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

// varOf is var name T = x.
func (l *lowerer) varOf(pos token.Pos, name string, t types.Type, x ast.Expr) ast.Stmt {
	spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, name)}, Type: l.typeExpr(pos, t)}
	if x != nil {
		spec.Values = []ast.Expr{x}
	}
	return &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}}}
}

// inPlace reports a value that yaegi makes in the variable's own place, and which
// therefore goes through a temporary: a function would write to the variable
// before it returns, and a literal or what is received be a new variable, unknown
// to pointers to the old one.
func (l *lowerer) inPlace(x ast.Expr) bool {
	switch x := ast.Unparen(x).(type) {
	case *ast.CallExpr:
		return l.interpretedCall(x)
	case *ast.CompositeLit:
		return true
	}
	return received(x)
}

// received reports a value that comes from a channel.
func received(x ast.Expr) bool {
	u, ok := ast.Unparen(x).(*ast.UnaryExpr)
	return ok && u.Op == token.ARROW
}

// interpretedCall reports calls that may be of interpreted functions.
func (l *lowerer) interpretedCall(c *ast.CallExpr) bool {
	tv := l.info.Types[c.Fun]
	return !tv.IsType() && !tv.IsBuiltin() && l.compiledCallee(ast.Unparen(c.Fun)) == nil
}
