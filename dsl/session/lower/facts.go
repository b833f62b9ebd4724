package lower

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"sapf/dsl/session/universe"
)

// An index need not be compared with the length where the loop around it, or a
// comparison before it, has done so already:
//
//	for i := range xs { s += xs[i] }
//	for i := 0; i < len(xs); i++ { xs[i] = 1 }
//	sort.Slice(xs, func(i, j int) bool { return xs[i] < xs[j] })
//
// A fact is about two variables, and holds as long as nothing is assigned to either.

// inRange says that a variable is an index of what another one has.
type inRange struct{ list, index types.Object }

// variable is the variable that an expression names, or nil.
func (l *lowerer) variable(e ast.Expr) types.Object {
	if id, ok := ast.Unparen(e).(*ast.Ident); ok && l.isVariable(id) {
		return l.info.ObjectOf(id)
	}
	return nil
}

// isGlobal reports variables that any function may assign to.
func (l *lowerer) isGlobal(obj types.Object) bool {
	return l.s.Symbols[obj] != "" || obj.Parent() == nil || obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope()
}

// knownInRange reports whether x[i] needs no comparison.
func (l *lowerer) knownInRange(e *ast.IndexExpr) bool {
	list, index := l.variable(e.X), l.variable(e.Index)
	return list != nil && index != nil && l.facts[inRange{list, index}]
}

// learn notes that x[i] has been compared.
func (l *lowerer) learn(e *ast.IndexExpr) {
	if list, index := l.variable(e.X), l.variable(e.Index); list != nil && index != nil {
		l.suppose(list, index)
	}
}

// suppose notes a fact, unless others than the statements at hand may end it.
func (l *lowerer) suppose(list, index types.Object) {
	if l.shared[list] || l.shared[index] {
		return
	}
	if l.facts == nil {
		l.facts = map[inRange]bool{}
	}
	l.facts[inRange{list, index}] = true
}

// forget ends the facts about what a statement may assign to.
func (l *lowerer) forget(st ast.Node) {
	if len(l.facts) == 0 {
		return
	}
	assigned := l.assignedIn(st)
	others := l.runsOthers(st)
	maps.DeleteFunc(l.facts, func(f inRange, _ bool) bool {
		return assigned[f.list] || assigned[f.index] || others && (l.isGlobal(f.list) || l.isGlobal(f.index))
	})
}

