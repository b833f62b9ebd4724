package facts

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"sapf/dsl/session/syntax"
	"sapf/dsl/session/universe"
)

// CompiledCallee is the compiled function or method that fun names, or nil.
func (f *Facts) CompiledCallee(fun ast.Expr) *types.Func {
	var id *ast.Ident
	switch fun := fun.(type) {
	case *ast.Ident:
		id = fun
	case *ast.SelectorExpr:
		id = fun.Sel
	default:
		return nil
	}
	fn, ok := f.Info.Uses[id].(*types.Func)
	if !ok || fn.Pkg() == nil || f.Universe.Decls[fn.Origin()] != nil || f.Universe.Pkgs[fn.Pkg().Path()] != fn.Pkg() {
		return nil
	}
	return fn
}

// IsBuiltin reports predeclared functions.
func (f *Facts) IsBuiltin(fun ast.Expr) bool {
	if f.Info.Types[fun].IsBuiltin() {
		return true
	}
	id, ok := ast.Unparen(fun).(*ast.Ident)
	if !ok {
		return false
	}
	_, ok = f.Info.Uses[id].(*types.Builtin)
	return ok
}

// BuiltinName is the name of a predeclared function.
func BuiltinName(fun ast.Expr) string {
	if id, ok := fun.(*ast.Ident); ok {
		return id.Name
	}
	return fun.(*ast.SelectorExpr).Sel.Name // unsafe.Sizeof and the like
}

// Constants reports whether all of a list are.
func (f *Facts) Constants(list []ast.Expr) bool {
	for _, e := range list {
		if f.Info.Types[e].Value == nil {
			return false
		}
	}
	return true
}

// has reports whether anything in a node is so, but for what is in functions within.
func has(in ast.Node, is func(n ast.Node) bool) bool {
	found := false
	ast.Inspect(in, func(n ast.Node) bool {
		if _, within := n.(*ast.FuncLit); within || found {
			return false
		}
		found = n != nil && is(n)
		return !found
	})
	return found
}

// CallsFunction reports whether an expression calls anything but conversions and
// builtins, or receives.
func (f *Facts) CallsFunction(e ast.Expr) bool {
	return has(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			return !f.Info.Types[n.Fun].IsType() && !f.IsBuiltin(n.Fun)
		case *ast.UnaryExpr:
			return n.Op == token.ARROW
		}
		return false
	})
}

// HasDefer reports whether the function with that body defers a call.
func HasDefer(body *ast.BlockStmt) bool {
	return has(body, func(n ast.Node) bool {
		_, isDefer := n.(*ast.DeferStmt)
		return isDefer
	})
}

// CallsRecover reports whether a function's body calls recover.
func CallsRecover(body *ast.BlockStmt) bool {
	return has(body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return false
		}
		id, ok := ast.Unparen(call.Fun).(*ast.Ident)
		return ok && id.Name == "recover"
	})
}

// HasCall reports whether an expression calls or receives.
func HasCall(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			found = true
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		}
		return !found
	})
	return found
}

// UserMethod is the method of an interpreted type that s selects, or nil.
func (f *Facts) UserMethod(s *types.Selection, recv types.Type) (*types.Func, *types.Named) {
	fn := s.Obj().(*types.Func)
	named, ok := universe.NamedBehind(recv)
	if !ok || f.Universe.Decls[fn.Origin()] == nil || types.IsInterface(named) {
		return nil, nil
	}
	return fn, named
}

// Silent reports calls whose results nobody wants to see: fmt.Print and its
// like, and verbs that return a handle to what they have shown.
func (f *Facts) Silent(x ast.Expr) bool {
	c, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return false
	}
	if n, ok := universe.NamedBehind(f.TypeOf(c)); ok && n.Obj().Name() == "Handle" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == syntax.DSLPath {
		return true
	}
	s, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	obj := f.Info.Uses[s.Sel]
	return obj != nil && obj.Pkg() != nil && obj.Pkg().Path() == "fmt" && (strings.HasPrefix(obj.Name(), "Print") || strings.HasPrefix(obj.Name(), "Fprint"))
}

// Static reports whether fun names a declared function.
func (f *Facts) Static(fun ast.Expr) bool {
	switch fun := fun.(type) {
	case *ast.Ident:
		_, ok := f.Info.Uses[fun].(*types.Func)
		return ok
	case *ast.IndexExpr, *ast.IndexListExpr:
		return true
	case *ast.SelectorExpr:
		_, method := f.Info.Selections[fun]
		_, ok := f.Info.Uses[fun.Sel].(*types.Func)
		return ok && !method
	}
	return false
}
