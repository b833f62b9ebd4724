package machine

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"go/types"
	"reflect"
	"strings"
)

// encoding/json fills a value of a cell under a type that looks like the cell's
// (shape.go). It can't call that type's methods; so where there is one with
// UnmarshalJSON or UnmarshalText, json fills a copy that keeps the text that is
// meant for it, and the methods get that afterwards.

// jsonText and plainText keep what they are to be decoded from.
type (
	jsonText struct {
		Given bool
		Text  []byte
	}
	plainText struct {
		Given bool
		Text  string
	}
)

// UnmarshalJSON keeps the text.
func (k *jsonText) UnmarshalJSON(b []byte) error {
	k.Given, k.Text = true, append([]byte(nil), b...)
	return nil
}

// UnmarshalText keeps the text.
func (k *plainText) UnmarshalText(b []byte) error {
	k.Given, k.Text = true, string(b)
	return nil
}

// noValue stands for an interface with methods, which json has no value for.
type noValue struct{ Given bool }

// UnmarshalJSON refuses all but null.
func (k *noValue) UnmarshalJSON(b []byte) error {
	k.Given = true
	value := "number"
	switch b[0] {
	case 'n':
		return nil
	case '{':
		value = "object"
	case '[':
		value = "array"
	case '"':
		value = "string"
	case 't', 'f':
		value = "bool"
	}
	k.Given = false
	return &json.UnmarshalTypeError{Value: value, Type: anyType}
}

var (
	_ json.Unmarshaler         = (*noValue)(nil)
	_ json.Unmarshaler         = (*jsonText)(nil)
	_ encoding.TextUnmarshaler = (*plainText)(nil)
)

// unmarshalJSON is json.Unmarshal.
func (m *Machine) unmarshalJSON(data []byte, x any) error {
	return m.decodeInto(x, func(to any) error { return json.Unmarshal(data, to) })
}

// decodeJSON is the method Decode of json.Decoder.
func (m *Machine) decodeJSON(d *json.Decoder, x any) error { return m.decodeInto(x, d.Decode) }

func (m *Machine) decodeInto(x any, decode func(to any) error) error {
	t, v := m.dynamic(x)
	if t == nil {
		return decode(raw(x))
	}
	if v.Kind() != reflect.Pointer || v.IsNil() {
		err := decode(raw(x))
		var bad *json.InvalidUnmarshalError
		if errors.As(err, &bad) {
			bad.Type = titled{bad.Type, m.typeName(t)}
		}
		return err
	}
	t = t.Underlying()
	p, ok := t.(*types.Pointer)
	if !ok {
		return decode(raw(x))
	}
	if !m.unmarshals(p.Elem(), map[types.Type]bool{}) {
		return m.namedInError(p.Elem(), decode(m.view(t, v)))
	}
	keeper := reflect.New(m.keeperOf(p.Elem(), map[types.Type]bool{}))
	if err := m.prefill(p.Elem(), keeper.Elem(), v.Elem()); err != nil {
		return err
	}
	err := decode(keeper.Interface())
	var bad *json.UnmarshalTypeError
	if err != nil && !errors.As(err, &bad) {
		return err
	}
	if first := m.fill(p.Elem(), v.Elem(), keeper.Elem()); first != nil && err == nil {
		return first
	}
	return m.namedInError(p.Elem(), err)
}

// method is which of the decoding methods a type of a cell, or a pointer to it, has.
func (m *Machine) decodingMethod(t types.Type) string {
	if !m.concerns(t, map[types.Type]bool{}) || types.IsInterface(t) {
		return ""
	}
	if _, pointer := t.Underlying().(*types.Pointer); pointer {
		return ""
	}
	set := types.NewMethodSet(types.NewPointer(t))
	for _, name := range []string{"UnmarshalJSON", "UnmarshalText"} {
		if set.Lookup(nil, name) != nil {
			if _, ok := m.lookup(Boxed{m.AddType(types.NewPointer(t)), reflect.New(m.mustRep(t)).Interface(), m}, name); ok {
				return name
			}
		}
	}
	return ""
}

// mustRep is the representation of a type that there are values of.
func (m *Machine) mustRep(t types.Type) reflect.Type {
	rep, err := m.Rep(t)
	if err != nil {
		panic(err)
	}
	return rep
}

