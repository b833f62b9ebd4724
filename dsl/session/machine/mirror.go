package machine

import (
	"encoding"
	"encoding/json"
	"fmt"
	"go/types"
	"reflect"
	"strings"
	"text/template"

	"sapf/dsl/session/universe"
)

// A package that looks into a value by reflection meets what is in its interfaces
// as well, and would like to call the methods of types in it. Where there is such
// a thing, it gets a copy of the value instead of the value under another type
// (shape.go): with what was in interfaces under their shapes too, and in the place
// of a value with MarshalJSON or MarshalText one of a compiled type that has them.

// mirrored reports whether values of t need a copy.
func (m *Machine) mirrored(t types.Type, seen map[types.Type]bool) bool {
	t = types.Unalias(t)
	if seen[t] {
		return false
	}
	seen[t] = true
	if m.marshals(t) {
		return true
	}
	if n, ok := t.(*types.Named); ok {
		if n.Obj().Pkg() == nil || !m.registry.universe.Interpreted(n) {
			return types.IsInterface(n) && n.Underlying().(*types.Interface).NumMethods() == 0
		}
		t = n.Underlying()
	}
	switch t := t.(type) {
	case *types.Interface:
		return true
	case *types.Basic, *types.Signature, *types.Chan:
		return false
	default:
		for _, part := range ComponentsOf(t) {
			if m.mirrored(part, seen) {
				return true
			}
		}
	}
	return false
}

// marshals reports cells' types with methods that encoders call.
func (m *Machine) marshals(t types.Type) bool {
	n, ok := universe.NamedBehind(t)
	if !ok || n.Obj().Pkg() == nil || !m.registry.universe.Interpreted(n) {
		return false
	}
	set := types.NewMethodSet(t)
	return set.Lookup(nil, "MarshalJSON") != nil || set.Lookup(nil, "MarshalText") != nil
}

// jsonValue and textValue are values of a cell's types with their methods.
type (
	jsonValue struct {
		m *Machine
		x any
	}
	textValue struct {
		m *Machine
		x any
	}
)

// MarshalJSON calls the cell's method.
func (v jsonValue) MarshalJSON() ([]byte, error) { return v.m.encoded(v.x, "MarshalJSON") }

// MarshalText calls the cell's method.
func (v textValue) MarshalText() ([]byte, error) { return v.m.encoded(v.x, "MarshalText") }

var (
	_ json.Marshaler         = jsonValue{}
	_ encoding.TextMarshaler = textValue{}
)

func (m *Machine) encoded(x any, method string) ([]byte, error) {
	fn, ok := m.lookup(x, method)
	if !ok {
		return nil, fmt.Errorf("no method %s", method)
	}
	out := fn(nil, false)
	err, _ := out[1].Interface().(error)
	return out[0].Bytes(), err
}

// copier copies a value for a package that looks into it.
type copier struct {
	m *Machine
	// encoder is set for encoders: they are not shown what they leave out, which they
	// could not tell in the copy.
	encoder bool
	// copies are those of what pointers, maps and slices refer to: nil while it is
	// being made.
	copies map[reference]any
}

// reference is what a pointer, map or slice refers to.
type reference struct {
	kind reflect.Kind
	at   uintptr
	t    reflect.Type
	n    int
}

// mirror is the copy of a value of type t. What contains itself is copied once, and
// within itself under its shape.
func (c *copier) mirror(t types.Type, v reflect.Value) any {
	t = types.Unalias(t)
	if !v.IsValid() {
		return nil
	}
	if c.m.marshals(t) {
		if v.Kind() == reflect.Pointer && v.IsNil() {
			return nil
		}
		x := any(Boxed{c.m.AddType(t), v.Interface(), c.m})
		if types.NewMethodSet(t).Lookup(nil, "MarshalJSON") != nil {
			return jsonValue{c.m, x}
		}
		return textValue{c.m, x}
	}
	if !c.m.mirrored(t, map[types.Type]bool{}) {
		return c.m.view(t, v)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		if v.IsNil() && v.Kind() == reflect.Pointer {
			return nil
		} else if v.IsNil() {
			return c.m.view(t, v)
		}
		r := reference{v.Kind(), v.Pointer(), v.Type(), 0}
		if v.Kind() == reflect.Slice {
			r.n = v.Len()
		}
		done, known := c.copies[r]
		switch {
		case known && done == nil:
			return c.m.view(t, v)
		case !known:
			c.copies[r] = nil
			done = c.contents(t, v)
			c.copies[r] = done
		}
		return done
	}
	return c.contents(t, v)
}

