package machine

import (
	"fmt"
	"go/types"
	"reflect"
	"strconv"
	"strings"
	"unsafe"

	"sapf/dsl/session/universe"
)

// Packages that look into values by reflection (encoding/json, text/template)
// are given the same memory under a type that says what the cell said: the names
// of fields as they are, tags, embedded fields embedded. Names of types and
// methods it can't have.

// shaped is x, or what x points to, under such a type; or a copy of it, if it can
// only be read.
func (m *Machine) shaped(x any) any {
	t, v := m.dynamic(x)
	if t == nil {
		return nil
	}
	out := m.view(t, v)
	m.noteView(reflect.TypeOf(out), t)
	m.noteParts(t, map[types.Type]bool{})
	return out
}

// encodable is x for an encoder, which only reads it.
func (m *Machine) encodable(x any) any { return m.readable(x, true) }

// templated is x for a template.
func (m *Machine) templated(x any) any { return m.readable(x, false) }

func (m *Machine) readable(x any, encoder bool) any {
	t, v := m.dynamic(x)
	if t == nil {
		return nil
	}
	return (&copier{m, encoder, map[reference]any{}}).mirror(t, v)
}

// view is a value of type t under a type that looks like t.
func (m *Machine) view(t types.Type, v reflect.Value) any {
	if !v.IsValid() {
		return v.Interface()
	}
	m.repMu.Lock()
	s, err := m.views.try(t)
	m.repMu.Unlock()
	switch {
	case err != nil || s == v.Type() || s.Size() != v.Type().Size():
		return v.Interface()
	case v.Kind() == reflect.Pointer:
		return reflect.NewAt(s.Elem(), v.UnsafePointer()).Interface()
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return reflect.NewAt(s, unsafe.Pointer(p.Pointer())).Elem().Interface()
}

// viewOf is a structure with the names, tags and embedded fields that it has in
// its cell. Blanks behind a tag tell it from others that look so: they are its
// number in base two.
func viewOf(t *types.Struct, parts []reflect.Type, serial int) reflect.Type {
	fields := make([]reflect.StructField, len(parts))
	for i := range fields {
		f := t.Field(i)
		fields[i] = reflect.StructField{Name: f.Name(), Type: parts[i], Tag: reflect.StructTag(t.Tag(i))}
		if i == 0 && serial > 0 {
			fields[i].Tag += reflect.StructTag(strings.NewReplacer("0", "\t", "1", " ").Replace(strconv.FormatInt(int64(serial), 2)))
		}
		if !f.Exported() {
			fields[i].PkgPath = "main"
		}
		_, isStruct := universe.Deref(f.Type()).Underlying().(*types.Struct)
		fields[i].Anonymous = f.Embedded() && isStruct
	}
	return structOf(fields)
}

// structOf is reflect.StructOf; what it can't embed is a plain field.
func structOf(fields []reflect.StructField) (out reflect.Type) {
	defer func() {
		thrown := recover()
		if thrown == nil {
			return
		}
		for i := range fields {
			if fields[i].Anonymous {
				fields[i].Anonymous = false
				out = structOf(fields)
				return
			}
		}
		panic(noRep(fmt.Sprint(thrown)))
	}()
	return reflect.StructOf(fields)
}
