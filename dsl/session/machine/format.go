package machine

import (
	"cmp"
	"fmt"
	"go/types"
	"io"
	"reflect"
	"sort"
	"strings"

	"sapf/dsl/display"
	"sapf/dsl/session/universe"
)

// formatter prints a value of an interpreted type as fmt would print it were
// it compiled: package fmt can't see its methods, nor those of what is in it.
type formatter struct {
	m *Machine
	x any
}

// formatted prepares an argument of fmt.Print and its like.
func (m *Machine) formatted(x any) any {
	switch x.(type) {
	case Boxed:
	case nil, string, int, float64, bool, error, fmt.Stringer, fmt.Formatter:
		return x
	}
	t, _ := m.dynamic(x)
	if t == nil || !isBoxed(original(x)) && !m.concerns(t, map[types.Type]bool{}) {
		return x
	}
	if _, ok := m.lookup(x, "Error"); ok {
		if out, isString := m.methodResult(t, "Error"); isString && out {
			return m.errorOf(original(x))
		}
	}
	return formatter{m, x}
}

// printed is formatted for fmt.Print and its like, which put no blanks beside
// strings: what is of a declared string type is a string there.
func (m *Machine) printed(x any) any {
	f := m.formatted(x)
	if t, v := m.dynamic(x); t != nil && v.Kind() == reflect.String && isBoxed(original(x)) {
		return fmt.Sprint(f)
	}
	return f
}

// formattedAll is formatted for all of a slice.
func (m *Machine) formattedAll(list []any) []any { return each(list, m.formatted) }

// printedAll is printed for all of a slice.
func (m *Machine) printedAll(list []any) []any { return each(list, m.printed) }

func each(list []any, f func(any) any) []any {
	out := make([]any, len(list))
	for i, x := range list {
		out[i] = f(x)
	}
	return out
}

// methodResult reports whether t has a method without parameters and with one
// result, a string.
func (m *Machine) methodResult(t types.Type, name string) (isString, ok bool) {
	sel := types.NewMethodSet(t).Lookup(nil, name)
	if sel == nil {
		return false, false
	}
	sig := sel.Type().(*types.Signature)
	isString = sig.Params().Len() == 0 && sig.Results().Len() == 1 && types.Identical(sig.Results().At(0).Type(), types.Typ[types.String])
	return isString, true
}

// concerns reports whether a cell's type, or an interface that may hold a value
// of one, is in t.
func (m *Machine) concerns(t types.Type, seen map[types.Type]bool) bool {
	t = types.Unalias(t)
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t := t.(type) {
	case *types.Named:
		if t.Obj().Pkg() == nil {
			return false
		}
		return m.registry.universe.Pkgs[t.Obj().Pkg().Path()] != t.Obj().Pkg() || t.TypeArgs().Len() > 0
	case *types.Pointer:
		return m.concerns(t.Elem(), seen)
	case *types.Slice:
		return m.concerns(t.Elem(), seen)
	case *types.Array:
		return m.concerns(t.Elem(), seen)
	case *types.Map:
		return m.concerns(t.Key(), seen) || m.concerns(t.Elem(), seen)
	case *types.Struct, *types.Interface:
		return true
	}
	return false
}

// Format prints the value.
func (f formatter) Format(st fmt.State, verb rune) {
	t, v := f.m.dynamic(f.x)
	f.format(st, verb, t, v, place{})
}

// place is where in what is printed a value stands.
type place struct {
	depth int
	// hidden is set within fields that are not exported, whose methods fmt does not
	// call; embedded, in an embedded one, whose exported fields it can use.
	hidden, embedded bool
}

// in is the place of what a value at p consists of.
func (p place) in() place { return place{p.depth + 1, p.hidden || p.embedded, false} }

// field is the place of a field of a structure at p.
func (p place) field(f *types.Var) place {
	hidden := p.hidden || !f.Exported() && !f.Embedded()
	return place{p.depth + 1, hidden, !hidden && !f.Exported()}
}

