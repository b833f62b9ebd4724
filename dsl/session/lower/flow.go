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

// switchStmt lowers a switch on a value. Cases that are compared with an
// interface are written out.
func (l *lowerer) switchStmt(st *ast.SwitchStmt, label string) []ast.Stmt {
	var pre []ast.Stmt
	if st.Init != nil {
		pre = l.stmt(st.Init, "")
	}
	out := &ast.SwitchStmt{Switch: st.Switch, Body: &ast.BlockStmt{Lbrace: st.Body.Lbrace, Rbrace: st.Body.Rbrace}}
	var tag string
	if st.Tag != nil {
		pos := st.Tag.Pos()
		tag = l.s.Fresh("tag")
		t := types.Default(l.typeOf(st.Tag))
		spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, tag)}, Type: l.typeExpr(pos, t), Values: []ast.Expr{l.expr(st.Tag)}}
		pre = append(pre, &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}}})
	}
	l.push(&target{label: label})
	for _, c := range st.Body.List {
		c := c.(*ast.CaseClause)
		clause := &ast.CaseClause{Case: c.Case, Colon: c.Colon}
		for _, e := range c.List {
			x := l.expr(e)
			if tag != "" {
				x = l.equalTag(tag, st.Tag, e, x)
			}
			clause.List = either(clause.List, x)
		}
		clause.Body = l.stmts(c.Body)
		out.Body.List = append(out.Body.List, clause)
	}
	l.pop()
	return l.scoped(st, pre, out, label)
}

// either adds a condition to those of a case, as one: of several yaegi looks
// at the first only.
func either(list []ast.Expr, x ast.Expr) []ast.Expr {
	if len(list) == 0 {
		return []ast.Expr{x}
	}
	pos := x.Pos()
	return []ast.Expr{&ast.BinaryExpr{X: list[0], OpPos: pos, Op: token.LOR, Y: &ast.ParenExpr{Lparen: pos, X: x, Rparen: pos}}}
}

// equalTag is the comparison that a case of a switch stands for.
func (l *lowerer) equalTag(tag string, tagExpr, e, x ast.Expr) ast.Expr {
	pos := e.Pos()
	tt, te := l.typeOf(tagExpr), l.typeOf(e)
	if (types.IsInterface(tt) || types.IsInterface(te)) && !universe.IsNil(te) {
		return l.equal(pos, ident(pos, tag), x, tt, te)
	}
	return &ast.BinaryExpr{X: ident(pos, tag), OpPos: pos, Op: token.EQL, Y: x}
}

// scoped puts statements before st. A label must stay on the statement, so
// there the statements go in front of both.
func (l *lowerer) scoped(at ast.Node, pre []ast.Stmt, st ast.Stmt, label string) []ast.Stmt {
	if len(pre) == 0 {
		return []ast.Stmt{st}
	}
	if label != "" {
		return append(pre, st)
	}
	return []ast.Stmt{&ast.BlockStmt{Lbrace: at.Pos(), List: append(pre, st), Rbrace: at.End()}}
}

// typeSwitch lowers a switch on a type to one on conditions, each set by an
// assertion before it, in the order of the cases.
func (l *lowerer) typeSwitch(st *ast.TypeSwitchStmt, label string) []ast.Stmt {
	pos := st.Pos()
	var pre []ast.Stmt
	if st.Init != nil {
		pre = l.stmt(st.Init, "")
	}
	var x ast.Expr
	switch a := st.Assign.(type) {
	case *ast.AssignStmt:
		x = a.Rhs[0].(*ast.TypeAssertExpr).X
	case *ast.ExprStmt:
		x = a.X.(*ast.TypeAssertExpr).X
	}
	value := l.s.Fresh("x")
	spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, value)}, Type: l.typeExpr(pos, l.typeOf(x)), Values: []ast.Expr{l.expr(x)}}
	pre = append(pre, &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}}})
	out := &ast.SwitchStmt{Switch: st.Switch, Body: &ast.BlockStmt{Lbrace: st.Body.Lbrace, Rbrace: st.Body.Rbrace}}
	l.push(&target{label: label})
	for _, c := range st.Body.List {
		c := c.(*ast.CaseClause)
		clause := &ast.CaseClause{Case: c.Case, Colon: c.Colon}
		var matched string
		for _, e := range c.List {
			ok := l.s.Fresh("ok")
			if tv := l.info.Types[e]; tv.IsNil() {
				clause.List = either(clause.List, &ast.BinaryExpr{X: ident(e.Pos(), value), OpPos: e.Pos(), Op: token.EQL, Y: ident(e.Pos(), "nil")})
				continue
			}
			v := "_"
			if len(c.List) == 1 && l.info.Implicits[c] != nil {
				matched = l.s.Fresh("v")
				v = matched
			}
			assertion := l.assert(e.Pos(), ident(e.Pos(), value), nil, l.typeOf(e), true)
			pre = append(pre, &ast.AssignStmt{TokPos: e.Pos(), Tok: token.DEFINE, Lhs: []ast.Expr{ident(e.Pos(), v), ident(e.Pos(), ok)}, Rhs: []ast.Expr{assertion}})
			if v != "_" {
				pre = append(pre, assign(e.Pos(), ident(e.Pos(), "_"), ident(e.Pos(), v)))
			}
			clause.List = either(clause.List, ident(e.Pos(), ok))
		}
		if obj := l.info.Implicits[c]; obj != nil {
			if matched == "" {
				matched = value
			}
			if l.uses(c, obj) {
				clause.Body = append(clause.Body, l.bind(c.Colon, obj, ident(c.Colon, matched)))
			}
		}
		clause.Body = append(clause.Body, l.stmts(c.Body)...)
		out.Body.List = append(out.Body.List, clause)
	}
	l.pop()
	return l.scoped(st, pre, out, label)
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

