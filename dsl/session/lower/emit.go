package lower

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"sapf/dsl/session/core"
	"sapf/dsl/session/facts"
	"sapf/dsl/session/plan"
	"sapf/dsl/session/universe"
)

// funcSymbol is the yaegi function for fn, lowered on first use.
func (s *Lowering) funcSymbol(l *lowerer, pos token.Pos, fn *types.Func, targs []types.Type) string {
	key := l.Key(pos, fn, targs)
	if sym, ok := s.Instances[key]; ok {
		return sym
	}
	d := s.Universe.Decls[fn]
	sym := s.Fresh(core.InstanceName(fn.Name(), targs))
	s.Remember(key, sym)
	if len(targs) == 0 {
		s.functions[fn] = sym
	}
	sig := fn.Signature()
	if len(targs) > 0 {
		if inst, err := types.Instantiate(nil, sig, targs, false); err == nil {
			sig = inst.(*types.Signature)
		}
	}
	s.NoteParams(sym, nil, sig)
	node := d.Node.(*ast.FuncDecl)
	s.noteRecover(sym, node)
	s.Out.Queue = append(s.Out.Queue, func() {
		info, names := d.Info, fieldNames(node.Type.TypeParams)
		if len(targs) > 0 {
			info, node = s.instantiate(pos, d, node, names, targs)
		}
		s.emitFunc(l, sym, node, info)
	})
	return sym
}

func fieldNames(list *ast.FieldList) []*ast.Ident {
	var out []*ast.Ident
	if list != nil {
		for _, f := range list.List {
			out = append(out, f.Names...)
		}
	}
	return out
}

// link is a variable that holds the function fn, or what has replaced it since:
// closures call it so, as declarations that call fn are lowered anew then but
// closures can't be.
func (s *Lowering) link(l *lowerer, pos token.Pos, fn *types.Func) string {
	if name, ok := s.links[fn]; ok {
		return name
	}
	name := s.Fresh(fn.Name())
	s.declareLink(pos, fn, name, l.FuncType(pos, fn.Signature()), nil)
	s.Out.Links = append(s.Out.Links, core.Assign(pos, core.Ident(pos, name), core.Ident(pos, s.funcSymbol(l, pos, fn, nil))))
	s.noteRecover(name, s.Universe.Decls[fn].Node.(*ast.FuncDecl))
	return name
}

// declareLink declares the variable by which cells come to obj from now on. It
// gets its value before the cell runs.
func (s *Lowering) declareLink(pos token.Pos, obj types.Object, name string, typ, value ast.Expr) {
	s.links[obj] = name
	s.Out.Undo = append(s.Out.Undo, func() { delete(s.links, obj) })
	spec := &ast.ValueSpec{Names: []*ast.Ident{core.Ident(pos, name)}, Type: typ}
	s.Out.Decls = append(s.Out.Decls, &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}})
	if value != nil {
		s.Out.Links = append(s.Out.Links, core.Assign(pos, core.Ident(pos, name), value))
	}
}

// methodSymbol is the yaegi function for a method, its receiver first.
func (s *Lowering) methodSymbol(l *lowerer, pos token.Pos, fn *types.Func, named *types.Named) string {
	targs := universe.TypeList(named.TypeArgs())
	origin := fn.Origin()
	key := l.Key(pos, origin, targs)
	if sym, ok := s.Instances[key]; ok {
		return sym
	}
	d := s.Universe.Decls[origin]
	sym := s.Fresh(core.InstanceName(named.Obj().Name(), targs) + "." + fn.Name())
	s.Remember(key, sym)
	s.NoteParams(sym, fn.Signature().Recv().Type(), fn.Signature())
	node := d.Node.(*ast.FuncDecl)
	s.noteRecover(sym, node)
	s.Out.Queue = append(s.Out.Queue, func() {
		info, fdecl := d.Info, node
		if d.Flat != nil {
			fdecl = d.Flat
		}
		if len(targs) > 0 {
			named := withoutBlanks(node)
			info, fdecl = s.instantiate(pos, d, plan.Flatten(named), universe.ReceiverParams(named), targs)
		}
		s.emitFunc(l, sym, fdecl, info)
	})
	return sym
}

