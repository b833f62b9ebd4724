package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"sapf/models/bounded"
	"sapf/models/nearest"
)

// maxSpec is far above the length of any spec, which may list a hundred thousand
// images.
const maxSpec = 64 << 20

// Read reads a spec from a YAML file, "-" from standard input.
func Read(file string) (Spec, error) {
	raw, err := func() ([]byte, error) {
		if file == "-" {
			return bounded.ReadAll(os.Stdin, maxSpec)
		}
		return bounded.ReadFile(file, maxSpec)
	}()
	if err != nil {
		return Spec{}, fmt.Errorf("sweep: %w", err)
	}
	s, err := Parse(raw)
	if err != nil {
		if file == "-" {
			file = "standard input"
		}
		return Spec{}, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// Parse reads a spec from YAML. Fields that do not exist are refused with the
// nearest one, and so are values of another kind.
func Parse(raw []byte) (Spec, error) {
	top, err := document(raw)
	if err != nil {
		return Spec{}, err
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
		"batch": func(at string, v any) { s.Batch = r.upTo(LargestBatch, at, v) },
	})
	if r.err == nil {
		r.err = s.check()
	}
	return s, r.err
}

// document reads the one document of a YAML text, in UTF-8, with or without the
// mark that some editors put before it.
func document(raw []byte) (any, error) {
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}), bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		return nil, errors.New("the text is UTF-16, expected UTF-8")
	case !utf8.Valid(raw):
		return nil, errors.New("the text is not UTF-8")
	}
	d := yaml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	var top, second any
	if err := d.Decode(&top); err != nil && err != io.EOF {
		if n := indentedByTab(raw); n > 0 {
			return nil, fmt.Errorf("[%d:1] the line is indented by a tab, YAML takes spaces only", n)
		}
		return nil, errors.New(yaml.FormatError(err, false, false))
	}
	if err := d.Decode(&second); err != io.EOF {
		return nil, errors.New("a second document after ---, expected one")
	}
	return top, nil
}

// indentedByTab is the number of the first line whose indentation has a tab, 0 if
// none has.
func indentedByTab(raw []byte) int {
	n := 0
	for line := range bytes.Lines(raw) {
		n++
		if indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]; bytes.ContainsRune(indent, '\t') {
			return n
		}
	}
	return 0
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

func (r *reader) count(at string, v any) int { return r.upTo(math.MaxInt32, at, v) }

func (r *reader) upTo(most int, at string, v any) int {
	n := r.natural(at, v)
	if r.err == nil && (n < 1 || n > uint64(most)) {
		r.fail(at, "%d, expected a whole number from 1 to %d", n, most)
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
	m, ok := v.(map[string]any)
	if !ok {
		if _, list := v.([]any); !list {
			r.fail(at, "%s, expected {set: cifar10, first: 3}, {folder: DIR} or a list of names", kindOf(v))
		}
		names(at, v)
		return x
	}
	if _, seed := m["seed"]; seed && m["count"] == nil { // a seed of 0 is one too
		r.fail(at, "seed without count, expected how many images to draw")
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
			if len(x.Records) == 0 {
				r.fail(at, "an empty list, expected numbers of images")
			}
		},
		"correct": func(at string, v any) { x.Correct = r.yes(at, v) },
		"resize":  func(at string, v any) { x.Resize = r.yes(at, v) },
	})
	return x
}

func (r *reader) targets(at string, v any) Targets {
	const expected = "expected all, none, {random: 3} or a list of classes"
	var t Targets
	switch v := v.(type) {
	case string:
		switch v {
		case "all":
		case "none":
			t.None = true
		default:
			r.fail(at, "%q, %s", v, expected)
		}
	case []any:
		each(r, at, v, func(at string, v any) { t.Classes = append(t.Classes, r.word(at, v)) })
		if len(v) == 0 {
			r.fail(at, "an empty list, expected classes, or none for untargeted attacks")
		}
	case map[string]any:
		r.fields(at, v, map[string]func(string, any){
			"random": func(at string, v any) { t.Random = r.count(at, v) },
			"seed":   func(at string, v any) { t.Seed = r.natural(at, v) },
		})
		if t.Random == 0 {
			r.fail(at, "no random, %s", expected)
		}
	default:
		r.fail(at, "%s, %s", kindOf(v), expected)
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
