package machine

import (
	"go/token"
	"go/types"
	"reflect"

	"golang.org/x/tools/go/types/typeutil"

	"sapf/dsl/session/universe"
)

// reflected is a type of a cell for cells that look into types: what reflection has
// for it, which has the structure alone, with its name and its methods.
type reflected struct {
	reflect.Type // that looks like it, see shape.go
	m            *Machine
	t            types.Type
}

// typeOf is reflect.TypeOf.
func (m *Machine) typeOf(x any) reflect.Type {
	t, v := m.dynamic(x)
	if t == nil {
		return nil
	}
	if !m.looksOther(t) {
		return v.Type()
	}
	return m.reflect(t)
}

// looksOther reports types of which reflection is not told what the cell says.
func (m *Machine) looksOther(t types.Type) bool {
	if m.concerns(t, map[types.Type]bool{}) {
		return true
	}
	m.repMu.Lock()
	defer m.repMu.Unlock()
	rep, err := m.reps.try(t)
	look, other := m.views.try(t)
	return err == nil && other == nil && rep != look
}

// reflect is a type as a cell sees it, the same for types that are identical.
func (m *Machine) reflect(t types.Type) reflect.Type {
	if !m.looksOther(t) {
		return m.mustRep(t)
	}
	m.repMu.Lock()
	defer m.repMu.Unlock()
	if m.reflecteds == nil {
		m.reflecteds = new(typeutil.Map)
	}
	if r, ok := m.reflecteds.At(t).(*reflected); ok {
		return r
	}
	look, err := m.views.try(t)
	if err != nil {
		panic(runtimeError(err.Error()))
	}
	r := &reflected{look, m, t}
	m.reflecteds.Set(t, r)
	return r
}

// plainType is a type for reflection itself, which has no other: the one that values
// of cells are looked into under.
func (m *Machine) plainType(t reflect.Type) reflect.Type {
	if r, ok := t.(*reflected); ok {
		m.noteView(r.Type, r.t)
		m.noteParts(r.t, map[types.Type]bool{})
		return r.Type
	}
	return t
}

// typesOf is what a type of reflection is for the checker.
func (r *reflected) typesOf(u reflect.Type) types.Type {
	if u, ok := u.(*reflected); ok {
		return u.t
	}
	return r.m.registry.universe.TypeOf(u)
}

func (r *reflected) String() string { return r.m.typeName(r.t) }

func (r *reflected) Name() string {
	n, ok := types.Unalias(r.t).(*types.Named)
	if !ok {
		return ""
	}
	name := r.String()
	if pkg := n.Obj().Pkg(); pkg != nil {
		name = name[len(pkg.Name())+1:]
	}
	return name
}

func (r *reflected) PkgPath() string {
	if n, ok := types.Unalias(r.t).(*types.Named); ok && n.Obj().Pkg() != nil {
		return n.Obj().Pkg().Path()
	}
	return ""
}

func (r *reflected) Elem() reflect.Type {
	switch u := r.t.Underlying().(type) {
	case interface{ Elem() types.Type }:
		return r.m.reflect(u.Elem())
	}
	return r.Type.Elem()
}

func (r *reflected) Key() reflect.Type {
	if u, ok := r.t.Underlying().(*types.Map); ok {
		return r.m.reflect(u.Key())
	}
	return r.Type.Key()
}

func (r *reflected) In(i int) reflect.Type {
	if u, ok := r.t.Underlying().(*types.Signature); ok {
		return r.m.reflect(u.Params().At(i).Type())
	}
	return r.Type.In(i)
}

func (r *reflected) Out(i int) reflect.Type {
	if u, ok := r.t.Underlying().(*types.Signature); ok {
		return r.m.reflect(u.Results().At(i).Type())
	}
	return r.Type.Out(i)
}

func (r *reflected) Field(i int) reflect.StructField { return r.field(r.Type.Field(i)) }

func (r *reflected) FieldByIndex(index []int) reflect.StructField {
	return r.field(r.Type.FieldByIndex(index))
}

func (r *reflected) FieldByName(name string) (reflect.StructField, bool) {
	f, ok := r.Type.FieldByName(name)
	if ok {
		f = r.field(f)
	}
	return f, ok
}

func (r *reflected) FieldByNameFunc(match func(string) bool) (reflect.StructField, bool) {
	f, ok := r.Type.FieldByNameFunc(match)
	if ok {
		f = r.field(f)
	}
	return f, ok
}

