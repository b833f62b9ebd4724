package syntax

import (
	"go/ast"
	"maps"
	"slices"
)

// fileOrder gives the parts of a cell that is a whole file, package clause and
// all, the order in which Go would initialise it: variables when what they need
// is there (The Go Programming Language Specification, "Package
// initialization"), then the init functions. A cell with other statements is no
// file and keeps its order.
func (p *Cell) fileOrder() {
	var inits, rest []part
	var vars []newVar
	for _, part := range p.Parts {
		switch {
		case part.decl != nil:
			rest = append(rest, part)
		case part.init:
			inits = append(inits, part)
		default:
			st, ok := part.stmt.(*ast.DeclStmt) // of variables: the rest has become declarations
			if !ok {
				return
			}
			for _, one := range specByOne(st.Decl.(*ast.GenDecl)) {
				vars = append(vars, newVar{one, part.start})
			}
		}
	}
	p.file = true
	p.Parts = append(append(rest, initOrder(vars, rest)...), inits...)
}

// groupOrder does the same for the variables that a cell declares in one group, where
// one of them needs a later one:
//
//	var (
//		area = side * side
//		side = 3
//	)
func (p *Cell) groupOrder() {
	var decls, out []part
	for _, part := range p.Parts {
		if part.decl != nil {
			decls = append(decls, part)
		}
	}
	for _, at := range p.Parts {
		st, ok := at.stmt.(*ast.DeclStmt)
		if !ok || len(st.Decl.(*ast.GenDecl).Specs) < 2 {
			out = append(out, at)
			continue
		}
		var vars []newVar
		for _, one := range specByOne(st.Decl.(*ast.GenDecl)) {
			vars = append(vars, newVar{one, at.start})
		}
		ordered := initOrder(vars, decls)
		if slices.EqualFunc(vars, ordered, func(v newVar, o part) bool { return o.stmt.(*ast.DeclStmt).Decl == v.decl }) {
			out = append(out, at)
			continue
		}
		out = append(out, ordered...)
	}
	p.Parts = out
}

// newVar is the declaration of variables that one part, or one line of it, is.
type newVar struct {
	decl  *ast.GenDecl
	start int
}

// initOrder takes the first variable that needs none of those left, again and
// again. Variables that need each other, which Go refuses, keep their order.
func initOrder(vars []newVar, decls []part) []part {
	leads := mentioned{}
	for _, d := range decls {
		leads.add(d.decl, mentions(d.decl))
	}
	owner := map[string]int{} // of the variables left
	needs := make([]map[string]bool, len(vars))
	for i, v := range vars {
		for _, name := range Declares(v.decl) {
			owner[name] = i
		}
		needs[i] = leads.from(mentions(v.decl))
	}
	ready := func(i int) bool {
		for name := range needs[i] {
			if j, left := owner[name]; left && j != i {
				return false
			}
		}
		return true
	}
	left := make([]int, len(vars))
	for i := range left {
		left[i] = i
	}
	var out []part
	for len(left) > 0 {
		next := max(0, slices.IndexFunc(left, ready))
		v := vars[left[next]]
		for _, name := range Declares(v.decl) {
			delete(owner, name)
		}
		left = slices.Delete(left, next, next+1)
		out = append(out, part{stmt: &ast.DeclStmt{Decl: v.decl}, start: v.start})
	}
	return out
}

// mentioned is the names that each name leads to directly: those in its
// declaration, and for a type those in its methods.
type mentioned map[string]map[string]bool

func (m mentioned) add(d ast.Decl, names map[string]bool) {
	own := Declares(d)
	if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil {
		own = []string{ReceiverBase(fn)}
	}
	for _, name := range own {
		if m[name] == nil {
			m[name] = map[string]bool{}
		}
		maps.Copy(m[name], names)
	}
}

// from is names and all that they lead to.
func (m mentioned) from(names map[string]bool) map[string]bool {
	all := map[string]bool{}
	var visit func(map[string]bool)
	visit = func(names map[string]bool) {
		for n := range names {
			if !all[n] {
				all[n] = true
				visit(m[n])
			}
		}
	}
	visit(names)
	return all
}