// unmarshals reports whether a value of t has parts that decode themselves.
func (m *Machine) unmarshals(t types.Type, seen map[types.Type]bool) bool {
	t = types.Unalias(t)
	if seen[t] || !m.concerns(t, map[types.Type]bool{}) {
		return false
	}
	seen[t] = true
	if m.decodingMethod(t) != "" {
		return true
	}
	switch u := t.Underlying().(type) {
	case *types.Interface:
		return u.NumMethods() > 0
	case *types.Pointer, *types.Slice, *types.Array, *types.Map, *types.Struct:
		for _, part := range ComponentsOf(u) {
			if m.unmarshals(part, seen) {
				return true
			}
		}
	}
	return false
}

// keeperOf is the type that json fills in the place of t.
func (m *Machine) keeperOf(t types.Type, open map[types.Type]bool) reflect.Type {
	switch m.decodingMethod(t) {
	case "UnmarshalJSON":
		return reflect.TypeFor[jsonText]()
	case "UnmarshalText":
		return reflect.TypeFor[plainText]()
	}
	if !m.unmarshals(t, map[types.Type]bool{}) {
		m.repMu.Lock()
		defer m.repMu.Unlock()
		if s, err := m.views.try(t); err == nil {
			return s
		}
		return anyType
	}
	if open[t] { // within itself: decoded when it is met
		return reflect.TypeFor[json.RawMessage]()
	}
	open[t] = true
	defer delete(open, t)
	switch u := t.Underlying().(type) {
	case *types.Interface:
		return reflect.TypeFor[noValue]()
	case *types.Pointer:
		return reflect.PointerTo(m.keeperOf(u.Elem(), open))
	case *types.Slice:
		return reflect.SliceOf(m.keeperOf(u.Elem(), open))
	case *types.Array:
		return reflect.ArrayOf(int(u.Len()), m.keeperOf(u.Elem(), open))
	case *types.Map:
		return reflect.MapOf(m.keyKeeper(u.Key()), m.keeperOf(u.Elem(), open))
	case *types.Struct:
		var fields []reflect.StructField
		for i := range u.NumFields() {
			if f := u.Field(i); decoded(f) {
				anonymous := f.Embedded() && m.decodingMethod(f.Type()) == ""
				fields = append(fields, reflect.StructField{Name: f.Name(), Type: m.keeperOf(f.Type(), open), Tag: reflect.StructTag(u.Tag(i)), Anonymous: anonymous})
			}
		}
		return structOf(fields)
	}
	return anyType
}

// decoded reports fields that json sets.
func decoded(f *types.Var) bool { return f.Exported() }

// keyKeeper is keeperOf for keys of maps, which have to be comparable.
func (m *Machine) keyKeeper(t types.Type) reflect.Type {
	if m.decodingMethod(t) == "UnmarshalText" {
		return reflect.TypeFor[plainText]()
	}
	return m.mustRep(t)
}

// prefill copies what a value has already, which json may leave as it is.
func (m *Machine) prefill(t types.Type, keeper, v reflect.Value) error {
	if m.decodingMethod(t) != "" || keeper.Type() == reflect.TypeFor[json.RawMessage]() {
		return nil
	}
	if !m.unmarshals(t, map[types.Type]bool{}) {
		keeper.Set(reflect.ValueOf(m.view(t, v)).Convert(keeper.Type()))
		return nil
	}
	if u, ok := t.Underlying().(*types.Struct); ok {
		k := 0
		for i := range u.NumFields() {
			if decoded(u.Field(i)) {
				if f := u.Field(i).Type(); !types.IsInterface(f) {
					if err := m.prefill(f, keeper.Field(k), v.Field(i)); err != nil {
						return err
					}
				}
				k++
			}
		}
	}
	return nil
}

