package machine

import (
	"go/types"
	"reflect"
	"strings"
	"unsafe"

	"sapf/dsl/session/universe"
)

// The interpreter's structures have exported fields alone: it spells x as Xx,
// and what was embedded is a field with a name. Packages that read and write
// the fields of structures by reflection are given the same memory under a type
// that says what the cell said.

// embeddedTag marks fields that a cell embeds.
const embeddedTag = `embedded:"true"`

// FieldTag is the tag of a structure's field for yaegi.
func FieldTag(f *types.Var, tag string) string {
	switch {
	case f.Embedded() && universe.IsStruct(universe.Deref(f.Type())):
		return strings.TrimSpace(tag + " " + embeddedTag)
	case !f.Exported():
		return strings.TrimSpace(`json:"-" xml:"-" ` + tag)
	}
	return tag
}

// shaped is x, or what x points to, under the type that its cell gave it.
func shaped(x any) any {
	x = raw(x)
	if x == nil {
		return nil
	}
	v := reflect.ValueOf(x)
	t := shape(v.Type(), map[reflect.Type]bool{})
	switch {
	case t == v.Type():
		return x
	case v.Kind() == reflect.Pointer:
		return reflect.NewAt(t.Elem(), v.UnsafePointer()).Interface()
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return reflect.NewAt(t, unsafe.Pointer(p.Pointer())).Elem().Interface()
}

// shape is the type with the memory of t in which embedded fields are embedded.
// Of a type within itself the inner one stays as it is: reflection can't make
// such types.
func shape(t reflect.Type, within map[reflect.Type]bool) reflect.Type {
	if t.Name() != "" || within[t] { // compiled, or the inner one
		return t
	}
	within[t] = true
	defer delete(within, t)
	switch t.Kind() {
	case reflect.Pointer:
		if e := shape(t.Elem(), within); e != t.Elem() {
			return reflect.PointerTo(e)
		}
	case reflect.Slice:
		if e := shape(t.Elem(), within); e != t.Elem() {
			return reflect.SliceOf(e)
		}
	case reflect.Array:
		if e := shape(t.Elem(), within); e != t.Elem() {
			return reflect.ArrayOf(t.Len(), e)
		}
	case reflect.Map:
		if e := shape(t.Elem(), within); e != t.Elem() {
			return reflect.MapOf(t.Key(), e)
		}
	case reflect.Struct:
		return shapeStruct(t, within)
	}
	return t
}

func shapeStruct(t reflect.Type, within map[reflect.Type]bool) (out reflect.Type) {
	defer func() {
		if recover() != nil { // reflection can't embed some compiled types with methods
			out = t
		}
	}()
	changed := false
	fields := make([]reflect.StructField, t.NumField())
	for i := range fields {
		f := t.Field(i)
		e := shape(f.Type, within)
		anonymous := f.Anonymous || strings.Contains(string(f.Tag), embeddedTag)
		changed = changed || e != f.Type || anonymous != f.Anonymous
		fields[i] = reflect.StructField{Name: f.Name, PkgPath: f.PkgPath, Type: e, Tag: f.Tag, Anonymous: anonymous}
	}
	if !changed {
		return t
	}
	return reflect.StructOf(fields)
}
