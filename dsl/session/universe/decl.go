package universe

import (
	"go/ast"
	"go/types"

	"sapf/dsl/session/syntax"
)

// Decl is a package-level declaration with its source, from which it can be
// checked and lowered again: for another instance, or after something it
// mentions has changed.
type Decl struct {
	Obj   types.Object
	Pkg   string // import path of the package it belongs to
	Src   *syntax.Source
	Node  ast.Decl      // never modified
	Flat  *ast.FuncDecl // a method as it was checked: a function with the receiver first
	Recv  *types.TypeName
	Info  *types.Info
	Names map[string]types.Object // what it mentions at package level
}

func (d *Decl) Generic() bool {
	switch n := d.Node.(type) {
	case *ast.FuncDecl:
		if n.Type.TypeParams != nil {
			return true
		}
		return d.Recv != nil && len(ReceiverParams(n)) > 0
	case *ast.GenDecl:
		spec, ok := n.Specs[0].(*ast.TypeSpec)
		return ok && spec.TypeParams != nil
	}
	return false
}

// ReceiverParams are the type parameters that a method's receiver names.
func ReceiverParams(fn *ast.FuncDecl) []*ast.Ident {
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

// Interpreted reports whether t is a named type that a cell (or a package in
// source form) declares.
func (u *Universe) Interpreted(t types.Type) bool {
	n, ok := Named(t)
	if !ok || n.Obj().Pkg() == nil {
		return false
	}
	obj := n.Origin().Obj()
	return u.Decls[obj] != nil || u.Pkgs[obj.Pkg().Path()] != obj.Pkg()
}

// PackageNames collects the package-level objects that a node mentions.
func PackageNames(n ast.Node, info *types.Info, pkg *types.Package) map[string]types.Object {
	out := map[string]types.Object{}
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if obj := info.Uses[id]; obj != nil && pkg.Scope().Lookup(id.Name) == obj {
				out[id.Name] = obj
			}
		}
		return true
	})
	return out
}

// IsUsers reports whether a cell declared obj.
func IsUsers(obj types.Object) bool {
	return obj != nil && obj.Pkg() != nil && obj.Pkg().Path() == "main"
}
