package machine

import (
	"errors"
	"fmt"
	"go/types"
	htmltemplate "html/template"
	"io"
	"reflect"
	"strings"
	"text/template"

	"sapf/dsl/session/universe"
)

// A template finds fields and methods by reflection, which does not see those of
// cells' types. Where there are methods in the data, the template is rewritten
// (templatetree.go): what it looks up goes through the functions here, which hand
// on every value of a cell's type in its box.

// templateField looks up a path of fields, methods and keys in x; the arguments are
// those of the last.
const (
	templateField = UnexportedPrefix + "Field"
	templatePlain = UnexportedPrefix + "Plain"
	templateTruth = UnexportedPrefix + "Truth"
	templateRange = UnexportedPrefix + "Range"
	templateShow  = UnexportedPrefix + "Show"
	templateIndex = UnexportedPrefix + "Index"
	templateCall  = UnexportedPrefix + "Call"
)

// templateFuncs are what rewritten templates call. missing is what the template's
// option missingkey says.
func (m *Machine) templateFuncs(missing int64) map[string]any {
	return map[string]any{
		templateField: func(at string, x any, path string, args ...any) (any, error) {
			out, err := m.lookedUp(x, path, args, missing)
			return out, faultAt(at, err)
		},
		templatePlain: func(x any) any { return raw(x) },
		templateTruth: func(x any) any {
			if b, ok := original(x).(Boxed); ok {
				if truth, _ := template.IsTrue(b.Value); !truth {
					return b.Value
				}
			}
			return x
		},
		templateRange: m.ranged,
		templateShow:  m.shownInTemplate,
		templateIndex: func(at string, x any, keys ...any) (any, error) {
			out, err := m.indexed(x, keys...)
			return out, faultAt(at, named("index", err))
		},
		templateCall: func(at string, f any, args ...any) (any, error) {
			out, err := m.called(f, args)
			return out, faultAt(at, named("call", err))
		},
	}
}

// executeText is the method Execute of a text/template.Template, or ExecuteTemplate
// with a name.
func (m *Machine) executeText(t *template.Template, w io.Writer, data any, name ...string) error {
	x := m.templateData(t, data)
	if len(name) > 0 {
		return templateError(t.ExecuteTemplate(w, name[0], x))
	}
	return templateError(t.Execute(w, x))
}

// executeHTML is executeText for html/template.
func (m *Machine) executeHTML(t *htmltemplate.Template, w io.Writer, data any, name ...string) error {
	x := m.templateData(textOf(t), data)
	if len(name) > 0 {
		return templateError(t.ExecuteTemplate(w, name[0], x))
	}
	return templateError(t.Execute(w, x))
}

// templateData is data for a template, which is rewritten where there are methods in
// the data.
func (m *Machine) templateData(t *template.Template, data any) any {
	dt, v := m.dynamic(data)
	if dt == nil {
		return nil
	}
	funcs, missing := functionsOf(t)
	if !m.meetsMethods(dt, v, map[reference]bool{}) && !boxes(funcs) {
		return m.templated(data)
	}
	t.Funcs(m.templateFuncs(missing))
	rewriteTemplates(t)
	return m.boxedValue(dt, v)
}

// meetsMethods reports whether there is a value of a cell's type with methods in v.
func (m *Machine) meetsMethods(t types.Type, v reflect.Value, seen map[reference]bool) bool {
	t = types.Unalias(t)
	if n, ok := t.(*types.Named); ok && !types.IsInterface(n) {
		if n.Obj().Pkg() == nil || !m.registry.universe.Interpreted(n) {
			return false
		}
		if types.NewMethodSet(types.NewPointer(n)).Len() > 0 {
			return true
		}
	}
	if !v.IsValid() || !m.concerns(t, map[types.Type]bool{}) {
		return false
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		r := reference{v.Kind(), v.Pointer(), v.Type(), 0}
		if v.Kind() == reflect.Slice {
			r.n = v.Len()
		}
		if seen[r] {
			return false
		}
		seen[r] = true
	}
	switch u := t.Underlying().(type) {
	case *types.Interface:
		if v.IsNil() {
			return false
		}
		dt, dv := m.dynamic(v.Interface())
		return dt != nil && m.meetsMethods(dt, dv, seen)
	case *types.Pointer:
		return m.meetsMethods(u.Elem(), v.Elem(), seen)
	case *types.Slice, *types.Array:
		elem := u.(interface{ Elem() types.Type }).Elem()
		if v.Len() == 0 {
			return m.meetsMethods(elem, reflect.Value{}, seen)
		}
		for i := range v.Len() {
			if m.meetsMethods(elem, v.Index(i), seen) {
				return true
			}
		}
	case *types.Map:
		for it := v.MapRange(); it.Next(); {
			if m.meetsMethods(u.Key(), it.Key(), seen) || m.meetsMethods(u.Elem(), it.Value(), seen) {
				return true
			}
		}
	case *types.Struct:
		for i := range u.NumFields() {
			if m.meetsMethods(u.Field(i).Type(), v.Field(i), seen) {
				return true
			}
		}
	}
	return false
}

