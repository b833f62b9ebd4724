package session

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/format"
	"go/scanner"
	"go/token"
	"go/types"
	"maps"
	"reflect"
	"slices"

	"sapf/dsl/session/universe"
)

// meaning is the digest of all that decides what code does: its own text, the
// text of every declaration that it mentions, directly or not, methods of types
// among them, and the values of the variables that are mentioned, where they are
// numbers, words, or lists of them.
func (s *Session) meaning(code string) string {
	s.state.Lock()
	defer s.state.Unlock()
	h := sha256.New()
	fmt.Fprintln(h, code)
	values := s.machine.Globals()
	seen := map[types.Object]bool{}
	var todo []types.Object
	for _, name := range identifiers(code) {
		if obj := s.declared.Scope[name]; obj != nil {
			todo = append(todo, obj)
		}
	}
	for len(todo) > 0 {
		obj := todo[0]
		todo = todo[1:]
		if seen[obj] {
			continue
		}
		seen[obj] = true
		if v, ok := obj.(*types.Var); ok && universe.IsUsers(v) {
			fmt.Fprintln(h, v.Name(), v.Type(), plainValue(values[s.lowering.Symbols[v]]))
		}
		for _, d := range s.declarationsOf(obj) {
			format.Node(h, s.fset, d.Node)
			fmt.Fprintln(h)
			for _, name := range slices.Sorted(maps.Keys(d.Names)) {
				todo = append(todo, d.Names[name])
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// declarationsOf are what declares an object: one, and for a type its methods
// in the order of their names.
func (s *Session) declarationsOf(obj types.Object) []*universe.Decl {
	var out []*universe.Decl
	if d := s.universe.Decls[obj]; d != nil {
		out = append(out, d)
	}
	t, ok := obj.(*types.TypeName)
	if !ok {
		return out
	}
	var methods []*universe.Decl
	for _, d := range s.universe.Decls {
		if d.Recv == t {
			methods = append(methods, d)
		}
	}
	slices.SortFunc(methods, func(a, b *universe.Decl) int { return cmp.Compare(a.Obj.Name(), b.Obj.Name()) })
	return append(out, methods...)
}

// identifiers are the identifiers in a text, in their order.
func identifiers(code string) []string {
	var sc scanner.Scanner
	fset := token.NewFileSet()
	sc.Init(fset.AddFile("", fset.Base(), len(code)), []byte(code), nil, 0)
	var out []string
	for {
		_, tok, text := sc.Scan()
		if tok == token.EOF {
			return out
		}
		if tok == token.IDENT {
			out = append(out, text)
		}
	}
}

// plainValue is a value that text can tell apart, or "" for another: a pointer
// or a function says nothing of what it leads to.
func plainValue(v reflect.Value) string {
	if !v.IsValid() || !isPlain(v.Type()) {
		return ""
	}
	return fmt.Sprintf("%#v", v)
}

func isPlain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Complex64, reflect.Complex128, reflect.Float32, reflect.Float64:
		return true
	case reflect.Slice, reflect.Array:
		return isPlain(t.Elem())
	case reflect.Map:
		return isPlain(t.Key()) && isPlain(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if !isPlain(t.Field(i).Type) {
				return false
			}
		}
		return true
	}
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uintptr
}