// instantiate checks a generic function once more, with its type parameters
// standing for types: the names are declared as such, and everything else
// means what it meant to the function.
func (s *Lowering) instantiate(pos token.Pos, d *universe.Decl, node *ast.FuncDecl, params []*ast.Ident, targs []types.Type) (*types.Info, *ast.FuncDecl) {
	if s.depth++; s.depth > 200 {
		panic(core.Refusal{Pos: pos, Msg: fmt.Sprintf("instances of %s have no end", d.Obj.Name())})
	}
	sc := universe.Scope{}
	for name, obj := range d.Names {
		sc[name] = obj
	}
	for i, p := range params {
		if p.Name != "_" {
			sc[p.Name] = types.NewTypeName(p.Pos(), nil, p.Name, targs[i])
		}
	}
	plain := *node
	ft := *node.Type
	ft.TypeParams = nil
	plain.Type = &ft
	plain.Name = core.Ident(node.Name.Pos(), "_")
	info, _, errs := s.Universe.TypecheckIn(d.Pkg, []ast.Decl{&plain}, sc)
	for _, e := range errs {
		if strings.HasPrefix(strings.TrimSpace(e.Msg), "duplicate key") {
			panic(core.Refusal{Pos: pos, Msg: fmt.Sprintf("%s has a literal with the same key twice (%s), which a cell can't have: set the entries one by one, m[k] = v", core.InstanceName(d.Obj.Name(), targs), e.Msg)})
		}
	}
	if errs = genericErrors(universe.Serious(errs)); len(errs) > 0 {
		panic(core.Refusal{Pos: pos, Msg: fmt.Sprintf("%s can't be had in a cell: %s", core.InstanceName(d.Obj.Name(), targs), errs[0].Msg)})
	}
	for _, obj := range info.Defs {
		if t, ok := obj.(*types.TypeName); ok && !t.IsAlias() {
			s.Machine.Outer(t, targs)
		}
	}
	return info, &plain
}

// genericErrors leaves out errors that a generic function does not have: with
// types in the place of its parameters a case may repeat another, or never be.
func genericErrors(errs []types.Error) []types.Error {
	return slices.DeleteFunc(errs, func(e types.Error) bool {
		for _, harmless := range []string{"impossible type assertion", "impossible type switch case", "duplicate case", "previous case"} {
			if strings.HasPrefix(strings.TrimSpace(e.Msg), harmless) {
				return true
			}
		}
		return false
	})
}

// withoutBlanks is a method whose receiver names all its type parameters:
// func (l *List[_]) Len() has none for one.
func withoutBlanks(fn *ast.FuncDecl) *ast.FuncDecl {
	name := func(e ast.Expr, i int) ast.Expr {
		if id, ok := e.(*ast.Ident); ok && id.Name == "_" {
			return core.Ident(id.Pos(), fmt.Sprintf("blank%dˍ", i))
		}
		return e
	}
	var rewrite func(e ast.Expr) ast.Expr
	rewrite = func(e ast.Expr) ast.Expr {
		switch e := e.(type) {
		case *ast.ParenExpr:
			return &ast.ParenExpr{Lparen: e.Lparen, X: rewrite(e.X), Rparen: e.Rparen}
		case *ast.StarExpr:
			return &ast.StarExpr{Star: e.Star, X: rewrite(e.X)}
		case *ast.IndexExpr:
			return &ast.IndexExpr{X: e.X, Lbrack: e.Lbrack, Index: name(e.Index, 0), Rbrack: e.Rbrack}
		case *ast.IndexListExpr:
			out := &ast.IndexListExpr{X: e.X, Lbrack: e.Lbrack, Rbrack: e.Rbrack}
			for i, x := range e.Indices {
				out.Indices = append(out.Indices, name(x, i))
			}
			return out
		}
		return e
	}
	out := *fn
	recv := *fn.Recv.List[0]
	recv.Type = rewrite(recv.Type)
	out.Recv = &ast.FieldList{Opening: fn.Recv.Opening, List: []*ast.Field{&recv}, Closing: fn.Recv.Closing}
	return &out
}

// emitFunc lowers a function declaration under a symbol.
func (s *Lowering) emitFunc(by *lowerer, sym string, node *ast.FuncDecl, info *types.Info) {
	if node.Body == nil {
		panic(core.Refusal{Pos: node.Pos(), Msg: "missing function body"})
	}
	s.Emitting = sym
	defer func() { s.Emitting = "" }()
	l := s.lowerer(info)
	l.Captured = facts.CapturedInLoops(info, node.Body)
	l.Shared = facts.SharedIn(info, node)
	obj := info.Defs[node.Name].(*types.Func)
	typ, body := l.function(node.Type, obj.Signature(), node.Recv, node.Body, s.NewMark(node.Pos(), sym))
	s.Out.Decls = append(s.Out.Decls, &ast.FuncDecl{Name: core.Ident(node.Name.Pos(), sym), Type: typ, Body: body})
}

// drain lowers what has been asked for so far, and what that asks for.
func (s *Lowering) drain() {
	for len(s.Out.Queue) > 0 {
		next := s.Out.Queue[0]
		s.Out.Queue = s.Out.Queue[1:]
		next()
	}
}