func (f formatter) format(st fmt.State, verb rune, t types.Type, v reflect.Value, at place) {
	if t == nil || !v.IsValid() {
		io.WriteString(st, "<nil>")
		return
	}
	plain := f.plain
	if at.hidden || at.embedded {
		plain = f.withoutMethods
	} else if f.ownMethod(st, verb, t, v) {
		return
	}
	if named, ok := universe.Named(t); ok && !types.IsInterface(named) && f.m.registry.universe.ReflectType(named) != nil { // fmt knows it better
		plain(st, verb, v)
		return
	}
	sharp, plus := st.Flag('#'), st.Flag('+')
	if sharp && verb == 'v' && f.sharpNil(st, t, v, at) {
		return
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		if sharp && verb == 'v' {
			io.WriteString(st, f.m.typeName(t))
		}
		io.WriteString(st, "{")
		for i := range u.NumFields() {
			if i > 0 {
				io.WriteString(st, separator(sharp))
			}
			if plus || sharp {
				io.WriteString(st, u.Field(i).Name()+":")
			}
			f.format(st, verb, u.Field(i).Type(), v.Field(i), at.field(u.Field(i)))
		}
		io.WriteString(st, "}")
	case *types.Slice, *types.Array:
		elem := u.(interface{ Elem() types.Type }).Elem()
		if b, ok := elem.Underlying().(*types.Basic); ok && b.Kind() == types.Uint8 && verb != 'v' && verb != 'd' {
			plain(st, verb, v) // a string of bytes
			return
		}
		left, right := "[", "]"
		if sharp && verb == 'v' {
			left, right = f.m.typeName(t)+"{", "}"
		}
		io.WriteString(st, left)
		for i := range v.Len() {
			if i > 0 {
				io.WriteString(st, separator(sharp))
			}
			f.format(st, verb, elem, v.Index(i), at.in())
		}
		io.WriteString(st, right)
		return
	case *types.Map:
		left, right := "map[", "]"
		if sharp && verb == 'v' {
			left, right = f.m.typeName(t)+"{", "}"
		}
		io.WriteString(st, left)
		keys := v.MapKeys()
		sort.SliceStable(keys, func(i, j int) bool { return compareKeys(keys[i], keys[j]) < 0 })
		for i, k := range keys {
			if i > 0 {
				io.WriteString(st, separator(sharp))
			}
			f.format(st, verb, u.Key(), k, at.in())
			io.WriteString(st, ":")
			f.format(st, verb, u.Elem(), v.MapIndex(k), at.in())
		}
		io.WriteString(st, right)
	case *types.Pointer:
		if at.depth == 0 && !v.IsNil() {
			switch u.Elem().Underlying().(type) {
			case *types.Struct, *types.Slice, *types.Array, *types.Map:
				io.WriteString(st, "&")
				f.format(st, verb, u.Elem(), v.Elem(), at.in())
				return
			}
		}
		if at.depth > 0 && verb == 'v' && !sharp && !v.IsNil() {
			fmt.Fprintf(st, "0x%x", v.Pointer()) // fmt would take it for the outermost, and show what it points to
			return
		}
		if at.depth > 0 && !v.IsNil() && strings.ContainsRune("bodxX", verb) {
			fmt.Fprintf(st, fmt.FormatString(st, verb), v.Pointer())
			return
		}
		plain(st, verb, v)
	case *types.Interface:
		if v.IsNil() {
			io.WriteString(st, "<nil>")
			return
		}
		dt, dv := f.m.dynamic(v.Elem().Interface())
		f.format(st, verb, dt, dv, place{at.depth, at.in().hidden, false})
	case *types.Basic:
		if _, named := universe.Named(t); named && !strings.ContainsRune(verbsFor(u), verb) {
			fmt.Fprintf(st, "%%!%c(%s=%v)", verb, f.m.typeName(t), unexported(v))
			return
		}
		plain(st, verb, v)
	default:
		plain(st, verb, v)
	}
}

// verbsFor are the verbs that fmt has for a basic type.
func verbsFor(t *types.Basic) string {
	switch info := t.Info(); {
	case info&types.IsBoolean != 0:
		return "tv"
	case info&types.IsInteger != 0:
		return "bcdoOqxXUv"
	case info&types.IsString != 0:
		return "sqxXv"
	}
	return "beEfFgGxXv"
}

