package command

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

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
	if err := writeOptions(out.stdout, method, a); err != nil {
		return failed(err)
	}
	return errListed
}

// writeOptions lists the options of a method: the name that --set takes, the
// value where nothing is set, and what it may be; under each, or under several
// that are explained together, what they mean.
func writeOptions(w io.Writer, method string, a attack.Attack) error {
	values, err := attack.Options(a)
	if err != nil {
		return err
	}
	rows := [][]string{{"OPTION", "DEFAULT", "MAY BE"}}
	meanings := []string{""}
	if presets := attack.Presets(a); len(presets) > 0 {
		rows = append(rows, []string{"preset", "-", strings.Join(presets, " | ")})
		meanings = append(meanings, "Named settings, also --preset; options win over them.")
	}
	fields := optionFields(a)
	for _, name := range attack.OptionNames(a) {
		value := "-"
		if v, ok := values[name]; ok && fmt.Sprint(v) != "" {
			value = fmt.Sprint(v)
		}
		rows = append(rows, []string{name, value, fields[name].allowed})
		meanings = append(meanings, fields[name].meaning)
	}
	var aligned bytes.Buffer
	t := tabwriter.NewWriter(&aligned, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	var b strings.Builder
	for _, e := range baseline.All() {
		if e.Name == method {
			fmt.Fprintf(&b, "%s: %s\nSource: %s\n\n", e.Name, e.About, e.Paper)
		}
	}
	for i, line := range strings.Split(strings.TrimRight(aligned.String(), "\n"), "\n") {
		b.WriteString(line + "\n")
		if i+1 == len(meanings) || meanings[i+1] != meanings[i] { // the last of those explained together
			b.WriteString(indented(meanings[i], 4, optionWidth))
		}
	}
	if _, ok := a.(sapf.Resolver); ok {
		b.WriteString("\n" + indented("A number in parentheses is a row of the table of what the paper says and its authors' program does (go doc sapf/sapf). Results list every option as it was.", 0, optionWidth))
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// optionWidth is that of a terminal nobody has made wider.
const optionWidth = 80

// indented breaks text into lines of at most width characters, margin included.
func indented(text string, margin, width int) string {
	var b strings.Builder
	at := 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case at == 0:
			b.WriteString(strings.Repeat(" ", margin))
			at = margin
		case at+1+n > width:
			b.WriteString("\n" + strings.Repeat(" ", margin))
			at = margin
		default:
			b.WriteString(" ")
			at++
		}
		b.WriteString(word)
		at += n
	}
	if at > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

// optionField is what is said of the field behind an option.
type optionField struct{ allowed, meaning string }

// optionFields are the fields behind the options of a method, by the options'
// names.
func optionFields(a attack.Attack) map[string]optionField {
	out := map[string]optionField{
		"steps": {"whole number in [1,inf)", "Steps of the delta stage; the rest of the schedule is compressed with it."},
		"to":    {"a method", "The attack whose count is to be k; its own options are to.NAME."},
		"less":  {"whole number in [0,inf)", "How many entries or pixels fewer than it needed."},
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