// boxedValue is a value of type t: in its box, if it or what is in it is of a cell's
// type.
func (m *Machine) boxedValue(t types.Type, v reflect.Value) any {
	switch {
	case !v.IsValid():
		return nil
	case types.IsInterface(t):
		if v.Kind() == reflect.Interface && v.IsNil() {
			return nil
		}
		dt, dv := m.dynamic(v.Interface())
		if dt == nil {
			return nil
		}
		return m.boxedValue(dt, dv)
	case v.Kind() != reflect.Func && !m.concerns(t, map[types.Type]bool{}):
		return v.Interface()
	}
	return Boxed{m.AddType(t), v.Interface(), m}
}

// templateFault is an error in looking something up, at a place of the template.
type templateFault struct {
	at  string
	err error
}

// faultAt is err at a place.
func faultAt(at string, err error) error {
	if err == nil {
		return nil
	}
	return &templateFault{at, err}
}

// named is the error of a function.
func named(function string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("error calling %s: %w", function, err)
}

// boxedResult is the result of functions of templates that return values of cells'
// types.
type boxedResult any

// boxing is a function of a cell for templates: what it returns keeps its type.
func (m *Machine) boxing(x any) any {
	t, v := m.dynamic(x)
	sig, ok := t.(*types.Signature)
	if !ok || v.Kind() != reflect.Func || v.IsNil() || sig.Results().Len() == 0 || !m.meetsMethods(sig.Results().At(0).Type(), reflect.Value{}, nil) {
		return x
	}
	ft := v.Type()
	var in, out []reflect.Type
	for i := range ft.NumIn() {
		in = append(in, ft.In(i))
	}
	for i := range ft.NumOut() {
		out = append(out, ft.Out(i))
	}
	out[0] = reflect.TypeFor[boxedResult]()
	return reflect.MakeFunc(reflect.FuncOf(in, out, ft.IsVariadic()), func(in []reflect.Value) []reflect.Value {
		call := v.Call
		if ft.IsVariadic() {
			call = v.CallSlice
		}
		results := call(in)
		first := reflect.New(out[0]).Elem()
		if b := m.boxedValue(sig.Results().At(0).Type(), results[0]); b != nil {
			first.Set(reflect.ValueOf(b))
		}
		results[0] = first
		return results
	}).Interface()
}

func (e *templateFault) Error() string { return e.err.Error() }
func (e *templateFault) Unwrap() error { return e.err }

// templateError is an error of a template with the place as it was written.
func templateError(err error) error {
	var fault *templateFault
	var exec template.ExecError
	if !errors.As(err, &fault) || !errors.As(err, &exec) {
		return err
	}
	where, _, ok := strings.Cut(exec.Err.Error(), " at <")
	if !ok {
		return err
	}
	return template.ExecError{Name: exec.Name, Err: fmt.Errorf("%s at <%s>: %w", where, fault.at, fault.err)}
}

// noEntry is what a template prints for a key that is not there.
type noEntry struct{}

func (noEntry) String() string { return "<no value>" }

// lookedUp is what a path of names leads to.
func (m *Machine) lookedUp(x any, path string, args []any, missing int64) (any, error) {
	names := strings.Split(path, ".")
	for i, name := range names {
		var with []any
		if i == len(names)-1 {
			with = args
		}
		next, err := m.step(x, name, with, missing)
		if err != nil {
			return nil, err
		}
		x = next
	}
	return x, nil
}

func (m *Machine) ranged(x any) any {
	t, v := m.dynamic(x)
	if t == nil || !isBoxed(original(x)) {
		return x
	}
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		t, v = t.Underlying().(*types.Pointer).Elem(), v.Elem()
	}
	switch u := t.Underlying().(type) {
	case *types.Slice, *types.Array:
		elem := u.(interface{ Elem() types.Type }).Elem()
		out := make([]any, v.Len())
		for i := range out {
			out[i] = m.boxedValue(elem, v.Index(i))
		}
		return out
	case *types.Map:
		out := map[any]any{}
		for it := v.MapRange(); it.Next(); {
			out[m.boxedValue(u.Key(), it.Key())] = m.boxedValue(u.Elem(), it.Value())
		}
		return out
	}
	return v.Interface()
}

// shownInTemplate is what a template prints for a value: of a pointer, what it points
// to, unless the pointer has a text.
func (m *Machine) shownInTemplate(x any) (any, error) {
	t, v := m.dynamic(x)
	if t == nil || !isBoxed(original(x)) {
		if _, none := x.(noEntry); none {
			return nil, nil
		}
		return x, nil
	}
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		set := types.NewMethodSet(t)
		if elem := types.NewMethodSet(universe.Deref(t)); set.Lookup(nil, "String") != nil && elem.Lookup(nil, "String") == nil || set.Lookup(nil, "Error") != nil && elem.Lookup(nil, "Error") == nil {
			break
		}
		t, v = universe.Deref(t), v.Elem()
	}
	if v.Kind() == reflect.Chan || v.Kind() == reflect.Func {
		return nil, fmt.Errorf("can't print a value of type %s", m.typeName(t))
	}
	return m.boxedValue(t, v), nil
}