// sharpNil prints what %#v has a type and an address for.
func (f formatter) sharpNil(st fmt.State, t types.Type, v reflect.Value, at place) bool {
	switch v.Kind() {
	case reflect.Interface, reflect.Map, reflect.Slice:
		if v.IsNil() {
			io.WriteString(st, f.m.typeName(t)+"(nil)")
			return true
		}
	case reflect.Pointer, reflect.Func, reflect.Chan:
		if p, ok := t.Underlying().(*types.Pointer); ok && at.depth == 0 && !v.IsNil() {
			switch p.Elem().Underlying().(type) {
			case *types.Struct, *types.Slice, *types.Array, *types.Map:
				return false
			}
		}
		address := "nil"
		if !v.IsNil() {
			address = fmt.Sprintf("0x%x", v.Pointer())
		}
		io.WriteString(st, "("+f.m.typeName(t)+")("+address+")")
		return true
	}
	return false
}

func separator(sharp bool) string {
	if sharp {
		return ", "
	}
	return " "
}

// plain leaves a value to fmt.
func (f formatter) plain(st fmt.State, verb rune, v reflect.Value) {
	fmt.Fprintf(st, fmt.FormatString(st, verb), unexported(v))
}

// withoutMethods prints a value as fmt prints it in a field that is not exported.
func (f formatter) withoutMethods(st fmt.State, verb rune, v reflect.Value) {
	s := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "x", PkgPath: "main", Type: v.Type()}})).Elem()
	reflect.NewAt(v.Type(), s.Field(0).Addr().UnsafePointer()).Elem().Set(v)
	fmt.Fprintf(st, fmt.FormatString(st, verb), s.Field(0))
}

// unexported is the value of a field that reflection would not hand out.
func unexported(v reflect.Value) any {
	if v.CanInterface() {
		return v.Interface()
	}
	switch {
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return v.Uint()
	case v.CanFloat():
		return v.Float()
	case v.Kind() == reflect.String:
		return v.String()
	case v.Kind() == reflect.Bool:
		return v.Bool()
	}
	return v
}

// ownMethod prints by the value's Format, Error or String method, if fmt would.
func (f formatter) ownMethod(st fmt.State, verb rune, t types.Type, v reflect.Value) bool {
	if types.IsInterface(t) || !v.CanInterface() {
		return false
	}
	x := f.rebox(t, v)
	if n, ok := universe.NamedBehind(t); ok && n.Obj().Pkg() == nil {
		return false
	}
	if !f.m.hasMethods(t) {
		return false
	}
	if m, ok := f.m.lookup(x, "Format"); ok && f.m.formats(t) {
		m([]reflect.Value{reflect.ValueOf(&st).Elem(), reflect.ValueOf(verb)}, false)
		return true
	}
	if st.Flag('#') && verb == 'v' {
		if isString, ok := f.m.methodResult(t, "GoString"); ok && isString {
			io.WriteString(st, f.m.text(x, "GoString"))
			return true
		}
		return false
	}
	if !strings.ContainsRune("vsxXq", verb) {
		return false
	}
	for _, name := range []string{"Error", "String"} {
		if isString, ok := f.m.methodResult(t, name); ok && isString {
			text, panicked := f.m.textOr(x, name)
			switch {
			case panicked == nil:
				fmt.Fprintf(st, fmt.FormatString(st, verb), text)
			case v.Kind() == reflect.Pointer && v.IsNil(): // not all methods can do with a nil receiver
				io.WriteString(st, "<nil>")
			default:
				fmt.Fprintf(st, "%%!%c(PANIC=%s method: %v)", verb, name, panicked)
			}
			return true
		}
	}
	return false
}

// formats reports whether the Format method of t is that of fmt.Formatter.
func (m *Machine) formats(t types.Type) bool {
	sel := types.NewMethodSet(t).Lookup(nil, "Format")
	if sel == nil {
		return false
	}
	sig := sel.Type().(*types.Signature)
	return sig.Params().Len() == 2 && sig.Results().Len() == 0 && sig.Params().At(0).Type().String() == "fmt.State"
}

// textOr is what a method returns, or the value that it panics with.
func (m *Machine) textOr(x any, method string) (text string, panicked any) {
	m.mu.Lock()
	trace := m.trace
	m.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			panicked = plainValue(p)
			m.mu.Lock()
			m.trace = trace
			m.mu.Unlock()
		}
	}()
	return m.text(x, method), nil
}

