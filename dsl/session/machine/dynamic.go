package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/types"
	"reflect"
	"strings"
	"sync"

	"sapf/dsl/session/universe"

	"golang.org/x/tools/go/types/typeutil"
)

// Boxed is a value in an interface, of a type that reflection alone can't
// tell: type Celsius float64. It is comparable as the value is.
type Boxed struct {
	ID    int // of the type
	Value any
	m     *Machine
}

// MarshalJSON encodes the value.
func (b Boxed) MarshalJSON() ([]byte, error) { return json.Marshal(b.m.encodable(b)) }

// Format prints the value for a package that hands it on to fmt.
func (b Boxed) Format(st fmt.State, verb rune) { formatter{b.m, b}.Format(st, verb) }

// registry knows the types of cells at run time.
type registry struct {
	mu       sync.RWMutex
	types    []types.Type // by number
	numbers  typeutil.Map // int by types.Type
	methods  map[int]map[string]reflect.Value
	funcs    map[string]reflect.Value         // by symbol, for callWith
	outer    map[*types.TypeName][]types.Type // see Outer
	universe *universe.Universe
}

// AddType is the number of a type.
func (m *Machine) AddType(t types.Type) int {
	r := &m.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	if id, ok := r.numbers.At(t).(int); ok {
		return id
	}
	r.types = append(r.types, t)
	id := len(r.types) - 1
	r.numbers.Set(t, id)
	return id
}

// number is the number of a type, if it has one.
func (m *Machine) number(t types.Type) (int, bool) {
	r := &m.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	id, ok := r.numbers.At(t).(int)
	return id, ok
}

// methodOf is the function behind a method of a cell's type, or of what it points
// to.
func (m *Machine) methodOf(t types.Type, name string) (reflect.Value, bool) {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		if _, named := universe.Named(t); !named {
			t = p.Elem()
		}
	}
	id, ok := m.number(t)
	if !ok {
		return reflect.Value{}, false
	}
	m.registry.mu.RLock()
	defer m.registry.mu.RUnlock()
	fn, ok := m.registry.methods[id][name]
	return fn, ok
}

func (m *Machine) registerMethod(id int, name string, fn any) {
	r := &m.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.methods[id] == nil {
		r.methods[id] = map[string]reflect.Value{}
	}
	r.methods[id][name] = reflect.ValueOf(fn)
}

// registerFunction makes a function known to callWith.
func (m *Machine) registerFunction(symbol string, fn any) {
	m.registry.mu.Lock()
	defer m.registry.mu.Unlock()
	m.registry.funcs[symbol] = reflect.ValueOf(fn)
}

// callWith calls a function of a cell. x are pointers to where its n results go,
// then its arguments.
func (m *Machine) callWith(symbol string, n int, x ...any) {
	m.registry.mu.RLock()
	fn := m.registry.funcs[symbol]
	m.registry.mu.RUnlock()
	in := make([]reflect.Value, len(x)-n)
	for i, a := range x[n:] {
		in[i] = reflect.New(fn.Type().In(i)).Elem()
		if a != nil {
			setValue(in[i], reflect.ValueOf(a))
		}
	}
	var out []reflect.Value
	if fn.Type().IsVariadic() {
		out = fn.CallSlice(in)
	} else {
		out = fn.Call(in)
	}
	for i := range n { // or none, of a call for its effects
		reflect.ValueOf(x[i]).Elem().Set(out[i])
	}
}

// original is the value inside an adapter.
func original(x any) any {
	switch a := x.(type) {
	case interface{ original() any }:
		return a.original()
	case formatter:
		return a.x
	}
	if v := reflect.ValueOf(x); v.Kind() == reflect.Pointer && !v.IsNil() && v.Elem().Kind() == reflect.Struct && v.Elem().NumField() > 1 && v.Type().Elem().Field(0).Name == "IValue" {
		return original(v.Elem().Interface())
	}
	if v := reflect.ValueOf(x); v.Kind() == reflect.Struct && v.NumField() > 1 && v.Type().Field(0).Name == "IValue" {
		return original(v.Field(0).Interface())
	}
	return x
}

