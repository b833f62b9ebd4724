package session

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// unit is a declaration to be checked, the user's or one that has to follow
// a change of what it mentions.
type unit struct {
	node ast.Decl
	old  *decl         // nil for the user's
	flat *ast.FuncDecl // a method of a type that stays as it is
	recv *types.TypeName
}

func (u *unit) checkedAs() ast.Decl {
	if u.flat != nil {
		return u.flat
	}
	return u.node
}

func (u *unit) method() string {
	if fn, ok := u.node.(*ast.FuncDecl); ok && fn.Recv != nil {
		return receiverBase(fn) + "." + fn.Name.Name
	}
	return ""
}

// planDecls checks declarations together with all that mention, directly or
// not, what they replace or what is gone. Those of the latter that no longer
// check keep what they were, and a note says so.
func (s *Session) planDecls(pl *plan, src *source, hoists []hoist, gone map[types.Object]bool) *CellError {
	var nodes []ast.Decl
	stmts := map[ast.Decl]ast.Stmt{}
	for _, h := range hoists {
		nodes = append(nodes, h.Decl)
		stmts[h.Decl] = h.stmt
	}
	pull := map[string]bool{}   // types to be declared anew
	dropped := map[*decl]bool{} // dependents that no longer check
	for {
		units := s.gather(pl, nodes, gone, pull, dropped)
		decls := make([]ast.Decl, len(units))
		for i, u := range units {
			decls[i] = u.checkedAs()
		}
		if len(decls) == 0 {
			return nil
		}
		info, pkg, errs := s.typecheck(decls, pl.scope)
		errs = withoutUnusedLabels(errs)
		again := false
		for _, e := range errs {
			u := unitAt(units, e.Pos)
			if u == nil || u.old == nil {
				return s.typeError(src, e)
			}
			if !dropped[u.old] {
				dropped[u.old], again = true, true
				pl.notes = append(pl.notes, fmt.Sprintf("note: %s (%s) keeps what it was: %s", describe(u), u.old.src.name, e.Msg))
			}
		}
		if again {
			continue
		}
		if name := s.changedMethod(units, info); name != "" && !pull[name] {
			pull[name] = true
			continue
		}
		s.enter(pl, src, units, info, pkg)
		for _, u := range units {
			if st := stmts[u.node]; st != nil {
				pl.hoisted[st] = info
				s.enterVars(pl, []ast.Stmt{st}, info)
			}
		}
		return nil
	}
}

func withoutUnusedLabels(errs []types.Error) []types.Error {
	var out []types.Error
	for _, e := range errs {
		if e.Soft && strings.HasPrefix(e.Msg, "label ") {
			continue
		}
		out = append(out, e)
	}
	return out
}

func describe(u *unit) string {
	if m := u.method(); m != "" {
		return "method " + m
	}
	return strings.Join(declares(u.node), ", ")
}

func unitAt(units []*unit, pos token.Pos) *unit {
	for _, u := range units {
		if u.node.Pos() <= pos && pos <= u.node.End() {
			return u
		}
	}
	return nil
}

// gather collects the units to check: the user's, and what follows from them.
func (s *Session) gather(pl *plan, nodes []ast.Decl, gone map[types.Object]bool, pull map[string]bool, dropped map[*decl]bool) []*unit {
	var units []*unit
	declared := map[string]bool{} // names, and "T.M" for methods
	lost := map[types.Object]bool{}
	for obj := range gone {
		lost[obj] = true
	}
	add := func(u *unit) {
		units = append(units, u)
		if m := u.method(); m != "" {
			declared[m] = true
			return
		}
		for _, name := range declares(u.node) {
			declared[name] = true
			if old := pl.scope[name]; s.isUsers(old) {
				lost[old] = true
			}
		}
	}
	for _, n := range nodes {
		if !s.unchangedType(pl, n, nodes) || pull[declares(n)[0]] {
			add(&unit{node: n})
		}
	}
	for name := range pull {
		if d := s.declOf(pl, pl.scope[name]); d != nil && !declared[name] {
			add(&unit{node: d.node, old: d})
		}
	}
	for changed := true; changed; {
		changed = false
		for _, d := range s.current(pl) {
			u := &unit{node: d.node, old: d, recv: d.recv}
			if dropped[d] || u.method() != "" && declared[u.method()] || u.method() == "" && declared[declares(d.node)[0]] {
				continue
			}
			follows := d.recv != nil && declared[d.recv.Name()]
			for _, obj := range d.names {
				follows = follows || lost[obj]
			}
			if follows {
				add(u)
				changed = true
			}
		}
	}
	for _, u := range units {
		fn, ok := u.node.(*ast.FuncDecl)
		if !ok || fn.Recv == nil || declared[receiverBase(fn)] {
			continue
		}
		t, ok := pl.scope[receiverBase(fn)].(*types.TypeName)
		if u.old != nil {
			t, ok = u.old.recv, true
		}
		if !ok || s.declOf(pl, t) == nil {
			continue // the checker says what is wrong
		}
		if s.declOf(pl, t).generic() {
			pull[t.Name()] = true
			return s.gather(pl, nodes, gone, pull, dropped)
		}
		u.flat, u.recv = flatten(fn), t
	}
	return units
}

