package facts

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"

	"sapf/dsl/session/universe"
)

// NotNegative reports indexes that can't be negative, short of an overflow: counters
// of loops, and what is made of them.
func (f *Facts) NotNegative(e ast.Expr) bool {
	if v := f.Info.Types[e].Value; v != nil {
		return constant.Sign(constant.ToInt(v)) >= 0
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return f.Unsigned[f.Info.ObjectOf(e)]
	case *ast.BinaryExpr:
		switch e.Op {
		case token.ADD, token.MUL, token.QUO, token.REM:
			return universe.IsInt(f.TypeOf(e)) && f.NotNegative(e.X) && f.NotNegative(e.Y)
		}
	}
	return f.LengthOf(e) != nil
}

// An index need not be compared with the length where the loop around it, or a
// comparison before it, has done so already:
//
//	for i := range xs { s += xs[i] }
//	for i := 0; i < len(xs); i++ { xs[i] = 1 }
//	sort.Slice(xs, func(i, j int) bool { return xs[i] < xs[j] })
//
// A fact is about two variables, and holds as long as nothing is assigned to either.

// InRange says that a variable is an index of what another one has.
type InRange struct{ List, Index types.Object }

// IsGlobal reports variables that any function may assign to.
func (f *Facts) IsGlobal(obj types.Object) bool {
	return f.Symbols[obj] != "" || obj.Parent() == nil || obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope()
}

// KnownInRange reports whether x[i] needs no comparison.
func (f *Facts) KnownInRange(e *ast.IndexExpr) bool {
	list, index := f.Variable(e.X), f.Variable(e.Index)
	return list != nil && index != nil && f.Known[InRange{list, index}]
}

// Learn notes that x[i] has been compared.
func (f *Facts) Learn(e *ast.IndexExpr) {
	if list, index := f.Variable(e.X), f.Variable(e.Index); list != nil && index != nil {
		f.Suppose(list, index)
	}
}

// Suppose notes a fact, unless others than the statements at hand may end it.
func (f *Facts) Suppose(list, index types.Object) {
	if f.Shared[list] || f.Shared[index] {
		return
	}
	if f.Known == nil {
		f.Known = map[InRange]bool{}
	}
	f.Known[InRange{list, index}] = true
}

// Forget ends the facts about what a statement may assign to.
func (f *Facts) Forget(st ast.Node) {
	if len(f.Known) == 0 {
		return
	}
	assigned := f.AssignedIn(st)
	others := f.RunsOthers(st)
	maps.DeleteFunc(f.Known, func(k InRange, _ bool) bool {
		return assigned[k.List] || assigned[k.Index] || others && (f.IsGlobal(k.List) || f.IsGlobal(k.Index))
	})
}

// RunsOthers reports whether a statement runs functions of cells, or waits for
// other goroutines.
func (f *Facts) RunsOthers(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if !f.Info.Types[n.Fun].IsType() && !f.IsBuiltin(n.Fun) {
				found = found || f.CompiledCallee(ast.Unparen(n.Fun)) == nil || f.givesFunction(n)
			}
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.SendStmt, *ast.SelectStmt, *ast.GoStmt:
			found = true
		case *ast.RangeStmt:
			switch universe.CoreType(f.TypeOf(n.X)).(type) {
			case *types.Chan, *types.Signature:
				found = true
			}
		}
		return !found
	})
	return found
}

// givesFunction reports calls with a function among the arguments.
func (f *Facts) givesFunction(c *ast.CallExpr) bool {
	for _, a := range c.Args {
		if _, ok := f.TypeOf(a).Underlying().(*types.Signature); ok {
			return true
		}
	}
	return false
}

// Keep does something, after which the facts of before hold again: what that lowers need
// not have run.
func (f *Facts) Keep(do func()) {
	before := maps.Clone(f.Known)
	do()
	f.Known = before
}

