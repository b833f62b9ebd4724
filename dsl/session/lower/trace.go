package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"

	"sapf/dsl/session/machine"
)

// yaegi names the functions that a panic leaves, but not the places in them.
// So each function of a cell has a global variable, and before a statement
// that may panic it notes its position there. (Of a recursion the innermost
// place is known, and stands for all.)

// literal is a function literal of a cell and the name of its mark.
type literal struct {
	from, to token.Pos
	name     string
	of       string // the symbol of the declared function that it is in, if any
}

// newMark links up a variable for the place of a function: one that another function
// has left, or a new one.
func (s *Lowering) newMark(pos token.Pos, function string) string {
	var name string
	if n := len(s.freeMarks); n > 0 {
		name = s.freeMarks[n-1]
		s.freeMarks = s.freeMarks[:n-1]
		s.Out.undo = append(s.Out.undo, func() { s.freeMarks = append(s.freeMarks, name) })
	} else {
		name = s.Fresh("at")
		spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, name)}, Type: ident(pos, "int")}
		s.Out.Decls = append(s.Out.Decls, &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}})
	}
	if s.emitting != "" {
		s.marks[s.emitting] = append(s.marks[s.emitting], name)
	}
	c := call(pos, sel(ident(pos, s.importName(machine.RuntimePath)), "Mark"),
		&ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: strconv.Quote(function)},
		&ast.UnaryExpr{OpPos: pos, Op: token.AND, X: ident(pos, name)})
	s.Out.links = append(s.Out.links, &ast.ExprStmt{X: c})
	return name
}

// literalMark is newMark for a function literal, which has no name.
func (s *Lowering) literalMark(e *ast.FuncLit) string {
	name := s.Fresh("func")
	s.literals = append(s.literals, literal{e.Pos(), e.End(), name, s.emitting})
	return s.newMark(e.Pos(), name)
}

// risky is the place of the first expression in a statement that may panic,
// but for those of statements within it, which have marks of their own.
func (l *lowerer) risky(st ast.Stmt) token.Pos {
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
			if l.mayPanic(n) {
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
				if l.info.Types[n.Rhs[0]].Value == nil {
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
func (l *lowerer) mayPanic(e ast.Expr) bool {
	if tv := l.info.Types[e]; tv.Value != nil || tv.IsType() {
		return false
	}
	switch e := e.(type) {
	case *ast.IndexExpr:
		switch l.typeOf(e.X).Underlying().(type) {
		case *types.Slice, *types.Array, *types.Basic, *types.Signature:
			return false // see check
		}
		return true
	case *ast.SliceExpr:
		return isPointerTo(l.typeOf(e.X))
	case *ast.StarExpr, *ast.TypeAssertExpr:
		return true
	case *ast.CallExpr:
		if l.info.Types[e.Fun].IsType() {
			switch l.typeOf(e).Underlying().(type) {
			case *types.Basic, *types.Interface, *types.Map, *types.Chan, *types.Signature:
				return false
			}
			return true
		}
		if l.isBuiltin(e.Fun) {
			switch builtinName(ast.Unparen(e.Fun)) {
			case "len", "cap", "min", "max", "append", "new", "copy", "real", "imag", "complex", "recover", "print", "println":
				return false
			}
		}
		return true
	case *ast.SelectorExpr:
		s := l.info.Selections[e]
		return s != nil && (s.Indirect() || isPointerTo(s.Recv()) || types.IsInterface(s.Recv()))
	case *ast.BinaryExpr:
		switch e.Op {
		case token.QUO, token.REM, token.SHL, token.SHR:
			return l.info.Types[e.Y].Value == nil
		case token.EQL, token.NEQ:
			return types.IsInterface(l.typeOf(e.X))
		}
	case *ast.UnaryExpr:
		return e.Op == token.ARROW
	}
	return false
}

// LiteralAt is the innermost literal around a position.
func (s *Lowering) LiteralAt(p token.Position) string {
	best, size := "", token.Pos(0)
	for _, l := range s.literals {
		from, to := s.universe.Fset.Position(l.from), s.universe.Fset.Position(l.to)
		if from.Filename != p.Filename || before(p, from) || before(to, p) {
			continue
		}
		if best == "" || l.to-l.from <= size {
			best, size = l.name, l.to-l.from
		}
	}
	return best
}

func before(a, b token.Position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
}
