package machine

import (
	"fmt"
	"go/types"
	"log/slog"
	"reflect"
	"strings"

	"github.com/traefik/yaegi/interp"

	"sapf/dsl/session/universe"
)

// The other direction of core/face.go: a value of a cell as a compiled interface.

// AddAdapter enters a function from interface{} to a compiled interface into
// the runtime package. wrapper is yaegi's type for it; error has its own.
func (m *Machine) AddAdapter(iface, wrapper reflect.Type, t types.Type) string {
	m.adapters++
	name := fmt.Sprintf("To#%d", m.adapters)
	ft := reflect.FuncOf([]reflect.Type{reflect.TypeFor[any]()}, []reflect.Type{iface}, false)
	fn := reflect.MakeFunc(ft, func(in []reflect.Value) []reflect.Value {
		out := reflect.New(iface).Elem()
		if x := in[0].Interface(); x != nil {
			out.Set(m.adapt(x, iface, wrapper))
		}
		return []reflect.Value{out}
	})
	m.yaegi.Use(interp.Exports{RuntimePath + "/runtime": {name: fn}})
	return name
}

// adapt makes x a value of a compiled interface.
func (m *Machine) adapt(x any, iface, wrapper reflect.Type) reflect.Value {
	if v := reflect.ValueOf(x); v.Type().Implements(iface) {
		return v
	}
	x = original(x)
	if v := reflect.ValueOf(x); v.Type().Implements(iface) && !isBoxed(x) {
		return v
	}
	if iface == universe.ErrorType {
		return reflect.ValueOf(m.errorOf(x))
	}
	if w := m.streamOf(x, iface, wrapper); w.IsValid() {
		return w
	}
	return m.wrapped(x, wrapper)
}

// wrapped is x in yaegi's type for an interface, which has a function for each
// method.
func (m *Machine) wrapped(x any, wrapper reflect.Type) reflect.Value {
	w := reflect.New(wrapper).Elem()
	w.Field(0).Set(reflect.ValueOf(x))
	for i := 1; i < wrapper.NumField(); i++ {
		field := wrapper.Field(i)
		name := field.Name[1:]
		w.Field(i).Set(reflect.MakeFunc(field.Type, func(in []reflect.Value) []reflect.Value {
			fn, ok := m.lookup(x, name)
			if !ok {
				panic(runtimeError("invalid memory address or nil pointer dereference"))
			}
			return fitted(fn(in, field.Type.IsVariadic()), field.Type)
		}))
	}
	return w
}

// scanner reads a value of a cell's type by its Scan method.
type scanner struct {
	m *Machine
	x any
}

// Scan reads the value.
func (s scanner) Scan(st fmt.ScanState, verb rune) error {
	err, _ := s.m.call(s.x, "Scan", reflect.ValueOf(&st).Elem(), reflect.ValueOf(verb)).(error)
	return err
}

// scanned prepares an argument of fmt.Scan and its like, a pointer.
func (m *Machine) scanned(x any) any {
	if isBoxed(original(x)) {
		if _, ok := m.lookup(x, "Scan"); ok {
			return scanner{m, x}
		}
	}
	return raw(x)
}

func isBoxed(x any) bool {
	_, ok := x.(Boxed)
	return ok
}

// errorValue is an error of an interpreted type for compiled code. Two are
// equal if what is in them is, as errors.Is wants it.
type errorValue struct {
	m *Machine
	x any
}

func (e errorValue) original() any { return e.x }

func (e errorValue) Error() string { return e.m.text(e.x, "Error") }

// Format formats the value that is in there.
func (e errorValue) Format(st fmt.State, verb rune) { formatter{e.m, e.x}.Format(st, verb) }

// The others have one or two methods more of those that package errors looks for.
type (
	errorUnwrap   struct{ errorValue }
	errorTree     struct{ errorValue }
	errorIs       struct{ errorValue }
	errorIsUnwrap struct{ errorUnwrap }
	errorIsTree   struct{ errorTree }
)

func (e errorUnwrap) Unwrap() error {
	err, _ := e.m.call(e.x, "Unwrap").(error)
	return err
}

func (e errorTree) Unwrap() []error {
	list, _ := e.m.call(e.x, "Unwrap").([]error)
	return list
}

func (e errorIs) Is(target error) bool       { return e.m.is(e.x, target) }
func (e errorIsUnwrap) Is(target error) bool { return e.m.is(e.x, target) }
func (e errorIsTree) Is(target error) bool   { return e.m.is(e.x, target) }

func (m *Machine) is(x any, target error) bool {
	ok, _ := m.call(x, "Is", reflect.ValueOf(&target).Elem()).(bool)
	return ok
}

// errorOf is x as an error.
func (m *Machine) errorOf(x any) error {
	base := errorValue{m, x}
	t, _ := m.dynamic(x)
	set := types.NewMethodSet(t)
	unwrap := set.Lookup(nil, "Unwrap")
	is := set.Lookup(nil, "Is")
	switch {
	case unwrap != nil && strings.HasSuffix(unwrap.Type().String(), "[]error"):
		if is != nil {
			return errorIsTree{errorTree{base}}
		}
		return errorTree{base}
	case unwrap != nil && is != nil:
		return errorIsUnwrap{errorUnwrap{base}}
	case unwrap != nil:
		return errorUnwrap{base}
	case is != nil:
		return errorIs{base}
	}
	return base
}

// logValuer is a value of a cell's type that says itself how it is logged.
type logValuer struct {
	m *Machine
	x any
}

// LogValue calls the cell's method.
func (v logValuer) LogValue() slog.Value {
	x, _ := v.m.call(v.x, "LogValue").(slog.Value)
	return x
}

var _ slog.LogValuer = logValuer{}

// logged prepares an argument of log/slog.
func (m *Machine) logged(x any) any {
	t, _ := m.dynamic(x)
	if t == nil || !isBoxed(original(x)) {
		return x
	}
	if types.NewMethodSet(t).Lookup(nil, "LogValue") != nil {
		return logValuer{m, original(x)}
	}
	if _, isFormatter := m.formatted(x).(formatter); isFormatter {
		return original(x) // which encodes itself, too
	}
	return m.formatted(x)
}

// call calls a method and returns its first result.
func (m *Machine) call(x any, name string, in ...reflect.Value) any {
	fn, ok := m.lookup(x, name)
	if !ok {
		return nil
	}
	if out := fn(in, false); len(out) > 0 && out[0].CanInterface() {
		return out[0].Interface()
	}
	return nil
}

func (m *Machine) text(x any, method string) string {
	s, _ := m.call(x, method).(string)
	return s
}

// errorAs is errors.As for a target of type number id. boxed is the target as a
// cell has it in an interface.
func (m *Machine) errorAs(err error, id int, target, boxed any) bool {
	return as(err, func(e error) bool {
		if types.IsInterface(m.typeNumber(id)) {
			if m.into(id, e) {
				p := reflect.ValueOf(target).Elem()
				if v := reflect.ValueOf(e); v.Type().AssignableTo(p.Type()) {
					p.Set(v)
				} else {
					p.Set(reflect.ValueOf(original(e)))
				}
				return true
			}
		} else if m.into(id, e, target) {
			return true
		}
		if own, ok := e.(interface{ original() any }); ok {
			if _, has := m.lookup(own.original(), "As"); has {
				ok, _ := m.call(own.original(), "As", reflect.ValueOf(&boxed).Elem()).(bool)
				return ok
			}
			return false
		}
		a, ok := e.(interface{ As(any) bool })
		return ok && a.As(target)
	})
}
