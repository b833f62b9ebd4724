package session

import (
	"go/types"
	"reflect"
	"slices"

	"sapf/models"
	"sapf/models/data"
)

// words lists what the string that a verb takes can be: models for LoadModel,
// images and data sets for LoadImage and LoadImages, and for Target the classes
// of the models that the session's variables hold.
func (s *Session) words(verb string) []string {
	var out []string
	switch verb {
	case "LoadModel":
		for _, m := range models.List() {
			out = append(out, m.Name)
		}
	case "LoadImage", "LoadImages", "HasData", "Views":
		for _, d := range data.List() {
			out = append(out, d.Name)
		}
	case "Target":
		out = s.classes()
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// classes are the classes of all models in variables.
func (s *Session) classes() []string {
	s.state.Lock()
	defer s.state.Unlock()
	values := s.machine.yaegi.Globals()
	var out []string
	for _, obj := range s.scope {
		v, ok := obj.(*types.Var)
		if !ok || !s.isUsers(v) {
			continue
		}
		rv := values[s.symbols[v]]
		if !rv.IsValid() || !rv.CanInterface() || rv.Kind() == reflect.Pointer && rv.IsNil() {
			continue
		}
		if m, ok := rv.Interface().(interface{ Classes() []string }); ok {
			out = append(out, m.Classes()...)
		}
	}
	return out
}