// field is a field with the type that it has in the cell.
func (r *reflected) field(f reflect.StructField) reflect.StructField {
	t := r.t
	for _, i := range f.Index {
		st := universe.StructOf(t)
		t, f.Tag = st.Field(i).Type(), reflect.StructTag(st.Tag(i))
	}
	f.Type = r.m.reflect(t)
	return f
}

// methods are those that reflection would list, by name.
func (r *reflected) methods() []*types.Selection {
	set := types.NewMethodSet(r.t)
	var out []*types.Selection
	for i := range set.Len() {
		if set.At(i).Obj().Exported() || types.IsInterface(r.t) {
			out = append(out, set.At(i))
		}
	}
	return out
}

func (r *reflected) NumMethod() int { return len(r.methods()) }

func (r *reflected) Method(i int) reflect.Method {
	s := r.methods()[i]
	name := s.Obj().Name()
	m := reflect.Method{Name: name, Index: i}
	sig := s.Type().(*types.Signature)
	if types.IsInterface(r.t) {
		m.Type = r.m.reflect(sig)
		return m
	}
	params := []*types.Var{types.NewParam(0, nil, "", r.t)}
	for v := range sig.Params().Variables() {
		params = append(params, v)
	}
	with := types.NewSignatureType(nil, nil, nil, types.NewTuple(params...), sig.Results(), sig.Variadic())
	m.Type = r.m.reflect(with)
	ft := r.m.mustRep(with)
	m.Func = reflect.MakeFunc(ft, func(in []reflect.Value) []reflect.Value {
		fn, ok := r.m.lookup(Boxed{r.m.AddType(r.t), in[0].Interface(), r.m}, name)
		if !ok {
			panic(nilDereference)
		}
		return fitted(fn(in[1:], ft.IsVariadic()), ft)
	})
	return m
}

func (r *reflected) MethodByName(name string) (reflect.Method, bool) {
	for i, s := range r.methods() {
		if s.Obj().Name() == name {
			return r.Method(i), true
		}
	}
	return reflect.Method{}, false
}

func (r *reflected) Implements(u reflect.Type) bool {
	iface, ok := r.typesOf(u).Underlying().(*types.Interface)
	if !ok {
		panic("reflect: non-interface type passed to Type.Implements")
	}
	return types.Implements(r.t, iface)
}

func (r *reflected) AssignableTo(u reflect.Type) bool {
	return types.AssignableTo(r.t, r.typesOf(u))
}

func (r *reflected) ConvertibleTo(u reflect.Type) bool {
	return types.ConvertibleTo(r.t, r.typesOf(u))
}

func (r *reflected) Comparable() bool { return types.Comparable(r.t) }

var _ reflect.Type = (*reflected)(nil)

// A reflect.Value has no room for the name of a type. Which type a structure is of is
// told by what it looks like, if only one has been looked into that looks so.

// noteView keeps that a value of type t is looked into under another.
func (m *Machine) noteView(look reflect.Type, t types.Type) {
	if _, ok := universe.Deref(t.Underlying()).Underlying().(*types.Struct); look == nil || !ok || !m.concerns(t, map[types.Type]bool{}) {
		return
	}
	m.repMu.Lock()
	defer m.repMu.Unlock()
	if m.viewed == nil {
		m.viewed = map[reflect.Type]types.Type{}
	}
	if before, ok := m.viewed[look]; ok && before != nil && !types.Identical(before, t) {
		t = nil
	}
	m.viewed[look] = t
}

// noteParts is noteView for what a value of type t consists of.
func (m *Machine) noteParts(t types.Type, seen map[types.Type]bool) {
	if seen[t] || !m.looksOther(t) {
		return
	}
	seen[t] = true
	switch u := t.Underlying().(type) {
	case *types.Pointer, *types.Chan, *types.Signature, *types.Slice, *types.Array, *types.Map, *types.Struct:
		for _, part := range ComponentsOf(u) {
			m.repMu.Lock()
			look, err := m.views.try(part)
			m.repMu.Unlock()
			if err == nil {
				m.noteView(look, part)
			}
			m.noteParts(part, seen)
		}
	}
}

// valueInterface is the method Interface of reflect.Value.
func (m *Machine) valueInterface(v reflect.Value) any {
	t := m.viewedAs(v)
	if t == nil || types.IsInterface(t) || !v.CanInterface() {
		return v.Interface()
	}
	return m.unviewed(t, v)
}

