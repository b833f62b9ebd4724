// Package option sets, lists and checks the fields of an attack's options
// struct by name. The name of a field is its Go name in snake case: RhoBoxMax
// is rho_box_max. Two struct tags say what a value may be:
//
//	Steps int     `range:"[1,inf)"`     an interval of numbers
//	Loss  string  `oneof:"cw ce"`       one of some words
//
// Fields of kinds other than string, bool, int, uint64 and float64, and
// fields tagged `option:"-"`, are not options.
package option

import (
	"fmt"
	"math"
	"reflect"
	"sapf/models/nearest"
	"strconv"
	"strings"
	"unicode"
)

// field is one option of a struct.
type field struct {
	name  string
	value reflect.Value
	tag   reflect.StructTag
}

// fieldsOf lists the options of the struct that ptr points to, in its order.
func fieldsOf(ptr any) []field {
	v := reflect.ValueOf(ptr)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	var out []field
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || f.Tag.Get("option") == "-" {
			continue
		}
		switch f.Type.Kind() {
		case reflect.String, reflect.Bool, reflect.Int, reflect.Uint64, reflect.Float64:
			out = append(out, field{snake(f.Name), v.Field(i), f.Tag})
		}
	}
	return out
}

// snake turns RhoBoxMax into rho_box_max.
func snake(s string) string {
	var b strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Names lists the options of a struct (or of what a pointer points to), in
// the order of its fields.
func Names(options any) []string {
	var out []string
	for _, f := range fieldsOf(options) {
		out = append(out, f.name)
	}
	return out
}

// UnknownError says that there is no option of that name.
type UnknownError struct {
	Name, Nearest string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("unknown option %q, did you mean %q?", e.Name, e.Nearest)
}

// Set parses value and stores it in the option called name of the struct that
// ptr points to. It refuses an unknown name (with the nearest one), a value of
// another type, a number that is not finite or out of range, and an unknown
// word.
func Set(ptr any, name, value string) error {
	all := fieldsOf(ptr)
	for _, f := range all {
		if f.name == name {
			return f.set(value)
		}
	}
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.name
	}
	return &UnknownError{name, nearest.Of(name, names)}
}

func (f field) set(value string) error {
	next := reflect.New(f.value.Type()).Elem()
	wrong := func(kind string) error {
		return fmt.Errorf("option %s: %q, expected %s", f.name, value, kind)
	}
	switch f.value.Kind() {
	case reflect.String:
		next.SetString(value)
	case reflect.Bool:
		b, err := strconv.ParseBool(value)
		if err != nil {
			return wrong("true or false")
		}
		next.SetBool(b)
	case reflect.Int:
		i, err := strconv.Atoi(value)
		if err != nil {
			return wrong("a whole number")
		}
		next.SetInt(int64(i))
	case reflect.Uint64:
		u, err := strconv.ParseUint(value, 0, 64)
		if err != nil {
			return wrong("a whole number of at least 0")
		}
		next.SetUint(u)
	case reflect.Float64:
		x, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return wrong("a number")
		}
		next.SetFloat(x)
	}
	if err := (field{f.name, next, f.tag}).check(); err != nil {
		return err
	}
	f.value.Set(next)
	return nil
}

// Check reports the first option whose value its tags do not allow.
func Check(options any) error {
	for _, f := range fieldsOf(options) {
		if err := f.check(); err != nil {
			return err
		}
	}
	return nil
}

func (f field) check() error {
	if words := f.tag.Get("oneof"); words != "" {
		for _, w := range strings.Fields(words) {
			if f.value.String() == w {
				return nil
			}
		}
		return fmt.Errorf("option %s: %q, expected one of %s", f.name, f.value.String(), strings.Join(strings.Fields(words), ", "))
	}
	var x float64
	switch f.value.Kind() {
	case reflect.Int:
		x = float64(f.value.Int())
	case reflect.Uint64:
		x = float64(f.value.Uint())
	case reflect.Float64:
		x = f.value.Float()
	default:
		return nil
	}
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Errorf("option %s: %v, expected a finite number", f.name, x)
	}
	if r := f.tag.Get("range"); r != "" && !inside(x, r) {
		return fmt.Errorf("option %s: %v, expected a number in %s", f.name, f.value.Interface(), r)
	}
	return nil
}

// inside reports whether x lies in an interval written as "[0,1)".
func inside(x float64, interval string) bool {
	low, high, ok := strings.Cut(interval[1:len(interval)-1], ",")
	a, err1 := strconv.ParseFloat(low, 64)
	b, err2 := strconv.ParseFloat(high, 64)
	if !ok || err1 != nil || err2 != nil {
		panic("option: interval " + interval)
	}
	return (x > a || x == a && interval[0] == '[') && (x < b || x == b && interval[len(interval)-1] == ']')
}

// Values returns the value of every option.
func Values(options any) map[string]any {
	out := map[string]any{}
	for _, f := range fieldsOf(options) {
		out[f.name] = f.value.Interface()
	}
	return out
}

// Format prints every option as name=value, in the order of the fields,
// separated by sep. Each can be given back to Set.
func Format(options any, sep string) string {
	var parts []string
	for _, f := range fieldsOf(options) {
		parts = append(parts, fmt.Sprintf("%s=%v", f.name, f.value.Interface()))
	}
	return strings.Join(parts, sep)
}

// kinds are what options are called.
var kinds = map[reflect.Kind]string{reflect.String: "text", reflect.Bool: "true | false", reflect.Int: "whole number", reflect.Uint64: "whole number from 0", reflect.Float64: "number"}

// Allowed describes the values the option called name takes: "cw | ce",
// "whole number in [1,inf)", "true | false".
func Allowed(options any, name string) string {
	for _, f := range fieldsOf(options) {
		if f.name != name {
			continue
		}
		if words := f.tag.Get("oneof"); words != "" {
			return strings.Join(strings.Fields(words), " | ")
		}
		if r := f.tag.Get("range"); r != "" {
			return kinds[f.value.Kind()] + " in " + r
		}
		return kinds[f.value.Kind()]
	}
	return ""
}