// contents is the copy of a value that is not nil.
func (c *copier) contents(t types.Type, v reflect.Value) any {
	switch u := t.Underlying().(type) {
	case *types.Interface:
		if v.IsNil() {
			return nil
		}
		dt, dv := c.m.dynamic(v.Elem().Interface())
		return c.mirror(dt, dv)
	case *types.Pointer:
		x := c.mirror(u.Elem(), v.Elem())
		if x == nil {
			return new(any)
		}
		p := reflect.New(reflect.TypeOf(x))
		p.Elem().Set(reflect.ValueOf(x))
		return p.Interface()
	case *types.Slice, *types.Array:
		elem := u.(interface{ Elem() types.Type }).Elem()
		out := make([]any, v.Len())
		for i := range out {
			out[i] = c.mirror(elem, v.Index(i))
		}
		return out
	case *types.Map:
		return c.mirrorMap(u, v)
	case *types.Struct:
		return c.mirrorStruct(u, v)
	}
	return c.m.view(t, v)
}

func (c *copier) mirrorMap(t *types.Map, v reflect.Value) any {
	var out reflect.Value
	for it := v.MapRange(); it.Next(); {
		k, e := c.mirror(t.Key(), it.Key()), c.mirror(t.Elem(), it.Value())
		switch text := k.(type) {
		case jsonValue: // which no key calls
			k = c.m.view(t.Key(), it.Key())
		case encoding.TextMarshaler:
			if b, err := text.MarshalText(); err == nil {
				k = string(b)
			}
		}
		if !out.IsValid() {
			out = reflect.MakeMap(reflect.MapOf(reflect.TypeOf(k), anyType))
		}
		value := reflect.Zero(anyType)
		if e != nil {
			value = reflect.ValueOf(e)
		}
		out.SetMapIndex(reflect.ValueOf(k), value)
	}
	if !out.IsValid() {
		return map[string]any{}
	}
	return out.Interface()
}

func (c *copier) mirrorStruct(t *types.Struct, v reflect.Value) any {
	var fields []reflect.StructField
	var values []any
	for i := range t.NumFields() {
		f := t.Field(i)
		if !f.Exported() && !f.Embedded() || c.encoder && reflect.StructTag(t.Tag(i)).Get("json") == "-" && reflect.StructTag(t.Tag(i)).Get("xml") == "" {
			continue
		}
		x := c.mirror(f.Type(), v.Field(i))
		field := reflect.StructField{Name: f.Name(), Type: anyType, Tag: reflect.StructTag(t.Tag(i))}
		if f.Embedded() && !c.m.marshals(f.Type()) {
			if x == nil {
				continue
			}
			if et := reflect.TypeOf(x); et.Kind() == reflect.Struct || et.Kind() == reflect.Pointer && et.Elem().Kind() == reflect.Struct {
				field.Type, field.Anonymous = et, true
			}
		}
		if !f.Exported() && !field.Anonymous {
			continue
		}
		tag := ""
		if c.encoder {
			tag = t.Tag(i)
		}
		if strings.Contains(tag, "omitempty") && emptyValue(v.Field(i)) || strings.Contains(tag, "omitzero") && v.Field(i).IsZero() {
			x = nil
		}
		if !f.Exported() {
			field.Name = FieldName(t, i)
		}
		if field.Type == anyType && x != nil && !strings.Contains(tag, "omit") {
			field.Type = reflect.TypeOf(x)
		}
		fields, values = append(fields, field), append(values, x)
	}
	s := reflect.New(structOf(fields)).Elem()
	for i, x := range values {
		if x != nil {
			s.Field(i).Set(reflect.ValueOf(x))
		}
	}
	return s.Interface()
}

// emptyValue reports what encoding/json leaves out under omitempty.
func emptyValue(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// plain prepares an argument for a parameter that is a container of interfaces:
// what is in them comes out of its boxes.
func (m *Machine) plain(to, x any) {
	p := reflect.ValueOf(to).Elem()
	v := reflect.ValueOf(x)
	switch v.Kind() {
	case reflect.Map:
		if v.IsNil() {
			break
		}
		out := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			e := it.Value()
			if p.Type() == reflect.TypeFor[template.FuncMap]() {
				e = reflect.ValueOf(m.boxing(e.Interface()))
			}
			out.SetMapIndex(it.Key(), m.unboxed(e))
		}
		v = out
	case reflect.Slice:
		if v.IsNil() {
			break
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(m.unboxed(v.Index(i)))
		}
		v = out
	}
	p.Set(v)
}

func (m *Machine) unboxed(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Struct || v.Kind() == reflect.Interface && !v.IsNil() {
		if v.Kind() == reflect.Interface {
			v = v.Elem()
		}
		if x := m.shaped(v.Interface()); x != nil {
			return reflect.ValueOf(x)
		}
	}
	return v
}
