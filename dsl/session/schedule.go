package session

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"sort"
)

// asDeclaration is a statement that declares variables as a file would have
// it, or nil.
func asDeclaration(st ast.Stmt) *ast.GenDecl {
	switch st := st.(type) {
	case *ast.DeclStmt:
		if d := st.Decl.(*ast.GenDecl); d.Tok == token.VAR {
			return d
		}
	case *ast.AssignStmt:
		if st.Tok != token.DEFINE {
			return nil
		}
		spec := &ast.ValueSpec{Values: st.Rhs}
		for _, l := range st.Lhs {
			id, ok := l.(*ast.Ident)
			if !ok {
				return nil
			}
			spec.Names = append(spec.Names, id)
		}
		return &ast.GenDecl{TokPos: st.Pos(), Tok: token.VAR, Specs: []ast.Spec{spec}}
	}
	return nil
}

// group is a run of statements with the declarations that go before it.
type group struct {
	decls []hoist
	stmts []ast.Stmt
	last  bool
}

// hoist is a declaration, and the statement it is where it declares variables.
type hoist struct {
	ast.Decl
	stmt ast.Stmt
}

// schedule hoists declarations: each goes to the start of the cell, or right
// behind the last statement that declares a variable it mentions.
func (s *Session) schedule(p *parsed, sc scope) []group {
	var stmts []ast.Stmt
	type pending struct {
		decl   ast.Decl
		before int // statements that stand before it in the text
		at     int // statements that have to run before it
		names  map[string]bool
		stmt   ast.Stmt
	}
	var decls []*pending
	for _, part := range p.parts {
		if part.decl != nil {
			decls = append(decls, &pending{decl: part.decl, before: len(stmts)})
		} else {
			stmts = append(stmts, part.stmt)
		}
	}
	declaredBy := map[string][]int{}
	for i, st := range stmts {
		for _, id := range definedNames(st) {
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
				// A variable there is already will do for what comes before the
				// statement that declares it again.
				if i < d.before && (sc[name] == nil || !usedBy(stmts[:i+1], d.decl)) || sc[name] == nil && d.at == 0 {
					d.at = max(d.at, i+1)
				}
			}
		}
	}
	// A variable that needs what needs it is checked like a declaration: the
	// names of a type's values, say, that its String method looks up.
	var extra []*pending
	for _, i := range cyclic(stmts, sc, p.file, declaredBy, func(yield func(ast.Decl, map[string]bool) bool) {
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
		for _, name := range declares(d.decl) {
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
				if o := owner[receiverBase(fn)]; o != nil && o.at < d.at {
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
			g.decls = append(g.decls, hoist{decls[0].decl, decls[0].stmt})
			decls = decls[1:]
		}
		end := len(stmts)
		if len(decls) > 0 {
			end = decls[0].at
		}
		g.stmts = stmts[start:end]
		start = end
		out = append(out, g)
	}
	out[len(out)-1].last = true
	return out
}

// cyclic finds the statements that declare variables which a declaration
// mentions that they mention, directly or through other declarations; in a
// file all that declare variables.
func cyclic(stmts []ast.Stmt, sc scope, file bool, declaredBy map[string][]int, decls func(func(ast.Decl, map[string]bool) bool)) []int {
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
		for _, id := range definedNames(st) {
			_, define := st.(*ast.AssignStmt)
			if define && sc[id.Name] != nil {
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
		for _, name := range declares(d) {
			if names[name] {
				return true
			}
		}
	}
	return false
}

// receiverBase is the name of the type that a method belongs to.
func receiverBase(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return ""
	}
	t := fn.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.ParenExpr:
			t = x.X
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// splitAtRedefinitions cuts statements where one redeclares only variables
// that an earlier one of them has declared: a notebook allows that, as it does
// between cells.
func splitAtRedefinitions(stmts []ast.Stmt, hoisted map[ast.Stmt]*types.Info) [][]ast.Stmt {
	var out [][]ast.Stmt
	seen := map[string]bool{}
	start := 0
	for i, st := range stmts {
		if hoisted[st] != nil { // stands alone
			if start < i {
				out = append(out, stmts[start:i])
			}
			out = append(out, stmts[i:i+1])
			start, seen = i+1, map[string]bool{}
			continue
		}
		names := definedNames(st)
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
