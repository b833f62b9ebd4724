package judge

import "strings"

// layout is how a program is cut into cells.
type layout int

const (
	// inFunction puts the statements into a function, and its call behind it.
	inFunction layout = iota
	// oneCell is a cell of declarations and statements.
	oneCell
	// statementsFirst is a cell whose declarations stand at its end.
	statementsFirst
	// declarationsFirst is a cell of declarations and one of statements.
	declarationsFirst
	// single is a cell for every declaration and every statement.
	single
	// twos is a cell for every two of them.
	twos
	layouts
)

func (l layout) String() string {
	return [...]string{"a function", "one cell", "statements first", "declarations first", "a cell each", "cells of two"}[l]
}

// cells are the cells of a program.
func (p *program) cells() []string {
	switch p.layout {
	case inFunction:
		return []string{strings.Join(append(p.decls[:len(p.decls):len(p.decls)], p.function(), sprint("program%d()", p.serial)), "\n\n")}
	case oneCell:
		return together(append(p.decls[:len(p.decls):len(p.decls)], p.stmts...), 1000)
	case statementsFirst:
		if len(p.decls) == 0 {
			return together(p.stmts, 1000)
		}
		return together(append(together(p.stmts, 1000), p.decls...), 1000)
	case declarationsFirst:
		return append(together(p.decls, 1000), together(p.stmts, 1000)...)
	case single:
		return append(together(p.decls, 1), together(p.stmts, 1)...)
	}
	return together(append(p.decls[:len(p.decls):len(p.decls)], p.stmts...), 2)
}

// together joins n parts a cell.
func together(parts []string, n int) []string {
	var out []string
	for len(parts) > 0 {
		k := min(n, len(parts))
		cell := strings.Join(parts[:k], "\n")
		if last := strings.Split(parts[k-1], "\n"); !strings.HasSuffix(last[len(last)-1], "}") {
			cell += ";" // its value is not to be shown
		}
		out = append(out, cell)
		parts = parts[k:]
	}
	return out
}

// function is the program as a function, which is how Go compiles it.
func (p *program) function() string {
	return sprint("func program%d() {\n%s\n}", p.serial, strings.Join(p.stmts, "\n"))
}
