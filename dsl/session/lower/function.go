package lower

import (
	"go/ast"
	"go/types"
)

// funcLit lowers a function literal to a variable that holds it.
func (l *lowerer) funcLit(e *ast.FuncLit) ast.Expr {
	lit, _ := l.literal(e)
	return l.temp(e.Pos(), l.typeOf(e), lit)
}

// literal lowers a function literal to one, or to a call that makes it where it
// holds on to variables behind pointers: args are not nil then.
func (l *lowerer) literal(e *ast.FuncLit) (x ast.Expr, args []ast.Expr) {
	sig := l.typeOf(e).Underlying().(*types.Signature)
	mark := l.s.literalMark(e)
	l.literals++
	defer func() { l.literals-- }()
	held, args := l.holds(e)
	typ, body := l.function(e.Type, sig, nil, e.Body, mark)
	lit := &ast.FuncLit{Type: typ, Body: body}
	if args == nil {
		return lit, nil
	}
	// func(p *T) func() { return func() { ... *p ... } }(p)
	pos := e.Pos()
	params := held()
	outer := &ast.FuncLit{
		Type: &ast.FuncType{Func: pos, Params: params, Results: &ast.FieldList{List: []*ast.Field{{Type: l.funcType(pos, sig)}}}},
		Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{&ast.ReturnStmt{Return: pos, Results: []ast.Expr{lit}}}},
	}
	return call(pos, outer, args...), args
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

// parameter is the name of a parameter or result where it is declared.
func (l *lowerer) parameter(id *ast.Ident) *ast.Ident {
	obj := l.info.Defs[id]
	if id.Name == "_" || obj == nil {
		return ident(id.Pos(), "_")
	}
	return ident(id.Pos(), l.local(obj))
}

// keepCaptured has results that outlive the call, in closures or by their
// addresses, in variables of the function's own: yaegi's results are at the place
// where the caller wants them, which the next call may write to.
func (l *lowerer) keepCaptured(ft, typ *ast.FuncType, body *ast.BlockStmt) {
	for _, f := range ft.Results.List {
		for _, name := range f.Names {
			if obj := l.info.Defs[name]; obj != nil && l.usageOf(obj, body).captured {
				l.fn.saved, l.fn.kept = true, true
			}
		}
	}
	if l.fn.kept {
		for _, f := range typ.Results.List {
			f.Names = nil
		}
	}
}

// function lowers the type and body of a function; recv comes first among its
// parameters, and mark is the variable for its place.
func (l *lowerer) function(ft *ast.FuncType, sig *types.Signature, recv *ast.FieldList, body *ast.BlockStmt, mark string) (*ast.FuncType, *ast.BlockStmt) {
	outer, facts, lengths, loop := l.fn, l.facts, l.lengths, l.loop
	defer func() { l.fn, l.facts, l.lengths, l.loop = outer, facts, lengths, loop }()
	l.facts, l.lengths, l.loop = map[inRange]bool{}, nil, nil
	for _, f := range l.given {
		l.countsUp(f.index)
		l.suppose(f.list, f.index)
	}
	l.given = nil
	l.fn = &funcState{sig: sig, mark: mark, ender: l.nextEnder, gotos: gotosOf(body)}
	l.nextEnder = ""
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
				id := l.parameter(name)
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
		l.keepCaptured(ft, typ, body)
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
	var first []ast.Stmt
	if ft.Results != nil && len(l.fn.results) > 0 && !l.fn.saved {
		// yaegi may hand over a place that has been used before.
		first = l.collect(func() {
			for i, r := range l.fn.results {
				l.emit(assign(pos, ident(pos, r.Name), l.zeroOf(pos, sig.Results().At(i).Type())))
			}
		})
	}
	if l.fn.saved {
		first = l.collect(func() {
			for i, r := range l.fn.results {
				l.emit(l.varOf(pos, r.Name, sig.Results().At(i).Type(), nil))
			}
		})
	}
	out.List = append(first, out.List...)
	return typ, out
}
