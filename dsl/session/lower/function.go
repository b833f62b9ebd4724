package lower

import (
	"go/ast"
	"go/types"

	"sapf/dsl/session/core"
	"sapf/dsl/session/facts"
)

// funcLit lowers a function literal to a variable that holds it.
func (l *lowerer) funcLit(e *ast.FuncLit) ast.Expr {
	lit, _ := l.literal(e)
	return l.Temp(e.Pos(), l.TypeOf(e), lit)
}

// literal lowers a function literal to one, or to a call that makes it where it
// holds on to variables behind pointers: args are not nil then.
func (l *lowerer) literal(e *ast.FuncLit) (x ast.Expr, args []ast.Expr) {
	sig := l.TypeOf(e).Underlying().(*types.Signature)
	mark := l.s.LiteralMark(e)
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
		Type: &ast.FuncType{Func: pos, Params: params, Results: &ast.FieldList{List: []*ast.Field{{Type: l.FuncType(pos, sig)}}}},
		Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{&ast.ReturnStmt{Return: pos, Results: []ast.Expr{lit}}}},
	}
	return core.Call(pos, outer, args...), args
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
		obj := l.Info.Uses[id]
		p, boxed := l.boxes[obj]
		if _, seen := before[obj]; seen || !boxed {
			return true
		}
		before[obj] = p
		l.boxes[obj] = l.s.Fresh("p")
		args = append(args, core.Ident(pos, p))
		ptr := &ast.StarExpr{Star: pos, X: l.TypeExpr(pos, obj.Type())}
		params.List = append(params.List, &ast.Field{Names: []*ast.Ident{core.Ident(pos, l.boxes[obj])}, Type: ptr})
		return true
	})
	return func() *ast.FieldList {
		for obj, p := range before {
			l.boxes[obj] = p
		}
		return params
	}, args
}

// parameter is the name of a parameter or result where it is declared.
func (l *lowerer) parameter(id *ast.Ident) *ast.Ident {
	obj := l.Info.Defs[id]
	if id.Name == "_" || obj == nil {
		return core.Ident(id.Pos(), "_")
	}
	return core.Ident(id.Pos(), l.local(obj))
}

// keepCaptured has results that outlive the call, in closures or by their
// addresses, in variables of the function's own: yaegi's results are at the place
// where the caller wants them, which the next call may write to.
func (l *lowerer) keepCaptured(ft, typ *ast.FuncType, body *ast.BlockStmt) {
	for _, f := range ft.Results.List {
		for _, name := range f.Names {
			if obj := l.Info.Defs[name]; obj != nil && l.UsageOf(obj, body).Captured {
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
	outer, known, lengths, loop := l.fn, l.Known, l.lengths, l.Loop
	defer func() { l.fn, l.Known, l.lengths, l.Loop = outer, known, lengths, loop }()
	l.Known, l.lengths, l.Loop = map[facts.InRange]bool{}, nil, nil
	for _, f := range l.Given {
		l.CountsUp(f.Index)
		l.Suppose(f.List, f.Index)
	}
	l.Given = nil
	l.fn = &funcState{sig: sig, mark: mark, ender: l.nextEnder, gotos: facts.GotosOf(body)}
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
					return &ast.Ellipsis{Ellipsis: el.Pos(), Elt: l.TypeExpr(el.Pos(), l.TypeOf(el.Elt))}
				}
				return l.TypeExpr(f.Type.Pos(), l.TypeOf(f.Type))
			}
			if len(f.Names) == 0 {
				field := &ast.Field{Type: ftype()}
				if !results {
					field.Names = []*ast.Ident{core.Ident(f.Pos(), l.s.Fresh("p"))}
				}
				to.List = append(to.List, field)
			}
			for _, name := range f.Names {
				id := l.parameter(name)
				if id.Name == "_" {
					id = core.Ident(name.Pos(), l.s.Fresh("p"))
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
	if facts.HasDefer(body) {
		l.fn.defers = l.s.Fresh("defers")
		if l.fn.results == nil {
			l.keepResults(pos)
		}
	}
	out := l.block(body)
	if l.fn.defers != "" {
		out = &ast.BlockStmt{Lbrace: out.Lbrace, List: append(l.guarded(pos, l.fn.defers, out), &ast.ReturnStmt{Return: out.Rbrace, Results: core.IdentList(out.Rbrace, l.fn.results)}), Rbrace: out.Rbrace}
	}
	var first []ast.Stmt
	if ft.Results != nil && len(l.fn.results) > 0 && !l.fn.saved {
		// yaegi may hand over a place that has been used before.
		first = l.collect(func() {
			for i, r := range l.fn.results {
				l.Emit(core.Assign(pos, core.Ident(pos, r.Name), l.ZeroOf(pos, sig.Results().At(i).Type())))
			}
		})
	}
	if l.fn.saved {
		first = l.collect(func() {
			for i, r := range l.fn.results {
				l.Emit(l.VarOf(pos, r.Name, sig.Results().At(i).Type(), nil))
			}
		})
	}
	out.List = append(first, out.List...)
	return typ, out
}
