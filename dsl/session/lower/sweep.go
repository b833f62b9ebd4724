package lower

import (
	"fmt"
	"go/types"
	"slices"

	"sapf/dsl/session/core"
	"sapf/dsl/session/plan"
	"sapf/dsl/session/universe"
)

// sweep has yaegi forget the functions that are gone, or else it would keep the
// syntax of each for ever, and forgets variables that another has the place of.
func (s *Lowering) sweep(pl *plan.Plan) {
	s.sweepVariables(pl)
	for fn, sym := range s.functions {
		if s.Universe.Decls[fn] == nil {
			delete(s.functions, fn)
			delete(s.Instances, fmt.Sprintf("%p", fn))
			delete(s.links, fn)
			s.retired = append(s.retired, sym)
		}
	}
	if len(s.retired) == 0 {
		return
	}
	for _, sym := range s.retired {
		delete(s.Params, sym)
		delete(s.recovers, sym)
		delete(s.Instances, "function "+sym)
		s.FreeMarks = append(s.FreeMarks, s.Marks[sym]...)
		delete(s.Marks, sym)
	}
	s.Literals = slices.DeleteFunc(s.Literals, func(l core.Literal) bool { return slices.Contains(s.retired, l.Of) })
	s.Machine.Forget(s.retired)
	s.retired = nil
}

func (s *Lowering) sweepVariables(pl *plan.Plan) {
	used := map[types.Object]bool{}
	for _, scope := range []universe.Scope{s.scope, pl.Scope} {
		for _, obj := range scope {
			used[obj] = true
		}
	}
	for _, d := range s.Universe.Decls {
		for _, obj := range d.Names {
			used[obj] = true
		}
	}
	for _, old := range pl.Same {
		used[old] = true
	}
	for _, v := range pl.Freed {
		used[v] = true
	}
	s.scope = pl.Scope
	for v := range s.Symbols {
		if !used[v] && universe.IsUsers(v) {
			delete(s.Symbols, v)
			delete(s.pinned, v)
		}
	}
}
