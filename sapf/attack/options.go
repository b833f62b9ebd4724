package attack

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"sapf/sapf/option"
)

// An attack is an options struct whose zero fields mean "as the preset, or
// else the authors, say". Besides the tags of package option, a field has
//
//	def:"0.01"   the value a zero field stands for
//
// and where a zero field with a list of words has no such tag, its first word.
// The field Preset, which only attacks with a method Presets have, names one of
// its rows and is no option.

// presetField is the field that names the preset.
const presetField = "Preset"

// Preset is an attack with named settings besides its zero value.
type Preset interface {
	// Presets maps a name to a value of the attack's own type whose non-zero
	// fields are that preset's.
	Presets() map[string]Attack
}

// Settable is an attack that sets and lists its options itself, where they are
// more than the fields of its struct.
type Settable interface {
	Attack
	// SetOption is Set for the attack, OptionNames and OptionValues list its
	// options, PresetNames the words that option "preset" may be.
	SetOption(name, value string) error
	OptionNames() []string
	OptionValues() (map[string]any, error)
	PresetNames() []string
}

// Presets lists an attack's named settings besides the authors' defaults.
func Presets(a Attack) []string {
	if s, ok := a.(Settable); ok {
		return s.PresetNames()
	}
	var names []string
	if p, ok := a.(Preset); ok {
		for name := range p.Presets() {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// PresetName is the preset that an attack's struct names, "" for none.
func PresetName(a Attack) string {
	v := reflect.Indirect(reflect.ValueOf(a))
	if v.Kind() != reflect.Struct || !v.FieldByName(presetField).IsValid() {
		return ""
	}
	return v.FieldByName(presetField).String()
}

// Resolve returns a copy of an attack's struct with every zero field filled in
// from its preset and then from the authors' defaults. It refuses a preset
// that does not exist and a value outside its range.
func Resolve[T Attack](a T) (T, error) {
	filled, err := fill(a)
	if err != nil {
		return a, err
	}
	return filled.Elem().Interface().(T), nil
}

// fill returns a pointer to a resolved copy of an attack's struct.
func fill(a Attack) (reflect.Value, error) {
	src := reflect.Indirect(reflect.ValueOf(a))
	if src.Kind() != reflect.Struct {
		return reflect.Value{}, fmt.Errorf("%s is a %T, expected an options struct", a.Name(), a)
	}
	preset, err := presetOf(a)
	if err != nil {
		return reflect.Value{}, err
	}
	p := reflect.New(src.Type())
	p.Elem().Set(src)
	for i := range src.NumField() {
		f, def := p.Elem().Field(i), defaultOf(src.Type().Field(i).Tag)
		if !src.Type().Field(i).IsExported() || !f.IsZero() {
			continue
		}
		if preset.IsValid() {
			f.Set(preset.Field(i))
		}
		if f.IsZero() && def != "" {
			if err := option.Set(p.Interface(), option.Names(onlyField(src.Type(), i))[0], def); err != nil {
				panic(fmt.Sprintf("attack: %s: default: %v", a.Name(), err))
			}
		}
	}
	if err := option.Check(p.Interface()); err != nil {
		return reflect.Value{}, fmt.Errorf("%s: %w", a.Name(), err)
	}
	return p, nil
}

// onlyField is a struct with field i of t alone: package option knows its name.
func onlyField(t reflect.Type, i int) any {
	return reflect.New(reflect.StructOf([]reflect.StructField{t.Field(i)})).Interface()
}

// defaultOf is the default as a field's tags write it, "" for the zero value.
func defaultOf(tag reflect.StructTag) string {
	if words := strings.Fields(tag.Get("oneof")); len(words) > 0 && tag.Get("def") == "" {
		return words[0]
	}
	return tag.Get("def")
}

// presetOf returns the struct of the preset that an attack names, or an
// invalid value where it names none.
func presetOf(a Attack) (reflect.Value, error) {
	name := PresetName(a)
	if name == "" {
		return reflect.Value{}, nil
	}
	if p, ok := a.(Preset); ok {
		if preset, ok := p.Presets()[name]; ok {
			return reflect.Indirect(reflect.ValueOf(preset)), nil
		}
	}
	return reflect.Value{}, fmt.Errorf("%s: preset %q, expected one of %s", a.Name(), name, strings.Join(Presets(a), ", "))
}

// Set gives the option called name (in snake case: step_size) of an attack its
// value, as `sapf attack --set name=value` does. The attack is a pointer, as
// New returns. A name that does not exist is refused with the nearest one, and
// so are a value of the wrong type or out of range, and an explicit 0 where 0
// stands for another default. "preset" is set like an option.
func Set(a Attack, name, value string) error {
	if s, ok := a.(Settable); ok {
		if err := s.SetOption(name, value); err != nil {
			return fmt.Errorf("%s: %w", a.Name(), err)
		}
		return nil
	}
	return setField(a, name, value)
}

// setField is Set for an attack that is the fields of its struct.
func setField(a Attack, name, value string) error {
	v := reflect.ValueOf(a)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("set %s: the attack is a %T, expected a pointer to an options struct, as New returns", name, a)
	}
	if f := v.Elem().FieldByName(presetField); name == "preset" && f.IsValid() {
		before := f.String()
		f.SetString(value)
		_, err := presetOf(a)
		if err != nil {
			f.SetString(before)
		}
		return err
	}
	if name == "preset" {
		return fmt.Errorf("%s: preset %q, but it has none", a.Name(), value)
	}
	probe := reflect.New(v.Elem().Type())
	if err := option.Set(probe.Interface(), name, value); err != nil {
		return fmt.Errorf("%s: %w", a.Name(), err)
	}
	if probe.Elem().IsZero() {
		if def, ok := Default(a, name); ok && fmt.Sprint(def) != value {
			return fmt.Errorf("%s: option %s: %s stands for the default %v, expected another value", a.Name(), name, value, def)
		}
	}
	return option.Set(a, name, value)
}

// Default returns the value that the option called name has where neither the
// struct nor a preset gives one.
func Default(a Attack, name string) (any, bool) {
	zero := reflect.New(reflect.Indirect(reflect.ValueOf(a)).Type()).Interface().(Attack)
	values, err := Options(zero)
	v, ok := values[name]
	if err != nil || !ok || reflect.ValueOf(v).IsZero() {
		return nil, false
	}
	return v, true
}

// Options returns every option of an attack under its snake-case name, zero
// fields resolved. An attack whose type is no struct has none.
func Options(a Attack) (map[string]any, error) {
	if s, ok := a.(Settable); ok {
		return s.OptionValues()
	}
	if v := reflect.ValueOf(a); v.Kind() == reflect.Struct { // its methods may be those of a pointer
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		if s, ok := p.Interface().(Settable); ok {
			return s.OptionValues()
		}
	}
	if reflect.Indirect(reflect.ValueOf(a)).Kind() != reflect.Struct {
		return map[string]any{}, nil
	}
	p, err := fill(a)
	if err != nil {
		return nil, err
	}
	return option.Values(p.Interface()), nil
}

// OptionNames lists the options of an attack in the order of its fields.
func OptionNames(a Attack) []string {
	if s, ok := a.(Settable); ok {
		return s.OptionNames()
	}
	return option.Names(a)
}