// unviewed is a value that is looked into as one of type t as a cell has it.
func (m *Machine) unviewed(t types.Type, v reflect.Value) Boxed {
	if rep := m.mustRep(t); v.Type() != rep {
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		v = reflect.NewAt(rep, p.UnsafePointer()).Elem()
	}
	return Boxed{m.AddType(t), v.Interface(), m}
}

// viewedAs is the type of a cell that a value is of, or nil.
func (m *Machine) viewedAs(v reflect.Value) types.Type {
	if !v.IsValid() {
		return nil
	}
	m.repMu.Lock()
	defer m.repMu.Unlock()
	return m.behind(v.Type())
}

// behind is what a type of reflection stands for if it consists of types made by
// view, or nil.
func (m *Machine) behind(t reflect.Type) types.Type {
	if is, ok := m.viewed[t]; ok {
		return is
	}
	if is, ok := m.viewed[reflect.PointerTo(t)].(*types.Pointer); ok {
		return is.Elem()
	}
	if t.Name() != "" {
		return nil
	}
	elem := func() types.Type { return m.behind(t.Elem()) }
	switch t.Kind() {
	case reflect.Pointer:
		if e := elem(); e != nil {
			return types.NewPointer(e)
		}
	case reflect.Slice:
		if e := elem(); e != nil {
			return types.NewSlice(e)
		}
	case reflect.Array:
		if e := elem(); e != nil {
			return types.NewArray(e, int64(t.Len()))
		}
	case reflect.Chan:
		if e := elem(); e != nil {
			return types.NewChan(map[reflect.ChanDir]types.ChanDir{reflect.BothDir: types.SendRecv, reflect.RecvDir: types.RecvOnly, reflect.SendDir: types.SendOnly}[t.ChanDir()], e)
		}
	case reflect.Func:
		known := false
		tuple := func(n int, at func(int) reflect.Type) *types.Tuple {
			vars := make([]*types.Var, n)
			for i := range vars {
				is := m.behind(at(i))
				if known = known || is != nil; is == nil {
					is = m.registry.universe.TypeOf(at(i))
				}
				vars[i] = types.NewParam(token.NoPos, nil, "", is)
			}
			return types.NewTuple(vars...)
		}
		in, out := tuple(t.NumIn(), t.In), tuple(t.NumOut(), t.Out)
		if known {
			return types.NewSignatureType(nil, nil, nil, in, out, t.IsVariadic())
		}
	case reflect.Map:
		k, e := m.behind(t.Key()), elem()
		switch {
		case k == nil && e == nil:
			return nil
		case k == nil:
			k = m.registry.universe.TypeOf(t.Key())
		case e == nil:
			e = m.registry.universe.TypeOf(t.Elem())
		}
		return types.NewMap(k, e)
	}
	return nil
}

// valueType is the method Type of reflect.Value.
func (m *Machine) valueType(v reflect.Value) reflect.Type {
	if t := m.viewedAs(v); t != nil {
		return m.reflect(t)
	}
	return v.Type()
}

// valueMethods is the method NumMethod of reflect.Value.
func (m *Machine) valueMethods(v reflect.Value) int {
	if t := m.viewedAs(v); t != nil {
		return m.reflect(t).NumMethod()
	}
	return v.NumMethod()
}

// valueMethod is the method Method of reflect.Value.
func (m *Machine) valueMethod(v reflect.Value, i int) reflect.Value {
	if t := m.viewedAs(v); t != nil {
		return m.valueMethodByName(v, m.reflect(t).Method(i).Name)
	}
	return v.Method(i)
}

// valueMethodByName is the method MethodByName of reflect.Value.
func (m *Machine) valueMethodByName(v reflect.Value, name string) reflect.Value {
	t := m.viewedAs(v)
	if t == nil {
		return v.MethodByName(name)
	}
	set := types.NewMethodSet(t)
	s := set.Lookup(nil, name)
	if s == nil || !s.Obj().Exported() {
		return reflect.Value{}
	}
	x := m.unviewed(t, v)
	ft := m.mustRep(types.NewSignatureType(nil, nil, nil, s.Type().(*types.Signature).Params(), s.Type().(*types.Signature).Results(), s.Type().(*types.Signature).Variadic()))
	return reflect.MakeFunc(ft, func(in []reflect.Value) []reflect.Value {
		fn, ok := m.lookup(x, name)
		if !ok {
			panic(nilDereference)
		}
		return fitted(fn(in, ft.IsVariadic()), ft)
	})
}