// assignedIn are the variables that a statement assigns to.
func (l *lowerer) assignedIn(n ast.Node) map[types.Object]bool {
	out := map[types.Object]bool{}
	note := func(e ast.Expr) {
		if e != nil {
			if obj := l.variable(e); obj != nil {
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

// runsOthers reports whether a statement runs functions of cells, or waits for
// other goroutines.
func (l *lowerer) runsOthers(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if !l.info.Types[n.Fun].IsType() && !l.isBuiltin(n.Fun) {
				found = found || l.compiledCallee(ast.Unparen(n.Fun)) == nil || l.givesFunction(n)
			}
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.SendStmt, *ast.SelectStmt, *ast.GoStmt:
			found = true
		case *ast.RangeStmt:
			switch universe.CoreType(l.typeOf(n.X)).(type) {
			case *types.Chan, *types.Signature:
				found = true
			}
		}
		return !found
	})
	return found
}

// givesFunction reports calls with a function among the arguments.
func (l *lowerer) givesFunction(c *ast.CallExpr) bool {
	for _, a := range c.Args {
		if _, ok := l.typeOf(a).Underlying().(*types.Signature); ok {
			return true
		}
	}
	return false
}

// sharedIn are the variables of a declaration that function literals assign to,
// other than the one that declares them, and those whose address is taken.
func sharedIn(info *types.Info, body ast.Node) map[types.Object]bool {
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

// keepFacts does f, after which the facts of before hold again: what f lowers need
// not have run.
func (l *lowerer) keepFacts(f func()) {
	before := maps.Clone(l.facts)
	f()
	l.facts = before
}

// loopFacts notes what the header of a loop says: that i counts up from a number
// that is not negative, and stays below the length of a list.
func (l *lowerer) loopFacts(st *ast.ForStmt) {
	init, ok := st.Init.(*ast.AssignStmt)
	if !ok || init.Tok != token.DEFINE || len(init.Lhs) != 1 || len(init.Rhs) != 1 {
		return
	}
	i := l.info.Defs[init.Lhs[0].(*ast.Ident)]
	from := l.info.Types[init.Rhs[0]].Value
	if i == nil || from == nil || !isInt(i.Type()) || constant.Sign(constant.ToInt(from)) < 0 || !l.countsOn(st.Post, i) {
		return
	}
	if l.shared[i] || l.assignedIn(st.Body)[i] {
		return
	}
	l.countsUp(i)
	list := l.below(st.Cond, i)
	if list == nil || l.assignedIn(st.Body)[list] || l.isGlobal(list) && l.runsOthers(st) {
		return
	}
	l.suppose(list, i)
}

// countsOn reports i++ and i += a positive constant.
func (l *lowerer) countsOn(st ast.Stmt, i types.Object) bool {
	switch st := st.(type) {
	case *ast.IncDecStmt:
		return st.Tok == token.INC && l.variable(st.X) == i
	case *ast.AssignStmt:
		by := l.info.Types[st.Rhs[0]].Value
		return st.Tok == token.ADD_ASSIGN && l.variable(st.Lhs[0]) == i && by != nil && constant.Sign(constant.ToInt(by)) > 0
	}
	return false
}

// below is the list of a condition that says i < len(list), among other things.
func (l *lowerer) below(e ast.Expr, i types.Object) types.Object {
	b, ok := e.(*ast.BinaryExpr)
	if !ok {
		return nil
	}
	if b.Op == token.LAND {
		if list := l.below(b.X, i); list != nil {
			return list
		}
		return l.below(b.Y, i)
	}
	if b.Op == token.LSS && l.variable(b.X) == i {
		return l.lengthOf(b.Y)
	}
	if b.Op == token.GTR && l.variable(b.Y) == i {
		return l.lengthOf(b.X)
	}
	return nil
}

// lengthOf is the variable x of an expression len(x).
func (l *lowerer) lengthOf(e ast.Expr) types.Object {
	c, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || len(c.Args) != 1 || !l.isBuiltin(c.Fun) || builtinName(ast.Unparen(c.Fun)) != "len" {
		return nil
	}
	return l.variable(c.Args[0])
}

// sorters are functions that call their second argument with indexes of the first.
var sorters = map[string]bool{"sort.Slice": true, "sort.SliceStable": true, "sort.SliceIsSorted": true}

// sorterFacts notes what the parameters of such a function are, while f lowers it.
func (l *lowerer) sorterFacts(list types.Object, lit *ast.FuncLit, f func()) {
	l.given = nil
	if list != nil && !l.shared[list] && !l.assignedIn(lit)[list] && !(l.isGlobal(list) && l.runsOthers(lit)) {
		assigned := l.assignedIn(lit.Body)
		for _, p := range lit.Type.Params.List {
			for _, name := range p.Names {
				if obj := l.info.Defs[name]; obj != nil && !assigned[obj] {
					l.given = append(l.given, inRange{list, obj})
				}
			}
		}
	}
	f()
	l.given = nil
}

// rangeFacts notes that the key of a loop is an index of what it goes over, unless
// something is assigned to either.
func (l *lowerer) rangeFacts(st *ast.RangeStmt) {
	list := l.variable(st.X)
	if list == nil {
		list = l.lengthOf(st.X)
	}
	if list == nil || !wanted(st.Key) || st.Tok != token.DEFINE {
		return
	}
	switch universe.CoreType(list.Type()).(type) {
	case *types.Slice, *types.Array:
	default:
		return
	}
	i := l.info.Defs[st.Key.(*ast.Ident)]
	assigned := l.assignedIn(st.Body)
	if i == nil || assigned[i] || assigned[list] || l.isGlobal(list) && l.runsOthers(st.Body) {
		return
	}
	l.suppose(list, i)
}

// keepLengths emits variables with the lengths of the lists that a loop indexes and
// does not assign to. It returns what ends their use.
func (l *lowerer) keepLengths(loop ast.Stmt) (end func()) {
	outer := l.lengths
	var lists []types.Object
	seen := map[types.Object]bool{}
	note := func(obj types.Object) {
		if obj == nil || seen[obj] || l.shared[obj] || outer[obj] != "" || l.boxes[obj] != "" || l.captured[obj] || obj.Pos() > loop.Pos() && obj.Pos() < loop.End() {
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
					note(l.lengthOf(e))
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
			note(l.variable(n.X))
		}
		return true
	})
	assigned := l.assignedIn(loop)
	others := len(lists) > 0 && l.runsOthers(loop)
	l.lengths = maps.Clone(outer)
	made := map[string]bool{}
	for _, obj := range lists {
		x, ok := l.object(loop.Pos(), obj).(*ast.Ident)
		if !ok || assigned[obj] || others && l.isGlobal(obj) {
			continue
		}
		if l.lengths == nil {
			l.lengths = map[types.Object]string{}
		}
		n := l.temp(loop.Pos(), types.Typ[types.Int], call(loop.Pos(), ident(loop.Pos(), "len"), x))
		l.lengths[obj] = n.(*ast.Ident).Name
		made[l.lengths[obj]] = true
	}
	unused := func(x ast.Expr) bool {
		id, ok := x.(*ast.Ident)
		return ok && made[id.Name] && !l.measured[id.Name]
	}
	return func() {
		l.out = slices.DeleteFunc(l.out, func(st ast.Stmt) bool {
			set, ok := st.(*ast.AssignStmt)
			return ok && unused(set.Lhs[0])
		})
		*l.loop = slices.DeleteFunc(*l.loop, func(st ast.Stmt) bool {
			return unused(st.(*ast.DeclStmt).Decl.(*ast.GenDecl).Specs[0].(*ast.ValueSpec).Names[0])
		})
		l.lengths = outer
	}
}
