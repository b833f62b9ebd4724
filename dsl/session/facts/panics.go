package facts

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/universe"
)

// Risky is the place of the first expression in a statement that may panic,
// but for those of statements within it, which have marks of their own.
func (f *Facts) Risky(st ast.Stmt) token.Pos {
	var at token.Pos
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		if at.IsValid() {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncLit, *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
			return false
		case *ast.IfStmt:
			if n != st {
				return false
			}
		case ast.Expr:
			if f.mayPanic(n) {
				at = n.Pos()
				if b, ok := n.(*ast.BinaryExpr); ok {
					at = b.OpPos
				}
			}
		case *ast.SendStmt:
			at = n.Pos()
		case *ast.AssignStmt:
			switch n.Tok {
			case token.QUO_ASSIGN, token.REM_ASSIGN, token.SHL_ASSIGN, token.SHR_ASSIGN:
				if f.Info.Types[n.Rhs[0]].Value == nil {
					at = n.TokPos
				}
			}
		}
		return true
	}
	switch st := st.(type) {
	case *ast.BlockStmt, *ast.LabeledStmt, *ast.SelectStmt:
		return token.NoPos
	case *ast.DeclStmt:
		if st.Decl.(*ast.GenDecl).Tok != token.VAR {
			return token.NoPos
		}
	}
	ast.Inspect(st, visit)
	return at
}

// mayPanic reports whether an expression itself may, apart from those within it.
func (f *Facts) mayPanic(e ast.Expr) bool {
	if tv := f.Info.Types[e]; tv.Value != nil || tv.IsType() {
		return false
	}
	switch e := e.(type) {
	case *ast.IndexExpr:
		switch f.TypeOf(e.X).Underlying().(type) {
		case *types.Slice, *types.Array, *types.Basic, *types.Signature:
			return false // see check
		}
		return true
	case *ast.SliceExpr:
		return universe.IsPointerKind(f.TypeOf(e.X))
	case *ast.StarExpr, *ast.TypeAssertExpr:
		return true
	case *ast.CallExpr:
		if f.Info.Types[e.Fun].IsType() {
			switch f.TypeOf(e).Underlying().(type) {
			case *types.Basic, *types.Interface, *types.Map, *types.Chan, *types.Signature:
				return false
			}
			return true
		}
		if f.IsBuiltin(e.Fun) {
			switch BuiltinName(ast.Unparen(e.Fun)) {
			case "len", "cap", "min", "max", "append", "new", "copy", "real", "imag", "complex", "recover", "print", "println":
				return false
			}
		}
		return true
	case *ast.SelectorExpr:
		s := f.Info.Selections[e]
		return s != nil && (s.Indirect() || universe.IsPointerKind(s.Recv()) || types.IsInterface(s.Recv()))
	case *ast.BinaryExpr:
		switch e.Op {
		case token.QUO, token.REM, token.SHL, token.SHR:
			return f.Info.Types[e.Y].Value == nil
		case token.EQL, token.NEQ:
			return types.IsInterface(f.TypeOf(e.X))
		}
	case *ast.UnaryExpr:
		return e.Op == token.ARROW
	}
	return false
}
