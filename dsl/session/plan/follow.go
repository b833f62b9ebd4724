package plan

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"sapf/dsl/session/syntax"
	"sapf/dsl/session/universe"
)

// unit is a declaration to be checked, the user's or one that has to follow
// a change of what it mentions.
type unit struct {
	node ast.Decl
	old  *universe.Decl // nil for the user's
	flat *ast.FuncDecl  // a method of a type that stays as it is
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
		return syntax.ReceiverBase(fn) + "." + fn.Name.Name
	}
	return ""
}

// planDecls checks declarations together with all that mention, directly or
// not, what they replace or what is gone. Those of the latter that no longer
// check keep what they were, and a note says so.
func (s *Declared) planDecls(pl *Plan, src *syntax.Source, hoists []syntax.Hoist, gone map[types.Object]bool) error {
	var nodes []ast.Decl
	stmts := map[ast.Decl]ast.Stmt{}
	for _, h := range hoists {
		nodes = append(nodes, h.Decl)
		stmts[h.Decl] = h.Stmt
	}
	pull := map[string]bool{}            // types to be declared anew
	dropped := map[*universe.Decl]bool{} // dependents that no longer check
	for {
		units := s.gather(pl, nodes, gone, pull, dropped)
		decls := make([]ast.Decl, len(units))
		for i, u := range units {
			decls[i] = u.checkedAs()
		}
		if len(decls) == 0 {
			return nil
		}
		info, pkg, errs := s.Universe.Typecheck(decls, pl.Scope)
		errs = withoutUnusedLabels(errs)
		// With another signature of a method, what calls it may be wrong of the old
		// type and right of the new.
		if name := s.changedMethod(units, info); name != "" && !pull[name] {
			pull[name] = true
			continue
		}
		again := false
		for _, e := range errs {
			u := unitAt(units, e.Pos)
			if u == nil || u.old == nil {
				return e
			}
			if !dropped[u.old] {
				dropped[u.old], again = true, true
				pl.Notes = append(pl.Notes, fmt.Sprintf("note: %s (%s) keeps what it was: %s", describe(u), u.old.Src.Name, e.Msg))
			}
		}
		if again {
			continue
		}
		s.enter(pl, src, units, info, pkg)
		s.renew(pl, units, info)
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
	return strings.Join(syntax.Declares(u.node), ", ")
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
func (s *Declared) gather(pl *Plan, nodes []ast.Decl, gone map[types.Object]bool, pull map[string]bool, dropped map[*universe.Decl]bool) []*unit {
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
		for _, name := range syntax.Declares(u.node) {
			declared[name] = true
			if old := pl.Scope[name]; universe.IsUsers(old) {
				lost[old] = true
			}
		}
	}
	for _, n := range nodes {
		if !s.unchangedType(pl, n, nodes) || pull[syntax.Declares(n)[0]] {
			add(&unit{node: n})
		}
	}
	for name := range pull {
		if d := s.declOf(pl, pl.Scope[name]); d != nil && !declared[name] {
			add(&unit{node: d.Node, old: d})
		}
	}
	for changed := true; changed; {
		changed = false
		for _, d := range s.current(pl) {
			u := &unit{node: d.Node, old: d, recv: d.Recv}
			if dropped[d] || u.method() != "" && declared[u.method()] || u.method() == "" && declared[syntax.Declares(d.Node)[0]] {
				continue
			}
			follows := d.Recv != nil && declared[d.Recv.Name()]
			for _, obj := range d.Names {
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
		if !ok || fn.Recv == nil || declared[syntax.ReceiverBase(fn)] {
			continue
		}
		t, ok := pl.Scope[syntax.ReceiverBase(fn)].(*types.TypeName)
		t = behindAlias(t)
		if u.old != nil {
			t, ok = u.old.Recv, true
		}
		if !ok || s.declOf(pl, t) == nil {
			continue // the checker says what is wrong
		}
		if s.declOf(pl, t).Generic() {
			pull[t.Name()] = true
			return s.gather(pl, nodes, gone, pull, dropped)
		}
		u.flat, u.recv = Flatten(fn), t
	}
	return units
}

// unchangedType reports whether n declares a type just as it is declared
// already: running a cell again must not make a new type of it.
func (s *Declared) unchangedType(pl *Plan, n ast.Decl, nodes []ast.Decl) bool {
	gen, ok := n.(*ast.GenDecl)
	if !ok || gen.Tok != token.TYPE {
		return false
	}
	spec := gen.Specs[0].(*ast.TypeSpec)
	t, ok := pl.Scope[spec.Name.Name].(*types.TypeName)
	d := s.declOf(pl, t)
	if !ok || d == nil {
		return false
	}
	oldSpec := d.Node.(*ast.GenDecl).Specs[0].(*ast.TypeSpec)
	if spec.Assign.IsValid() || spec.TypeParams != nil || syntax.NodeText(spec.Type) != syntax.NodeText(oldSpec.Type) || oldSpec.TypeParams != nil || oldSpec.Assign.IsValid() {
		return false
	}
	for name, obj := range d.Names {
		if !universe.SameObject(pl.Scope[name], obj) && obj != t {
			return false
		}
		for _, other := range nodes {
			if other == n {
				continue
			}
			for _, declares := range syntax.Declares(other) {
				if declares == name && !s.unchangedType(pl, other, nil) {
					return false
				}
			}
		}
	}
	return true
}

// Flatten is a method as a function that takes its receiver first.
func Flatten(fn *ast.FuncDecl) *ast.FuncDecl {
	ft := *fn.Type
	list := append(append([]*ast.Field(nil), fn.Recv.List...), fn.Type.Params.List...)
	for i, f := range list {
		if len(f.Names) == 0 {
			list[i] = &ast.Field{Names: []*ast.Ident{&ast.Ident{NamePos: f.Pos(), Name: "_"}}, Type: f.Type}
		}
	}
	ft.Params = &ast.FieldList{Opening: fn.Type.Params.Opening, List: list, Closing: fn.Type.Params.Closing}
	return &ast.FuncDecl{Name: &ast.Ident{NamePos: fn.Name.Pos(), Name: "_"}, Type: &ft, Body: fn.Body}
}

// declOf is the declaration that obj has, with the plan's changes.
func (s *Declared) declOf(pl *Plan, obj types.Object) *universe.Decl {
	for i := len(pl.Decls) - 1; i >= 0; i-- {
		if pl.Decls[i].Obj == obj {
			return pl.Decls[i]
		}
	}
	if d := s.Universe.Decls[obj]; d != nil && d.Pkg == "main" {
		return d
	}
	return nil
}

// current lists the declarations that cells can name now, oldest first.
func (s *Declared) current(pl *Plan) []*universe.Decl {
	var out []*universe.Decl
	seen := map[types.Object]bool{}
	all := append(append([]*universe.Decl(nil), s.order...), pl.Decls...)
	for i := len(all) - 1; i >= 0; i-- {
		d := all[i]
		if seen[d.Obj] {
			continue
		}
		seen[d.Obj] = true
		named := d.Obj
		if d.Recv != nil {
			named = d.Recv
		}
		if pl.Scope[named.Name()] == named {
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
func (s *Declared) changedMethod(units []*unit, info *types.Info) string {
	for _, u := range units {
		if u.flat == nil {
			continue
		}
		fn := u.node.(*ast.FuncDecl)
		if old := methodOf(u.recv, fn.Name.Name); old != nil && !types.Identical(old.Signature(), methodSignature(u, info)) {
			return u.recv.Name()
		}
		if st, ok := u.recv.Type().Underlying().(*types.Struct); ok && universe.FieldType(st, fn.Name.Name) != types.Typ[types.Invalid] {
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
