package core

import (
	"go/ast"
	"go/token"
	"go/types"
)

// choice is a switch, type switch or select in the making: a number says which
// clause is chosen, and then a switch over conditions jumps there:
//
//	chosen := -1
//	if x == 1 { chosen = 0 } else if x == f() { chosen = 1 } else { chosen = 2 }
//	switch { case chosen == 0: ... case chosen == 1: ... case chosen == 2: ... }
type choice struct {
	w       *Writer
	pos     token.Pos
	Name    string
	clauses []*ast.CaseClause
}

// Choose starts a choice.
func (w *Writer) Choose(pos token.Pos) *choice {
	c := &choice{w: w, pos: pos, Name: w.Fresh("chosen")}
	w.Emit(w.VarOf(pos, c.Name, types.Typ[types.Int], w.Number(pos, token.INT, "-1")))
	return c
}

// Is is the condition that clause n is chosen.
func (c *choice) Is(pos token.Pos, n int) ast.Expr {
	return &ast.BinaryExpr{X: Ident(pos, c.Name), OpPos: pos, Op: token.EQL, Y: c.w.Int(pos, n)}
}

// Set is the statement that chooses clause n.
func (c *choice) Set(pos token.Pos, n int) ast.Stmt {
	return Assign(pos, Ident(pos, c.Name), c.w.Int(pos, n))
}

// Add adds the body of the next clause.
func (c *choice) Add(pos token.Pos, body []ast.Stmt) {
	c.clauses = append(c.clauses, &ast.CaseClause{Case: pos, Colon: pos, List: []ast.Expr{c.Is(pos, len(c.clauses))}, Body: body})
}

// Emit emits the switch.
func (c *choice) Emit(end token.Pos, label string) {
	out := &ast.SwitchStmt{Switch: c.pos, Body: &ast.BlockStmt{Lbrace: c.pos, Rbrace: end}}
	for _, cl := range c.clauses {
		out.Body.List = append(out.Body.List, cl)
	}
	c.w.Emit(c.w.Labelled(c.pos, label, out))
}
