package plan

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/universe"
)

// A generic type that gets a method is declared anew, for go/types adds none to
// instances there are. Its structure stays, so variables of it become variables of
// the new type, and keep their values.

// Renewal is a type that was declared anew with its structure as it was.
type Renewal struct{ Old, New *types.Named }

// renew gives variables whose types were declared anew, but not by the user, the
// new types.
func (s *Declared) renew(pl *Plan, units []*unit, info *types.Info) {
	renewed := map[*types.TypeName]*types.TypeName{}
	for _, u := range units {
		gen, ok := u.node.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		if u.old == nil {
			return // the user has another type in mind
		}
		old, ok := u.old.Obj.(*types.TypeName)
		now, ok2 := info.Defs[gen.Specs[0].(*ast.TypeSpec).Name].(*types.TypeName)
		if ok && ok2 && !old.IsAlias() {
			renewed[old] = now
		}
	}
	if len(renewed) == 0 {
		return
	}
	for old, now := range renewed {
		pl.Renewals = append(pl.Renewals, Renewal{old.Type().(*types.Named), now.Type().(*types.Named)})
	}
	for name, obj := range pl.Scope {
		v, ok := obj.(*types.Var)
		if !ok || !universe.IsUsers(v) || pl.isNew(v) {
			continue
		}
		if t := renewedType(v.Type(), renewed); t != v.Type() {
			now := types.NewVar(v.Pos(), v.Pkg(), v.Name(), t)
			pl.Same[now] = v
			pl.Scope[name] = now
		}
	}
}

// isNew reports whether the cell declares v.
func (pl *Plan) isNew(v *types.Var) bool {
	for _, n := range pl.Vars {
		if n == v {
			return true
		}
	}
	_, same := pl.Same[v]
	return same
}

// renewedType is t with renewed types in the place of the old ones.
func renewedType(t types.Type, renewed map[*types.TypeName]*types.TypeName) types.Type {
	of := func(t types.Type) types.Type { return renewedType(t, renewed) }
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		now := renewed[t.Origin().Obj()]
		if now == nil {
			now = t.Origin().Obj()
		}
		if t.TypeArgs().Len() == 0 {
			if now == t.Obj() {
				return t
			}
			return now.Type()
		}
		var targs []types.Type
		changed := now != t.Origin().Obj()
		for a := range t.TypeArgs().Types() {
			b := of(a)
			changed = changed || a != b
			targs = append(targs, b)
		}
		if !changed {
			return t
		}
		inst, err := types.Instantiate(nil, now.Type(), targs, false)
		if err != nil {
			return t
		}
		return inst
	case *types.Pointer:
		if e := of(t.Elem()); e != t.Elem() {
			return types.NewPointer(e)
		}
	case *types.Slice:
		if e := of(t.Elem()); e != t.Elem() {
			return types.NewSlice(e)
		}
	case *types.Array:
		if e := of(t.Elem()); e != t.Elem() {
			return types.NewArray(e, t.Len())
		}
	case *types.Chan:
		if e := of(t.Elem()); e != t.Elem() {
			return types.NewChan(t.Dir(), e)
		}
	case *types.Map:
		if k, e := of(t.Key()), of(t.Elem()); k != t.Key() || e != t.Elem() {
			return types.NewMap(k, e)
		}
	}
	return t
}
