package lower

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"sapf/dsl/session/plan"
	"sapf/dsl/session/universe"
)

// emitted is yaegi source in the making: declarations that the cell at hand
// needs, and statements that link them up before it runs.
type emitted struct {
	Imports []ast.Decl
	Decls   []ast.Decl
	links   []ast.Stmt
	queue   []func()
	undo    []func()
}

// Fresh makes a name that no cell can write and no other name equals.
func (s *Lowering) Fresh(name string) string {
	s.serial++
	return fmt.Sprintf("%s#%d", name, s.serial)
}

// importName is yaegi's name of an imported package, imported on first use.
func (s *Lowering) importName(path string) string {
	if name, ok := s.imported[path]; ok {
		return name
	}
	name := s.Fresh("pkg")
	s.imported[path] = name
	s.Out.undo = append(s.Out.undo, func() { delete(s.imported, path) })
	spec := &ast.ImportSpec{Name: ident(token.NoPos, name), Path: &ast.BasicLit{Kind: token.STRING, Value: `"` + path + `"`}}
	s.Out.Imports = append(s.Out.Imports, &ast.GenDecl{Tok: token.IMPORT, Specs: []ast.Spec{spec}})
	return name
}

// key names an instance: the symbol of what is instantiated would do, were it
// not for the type arguments.
func (l *lowerer) key(pos token.Pos, obj types.Object, targs []types.Type) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%p", obj)
	for _, t := range targs {
		b.WriteByte(',')
		fmt.Fprint(&b, l.s.typeNumber(t))
	}
	return b.String()
}

// remember keeps the symbol of an instance, unless the cell fails.
func (s *Lowering) remember(key, sym string) {
	s.instances[key] = sym
	s.Out.undo = append(s.Out.undo, func() { delete(s.instances, key) })
}

// funcSymbol is the yaegi function for fn, lowered on first use.
func (s *Lowering) funcSymbol(l *lowerer, pos token.Pos, fn *types.Func, targs []types.Type) string {
	key := l.key(pos, fn, targs)
	if sym, ok := s.instances[key]; ok {
		return sym
	}
	d := s.universe.Decls[fn]
	sym := s.Fresh(instanceName(fn.Name(), targs))
	s.remember(key, sym)
	if len(targs) == 0 {
		s.functions[fn] = sym
	}
	sig := fn.Signature()
	if len(targs) > 0 {
		if inst, err := types.Instantiate(nil, sig, targs, false); err == nil {
			sig = inst.(*types.Signature)
		}
	}
	s.noteParams(sym, nil, sig)
	node := d.Node.(*ast.FuncDecl)
	s.noteRecover(sym, node)
	s.Out.queue = append(s.Out.queue, func() {
		info, names := d.Info, fieldNames(node.Type.TypeParams)
		if len(targs) > 0 {
			info, node = s.instantiate(pos, d, node, names, targs)
		}
		s.emitFunc(l, sym, node, info)
	})
	return sym
}

func instanceName(name string, targs []types.Type) string {
	if len(targs) == 0 {
		return name
	}
	parts := make([]string, len(targs))
	for i, t := range targs {
		parts[i] = types.TypeString(t, func(p *types.Package) string {
			if p.Path() == "main" {
				return ""
			}
			return p.Name()
		})
	}
	return name + "[" + strings.Join(parts, ",") + "]"
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
	s.declareLink(pos, fn, name, l.funcType(pos, fn.Signature()), nil)
	s.Out.links = append(s.Out.links, assign(pos, ident(pos, name), ident(pos, s.funcSymbol(l, pos, fn, nil))))
	s.noteRecover(name, s.universe.Decls[fn].Node.(*ast.FuncDecl))
	return name
}

// declareLink declares the variable by which cells come to obj from now on. It
// gets its value before the cell runs.
func (s *Lowering) declareLink(pos token.Pos, obj types.Object, name string, typ, value ast.Expr) {
	s.links[obj] = name
	s.Out.undo = append(s.Out.undo, func() { delete(s.links, obj) })
	spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, name)}, Type: typ}
	s.Out.Decls = append(s.Out.Decls, &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}})
	if value != nil {
		s.Out.links = append(s.Out.links, assign(pos, ident(pos, name), value))
	}
}

// methodSymbol is the yaegi function for a method, its receiver first.
func (s *Lowering) methodSymbol(l *lowerer, pos token.Pos, fn *types.Func, named *types.Named) string {
	targs := universe.TypeList(named.TypeArgs())
	origin := fn.Origin()
	key := l.key(pos, origin, targs)
	if sym, ok := s.instances[key]; ok {
		return sym
	}
	d := s.universe.Decls[origin]
	sym := s.Fresh(instanceName(named.Obj().Name(), targs) + "." + fn.Name())
	s.remember(key, sym)
	s.noteParams(sym, fn.Signature().Recv().Type(), fn.Signature())
	node := d.Node.(*ast.FuncDecl)
	s.noteRecover(sym, node)
	s.Out.queue = append(s.Out.queue, func() {
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
		panic(refuse{pos, fmt.Sprintf("instances of %s have no end", d.Obj.Name())})
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
	plain.Name = ident(node.Name.Pos(), "_")
	info, _, errs := s.universe.TypecheckIn(d.Pkg, []ast.Decl{&plain}, sc)
	if errs = genericErrors(universe.Serious(errs)); len(errs) > 0 {
		panic(refuse{pos, fmt.Sprintf("%s can't be had in a cell: %s", instanceName(d.Obj.Name(), targs), errs[0].Msg)})
	}
	for _, obj := range info.Defs {
		if t, ok := obj.(*types.TypeName); ok && !t.IsAlias() {
			s.machine.Outer(t, targs)
		}
	}
	return info, &plain
}

// genericErrors leaves out errors that a generic function does not have: with
// types in the place of its parameters a case may repeat another, or never be.
func genericErrors(errs []types.Error) []types.Error {
	return slices.DeleteFunc(errs, func(e types.Error) bool {
		for _, harmless := range []string{"impossible type assertion", "impossible type switch case", "duplicate case", "duplicate key", "previous case"} {
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
			return ident(id.Pos(), fmt.Sprintf("blank%dˍ", i))
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
		panic(refuse{node.Pos(), "missing function body"})
	}
	s.emitting = sym
	defer func() { s.emitting = "" }()
	l := s.lowerer(info)
	l.captured = capturedInLoops(info, node.Body)
	l.shared = sharedIn(info, node)
	obj := info.Defs[node.Name].(*types.Func)
	typ, body := l.function(node.Type, obj.Signature(), node.Recv, node.Body, s.newMark(node.Pos(), sym))
	s.Out.Decls = append(s.Out.Decls, &ast.FuncDecl{Name: ident(node.Name.Pos(), sym), Type: typ, Body: body})
}

func (s *Lowering) lowerer(info *types.Info) *lowerer {
	return &lowerer{s: s, info: info, names: map[types.Object]string{}, measured: map[string]bool{}, boxes: map[types.Object]string{}, fn: &funcState{}}
}

// drain lowers what has been asked for so far, and what that asks for.
func (s *Lowering) drain() {
	for len(s.Out.queue) > 0 {
		next := s.Out.queue[0]
		s.Out.queue = s.Out.queue[1:]
		next()
	}
}
