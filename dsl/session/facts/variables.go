package facts

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/universe"
)

// IsVariable reports names of variables.
func (f *Facts) IsVariable(id *ast.Ident) bool {
	_, ok := f.Info.ObjectOf(id).(*types.Var)
	return ok
}

// Variable is the variable that an expression names, or nil.
func (f *Facts) Variable(e ast.Expr) types.Object {
	if id, ok := ast.Unparen(e).(*ast.Ident); ok && f.IsVariable(id) {
		return f.Info.ObjectOf(id)
	}
	return nil
}

// AssignedIn are the variables that a statement assigns to.
func (f *Facts) AssignedIn(n ast.Node) map[types.Object]bool {
	out := map[types.Object]bool{}
	note := func(e ast.Expr) {
		if e != nil {
			if obj := f.Variable(e); obj != nil {
				out[obj] = true
			}
		}
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				note(e)
			}
		case *ast.IncDecStmt:
			note(n.X)
		case *ast.RangeStmt:
			note(n.Key)
			note(n.Value)
		case *ast.ValueSpec:
			for _, id := range n.Names {
				note(id)
			}
		}
		return true
	})
	return out
}

// SharedIn are the variables of a declaration that function literals assign to,
// other than the one that declares them, and those whose address is taken.
func SharedIn(info *types.Info, body ast.Node) map[types.Object]bool {
	out := map[types.Object]bool{}
	within := map[types.Object]ast.Node{} // the function that declares each
	var walk func(n, fn ast.Node)
	walk = func(root, fn ast.Node) {
		assigned := func(e ast.Expr) {
			if id, ok := ast.Unparen(e).(*ast.Ident); ok {
				if obj := info.Uses[id]; obj != nil && within[obj] != fn {
					out[obj] = true
				}
			}
		}
		ast.Inspect(root, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				if n != root {
					walk(n, n)
					return false
				}
			case *ast.Ident:
				if v, ok := info.Defs[n].(*types.Var); ok {
					within[v] = fn
				}
			case *ast.AssignStmt:
				for _, e := range n.Lhs {
					assigned(e)
				}
			case *ast.IncDecStmt:
				assigned(n.X)
			case *ast.RangeStmt:
				if n.Tok == token.ASSIGN {
					assigned(n.Key)
					if n.Value != nil {
						assigned(n.Value)
					}
				}
				// The body of a loop over a function is one, too.
				if _, ok := universe.CoreType(info.Types[n.X].Type).(*types.Signature); ok && n != root {
					walk(n, n)
					return false
				}
			case *ast.UnaryExpr:
				if id, ok := ast.Unparen(n.X).(*ast.Ident); ok && n.Op == token.AND {
					out[info.ObjectOf(id)] = true
				}
			case *ast.SelectorExpr: // a method may take the address
				if s := info.Selections[n]; s != nil && s.Kind() == types.MethodVal {
					if id, ok := ast.Unparen(n.X).(*ast.Ident); ok {
						out[info.ObjectOf(id)] = true
					}
				}
			}
			return true
		})
	}
	walk(body, body)
	return out
}

// CapturedInLoops finds the variables declared in the bodies of loops that
// function literals use.
func CapturedInLoops(info *types.Info, body *ast.BlockStmt) map[types.Object]bool {
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

// usage is how the body of a loop treats one of its variables.
type usage struct{ Assigned, Captured bool }

// UsageOf looks for assignments to obj, its address, and closures with it.
func (f *Facts) UsageOf(obj types.Object, nodes ...ast.Node) usage {
	var u usage
	is := func(e ast.Expr) bool {
		id, ok := ast.Unparen(e).(*ast.Ident)
		return ok && f.Info.ObjectOf(id) == obj
	}
	for _, n := range nodes {
		if n == nil {
			continue
		}
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, e := range n.Lhs {
					u.Assigned = u.Assigned || is(e) || f.Root(e) == obj
				}
			case *ast.IncDecStmt:
				u.Assigned = u.Assigned || is(n.X) || f.Root(n.X) == obj
			case *ast.RangeStmt:
				u.Assigned = u.Assigned || n.Key != nil && is(n.Key) || n.Value != nil && is(n.Value)
			case *ast.UnaryExpr:
				if n.Op == token.AND && f.Root(n.X) == obj {
					u.Captured = true
				}
			case *ast.SliceExpr:
				if f.Root(n.X) == obj {
					u.Captured = true
				}
			case *ast.SelectorExpr:
				if s := f.Info.Selections[n]; s != nil && s.Kind() == types.MethodVal && f.Root(n.X) == obj {
					u.Captured = true
				}
			case *ast.FuncLit:
				if f.Uses(n, obj) {
					u.Captured = true
				}
			}
			return true
		})
	}
	return u
}

// Uses reports whether obj is mentioned in n.
func (f *Facts) Uses(n ast.Node, obj types.Object) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && f.Info.Uses[id] == obj {
			found = true
		}
		return !found
	})
	return found
}

// Root is the variable that an addressable expression is part of.
func (f *Facts) Root(e ast.Expr) types.Object {
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.Ident:
			return f.Info.ObjectOf(x)
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		default:
			return nil
		}
	}
}
