package core

import (
	"go/ast"
	"go/token"
	"strconv"

	"sapf/dsl/session/machine"
)

// yaegi names the functions that a panic leaves, but not the places in them.
// So each function of a cell has a global variable, and before a statement
// that may panic it notes its position there. (Of a recursion the innermost
// place is known, and stands for all.)

// Literal is a function literal of a cell and the name of its mark.
type Literal struct {
	from, to token.Pos
	name     string
	Of       string // the symbol of the declared function that it is in, if any
}

// NewMark links up a variable for the place of a function: one that another function
// has left, or a new one.
func (p *Program) NewMark(pos token.Pos, function string) string {
	var name string
	if n := len(p.FreeMarks); n > 0 {
		name = p.FreeMarks[n-1]
		p.FreeMarks = p.FreeMarks[:n-1]
		p.Out.Undo = append(p.Out.Undo, func() { p.FreeMarks = append(p.FreeMarks, name) })
	} else {
		name = p.Fresh("at")
		spec := &ast.ValueSpec{Names: []*ast.Ident{Ident(pos, name)}, Type: Ident(pos, "int")}
		p.Out.Decls = append(p.Out.Decls, &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}})
	}
	if p.Emitting != "" {
		p.Marks[p.Emitting] = append(p.Marks[p.Emitting], name)
	}
	c := Call(pos, Sel(Ident(pos, p.ImportName(machine.RuntimePath)), "Mark"),
		&ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: strconv.Quote(function)},
		&ast.UnaryExpr{OpPos: pos, Op: token.AND, X: Ident(pos, name)})
	p.Out.Links = append(p.Out.Links, &ast.ExprStmt{X: c})
	return name
}

// LiteralMark is newMark for a function literal, which has no name.
func (p *Program) LiteralMark(e *ast.FuncLit) string {
	name := p.Fresh("func")
	p.Literals = append(p.Literals, Literal{e.Pos(), e.End(), name, p.Emitting})
	return p.NewMark(e.Pos(), name)
}

// LiteralAt is the innermost literal around a position.
func (p *Program) LiteralAt(at token.Position) string {
	best, size := "", token.Pos(0)
	for _, l := range p.Literals {
		from, to := p.Universe.Fset.Position(l.from), p.Universe.Fset.Position(l.to)
		if from.Filename != at.Filename || before(at, from) || before(to, at) {
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
