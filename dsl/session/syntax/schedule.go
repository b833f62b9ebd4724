package syntax

import (
	"go/ast"
	"maps"
	"sort"
)

// group is a run of statements with the declarations that go before it.
type group struct {
	Decls []Hoist
	Stmts []ast.Stmt
	Last  bool
}

// Hoist is a declaration, and the statement it is where it declares variables.
type Hoist struct {
	ast.Decl
	Stmt ast.Stmt
}

// Schedule hoists declarations: each goes to the start of the cell, or right
// behind the last statement that declares a variable it mentions.
func Schedule(p *Cell, known func(name string) bool) []group {
	var stmts []ast.Stmt
	type pending struct {
		decl   ast.Decl
		before int // statements that stand before it in the text
		at     int // statements that have to run before it
		names  map[string]bool
		stmt   ast.Stmt
	}
	var decls []*pending
	for _, part := range p.Parts {
		if part.decl != nil {
			decls = append(decls, &pending{decl: part.decl, before: len(stmts)})
		} else {
			stmts = append(stmts, part.stmt)
		}
	}
	declaredBy := map[string][]int{}
	for i, st := range stmts {
		for _, id := range DefinedNames(st) {
			declaredBy[id.Name] = append(declaredBy[id.Name], i)
		}
	}
	for _, d := range decls {
		d.names = mentions(d.decl)
		if p.file {
			continue // the checker takes variables and declarations together
		}
		for name := range d.names {
			for _, i := range declaredBy[name] {
				// twice below waits for x, unless an earlier cell has left an x and a
				// statement before the new x, as y here, already calls twice:
				//	y := twice()
				//	x := 5
				//	func twice() int { return 2 * x }
				if i < d.before && (!known(name) || !usedBy(stmts[:i+1], d.decl)) || !known(name) && d.at == 0 {
					d.at = max(d.at, i+1)
				}
			}
		}
	}
	// A variable whose value needs a declaration that mentions the variable is
	// checked together with the declarations, as in a file:
	//	type Day int
	//	func (d Day) String() string { return names[d] }
	//	names := map[Day]string{0: "Monday"}
	var extra []*pending
	for _, i := range cyclic(stmts, known, p.file, declaredBy, func(yield func(ast.Decl, map[string]bool) bool) {
		for _, d := range decls {
			if !yield(d.decl, d.names) {
				return
			}
		}
	}) {
		v := &pending{decl: asDeclaration(stmts[i]), stmt: stmts[i], names: mentions(stmts[i])}
		for name := range v.names {
			for _, j := range declaredBy[name] {
				if j < i && !p.file {
					v.at = max(v.at, j+1)
				}
			}
		}
		for _, d := range decls {
			if d.at == i+1 {
				d.at = v.at
			}
		}
		extra = append(extra, v)
	}
	decls = append(decls, extra...)
	// What mentions a later declaration is itself later; a type and its methods
	// stay together.
	owner := map[string]*pending{}
	for _, d := range decls {
		for _, name := range Declares(d.decl) {
			owner[name] = d
		}
	}
	for changed := true; changed; {
		changed = false
		for _, d := range decls {
			for name := range d.names {
				if o := owner[name]; o != nil && o.at > d.at {
					d.at, changed = o.at, true
				}
			}
			if fn, ok := d.decl.(*ast.FuncDecl); ok && fn.Recv != nil {
				if o := owner[ReceiverBase(fn)]; o != nil && o.at < d.at {
					o.at, changed = d.at, true
				}
			}
		}
	}
	sort.SliceStable(decls, func(i, j int) bool { return decls[i].at < decls[j].at })
	var out []group
	start := 0
	for len(decls) > 0 || start < len(stmts) || len(out) == 0 {
		var g group
		for len(decls) > 0 && decls[0].at <= start {
			g.Decls = append(g.Decls, Hoist{decls[0].decl, decls[0].stmt})
			decls = decls[1:]
		}
		end := len(stmts)
		if len(decls) > 0 {
			end = decls[0].at
		}
		g.Stmts = stmts[start:end]
		start = end
		out = append(out, g)
	}
	out[len(out)-1].Last = true
	return out
}

// cyclic finds the statements that declare a variable and a declaration need of
// each other, so that neither can go first:
//
//	func (d Day) String() string { return names[d] } // needs names
//	names := map[Day]string{0: "Monday"}             // needs Day, and Day its methods
//
// They may need each other through further declarations. In a cell that is a
// file it finds all statements that declare variables.
func cyclic(stmts []ast.Stmt, known func(name string) bool, file bool, declaredBy map[string][]int, decls func(func(ast.Decl, map[string]bool) bool)) []int {
	leads := mentioned{}
	for d, names := range decls {
		leads.add(d, names)
	}
	// behind is what the declarations lead to that a statement mentions.
	behind := func(st ast.Stmt) map[string]bool {
		names := map[string]bool{}
		for n := range mentions(st) {
			maps.Copy(names, leads[n])
		}
		return leads.from(names)
	}
	var out []int
	for i, st := range stmts {
		if asDeclaration(st) == nil {
			continue
		}
		if file {
			out = append(out, i)
			continue
		}
		for _, id := range DefinedNames(st) {
			_, define := st.(*ast.AssignStmt)
			if define && known(id.Name) {
				continue // the declarations mean the one there is
			}
			if len(declaredBy[id.Name]) == 1 && behind(st)[id.Name] {
				out = append(out, i)
				break
			}
		}
	}
	return out
}

// usedBy reports whether statements mention what d declares.
func usedBy(stmts []ast.Stmt, d ast.Decl) bool {
	for _, st := range stmts {
		names := mentions(st)
		for _, name := range Declares(d) {
			if names[name] {
				return true
			}
		}
	}
	return false
}

// SplitAtRedefinitions cuts statements where one redeclares only variables
// that an earlier one of them has declared: a notebook allows that, as it does
// between cells.
func SplitAtRedefinitions(stmts []ast.Stmt, alone func(ast.Stmt) bool) [][]ast.Stmt {
	var out [][]ast.Stmt
	seen := map[string]bool{}
	start := 0
	for i, st := range stmts {
		if alone(st) {
			if start < i {
				out = append(out, stmts[start:i])
			}
			out = append(out, stmts[i:i+1])
			start, seen = i+1, map[string]bool{}
			continue
		}
		names := DefinedNames(st)
		fresh, old := false, false
		for _, id := range names {
			if seen[id.Name] {
				old = true
			} else {
				fresh = true
			}
		}
		if _, isVar := st.(*ast.DeclStmt); old && (!fresh || isVar) {
			out = append(out, stmts[start:i])
			start, seen = i, map[string]bool{}
		}
		for _, id := range names {
			seen[id.Name] = true
		}
	}
	if start < len(stmts) {
		out = append(out, stmts[start:])
	}
	return out
}