func (l *lowerer) selectStmt(st *ast.SelectStmt, label string) []ast.Stmt {
	out := &ast.SelectStmt{Select: st.Select, Body: &ast.BlockStmt{Lbrace: st.Body.Lbrace, Rbrace: st.Body.Rbrace}}
	l.push(&target{label: label})
	for _, c := range st.Body.List {
		c := c.(*ast.CommClause)
		clause := &ast.CommClause{Case: c.Case, Colon: c.Colon}
		var after []ast.Stmt
		switch comm := c.Comm.(type) {
		case nil:
		case *ast.AssignStmt: // v := <-ch, v, ok = <-ch
			lowered := &ast.AssignStmt{TokPos: comm.TokPos, Tok: token.DEFINE, Rhs: l.exprs(comm.Rhs)}
			for _, e := range comm.Lhs {
				id, isIdent := e.(*ast.Ident)
				if isIdent && id.Name == "_" {
					lowered.Lhs = append(lowered.Lhs, ident(e.Pos(), "_"))
					continue
				}
				if isIdent && comm.Tok == token.DEFINE && !l.captured[l.info.Defs[id]] {
					lowered.Lhs = append(lowered.Lhs, l.define(id))
					continue
				}
				temp := l.s.Fresh("t")
				lowered.Lhs = append(lowered.Lhs, ident(e.Pos(), temp))
				after = append(after, l.store(e.Pos(), e, temp, nil, comm.Tok == token.DEFINE))
			}
			clause.Comm = l.onlyBlank(lowered)[0]
		default:
			clause.Comm = l.one(comm)
		}
		clause.Body = append(after, l.stmts(c.Body)...)
		out.Body.List = append(out.Body.List, clause)
	}
	l.pop()
	return []ast.Stmt{out}
}

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
					u.assigned = u.assigned || is(e)
				}
			case *ast.IncDecStmt:
				u.assigned = u.assigned || is(n.X)
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
func (l *lowerer) forStmt(st *ast.ForStmt, label string) []ast.Stmt {
	pos := st.Pos()
	out := &ast.ForStmt{For: st.For}
	var pre []ast.Stmt
	var held []types.Object
	if init, ok := st.Init.(*ast.AssignStmt); ok && init.Tok == token.DEFINE {
		for _, e := range init.Lhs {
			id := e.(*ast.Ident)
			obj := l.info.Defs[id]
			if obj != nil && id.Name != "_" && l.usageOf(obj, st.Cond, st.Post, st.Body).captured {
				held = append(held, obj)
				delete(l.captured, obj) // the loop sees to it
			}
		}
	}
	if st.Init != nil {
		pre = l.stmt(st.Init, "")
	}
	outer, inner := map[types.Object]string{}, map[types.Object]string{}
	for _, obj := range held {
		outer[obj], inner[obj] = l.s.Fresh("p"), l.s.Fresh("p")
		delete(l.boxes, obj)
		pre = append(pre, define(pos, outer[obj], l.copyOf(pos, obj.Type(), ident(pos, l.local(obj)))))
	}
	boxed := func(names map[types.Object]string, f func()) {
		for _, obj := range held {
			l.boxes[obj] = names[obj]
		}
		f()
		for _, obj := range held {
			delete(l.boxes, obj)
		}
	}
	boxed(outer, func() {
		if st.Cond != nil {
			out.Cond = l.expr(st.Cond)
		}
		if st.Post == nil && len(held) == 0 {
			return
		}
		var post []ast.Stmt
		for _, obj := range held {
			p := ident(pos, outer[obj])
			post = append(post, assign(pos, p, l.copyOf(pos, obj.Type(), &ast.StarExpr{Star: pos, X: p})))
		}
		if st.Post != nil {
			post = append(post, l.stmt(st.Post, "")...)
		}
		if len(post) == 1 {
			out.Post = post[0]
			return
		}
		lit := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}}, Body: &ast.BlockStmt{Lbrace: pos, List: post, Rbrace: pos}}
		out.Post = &ast.ExprStmt{X: call(pos, lit)}
	})
	l.push(&target{label: label, loop: true})
	boxed(inner, func() { out.Body = l.block(st.Body) })
	l.pop()
	for _, obj := range held {
		out.Body.List = append([]ast.Stmt{define(pos, inner[obj], ident(pos, outer[obj]))}, out.Body.List...)
	}
	return l.scoped(st, pre, out, label)
}

// copyOf is a pointer to a copy of x.
func (l *lowerer) copyOf(pos token.Pos, t types.Type, x ast.Expr) ast.Expr {
	lit := &ast.FuncLit{
		Type: &ast.FuncType{Func: pos,
			Params:  &ast.FieldList{List: []*ast.Field{{Names: []*ast.Ident{ident(pos, "#v")}, Type: l.typeExpr(pos, t)}}},
			Results: &ast.FieldList{List: []*ast.Field{{Type: &ast.StarExpr{Star: pos, X: l.typeExpr(pos, t)}}}}},
		Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{
			&ast.ReturnStmt{Return: pos, Results: []ast.Expr{&ast.UnaryExpr{OpPos: pos, Op: token.AND, X: ident(pos, "#v")}}}}},
	}
	return call(pos, lit, x)
}
