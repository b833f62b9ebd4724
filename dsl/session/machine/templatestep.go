package machine

import (
	"fmt"
	"go/token"
	"go/types"
	"reflect"

	"sapf/dsl/session/universe"
)

// step is what a template means by x.name.
func (m *Machine) step(x any, name string, args []any, missing int64) (any, error) {
	t, v := m.dynamic(x)
	if t == nil {
		return nil, fmt.Errorf("nil data; no entry for key %q", name)
	}
	if _, none := x.(noEntry); none {
		return nil, fmt.Errorf("nil data; no entry for key %q", name)
	}
	if !isBoxed(original(x)) {
		return m.plainStep(reflect.ValueOf(x), name, args, missing)
	}
	if !token.IsExported(name) && v.Kind() != reflect.Map {
		if n, ok := universe.NamedBehind(t); ok {
			if f, _, _ := types.LookupFieldOrMethod(t, true, n.Obj().Pkg(), name); f != nil {
				if _, isField := f.(*types.Var); isField {
					return nil, fmt.Errorf("%s is an unexported field of struct type %s", name, m.typeName(t))
				}
			}
		}
		return nil, fmt.Errorf("can't evaluate field %s in type %s", name, m.typeName(t))
	}
	obj, index, _ := types.LookupFieldOrMethod(t, true, nil, name)
	switch obj := obj.(type) {
	case *types.Func:
		return m.calledMethod(x, obj, name, args)
	case *types.Var:
		if len(args) > 0 {
			return nil, fmt.Errorf("%s has arguments but cannot be invoked as function", name)
		}
		for _, i := range index {
			for v.Kind() == reflect.Pointer {
				if v.IsNil() {
					return nil, fmt.Errorf("nil pointer evaluating %s.%s", m.typeName(t), name)
				}
				t, v = t.Underlying().(*types.Pointer).Elem(), v.Elem()
			}
			t, v = t.Underlying().(*types.Struct).Field(i).Type(), v.Field(i)
		}
		return m.boxedValue(t, v), nil
	}
	whole := t
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil, fmt.Errorf("nil pointer evaluating %s.%s", m.typeName(whole), name)
		}
		t, v = t.Underlying().(*types.Pointer).Elem(), v.Elem()
	}
	if u, ok := t.Underlying().(*types.Map); ok && v.Type().Key().Kind() == reflect.String {
		return m.entry(v, name, missing, func(e reflect.Value) any { return m.boxedValue(u.Elem(), e) })
	}
	return nil, fmt.Errorf("can't evaluate field %s in type %s", name, m.typeName(whole))
}

// entry is the value of a key that is a string.
func (m *Machine) entry(v reflect.Value, name string, missing int64, value func(reflect.Value) any) (any, error) {
	e := v.MapIndex(reflect.ValueOf(name).Convert(v.Type().Key()))
	switch {
	case e.IsValid():
		return value(e), nil
	case missing == 1:
		return value(reflect.Zero(v.Type().Elem())), nil
	case missing == 2:
		return nil, fmt.Errorf("map has no entry for key %q", name)
	}
	return noEntry{}, nil
}

// calledMethod is the result of a method of a cell's type.
func (m *Machine) calledMethod(x any, method *types.Func, name string, args []any) (any, error) {
	fn, ok := m.lookup(x, name)
	if !ok {
		return nil, fmt.Errorf("can't evaluate field %s", name)
	}
	sig := method.Signature()
	if n := sig.Params().Len(); len(args) != n && !sig.Variadic() || len(args) < n-1 {
		return nil, fmt.Errorf("wrong number of args for %s: want %d got %d", name, n, len(args))
	}
	in := make([]reflect.Value, len(args))
	for i, a := range args {
		pt := sig.Params().At(min(i, sig.Params().Len()-1)).Type()
		if sig.Variadic() && i >= sig.Params().Len()-1 {
			pt = pt.(*types.Slice).Elem()
		}
		var err error
		if in[i], err = fittedArgument(a, m.mustRep(pt), m.typeName(pt)); err != nil {
			return nil, err
		}
	}
	return m.result(name, sig, func() []reflect.Value { return fn(in, false) })
}

// result is what a call comes to; a panic is an error.
func (m *Machine) result(name string, sig *types.Signature, call func() []reflect.Value) (x any, err error) {
	defer func() {
		if r := recover(); r != nil {
			r = plainValue(r)
			if e, ok := r.(error); ok {
				err = named(name, e)
			} else {
				err = fmt.Errorf("error calling %s: %v", name, r)
			}
		}
	}()
	return templateResult(name, call(), func(v reflect.Value) any { return m.boxedValue(sig.Results().At(0).Type(), v) })
}

