package session

import (
	"go/ast"
	"go/token"
	"strconv"
	"strings"
)

// yaegi names the functions that a panic leaves, but not the places in them.
// So each function of a cell has a global variable, and before a statement
// that may panic it notes its position there. (Of a recursion the innermost
// place is known, and stands for all.)

// literal is a function literal of a cell and the name of its mark.
type literal struct {
	from, to token.Pos
	name     string
}

// newMark declares the variable for the place of a function and links it up.
func (s *Session) newMark(pos token.Pos, function string) string {
	name := s.fresh("at")
	spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, name)}, Type: ident(pos, "int")}
	s.out.decls = append(s.out.decls, &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}})
	c := call(pos, sel(ident(pos, s.importName(runtimePath)), "Mark"),
		&ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: strconv.Quote(function)},
		&ast.UnaryExpr{OpPos: pos, Op: token.AND, X: ident(pos, name)})
	s.out.links = append(s.out.links, &ast.ExprStmt{X: c})
	return name
}

// literalMark is newMark for a function literal, which has no name.
func (s *Session) literalMark(e *ast.FuncLit) string {
	name := s.fresh("func")
	s.literals = append(s.literals, literal{e.Pos(), e.End(), name})
	return s.newMark(e.Pos(), name)
}

// risky is the place of the first expression in a statement that may panic,
// but for those of statements within it, which have marks of their own.
func risky(st ast.Stmt) token.Pos {
	var at token.Pos
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		if at.IsValid() {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncLit, *ast.BlockStmt, *ast.CaseClause, *ast.CommClause, *ast.CompositeLit:
			if _, lit := n.(*ast.CompositeLit); lit {
				return true
			}
			return false
		case *ast.IfStmt:
			if n != st {
				return false
			}
		case *ast.CallExpr, *ast.IndexExpr, *ast.SliceExpr, *ast.StarExpr, *ast.TypeAssertExpr, *ast.SelectorExpr, *ast.SendStmt:
			at = n.Pos()
		case *ast.BinaryExpr:
			if n.Op == token.QUO || n.Op == token.REM || n.Op == token.SHL || n.Op == token.SHR {
				at = n.OpPos
			}
		case *ast.AssignStmt:
			switch n.Tok {
			case token.QUO_ASSIGN, token.REM_ASSIGN, token.SHL_ASSIGN, token.SHR_ASSIGN:
				at = n.TokPos
			}
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				at = n.Pos()
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

// frames are the functions of a panic's trace, with the places in them.
func (s *Session) frames(trace []string) []traceFrame {
	var out []traceFrame
	for _, line := range trace {
		m := traceLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		f := traceFrame{pos: token.Position{Filename: m[1]}}
		f.pos.Line, _ = strconv.Atoi(m[2])
		f.pos.Column, _ = strconv.Atoi(m[3])
		symbol := strings.TrimPrefix(m[4], "main.")
		if i := strings.Index(symbol, ".func"); i >= 0 {
			// A literal: the innermost around the place.
			name := s.literalAt(f.pos)
			if name == "" {
				continue // one of our own making
			}
			f.place(s, name)
			symbol = symbol[:i] + ".func"
		} else {
			f.place(s, symbol)
		}
		if f.name = hashNumber.ReplaceAllString(symbol, ""); f.name == bodyName || symbol == bodyName+".func" {
			f.name = strings.TrimPrefix(strings.TrimPrefix(symbol, bodyName), ".")
		}
		if n := len(out); n > 0 && out[n-1].name == f.name && out[n-1].pos == f.pos {
			continue
		}
		out = append(out, f)
	}
	return out
}

// place puts in where the function of that name has come to.
func (f *traceFrame) place(s *Session, name string) {
	if at := s.machine.place(name); at > 0 {
		f.pos = s.fset.Position(token.Pos(at))
	}
}

// literalAt is the innermost literal around a position.
func (s *Session) literalAt(p token.Position) string {
	best, size := "", token.Pos(0)
	for _, l := range s.literals {
		from, to := s.fset.Position(l.from), s.fset.Position(l.to)
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
