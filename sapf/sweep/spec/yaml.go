package spec

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"sapf/models/nearest"
)

// Read reads a spec from a YAML file.
func Read(file string) (Spec, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return Spec{}, fmt.Errorf("sweep: %w", err)
	}
	s, err := Parse(raw)
	if err != nil {
		return Spec{}, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// Parse reads a spec from YAML. Fields that do not exist are refused with the
// nearest one, and so are values of another kind.
func Parse(raw []byte) (Spec, error) {
	var top any
	if err := yaml.Unmarshal(raw, &top); err != nil {
		return Spec{}, errors.New(yaml.FormatError(err, false, false))
	}
	var s Spec
	r := &reader{}
	r.fields("sweep", top, map[string]func(string, any){
		"model": func(at string, v any) { s.Models = append(s.Models, r.model(at, v)) },
		"models": func(at string, v any) {
			each(r, at, v, func(at string, v any) { s.Models = append(s.Models, r.model(at, v)) })
		},
		"images":  func(at string, v any) { s.Images = r.images(at, v) },
		"targets": func(at string, v any) { s.Targets = r.targets(at, v) },
		"methods": func(at string, v any) {
			each(r, at, v, func(at string, v any) { s.Methods = append(s.Methods, r.method(at, v)) })
		},
		"batch": func(at string, v any) { s.Batch = r.count(at, v) },
	})
	if r.err == nil {
		r.err = s.check()
	}
	return s, r.err
}

// check refuses a spec that lacks a part.
func (s Spec) check() error {
	sources := 0
	for _, there := range []bool{s.Images.Set != "", s.Images.Folder != "", len(s.Images.Names) > 0} {
		if there {
			sources++
		}
	}
	choices := 0
	for _, there := range []bool{s.Images.First > 0, s.Images.Count > 0, len(s.Images.Records) > 0} {
		if there {
			choices++
		}
	}
	switch {
	case len(s.Models) == 0:
		return errors.New("sweep: no model, expected model: NAME")
	case sources != 1:
		return fmt.Errorf("images: %d of set, folder and names are given, expected one", sources)
	case choices > 1:
		return errors.New("images: more than one of first, count and records is given")
	case s.Images.Seed != 0 && s.Images.Count == 0:
		return errors.New("images: seed without count, expected how many images to draw")
	case s.Batch > LargestBatch:
		return fmt.Errorf("batch: %d, expected at most %d", s.Batch, LargestBatch)
	case len(s.Methods) == 0:
		return errors.New("sweep: no methods, expected methods: [{name: sapf}]")
	}
	return nil
}

// reader takes YAML's values apart and keeps the first error.
type reader struct{ err error }

func (r *reader) fail(at, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...))
	}
}

// fields gives every field of a mapping to its reader, in the order of names.
func (r *reader) fields(at string, v any, readers map[string]func(at string, v any)) {
	m, ok := v.(map[string]any)
	if !ok {
		r.fail(at, "%s, expected fields %s", kindOf(v), strings.Join(sorted(readers), ", "))
		return
	}
	for _, name := range sorted(m) {
		read, ok := readers[name]
		if !ok {
			r.fail(at, "unknown field %q, did you mean %q? (there are %s)", name, nearest.Of(name, sorted(readers)), strings.Join(sorted(readers), ", "))
			return
		}
		read(at+"."+name, m[name])
	}
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// each gives every element of a list to read.
func each(r *reader, at string, v any, read func(at string, v any)) {
	list, ok := v.([]any)
	if !ok {
		r.fail(at, "%s, expected a list", kindOf(v))
		return
	}
	for i, e := range list {
		read(fmt.Sprintf("%s[%d]", at, i), e)
	}
}

// kindOf says in words what a value is.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case map[string]any:
		return "a mapping"
	case []any:
		return "a list"
	case string:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}

// word is a string, a number or a truth value as its text.
func (r *reader) word(at string, v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case uint64:
		return strconv.FormatUint(v, 10)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return strconv.FormatFloat(v, 'g', -1, 64)
		}
	}
	r.fail(at, "%s, expected a word or a number", kindOf(v))
	return ""
}

func (r *reader) text(at string, v any) string {
	s, ok := v.(string)
	if !ok || s == "" {
		r.fail(at, "%s, expected a name", kindOf(v))
	}
	return s
}

func (r *reader) natural(at string, v any) uint64 {
	n, ok := v.(uint64)
	if !ok {
		r.fail(at, "%s, expected a whole number of at least 0", kindOf(v))
	}
	return n
}

