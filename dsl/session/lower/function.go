package lower

import (
	"go/ast"
	"go/token"
	"go/types"
)

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
		l.boxes[obj] = l.s.Fresh("p")
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
	p := l.s.Fresh("p")
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
	l.fn = &funcState{sig: sig, mark: mark, name: l.nextName, ender: l.nextEnder}
	l.nextName, l.nextEnder = "", ""
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
					field.Names = []*ast.Ident{ident(f.Pos(), l.s.Fresh("p"))}
				}
				to.List = append(to.List, field)
			}
			for _, name := range f.Names {
				id := l.define(name)
				if id.Name == "_" {
					id = ident(name.Pos(), l.s.Fresh("p"))
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
	if hasDefer(body) {
		l.fn.defers = l.s.Fresh("defers")
		if l.fn.results == nil {
			l.keepResults(pos)
		}
	}
	out := l.block(body)
	if l.fn.defers != "" {
		out = &ast.BlockStmt{Lbrace: out.Lbrace, List: append(l.guarded(pos, l.fn.defers, out), &ast.ReturnStmt{Return: out.Rbrace, Results: identList(out.Rbrace, l.fn.results)}), Rbrace: out.Rbrace}
	}
	if ft.Results != nil && len(l.fn.results) > 0 && !l.fn.saved {
		// yaegi may hand over a place that has been used before.
		var zeros []ast.Stmt
		for i, r := range l.fn.results {
			zero := l.s.Fresh("zero")
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