// called is the function call of templates.
func (m *Machine) called(f any, args []any) (any, error) {
	t, v := m.dynamic(f)
	if t == nil {
		return nil, fmt.Errorf("call of nil")
	}
	sig, ok := t.Underlying().(*types.Signature)
	if !ok {
		return nil, fmt.Errorf("non-function of type %s", m.typeName(t))
	}
	if v.IsNil() {
		return nil, fmt.Errorf("call of nil")
	}
	n := sig.Params().Len()
	if len(args) != n && !sig.Variadic() || len(args) < n-1 {
		return nil, fmt.Errorf("wrong number of args: got %d want %d", len(args), n)
	}
	in := make([]reflect.Value, len(args))
	for i, a := range args {
		pt := sig.Params().At(min(i, n-1)).Type()
		if sig.Variadic() && i >= n-1 {
			pt = pt.(*types.Slice).Elem()
		}
		var err error
		if in[i], err = fittedArgument(a, m.mustRep(pt), m.typeName(pt)); err != nil {
			return nil, fmt.Errorf("arg %d: %w", i, err)
		}
	}
	return m.result("function", sig, func() []reflect.Value { return v.Call(in) })
}

// fittedArgument is an argument of a template for a parameter.
func fittedArgument(a any, want reflect.Type, as string) (reflect.Value, error) {
	if want.Kind() != reflect.Interface {
		a = raw(a)
	}
	v := reflect.ValueOf(a)
	number := func(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Float64 }
	switch {
	case !v.IsValid():
		return reflect.Zero(want), nil
	case v.Type().AssignableTo(want):
		out := reflect.New(want).Elem()
		out.Set(v)
		return out, nil
	case number(v.Kind()) && number(want.Kind()), v.Kind() == want.Kind() && v.CanConvert(want):
		return v.Convert(want), nil
	}
	return v, fmt.Errorf("wrong type for value; expected %s; got %s", as, v.Type())
}

// templateResult is the result of a method for a template.
func templateResult(name string, out []reflect.Value, value func(reflect.Value) any) (any, error) {
	switch {
	case len(out) == 0 || len(out) > 2:
		return nil, fmt.Errorf("can't call method/function %q with %d results", name, len(out))
	case len(out) == 2:
		if err, _ := out[1].Interface().(error); err != nil {
			return nil, fmt.Errorf("error calling %s: %w", name, err)
		}
	}
	return value(out[0]), nil
}

// plainStep is step for a value of a compiled type.
func (m *Machine) plainStep(v reflect.Value, name string, args []any, missing int64) (any, error) {
	whole := v.Type()
	if method := v.MethodByName(name); method.IsValid() {
		mt := method.Type()
		in := make([]reflect.Value, len(args))
		for i, a := range args {
			if i >= mt.NumIn() {
				return nil, fmt.Errorf("wrong number of args for %s: want %d got %d", name, mt.NumIn(), len(args))
			}
			want := mt.In(i)
			var err error
			if in[i], err = fittedArgument(a, want, want.String()); err != nil {
				return nil, err
			}
		}
		if len(in) < mt.NumIn() && !mt.IsVariadic() {
			return nil, fmt.Errorf("wrong number of args for %s: want %d got %d", name, mt.NumIn(), len(args))
		}
		return templateResult(name, method.Call(in), reflect.Value.Interface)
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil, fmt.Errorf("nil pointer evaluating %s.%s", whole, name)
		}
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Struct:
		if f, ok := v.Type().FieldByName(name); ok && f.IsExported() {
			field, err := v.FieldByIndexErr(f.Index)
			if err != nil {
				return nil, err
			}
			return field.Interface(), nil
		}
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		return m.entry(v, name, missing, reflect.Value.Interface)
	}
	return nil, fmt.Errorf("can't evaluate field %s in type %s", name, whole)
}

// indexed is the function index of templates.
func (m *Machine) indexed(x any, keys ...any) (any, error) {
	for _, k := range keys {
		t, v := m.dynamic(x)
		if t == nil {
			return nil, fmt.Errorf("index of untyped nil")
		}
		for v.Kind() == reflect.Pointer && !v.IsNil() {
			t, v = t.Underlying().(*types.Pointer).Elem(), v.Elem()
		}
		key := reflect.ValueOf(raw(k))
		switch u := t.Underlying().(type) {
		case *types.Map:
			want, err := fittedArgument(k, v.Type().Key(), m.typeName(u.Key()))
			if err != nil {
				return nil, err
			}
			e := v.MapIndex(want)
			if !e.IsValid() {
				e = reflect.Zero(v.Type().Elem())
			}
			x = m.boxedValue(u.Elem(), e)
		case *types.Slice, *types.Array, *types.Basic:
			if !key.CanInt() && !key.CanUint() || v.Kind() != reflect.Slice && v.Kind() != reflect.Array && v.Kind() != reflect.String {
				return nil, fmt.Errorf("cannot index slice/array with type %s", key.Type())
			}
			i := int(key.Convert(reflect.TypeFor[int]()).Int())
			if i < 0 || i >= v.Len() {
				return nil, fmt.Errorf("index out of range: %d", i)
			}
			elem := types.Type(types.Typ[types.Uint8])
			if list, ok := u.(interface{ Elem() types.Type }); ok {
				elem = list.Elem()
			}
			x = m.boxedValue(elem, v.Index(i))
		default:
			return nil, fmt.Errorf("can't index item of type %s", m.typeName(t))
		}
	}
	return x, nil
}
