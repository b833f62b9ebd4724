package session

import (
	"go/token"
	"go/types"
	"reflect"
	"sync"

	"github.com/traefik/yaegi/stdlib"

	"sapf/dsl/display"
	"sapf/dsl/session/assist"
	"sapf/dsl/session/universe"
	"sapf/dsl/symbols"
)

// known is what can be said of a cell as it is typed. The caller holds the lock.
func (s *Session) known() assist.Known {
	k := assist.Known{Declared: s.declared, Words: func(verb string) []string { return s.options.Words(verb, s.values()) }}
	for name := range magics {
		k.Magics = append(k.Magics, name)
	}
	return k
}

// Complete lists what can stand at the cursor, a byte offset: members after a
// dot, fields in a literal of a structure, names in scope, import paths, and
// the words and files that a verb's string can be.
func (s *Session) Complete(code string, cursor int) Completion {
	s.state.Lock()
	defer s.state.Unlock()
	return s.known().Complete(code, cursor)
}

// Inspect tells what stands at the cursor, a byte offset: its declaration and
// its doc comment. Within the parentheses of a call that is the function's.
// A detail of 1 adds the source of what a cell declared.
func (s *Session) Inspect(code string, cursor, detail int) (display.Bundle, bool) {
	s.state.Lock()
	defer s.state.Unlock()
	return s.known().Inspect(code, cursor, detail)
}

// PackageFor is the import path of the package that a cell means by a name that
// nothing else has, given what it uses of it; "" if there is none.
func PackageFor(name string, members map[string]bool) string {
	pkg := every().PackageFor(name, members)
	if pkg == nil {
		return ""
	}
	return pkg.Path()
}

// every is all that cells can import.
var every = sync.OnceValue(func() *universe.Universe {
	return universe.New(token.NewFileSet(), stdlib.Symbols, symbols.Symbols)
})

// values are the values of the variables that cells have declared.
func (s *Session) values() []any {
	values := s.machine.Globals()
	var out []any
	for _, obj := range s.declared.Scope {
		v, ok := obj.(*types.Var)
		if !ok || !universe.IsUsers(v) {
			continue
		}
		rv := values[s.lowering.Symbols[v]]
		if rv.IsValid() && rv.CanInterface() && !(rv.Kind() == reflect.Pointer && rv.IsNil()) {
			out = append(out, rv.Interface())
		}
	}
	return out
}

// Variable is a variable of the session, as %whos lists it.
type Variable struct {
	Name, Type, Value string
}

// Variables lists the variables that cells have declared, by name.
func (s *Session) Variables() []Variable {
	s.state.Lock()
	defer s.state.Unlock()
	values := s.machine.Globals()
	var out []Variable
	for _, name := range assist.SortedNames(s.declared.Scope) {
		v, ok := s.declared.Scope[name].(*types.Var)
		if !ok || !universe.IsUsers(v) {
			continue
		}
		value := ""
		if rv := values[s.lowering.Symbols[v]]; rv.IsValid() && rv.CanInterface() {
			value = assist.Brief(rv)
		}
		out = append(out, Variable{name, types.TypeString(v.Type(), shortPackage), value})
	}
	return out
}

func shortPackage(p *types.Package) string {
	if p.Path() == "main" {
		return ""
	}
	return p.Name()
}