// dynamic is the type and the plain value of what is in an interface. The type
// is nil for nil.
func (m *Machine) dynamic(x any) (types.Type, reflect.Value) {
	x = original(x)
	if b, ok := x.(Boxed); ok {
		m.registry.mu.RLock()
		defer m.registry.mu.RUnlock()
		return m.registry.types[b.ID], reflect.ValueOf(b.Value)
	}
	if x == nil {
		return nil, reflect.Value{}
	}
	v := reflect.ValueOf(x)
	return m.registry.universe.TypeOf(v.Type()), v
}

func (m *Machine) typeNumber(id int) types.Type {
	m.registry.mu.RLock()
	defer m.registry.mu.RUnlock()
	return m.registry.types[id]
}

// into is x.(T) with the ok; T is type number id, and a pointer to where the
// value goes follows unless T is an interface.
func (m *Machine) into(id int, x any, to ...any) bool {
	want := m.typeNumber(id)
	t, v := m.dynamic(x)
	if t == nil {
		return false
	}
	if iface, ok := want.Underlying().(*types.Interface); ok {
		return types.Implements(t, iface)
	}
	if !types.Identical(t, want) {
		return false
	}
	setValue(reflect.ValueOf(to[0]).Elem(), v)
	return true
}

// setValue sets p to a value of the same type for a cell.
func setValue(p, v reflect.Value) {
	switch {
	case !v.IsValid():
		p.SetZero()
	case v.Type() == p.Type():
		p.Set(v)
	case v.CanConvert(p.Type()):
		p.Set(v.Convert(p.Type()))
	default:
		reshape(p.Addr().Interface(), v.Interface())
	}
}

// must is x.(T) without the ok; type number from is that of x.
func (m *Machine) must(id, from int, x any, to ...any) {
	if m.into(id, x, to...) {
		return
	}
	want, is := m.typeName(m.typeNumber(id)), "nil"
	t, _ := m.dynamic(x)
	if t != nil {
		is = m.typeName(t)
	}
	iface, toInterface := m.typeNumber(id).Underlying().(*types.Interface)
	switch {
	case !toInterface && is == want:
		panic(conversionError(fmt.Sprintf("interface conversion: %s is %s, not %s (types from different scopes)", m.typeName(m.typeNumber(from)), is, want)))
	case !toInterface:
		panic(conversionError(fmt.Sprintf("interface conversion: %s is %s, not %s", m.typeName(m.typeNumber(from)), is, want)))
	case t == nil:
		panic(conversionError("interface conversion: interface is nil, not " + want))
	}
	name := ""
	if missing, _ := types.MissingMethod(t, iface, true); missing != nil {
		name = ": missing method " + missing.Name()
	}
	panic(conversionError(fmt.Sprintf("interface conversion: %s is not %s%s", is, want, name)))
}

// conversionError is the panic of a failed assertion, or another that says nothing
// of the runtime.
type conversionError string

func (e conversionError) Error() string { return string(e) }

// RuntimeError makes it a runtime.Error.
func (conversionError) RuntimeError() {}

// goType is the type that the compiler's runtime panics with.
func (e conversionError) goType() string {
	switch {
	case strings.HasPrefix(string(e), "interface conversion: "):
		return "*runtime.TypeAssertionError"
	case strings.HasPrefix(string(e), "hash of "):
		return "maps.unhashableTypeError"
	}
	return "runtime.plainError"
}

