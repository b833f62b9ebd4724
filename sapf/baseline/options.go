package baseline

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"sapf/sapf"
)

// An attack is an options struct whose zero fields mean "as the preset, or
// else the authors, say". The values and their ranges stand in the fields'
// tags, and this file is the only reader of them:
//
//	def:"0.01"     the value a zero field stands for
//	min:"0"        the smallest value accepted; 0 where no tag is given
//	max:"1"        the largest value accepted
//	one:"l0 linf"  the words accepted; the first is the default
//
// The field Preset names a row of the type's presets method and is no option.

// presetField is the field that names the preset.
const presetField = "Preset"

// option is one field of an attack's struct.
type option struct {
	name  string // snake_case, as --set and results spell it
	index int
	tag   reflect.StructTag
}

// optionsOf lists the options of an attack's type in the order of its fields.
func optionsOf(t reflect.Type) []option {
	var list []option
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && f.Name != presetField && f.Type.Kind() != reflect.Interface {
			list = append(list, option{snake(f.Name), i, f.Tag})
		}
	}
	return list
}

// snake turns StepSize into step_size and K into k.
func snake(name string) string {
	var b strings.Builder
	prevLower := false
	for _, r := range name {
		if unicode.IsUpper(r) && prevLower {
			b.WriteByte('_')
		}
		prevLower = unicode.IsLower(r) || unicode.IsDigit(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// presetter is an attack with named settings besides its zero value.
type presetter interface {
	// presets maps a name to a value of the attack's own type whose non-zero
	// fields are that preset's.
	presets() map[string]sapf.Attack
}

// resolve returns a copy of an attack's struct with every zero field filled in
// from its preset and then from the authors' defaults. It refuses a preset
// that does not exist and a value outside its range.
func resolve[T sapf.Attack](a T) (T, error) {
	v := reflect.New(reflect.TypeOf(a)).Elem()
	v.Set(reflect.ValueOf(a))
	err := fill(v, a)
	return v.Interface().(T), err
}

func fill(v reflect.Value, a sapf.Attack) error {
	preset, err := presetOf(v, a)
	if err != nil {
		return err
	}
	for _, o := range optionsOf(v.Type()) {
		f := v.Field(o.index)
		if f.IsZero() && preset.IsValid() {
			f.Set(preset.Field(o.index))
		}
		if f.IsZero() {
			if err := parseInto(f, o.defaultText()); err != nil {
				return fmt.Errorf("%s: default of %s: %w", a.Name(), o.name, err)
			}
		}
		if err := o.check(f); err != nil {
			return fmt.Errorf("%s: %w", a.Name(), err)
		}
	}
	return nil
}

// presetOf returns the struct of the preset that v names, or an invalid value
// where it names none.
func presetOf(v reflect.Value, a sapf.Attack) (reflect.Value, error) {
	f := v.FieldByName(presetField)
	if !f.IsValid() || f.String() == "" {
		return reflect.Value{}, nil
	}
	names := Presets(a)
	if p, ok := a.(presetter); ok {
		if preset, ok := p.presets()[f.String()]; ok {
			return reflect.Indirect(reflect.ValueOf(preset)), nil
		}
	}
	return reflect.Value{}, fmt.Errorf("%s: preset %q, expected one of %v", a.Name(), f.String(), names)
}

// defaultText is the default as the tags write it, "" for the zero value.
func (o option) defaultText() string {
	if words := strings.Fields(o.tag.Get("one")); len(words) > 0 {
		return words[0]
	}
	return o.tag.Get("def")
}

// check refuses a value outside the option's range.
func (o option) check(f reflect.Value) error {
	switch f.Kind() {
	case reflect.String:
		words := strings.Fields(o.tag.Get("one"))
		for _, w := range words {
			if w == f.String() {
				return nil
			}
		}
		return fmt.Errorf("option %s is %q, expected one of %v", o.name, f.String(), words)
	case reflect.Int:
		return o.checkRange(float64(f.Int()))
	case reflect.Float64:
		return o.checkRange(f.Float())
	}
	return nil
}

func (o option) checkRange(x float64) error {
	low, high := 0.0, math.MaxFloat64
	if s, ok := o.tag.Lookup("min"); ok {
		low, _ = strconv.ParseFloat(s, 64)
	}
	if s, ok := o.tag.Lookup("max"); ok {
		high, _ = strconv.ParseFloat(s, 64)
	}
	if x >= low && x <= high {
		return nil
	}
	if high == math.MaxFloat64 {
		return fmt.Errorf("option %s is %v, expected a finite number of at least %v", o.name, x, low)
	}
	return fmt.Errorf("option %s is %v, expected %v to %v", o.name, x, low, high)
}

// parseInto reads text into a field; "" is its zero value.
func parseInto(f reflect.Value, text string) error {
	if text == "" {
		f.SetZero()
		return nil
	}
	switch f.Kind() {
	case reflect.String:
		f.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q, expected true or false", text)
		}
		f.SetBool(b)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q, expected a whole number", text)
		}
		f.SetInt(int64(n))
	case reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%q, expected a whole number of at least 0", text)
		}
		f.SetUint(n)
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%q, expected a finite number", text)
		}
		f.SetFloat(x)
	default:
		panic("baseline: option of kind " + f.Kind().String())
	}
	return nil
}