// hasMethods reports whether t is a type of a cell, or a pointer to one.
func (m *Machine) hasMethods(t types.Type) bool {
	n, ok := universe.NamedBehind(t)
	return ok && n.Obj().Pkg() != nil
}

// rebox makes an interface of a value whose type is known.
func (f formatter) rebox(t types.Type, v reflect.Value) any {
	if f.m.concerns(t, map[types.Type]bool{}) {
		return Boxed{f.m.AddType(t), v.Interface(), f.m}
	}
	return v.Interface()
}

// compareKeys orders the keys of a map as fmt does.
func compareKeys(a, b reflect.Value) int {
	for a.Kind() == reflect.Interface && !a.IsNil() {
		a = a.Elem()
	}
	for b.Kind() == reflect.Interface && !b.IsNil() {
		b = b.Elem()
	}
	switch {
	case a.Kind() != b.Kind():
		return cmp.Compare(a.Kind(), b.Kind())
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.CanFloat():
		return cmp.Compare(a.Float(), b.Float())
	case a.Kind() == reflect.String:
		return cmp.Compare(a.String(), b.String())
	case a.Kind() == reflect.Bool:
		switch {
		case a.Bool() == b.Bool():
			return 0
		case b.Bool():
			return -1
		}
		return 1
	case a.CanComplex():
		x, y := a.Complex(), b.Complex()
		return cmp.Or(cmp.Compare(real(x), real(y)), cmp.Compare(imag(x), imag(y)))
	case a.Kind() == reflect.Pointer, a.Kind() == reflect.Chan:
		return cmp.Compare(a.Pointer(), b.Pointer())
	case a.Kind() == reflect.Struct:
		for i := range a.NumField() {
			if c := compareKeys(a.Field(i), b.Field(i)); c != 0 {
				return c
			}
		}
	case a.Kind() == reflect.Array:
		for i := range a.Len() {
			if c := compareKeys(a.Index(i), b.Index(i)); c != 0 {
				return c
			}
		}
	}
	return 0
}

// typeNameOf is what %T prints.
func (m *Machine) typeNameOf(x any) string {
	if e, ok := raw(x).(interface{ goType() string }); ok {
		return e.goType()
	}
	t, _ := m.dynamic(x)
	if t == nil {
		return "<nil>"
	}
	return m.typeName(t)
}

// MimeBundle shows a value of an interpreted type by its display methods.
func (f formatter) MimeBundle() display.Bundle { return f.m.bundle(f.x) }

// bundle is a value in every form it has.
func (m *Machine) bundle(x any) display.Bundle {
	t, _ := m.dynamic(x)
	if sig, ok := t.(*types.Signature); ok {
		return display.Bundle{Data: map[string]any{"text/plain": m.typeName(sig)}}
	}
	if t == nil || !isBoxed(original(x)) && !m.concerns(t, map[types.Type]bool{}) {
		return display.Render(raw(x))
	}
	set := types.NewMethodSet(t)
	if set.Lookup(nil, "MimeBundle") != nil {
		if b, ok := m.call(x, "MimeBundle").(display.Bundle); ok {
			return display.Render(b)
		}
	}
	if set.Lookup(nil, "Render") != nil {
		if b, ok := m.call(x, "Render").(display.Bundle); ok {
			return display.Render(b)
		}
	}
	if set.Lookup(nil, "SimpleRender") != nil {
		if forms, ok := m.call(x, "SimpleRender").(map[string]any); ok {
			return display.Render(display.Bundle{Data: forms})
		}
	}
	data := map[string]any{}
	for name, mime := range mimeOf {
		if sel := set.Lookup(nil, name); sel != nil && sel.Type().(*types.Signature).Params().Len() == 0 {
			data[mime] = m.call(x, name)
		}
	}
	format := "%v"
	if _, ok := universe.Deref(t).Underlying().(*types.Struct); ok {
		format = "%+v"
	}
	data["text/plain"] = fmt.Sprintf(format, formatter{m, x})
	return display.Bundle{Data: data}
}