func (r *reader) count(at string, v any) int {
	n := r.natural(at, v)
	if r.err == nil && (n < 1 || n > math.MaxInt32) {
		r.fail(at, "%d, expected a whole number from 1 to %d", n, math.MaxInt32)
	}
	return int(n)
}

func (r *reader) number(at string, v any) float64 {
	switch v := v.(type) {
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v
		}
	case uint64:
		return float64(v)
	case int64:
		return float64(v)
	}
	r.fail(at, "%s, expected a number", kindOf(v))
	return 0
}

func (r *reader) yes(at string, v any) bool {
	b, ok := v.(bool)
	if !ok {
		r.fail(at, "%s, expected true or false", kindOf(v))
	}
	return b
}

func (r *reader) model(at string, v any) Model {
	if s, ok := v.(string); ok && s != "" {
		return Model{Name: s}
	}
	var m Model
	r.fields(at, v, r.load(&m))
	if m.Name == "" {
		r.fail(at, "no file, expected a model's name or {file: FILE, arch: NAME}")
	}
	if _, err := m.Options(); err != nil {
		r.fail(at, "%v", err)
	}
	return m
}

func (r *reader) images(at string, v any) Images {
	var x Images
	names := func(at string, v any) {
		each(r, at, v, func(at string, v any) { x.Names = append(x.Names, r.text(at, v)) })
	}
	if _, ok := v.([]any); ok {
		names(at, v)
		return x
	}
	r.fields(at, v, map[string]func(string, any){
		"set":    func(at string, v any) { x.Set = r.text(at, v) },
		"folder": func(at string, v any) { x.Folder = r.text(at, v) },
		"names":  names,
		"first":  func(at string, v any) { x.First = r.count(at, v) },
		"seed":   func(at string, v any) { x.Seed = r.natural(at, v) },
		"count":  func(at string, v any) { x.Count = r.count(at, v) },
		"records": func(at string, v any) {
			each(r, at, v, func(at string, v any) { x.Records = append(x.Records, int(r.natural(at, v))) })
		},
		"correct": func(at string, v any) { x.Correct = r.yes(at, v) },
		"resize":  func(at string, v any) { x.Resize = r.yes(at, v) },
	})
	return x
}

func (r *reader) targets(at string, v any) Targets {
	var t Targets
	switch v := v.(type) {
	case string:
		switch v {
		case "all":
		case "none":
			t.None = true
		default:
			r.fail(at, "%q, expected all, none, {random: 3} or a list of classes", v)
		}
	case []any:
		each(r, at, v, func(at string, v any) { t.Classes = append(t.Classes, r.word(at, v)) })
		if len(v) == 0 {
			r.fail(at, "an empty list, expected classes, or none for untargeted attacks")
		}
	default:
		r.fields(at, v, map[string]func(string, any){
			"random": func(at string, v any) { t.Random = r.count(at, v) },
			"seed":   func(at string, v any) { t.Seed = r.natural(at, v) },
		})
		if t.Random == 0 {
			r.fail(at, "expected all, none, {random: 3} or a list of classes")
		}
	}
	return t
}

func (r *reader) method(at string, v any) Method {
	if s, ok := v.(string); ok && s != "" {
		return Method{Name: s}
	}
	m := Method{Options: map[string]string{}, Grid: map[string][]string{}}
	r.fields(at, v, map[string]func(string, any){
		"name":   func(at string, v any) { m.Name = r.text(at, v) },
		"as":     func(at string, v any) { m.As = r.text(at, v) },
		"preset": func(at string, v any) { m.Preset = r.text(at, v) },
		"options": func(at string, v any) {
			r.open(at, v, func(at, name string, v any) { m.Options[name] = r.word(at, v) })
		},
		"grid": func(at string, v any) {
			r.open(at, v, func(at, name string, v any) {
				each(r, at, v, func(at string, v any) { m.Grid[name] = append(m.Grid[name], r.word(at, v)) })
				if len(m.Grid[name]) == 0 {
					r.fail(at, "an empty list, expected values")
				}
			})
		},
	})
	if m.Name == "" {
		r.fail(at, "no name, expected a method's")
	}
	return m
}

// open reads a mapping whose names are checked elsewhere: options of a method.
func (r *reader) open(at string, v any, read func(at, name string, v any)) {
	m, ok := v.(map[string]any)
	if !ok {
		r.fail(at, "%s, expected names and values", kindOf(v))
		return
	}
	for _, name := range sorted(m) {
		read(at+"."+name, name, m[name])
	}
}
