// Package facts reads checked source for what go/types leaves open: which variables
// closures hold on to, which statements may panic, which indexes are in range.
package facts

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/universe"
)

// Facts answers questions about one checked piece of source, and keeps what is known
// at the place that has been come to.
type Facts struct {
	Info     *types.Info
	Universe *universe.Universe
	Symbols  map[types.Object]string // the session's variables

	Captured map[types.Object]bool // variables of the bodies of loops that closures hold on to
	Shared   map[types.Object]bool // variables that facts can't be about
	Unsigned map[types.Object]bool // counters of loops, which are not negative
	Known    map[InRange]bool
	Given    []InRange // facts of the next function literal
}

// New makes an empty Facts about the source that info describes.
func New(info *types.Info, u *universe.Universe, symbols map[types.Object]string) *Facts {
	return &Facts{Info: info, Universe: u, Symbols: symbols}
}

// IsIndex reports x[i].
func IsIndex(e ast.Expr) bool {
	_, ok := ast.Unparen(e).(*ast.IndexExpr)
	return ok
}

// WideUnsigned reports indexes that may be more than an int can be: as one they
// are negative then.
func (f *Facts) WideUnsigned(e ast.Expr) bool {
	b, ok := f.TypeOf(e).Underlying().(*types.Basic)
	return ok && f.Info.Types[e].Value == nil && (b.Kind() == types.Uint64 || b.Kind() == types.Uint || b.Kind() == types.Uintptr)
}

// TypeOf is the type of an expression.
func (f *Facts) TypeOf(e ast.Expr) types.Type {
	if tv, ok := f.Info.Types[e]; ok && tv.Type != nil {
		return tv.Type
	}
	if id, ok := e.(*ast.Ident); ok {
		if obj := f.Info.ObjectOf(id); obj != nil {
			return obj.Type()
		}
	}
	return types.Typ[types.Invalid]
}

// InstanceIdent is the name in an expression that names a generic function.
func InstanceIdent(x ast.Expr) *ast.Ident {
	switch x := ast.Unparen(x).(type) {
	case *ast.Ident:
		return x
	case *ast.SelectorExpr:
		return x.Sel
	}
	return nil
}

// MayNotHash reports expressions that may have no hash as a key.
func (f *Facts) MayNotHash(e ast.Expr, key types.Type) bool {
	from := f.TypeOf(e)
	return universe.HoldsInterface(key) && !universe.IsNil(from) && (universe.HoldsInterface(from) || !types.Comparable(from))
}

// IsBlank reports the name _.
func IsBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

// Wanted reports a variable of a range statement that is there and has a name.
func Wanted(e ast.Expr) bool { return e != nil && !IsBlank(e) }

// Compound reports statements that may do what they do more than once, in another
// order, or run others' statements before their own.
func (f *Facts) Compound(st ast.Stmt) bool {
	switch st.(type) {
	case *ast.AssignStmt, *ast.IncDecStmt, *ast.ExprStmt, *ast.ReturnStmt, *ast.DeclStmt:
		return f.RunsOthers(st)
	}
	return true
}

// GotosOf are the labels that goto statements of a function name.
func GotosOf(body *ast.BlockStmt) map[string]bool {
	out := map[string]bool{}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BranchStmt:
			if n.Tok == token.GOTO {
				out[n.Label.Name] = true
			}
		}
		return true
	})
	return out
}