// Set gives the option called name (in snake_case: step_size) of an attack its
// value, as `sapf attack --set name=value` does. The attack is a pointer, as
// New returns. A name that does not exist is refused with the nearest one, and
// so are a value of the wrong type or out of range, and an explicit 0 where 0
// stands for another default. "preset" may be set like an option.
func Set(a sapf.Attack, name, value string) error {
	v := reflect.ValueOf(a)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("set %s: the attack is a %T, expected a pointer to an options struct, as New returns", name, a)
	}
	v = v.Elem()
	if name == "preset" && v.FieldByName(presetField).IsValid() {
		v.FieldByName(presetField).SetString(value)
		_, err := presetOf(v, a)
		return err
	}
	var names []string
	for _, o := range optionsOf(v.Type()) {
		if o.name == name {
			return o.set(a.Name(), v.Field(o.index), value)
		}
		names = append(names, o.name)
	}
	if len(names) == 0 {
		return fmt.Errorf("%s has no option %q, nor any other", a.Name(), name)
	}
	return fmt.Errorf("%s has no option %q; the nearest is %q", a.Name(), name, Nearest(name, names))
}

func (o option) set(attack string, f reflect.Value, value string) error {
	probe := reflect.New(f.Type()).Elem()
	if value == "" {
		return fmt.Errorf("%s: option %s has no value", attack, o.name)
	}
	if err := parseInto(probe, value); err != nil {
		return fmt.Errorf("%s: option %s is %w", attack, o.name, err)
	}
	if probe.IsZero() && o.defaultText() != "" {
		return fmt.Errorf("%s: option %s is %s, which stands for its default %s; expected another value", attack, o.name, value, o.defaultText())
	}
	if err := o.check(probe); err != nil {
		return fmt.Errorf("%s: %w", attack, err)
	}
	f.Set(probe)
	return nil
}

// Options returns every option of an attack under its snake_case name, zero
// fields resolved.
func Options(a sapf.Attack) (map[string]any, error) {
	src := reflect.Indirect(reflect.ValueOf(a))
	if src.Kind() != reflect.Struct {
		return nil, fmt.Errorf("options of %s: a %T, expected an options struct", a.Name(), a)
	}
	v := reflect.New(src.Type()).Elem()
	v.Set(src)
	if err := fill(v, a); err != nil {
		return nil, err
	}
	m := make(map[string]any)
	for _, o := range optionsOf(v.Type()) {
		m[o.name] = v.Field(o.index).Interface()
	}
	return m, nil
}

// OptionNames lists the options of an attack in the order of its fields.
func OptionNames(a sapf.Attack) []string {
	var names []string
	for _, o := range optionsOf(reflect.Indirect(reflect.ValueOf(a)).Type()) {
		names = append(names, o.name)
	}
	return names
}

// Nearest returns the entry of names with the smallest edit distance to name,
// the first of equals. names must not be empty.
func Nearest(name string, names []string) string {
	best := names[0]
	for _, n := range names[1:] {
		if editDistance(name, n) < editDistance(name, best) {
			best = n
		}
	}
	return best
}

// editDistance is Levenshtein's distance in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