// unchangedType reports whether n declares a type just as it is declared
// already: running a cell again must not make a new type of it.
func (s *Session) unchangedType(pl *plan, n ast.Decl, nodes []ast.Decl) bool {
	gen, ok := n.(*ast.GenDecl)
	if !ok || gen.Tok != token.TYPE {
		return false
	}
	spec := gen.Specs[0].(*ast.TypeSpec)
	t, ok := pl.scope[spec.Name.Name].(*types.TypeName)
	d := s.declOf(pl, t)
	if !ok || d == nil {
		return false
	}
	oldSpec := d.node.(*ast.GenDecl).Specs[0].(*ast.TypeSpec)
	if spec.Assign.IsValid() || spec.TypeParams != nil || nodeText(spec.Type) != nodeText(oldSpec.Type) || oldSpec.TypeParams != nil || oldSpec.Assign.IsValid() {
		return false
	}
	for name, obj := range d.names {
		if !sameObject(pl.scope[name], obj) && obj != t {
			return false
		}
		for _, other := range nodes {
			if other == n {
				continue
			}
			for _, declares := range declares(other) {
				if declares == name && !s.unchangedType(pl, other, nil) {
					return false
				}
			}
		}
	}
	return true
}

// flatten is a method as a function that takes its receiver first.
func flatten(fn *ast.FuncDecl) *ast.FuncDecl {
	ft := *fn.Type
	list := append(append([]*ast.Field(nil), fn.Recv.List...), fn.Type.Params.List...)
	for i, f := range list {
		if len(f.Names) == 0 {
			list[i] = &ast.Field{Names: []*ast.Ident{ident(f.Pos(), "_")}, Type: f.Type}
		}
	}
	ft.Params = &ast.FieldList{Opening: fn.Type.Params.Opening, List: list, Closing: fn.Type.Params.Closing}
	return &ast.FuncDecl{Name: ident(fn.Name.Pos(), "_"), Type: &ft, Body: fn.Body}
}

// declOf is the declaration that obj has, with the plan's changes.
func (s *Session) declOf(pl *plan, obj types.Object) *decl {
	for i := len(pl.decls) - 1; i >= 0; i-- {
		if pl.decls[i].obj == obj {
			return pl.decls[i]
		}
	}
	if d := s.decls[obj]; d != nil && d.pkg == "main" {
		return d
	}
	return nil
}

// current lists the declarations that cells can name now, oldest first.
func (s *Session) current(pl *plan) []*decl {
	var out []*decl
	seen := map[types.Object]bool{}
	all := append(append([]*decl(nil), s.order...), pl.decls...)
	for i := len(all) - 1; i >= 0; i-- {
		d := all[i]
		if seen[d.obj] {
			continue
		}
		seen[d.obj] = true
		named := d.obj
		if d.recv != nil {
			named = d.recv
		}
		if pl.scope[named.Name()] == named {
			out = append(out, d)
		}
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// changedMethod names the type of a method that is redefined with another
// signature: then the type has to be a new one.
func (s *Session) changedMethod(units []*unit, info *types.Info) string {
	for _, u := range units {
		if u.flat == nil {
			continue
		}
		fn := u.node.(*ast.FuncDecl)
		if old := methodOf(u.recv, fn.Name.Name); old != nil && !types.Identical(old.Signature(), methodSignature(u, info)) {
			return u.recv.Name()
		}
		if st, ok := u.recv.Type().Underlying().(*types.Struct); ok && fieldType(st, fn.Name.Name) != types.Typ[types.Invalid] {
			return u.recv.Name() // the checker says what is wrong
		}
	}
	return ""
}

func methodOf(t *types.TypeName, name string) *types.Func {
	named := t.Type().(*types.Named)
	for i := range named.NumMethods() {
		if m := named.Method(i); m.Name() == name {
			return m
		}
	}
	return nil
}

// methodSignature is the signature of a method that was checked flat.
func methodSignature(u *unit, info *types.Info) *types.Signature {
	flat := info.Defs[u.flat.Name].(*types.Func).Signature()
	var params []*types.Var
	for i := 1; i < flat.Params().Len(); i++ {
		params = append(params, flat.Params().At(i))
	}
	recv := flat.Params().At(0)
	recv = types.NewParam(recv.Pos(), recv.Pkg(), recv.Name(), recv.Type())
	return types.NewSignatureType(recv, nil, nil, types.NewTuple(params...), flat.Results(), flat.Variadic())
}