// fill sets v, a value of type t, to what json has put into its keeper. The error is
// the first of the type's own methods.
func (m *Machine) fill(t types.Type, v, keeper reflect.Value) (first error) {
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	if k, ok := keeper.Interface().(json.RawMessage); ok && m.unmarshals(t, map[types.Type]bool{}) {
		if k == nil {
			return nil
		}
		p := types.NewPointer(t)
		return m.unmarshalJSON(k, Boxed{m.AddType(p), v.Addr().Interface(), m})
	}
	switch k := keeper.Interface().(type) {
	case noValue:
		if k.Given {
			v.SetZero()
		}
		return nil
	case jsonText:
		if k.Given {
			return m.decodeBy(t, v, "UnmarshalJSON", k.Text)
		}
		return nil
	case plainText:
		if k.Given {
			return m.decodeBy(t, v, "UnmarshalText", []byte(k.Text))
		}
		return nil
	}
	if !m.unmarshals(t, map[types.Type]bool{}) {
		if keeper.Kind() == reflect.Interface {
			v.Set(keeper)
		} else {
			reshape(v.Addr().Interface(), keeper.Interface())
		}
		return nil
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		if keeper.IsNil() {
			return nil
		}
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return m.fill(u.Elem(), v.Elem(), keeper.Elem())
	case *types.Slice:
		if keeper.IsNil() {
			return nil
		}
		out := reflect.MakeSlice(v.Type(), keeper.Len(), keeper.Len())
		reflect.Copy(out, v)
		for i := range keeper.Len() {
			note(m.fill(u.Elem(), out.Index(i), keeper.Index(i)))
		}
		v.Set(out)
	case *types.Array:
		for i := range keeper.Len() {
			note(m.fill(u.Elem(), v.Index(i), keeper.Index(i)))
		}
	case *types.Map:
		if keeper.IsNil() {
			return nil
		}
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		for it := keeper.MapRange(); it.Next(); {
			key := reflect.New(v.Type().Key()).Elem()
			if text, ok := it.Key().Interface().(plainText); ok {
				note(m.decodeBy(u.Key(), key, "UnmarshalText", []byte(text.Text)))
			} else {
				key.Set(it.Key())
			}
			elem := reflect.New(v.Type().Elem()).Elem()
			note(m.fill(u.Elem(), elem, it.Value()))
			v.SetMapIndex(key, elem)
		}
	case *types.Struct:
		k := 0
		for i := range u.NumFields() {
			if decoded(u.Field(i)) {
				note(m.fill(u.Field(i).Type(), v.Field(i), keeper.Field(k)))
				k++
			}
		}
	}
	return first
}

// decodeBy calls a decoding method of a cell's type.
func (m *Machine) decodeBy(t types.Type, v reflect.Value, method string, text []byte) error {
	x := Boxed{m.AddType(types.NewPointer(t)), v.Addr().Interface(), m}
	err, _ := m.call(x, method, reflect.ValueOf(text)).(error)
	return err
}

// namedInError gives an error of json the names that the cell's types have.
func (m *Machine) namedInError(t types.Type, err error) error {
	var bad *json.UnmarshalTypeError
	if !errors.As(err, &bad) {
		return err
	}
	owner, embedded := "", false
	var path []string
	if bad.Field != "" {
		path = strings.Split(bad.Field, ".")
	}
	for _, name := range path {
		for {
			switch u := t.Underlying().(type) {
			case *types.Pointer:
				t = u.Elem()
				continue
			case *types.Slice:
				t = u.Elem()
				continue
			case *types.Array:
				t = u.Elem()
				continue
			case *types.Map:
				t = u.Elem()
			}
			break
		}
		st, ok := t.Underlying().(*types.Struct)
		if !ok {
			break
		}
		f := fieldNamed(st, name)
		if f == nil {
			break
		}
		if n, ok := types.Unalias(t).(*types.Named); !embedded {
			owner = ""
			if ok {
				owner = n.Obj().Name()
			}
		}
		t, embedded = f.Type(), f.Embedded() && f.Name() == name
	}
	if bad.Field != "" && bad.Struct == "" {
		bad.Struct = owner
	}
	if n, ok := types.Unalias(t).(*types.Named); ok && m.concerns(n, map[types.Type]bool{}) && m.mustRep(n).Kind() == bad.Type.Kind() {
		bad.Type = titled{bad.Type, m.typeName(n)}
	}
	return err
}

// fieldNamed is the field that json knows by a name.
func fieldNamed(st *types.Struct, name string) *types.Var {
	for i := range st.NumFields() {
		tag, _, _ := strings.Cut(reflect.StructTag(st.Tag(i)).Get("json"), ",")
		if tag == name || tag == "" && strings.EqualFold(st.Field(i).Name(), name) {
			return st.Field(i)
		}
	}
	for f := range st.Fields() {
		if inner, ok := f.Type().Underlying().(*types.Struct); ok && f.Embedded() {
			if f := fieldNamed(inner, name); f != nil {
				return f
			}
		}
	}
	return nil
}

// titled is a type under the name that it has in a cell.
type titled struct {
	reflect.Type
	name string
}

func (t titled) String() string { return t.name }

var _ fmt.Stringer = titled{}