// lookup finds the method of a value: a function without its receiver.
func (m *Machine) lookup(x any, name string) (func(in []reflect.Value, spread bool) []reflect.Value, bool) {
	t, v := m.dynamic(x)
	if t == nil {
		return nil, false
	}
	if !types.IsInterface(t) {
		if fn, ok := m.methodOf(t, name); ok {
			want := fn.Type().In(0)
			pointed := universe.IsPointer(t) && want.Kind() != reflect.Pointer || universe.IsPointer(t) && v.Type() != want && v.Type().Elem() == want
			switch {
			case pointed: // to what, the call asks
			case !universe.IsPointer(t) && want.Kind() == reflect.Pointer && v.Type() != want:
				p := reflect.New(v.Type())
				p.Elem().Set(v)
				v = p
			}
			return func(in []reflect.Value, spread bool) []reflect.Value {
				recv := v
				if pointed {
					if v.IsNil() {
						panic(m.nilReceiver(t, name))
					}
					recv = v.Elem()
				}
				if recv.Type() != want && recv.CanConvert(want) {
					recv = recv.Convert(want)
				}
				in = append([]reflect.Value{recv}, in...)
				if spread {
					return fn.CallSlice(in)
				}
				return fn.Call(in)
			}, true
		}
	}
	if fn := v.MethodByName(name); fn.IsValid() {
		return func(in []reflect.Value, spread bool) []reflect.Value {
			if spread {
				return fn.CallSlice(in)
			}
			return fn.Call(in)
		}, true
	}
	return nil, false
}

// nilReceiver is the panic of a method for values that is called of a nil pointer
// in an interface.
func (m *Machine) nilReceiver(t types.Type, method string) error {
	if n, ok := universe.Named(universe.Deref(t)); ok {
		if set := types.NewMethodSet(n); set.Lookup(nil, method) != nil && len(set.Lookup(nil, method).Index()) == 1 {
			return conversionError(fmt.Sprintf("value method %s.%s called using nil *%s pointer", m.typeName(n), method, n.Obj().Name()))
		}
	}
	return nilDereference
}

// method sets *to, a function variable, to the method of x with that name.
func (m *Machine) method(x any, name string, to any) {
	p := reflect.ValueOf(to).Elem()
	fn, ok := m.lookup(x, name)
	if !ok {
		panic(runtimeError("invalid memory address or nil pointer dereference"))
	}
	ft := p.Type()
	p.Set(reflect.MakeFunc(ft, func(in []reflect.Value) []reflect.Value {
		return fitted(fn(in, ft.IsVariadic()), ft)
	}))
}

// fitted makes results those of a function type: interfaces of the one kind
// may be of the other there.
func fitted(out []reflect.Value, ft reflect.Type) []reflect.Value {
	for i, v := range out {
		if want := ft.Out(i); v.Type() != want {
			w := reflect.New(want).Elem()
			if v.Kind() == reflect.Interface {
				v = v.Elem()
			}
			if v.IsValid() {
				w.Set(v)
			}
			out[i] = w
		}
	}
	return out
}

// equal is == on interfaces.
func (m *Machine) equal(a, b any) bool {
	a, b = original(a), original(b)
	defer func() {
		if r := recover(); r != nil { // it names the representation of a type
			m.comparableTypes(a)
			m.comparableTypes(b)
			panic(r)
		}
	}()
	return a == b
}

// comparableTypes panics as Go does if what is in an interface has no ==.
func (m *Machine) comparableTypes(x any) {
	t, v := m.dynamic(x)
	if t == nil {
		return
	}
	var look func(t types.Type, v reflect.Value)
	look = func(t types.Type, v reflect.Value) {
		if !types.Comparable(t) {
			panic(runtimeError("comparing uncomparable type " + m.typeName(t)))
		}
		switch u := t.Underlying().(type) {
		case *types.Interface:
			if !v.IsNil() {
				m.comparableTypes(v.Elem().Interface())
			}
		case *types.Array:
			for i := range v.Len() {
				look(u.Elem(), v.Index(i))
			}
		case *types.Struct:
			for i := range u.NumFields() {
				look(u.Field(i).Type(), v.Field(i))
			}
		}
	}
	look(t, v)
}

// raw takes a value out of its box.
func raw(x any) any {
	if b, ok := original(x).(Boxed); ok {
		return b.Value
	}
	return original(x)
}

func Errorf(format string, args ...any) error { return errors.New(fmt.Sprintf(format, args...)) }
