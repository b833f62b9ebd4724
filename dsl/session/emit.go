package session

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// decl is a package-level declaration with its source, from which it can be
// checked and lowered again: for another instance, or after something it
// mentions has changed.
type decl struct {
	obj   types.Object
	pkg   string // import path of the package it belongs to
	src   *source
	node  ast.Decl      // never modified
	flat  *ast.FuncDecl // a method as it was checked: a function with the receiver first
	recv  *types.TypeName
	info  *types.Info
	names map[string]types.Object // what it mentions at package level
}

func (d *decl) generic() bool {
	switch n := d.node.(type) {
	case *ast.FuncDecl:
		if n.Type.TypeParams != nil {
			return true
		}
		return d.recv != nil && len(receiverParams(n)) > 0
	case *ast.GenDecl:
		spec, ok := n.Specs[0].(*ast.TypeSpec)
		return ok && spec.TypeParams != nil
	}
	return false
}

// receiverParams are the type parameters that a method's receiver names.
func receiverParams(fn *ast.FuncDecl) []*ast.Ident {
	t := fn.Recv.List[0].Type
	if s, ok := ast.Unparen(t).(*ast.StarExpr); ok {
		t = s.X
	}
	var list []ast.Expr
	switch t := ast.Unparen(t).(type) {
	case *ast.IndexExpr:
		list = []ast.Expr{t.Index}
	case *ast.IndexListExpr:
		list = t.Indices
	}
	var out []*ast.Ident
	for _, e := range list {
		if id, ok := e.(*ast.Ident); ok {
			out = append(out, id)
		}
	}
	return out
}

// emitted is yaegi source in the making: declarations that the cell at hand
// needs, and statements that link them up before it runs.
type emitted struct {
	imports []ast.Decl
	decls   []ast.Decl
	links   []ast.Stmt
	queue   []func()
	undo    []func()
}

// fresh makes a name that no cell can write and no other name equals.
func (s *Session) fresh(name string) string {
	s.serial++
	return fmt.Sprintf("%s#%d", name, s.serial)
}

// plainName takes the number off a name made by fresh.
func plainName(name string) string {
	name, _, _ = strings.Cut(name, "#")
	return name
}

// importName is yaegi's name of an imported package, imported on first use.
func (s *Session) importName(path string) string {
	if name, ok := s.imported[path]; ok {
		return name
	}
	name := s.fresh("pkg")
	s.imported[path] = name
	s.out.undo = append(s.out.undo, func() { delete(s.imported, path) })
	spec := &ast.ImportSpec{Name: ident(token.NoPos, name), Path: &ast.BasicLit{Kind: token.STRING, Value: `"` + path + `"`}}
	s.out.imports = append(s.out.imports, &ast.GenDecl{Tok: token.IMPORT, Specs: []ast.Spec{spec}})
	return name
}

// interpreted reports whether t is a named type that a cell (or a package in
// source form) declares.
func (s *Session) interpreted(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil {
		return false
	}
	obj := n.Origin().Obj()
	return s.decls[obj] != nil || s.universe.pkgs[obj.Pkg().Path()] != obj.Pkg()
}

// key names an instance: the symbol of what is instantiated would do, were it
// not for the type arguments.
func (l *lowerer) key(pos token.Pos, obj types.Object, targs []types.Type) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%p", obj)
	for _, t := range targs {
		b.WriteByte(',')
		b.WriteString(types.ExprString(l.typeExpr(pos, t)))
	}
	return b.String()
}

// remember keeps the symbol of an instance, unless the cell fails.
func (s *Session) remember(key, sym string) {
	s.instances[key] = sym
	s.out.undo = append(s.out.undo, func() { delete(s.instances, key) })
}

// funcSymbol is the yaegi function for fn, lowered on first use.
func (s *Session) funcSymbol(l *lowerer, pos token.Pos, fn *types.Func, targs []types.Type) string {
	key := l.key(pos, fn, targs)
	if sym, ok := s.instances[key]; ok {
		return sym
	}
	d := s.decls[fn]
	sym := s.fresh(instanceName(fn.Name(), targs))
	s.remember(key, sym)
	node := d.node.(*ast.FuncDecl)
	s.out.queue = append(s.out.queue, func() {
		info, names := d.info, fieldNames(node.Type.TypeParams)
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
func (s *Session) link(l *lowerer, pos token.Pos, fn *types.Func) string {
	if name, ok := s.links[fn]; ok {
		return name
	}
	name := s.fresh(fn.Name())
	s.declareLink(pos, fn, name, l.funcType(pos, fn.Signature()), nil)
	s.out.links = append(s.out.links, assign(pos, ident(pos, name), ident(pos, s.funcSymbol(l, pos, fn, nil))))
	return name
}

// declareLink declares the variable by which cells come to obj from now on. It
// gets its value before the cell runs.
func (s *Session) declareLink(pos token.Pos, obj types.Object, name string, typ, value ast.Expr) {
	s.links[obj] = name
	s.out.undo = append(s.out.undo, func() { delete(s.links, obj) })
	spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, name)}, Type: typ}
	s.out.decls = append(s.out.decls, &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}})
	if value != nil {
		s.out.links = append(s.out.links, assign(pos, ident(pos, name), value))
	}
}

