package lower

import (
	"go/ast"
	"go/types"
	"maps"
	"slices"

	"sapf/dsl/session/core"
)

// keepLengths emits variables with the lengths of the lists that a loop indexes and
// does not assign to. It returns what ends their use.
func (l *lowerer) keepLengths(loop ast.Stmt) (end func()) {
	outer := l.lengths
	var lists []types.Object
	seen := map[types.Object]bool{}
	note := func(obj types.Object) {
		if obj == nil || seen[obj] || l.Shared[obj] || outer[obj] != "" || l.boxes[obj] != "" || l.Captured[obj] || obj.Pos() > loop.Pos() && obj.Pos() < loop.End() {
			return
		}
		seen[obj] = true
		switch obj.Type().Underlying().(type) {
		case *types.Slice:
			lists = append(lists, obj)
		}
	}
	var body *ast.BlockStmt
	switch loop := loop.(type) {
	case *ast.ForStmt:
		body = loop.Body
		if c := loop.Cond; c != nil {
			ast.Inspect(c, func(n ast.Node) bool {
				if e, ok := n.(ast.Expr); ok {
					note(l.LengthOf(e))
				}
				return true
			})
		}
	case *ast.RangeStmt:
		body = loop.Body
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.IndexExpr:
			note(l.Variable(n.X))
		}
		return true
	})
	assigned := l.AssignedIn(loop)
	others := len(lists) > 0 && l.RunsOthers(loop)
	l.lengths = maps.Clone(outer)
	made := map[string]bool{}
	for _, obj := range lists {
		x, ok := l.object(loop.Pos(), obj).(*ast.Ident)
		if !ok || assigned[obj] || others && l.IsGlobal(obj) {
			continue
		}
		if l.lengths == nil {
			l.lengths = map[types.Object]string{}
		}
		n := l.Temp(loop.Pos(), types.Typ[types.Int], core.Call(loop.Pos(), core.Ident(loop.Pos(), "len"), x))
		l.lengths[obj] = n.(*ast.Ident).Name
		made[l.lengths[obj]] = true
	}
	unused := func(x ast.Expr) bool {
		id, ok := x.(*ast.Ident)
		return ok && made[id.Name] && !l.measured[id.Name]
	}
	return func() {
		l.Block = slices.DeleteFunc(l.Block, func(st ast.Stmt) bool {
			set, ok := st.(*ast.AssignStmt)
			return ok && unused(set.Lhs[0])
		})
		*l.Loop = slices.DeleteFunc(*l.Loop, func(st ast.Stmt) bool {
			return unused(st.(*ast.DeclStmt).Decl.(*ast.GenDecl).Specs[0].(*ast.ValueSpec).Names[0])
		})
		l.lengths = outer
	}
}