// LoopFacts notes what the header of a loop says: that i counts up from a number
// that is not negative, and stays below the length of a list.
func (f *Facts) LoopFacts(st *ast.ForStmt) {
	init, ok := st.Init.(*ast.AssignStmt)
	if !ok || init.Tok != token.DEFINE || len(init.Lhs) != 1 || len(init.Rhs) != 1 {
		return
	}
	i := f.Info.Defs[init.Lhs[0].(*ast.Ident)]
	from := f.Info.Types[init.Rhs[0]].Value
	if i == nil || from == nil || !universe.IsInt(i.Type()) || constant.Sign(constant.ToInt(from)) < 0 || !f.countsOn(st.Post, i) {
		return
	}
	if f.Shared[i] || f.AssignedIn(st.Body)[i] {
		return
	}
	f.CountsUp(i)
	list := f.below(st.Cond, i)
	if list == nil || f.AssignedIn(st.Body)[list] || f.IsGlobal(list) && f.RunsOthers(st) {
		return
	}
	f.Suppose(list, i)
}

// countsOn reports i++ and i += a positive constant.
func (f *Facts) countsOn(st ast.Stmt, i types.Object) bool {
	switch st := st.(type) {
	case *ast.IncDecStmt:
		return st.Tok == token.INC && f.Variable(st.X) == i
	case *ast.AssignStmt:
		by := f.Info.Types[st.Rhs[0]].Value
		return st.Tok == token.ADD_ASSIGN && f.Variable(st.Lhs[0]) == i && by != nil && constant.Sign(constant.ToInt(by)) > 0
	}
	return false
}

// below is the list of a condition that says i < len(list), among other things.
func (f *Facts) below(e ast.Expr, i types.Object) types.Object {
	b, ok := e.(*ast.BinaryExpr)
	if !ok {
		return nil
	}
	if b.Op == token.LAND {
		if list := f.below(b.X, i); list != nil {
			return list
		}
		return f.below(b.Y, i)
	}
	if b.Op == token.LSS && f.Variable(b.X) == i {
		return f.LengthOf(b.Y)
	}
	if b.Op == token.GTR && f.Variable(b.Y) == i {
		return f.LengthOf(b.X)
	}
	return nil
}

// LengthOf is the variable x of an expression len(x).
func (f *Facts) LengthOf(e ast.Expr) types.Object {
	c, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || len(c.Args) != 1 || !f.IsBuiltin(c.Fun) || BuiltinName(ast.Unparen(c.Fun)) != "len" {
		return nil
	}
	return f.Variable(c.Args[0])
}

// Sorters are functions that call their second argument with indexes of the first.
var Sorters = map[string]bool{"sort.Slice": true, "sort.SliceStable": true, "sort.SliceIsSorted": true}

// SorterFacts notes what the parameters of such a function are, while it is lowered.
func (f *Facts) SorterFacts(list types.Object, lit *ast.FuncLit, do func()) {
	f.Given = nil
	if list != nil && !f.Shared[list] && !f.AssignedIn(lit)[list] && !(f.IsGlobal(list) && f.RunsOthers(lit)) {
		assigned := f.AssignedIn(lit.Body)
		for _, p := range lit.Type.Params.List {
			for _, name := range p.Names {
				if obj := f.Info.Defs[name]; obj != nil && !assigned[obj] {
					f.Given = append(f.Given, InRange{list, obj})
				}
			}
		}
	}
	do()
	f.Given = nil
}

// RangeFacts notes that the key of a loop is an index of what it goes over, unless
// something is assigned to either.
func (f *Facts) RangeFacts(st *ast.RangeStmt) {
	list := f.Variable(st.X)
	if list == nil {
		list = f.LengthOf(st.X)
	}
	if list == nil || !Wanted(st.Key) || st.Tok != token.DEFINE {
		return
	}
	switch universe.CoreType(list.Type()).(type) {
	case *types.Slice, *types.Array:
	default:
		return
	}
	i := f.Info.Defs[st.Key.(*ast.Ident)]
	assigned := f.AssignedIn(st.Body)
	if i == nil || assigned[i] || assigned[list] || f.IsGlobal(list) && f.RunsOthers(st.Body) {
		return
	}
	f.Suppose(list, i)
}

// CountsUp notes a counter that is not negative.
func (f *Facts) CountsUp(obj types.Object) {
	if f.Unsigned == nil {
		f.Unsigned = map[types.Object]bool{}
	}
	f.Unsigned[obj] = true
}