// methodSymbol is the yaegi function for a method, its receiver first.
func (s *Session) methodSymbol(l *lowerer, pos token.Pos, fn *types.Func, named *types.Named) string {
	targs := typeList(named.TypeArgs())
	origin := fn.Origin()
	key := l.key(pos, origin, targs)
	if sym, ok := s.instances[key]; ok {
		return sym
	}
	d := s.decls[origin]
	sym := s.fresh(instanceName(named.Obj().Name(), targs) + "." + fn.Name())
	s.remember(key, sym)
	node := d.node.(*ast.FuncDecl)
	s.out.queue = append(s.out.queue, func() {
		info, fdecl := d.info, node
		if d.flat != nil {
			fdecl = d.flat
		}
		if len(targs) > 0 {
			info, fdecl = s.instantiate(pos, d, flatten(node), receiverParams(node), targs)
		}
		s.emitFunc(l, sym, fdecl, info)
	})
	return sym
}

// instantiate checks a generic function once more, with its type parameters
// standing for types: the names are declared as such, and everything else
// means what it meant to the function.
func (s *Session) instantiate(pos token.Pos, d *decl, node *ast.FuncDecl, params []*ast.Ident, targs []types.Type) (*types.Info, *ast.FuncDecl) {
	if s.depth++; s.depth > 200 {
		panic(refuse{pos, fmt.Sprintf("instances of %s have no end", d.obj.Name())})
	}
	sc := scope{}
	for name, obj := range d.names {
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
	info, _, errs := s.typecheckIn(d.pkg, []ast.Decl{&plain}, sc)
	if errs = serious(errs); len(errs) > 0 {
		panic(refuse{pos, fmt.Sprintf("%s can't be had in a cell: %s", instanceName(d.obj.Name(), targs), errs[0].Msg)})
	}
	return info, &plain
}

// emitFunc lowers a function declaration under a symbol.
func (s *Session) emitFunc(by *lowerer, sym string, node *ast.FuncDecl, info *types.Info) {
	if node.Body == nil {
		panic(refuse{node.Pos(), "missing function body"})
	}
	l := s.lowerer(info)
	l.captured = capturedInLoops(info, node.Body)
	obj := info.Defs[node.Name].(*types.Func)
	l.nextName = plainName(sym)
	typ, body := l.function(node.Type, obj.Signature(), node.Recv, node.Body, s.newMark(node.Pos(), sym))
	s.out.decls = append(s.out.decls, &ast.FuncDecl{Name: ident(node.Name.Pos(), sym), Type: typ, Body: body})
}

func (s *Session) lowerer(info *types.Info) *lowerer {
	return &lowerer{s: s, info: info, names: map[types.Object]string{}, boxes: map[types.Object]string{}, fn: &funcState{}}
}

// typeSymbol is the yaegi type for a named type of a cell. It has no methods
// for yaegi: calls are lowered to calls of functions, and the machine knows
// them for what comes through interfaces.
func (s *Session) typeSymbol(l *lowerer, pos token.Pos, t *types.Named) string {
	key := l.key(pos, t.Origin().Obj(), typeList(t.TypeArgs()))
	if sym, ok := s.instances[key]; ok {
		return sym
	}
	name := instanceName(t.Obj().Name(), typeList(t.TypeArgs()))
	sym := s.fresh(name)
	s.remember(key, sym)
	spec := &ast.TypeSpec{Name: ident(pos, sym)}
	s.out.decls = append(s.out.decls, &ast.GenDecl{TokPos: pos, Tok: token.TYPE, Specs: []ast.Spec{spec}})
	if st, ok := t.Underlying().(*types.Struct); ok {
		spec.Type = l.structType(pos, st, sym)
	} else {
		spec.Type = l.typeExpr(pos, t.Underlying())
	}
	s.out.queue = append(s.out.queue, func() { s.registerType(l, pos, t, sym) })
	return sym
}

// drain lowers what has been asked for so far, and what that asks for.
func (s *Session) drain() {
	for len(s.out.queue) > 0 {
		next := s.out.queue[0]
		s.out.queue = s.out.queue[1:]
		next()
	}
}
