package plan

import (
	"go/types"

	"sapf/dsl/session/universe"
)

// sweep lets go of the functions that earlier cells have replaced and that no
// declaration mentions. It runs before a plan is enacted, when nothing is left to be
// taken back.
func (s *Declared) sweep() {
	used := map[types.Object]bool{}
	for _, d := range s.order {
		used[d.Obj] = true
		for _, obj := range d.Names {
			used[obj] = true
		}
	}
	for _, obj := range s.Scope {
		used[obj] = true
	}
	for obj, d := range s.Universe.Decls {
		if fn, ok := obj.(*types.Func); ok && d.Pkg == "main" && d.Recv == nil && !used[fn] && !d.Generic() && universe.IsUsers(fn) {
			delete(s.Universe.Decls, obj)
		}
	}
}
