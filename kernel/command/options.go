package command

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"sapf/dsl/symbols"
	"sapf/sapf"
	"sapf/sapf/attack"
	"sapf/sapf/baseline"
	"sapf/sapf/option"
)

// listOptions is a flag that lists the options of the method instead of
// attacking.
type listOptions bool

// errListed ends a command that has done what was asked.
var errListed = errors.New("listed")

// BeforeReset runs before kong misses the flags that an attack needs.
func (listOptions) BeforeReset(ctx *kong.Context, out output) error {
	method := "sapf"
	for _, element := range ctx.Path {
		if element.Flag != nil && element.Flag.Name == "method" {
			method = fmt.Sprint(ctx.FlagValue(element.Flag))
		}
	}
	a, err := baseline.Named(method)
	if err != nil {
		return err
	}
	if err := writeOptions(out.stdout, a); err != nil {
		return failed(err)
	}
	return errListed
}

// writeOptions lists the options of a method: the name that --set takes, the
// value where nothing is set, what it may be, and what it means.
func writeOptions(w io.Writer, a attack.Attack) error {
	values, err := attack.Options(a)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "option\tdefault\tmay be\tmeaning")
	if presets := attack.Presets(a); len(presets) > 0 {
		fmt.Fprintf(t, "preset\t\t%s\tnamed settings (--preset); options win over them\n", strings.Join(presets, " | "))
	}
	fields := optionFields(a)
	for _, name := range attack.OptionNames(a) {
		value := ""
		if v, ok := values[name]; ok {
			value = fmt.Sprint(v)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", name, value, fields[name].allowed, fields[name].meaning)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if _, ok := a.(sapf.Resolver); ok {
		_, err = fmt.Fprintln(w, "\n(1) to (24): rows of the table of what the paper and the authors' program do differently, 'go doc sapf/sapf'.")
	}
	return err
}

// optionField is what is said of the field behind an option.
type optionField struct{ allowed, meaning string }

// optionFields are the fields behind the options of a method, by the options'
// names.
func optionFields(a attack.Attack) map[string]optionField {
	out := map[string]optionField{
		"steps": {"int in [1,inf)", "Steps of the delta stage; the rest of the schedule is compressed with it."},
		"to":    {"a method", "The attack whose count is to be k; its own options are to.NAME."},
		"less":  {"int in [0,inf)", "How many entries or pixels fewer than it needed."},
	}
	t := reflect.Indirect(reflect.ValueOf(a)).Type()
	switch a := a.(type) {
	case sapf.Resolver:
		t = reflect.TypeFor[sapf.Settings]()
	case *baseline.Matched:
		for name, f := range optionFields(a.Inner()) {
			out[name] = f
		}
		for name, f := range optionFields(a.Other()) {
			out["to."+name] = f
		}
		return out
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		alone := reflect.New(reflect.StructOf([]reflect.StructField{f})).Interface() // package option knows its name
		for _, name := range option.Names(alone) {
			_, doc, _ := symbols.Doc(t.PkgPath(), t.Name()+"."+f.Name)
			out[name] = optionField{option.Allowed(alone, name), strings.Join(strings.Fields(doc), " ")}
		}
	}
	return out
}
