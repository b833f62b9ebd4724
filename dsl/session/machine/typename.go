package machine

import (
	"fmt"
	"go/types"
	"strconv"
	"strings"

	"sapf/dsl/session/universe"
)

// typeName is a type as %T prints it, which is how the compiler names types for
// reflection: main.Box[int], struct { x int }, interface {}.
func (m *Machine) typeName(t types.Type) string {
	w := typeWriter{outer: m.outer}
	w.write(t, false)
	return w.String()
}

// typeWriter writes types.
type typeWriter struct {
	strings.Builder
	// outer are the type arguments of the generic function that declares a type.
	outer func(*types.TypeName) []types.Type
}

// Outer notes that a generic function declares the type, and with which type
// arguments.
func (m *Machine) Outer(t *types.TypeName, args []types.Type) {
	m.registry.mu.Lock()
	defer m.registry.mu.Unlock()
	m.registry.outer[t] = args
}

func (m *Machine) outer(t *types.TypeName) []types.Type {
	m.registry.mu.RLock()
	defer m.registry.mu.RUnlock()
	return m.registry.outer[t]
}

// write writes a type. Those that are type arguments have the whole path of
// their package.
func (w *typeWriter) write(t types.Type, argument bool) {
	elem := func(before string, t types.Type) {
		w.WriteString(before)
		w.write(t, argument)
	}
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		w.WriteString(types.Typ[t.Kind()].Name()) // byte is uint8
	case *types.Named:
		w.named(t, argument)
	case *types.Pointer:
		elem("*", t.Elem())
	case *types.Slice:
		elem("[]", t.Elem())
	case *types.Array:
		elem("["+strconv.FormatInt(t.Len(), 10)+"]", t.Elem())
	case *types.Map:
		elem("map[", t.Key())
		elem("]", t.Elem())
	case *types.Chan:
		before := map[types.ChanDir]string{types.SendRecv: "chan ", types.SendOnly: "chan<- ", types.RecvOnly: "<-chan "}[t.Dir()]
		if inner, ok := types.Unalias(t.Elem()).(*types.Chan); ok && t.Dir() != types.SendOnly && inner.Dir() == types.RecvOnly {
			elem(before+"(", t.Elem())
			w.WriteString(")")
			return
		}
		elem(before, t.Elem())
	case *types.Signature:
		w.WriteString("func")
		w.signature(t, argument)
	case *types.Struct:
		w.structure(t, argument)
	case *types.Interface:
		w.face(t, argument)
	default:
		fmt.Fprint(w, t)
	}
}

func (w *typeWriter) named(t *types.Named, argument bool) {
	obj := t.Obj()
	if pkg := obj.Pkg(); pkg != nil {
		if argument {
			w.WriteString(pkg.Path() + ".")
		} else {
			w.WriteString(pkg.Name() + ".")
		}
	}
	w.WriteString(obj.Name())
	args := func(list []types.Type) {
		for i, a := range list {
			if i > 0 {
				w.WriteString(",")
			}
			w.write(a, true)
		}
	}
	own, outer := universe.TypeList(t.TypeArgs()), w.outer(obj)
	if len(own)+len(outer) == 0 {
		return
	}
	w.WriteString("[")
	args(outer)
	if len(outer) > 0 && len(own) > 0 {
		w.WriteString(";")
	}
	args(own)
	w.WriteString("]")
}

func (w *typeWriter) signature(t *types.Signature, argument bool) {
	w.WriteString("(")
	n := t.Params().Len()
	for i := range n {
		if i > 0 {
			w.WriteString(", ")
		}
		p := t.Params().At(i).Type()
		if s, ok := p.Underlying().(*types.Slice); ok && t.Variadic() && i == n-1 {
			w.WriteString("...")
			p = s.Elem()
		}
		w.write(p, argument)
	}
	w.WriteString(")")
	switch t.Results().Len() {
	case 0:
	case 1:
		w.WriteString(" ")
		w.write(t.Results().At(0).Type(), argument)
	default:
		w.WriteString(" (")
		for i := range t.Results().Len() {
			if i > 0 {
				w.WriteString(", ")
			}
			w.write(t.Results().At(i).Type(), argument)
		}
		w.WriteString(")")
	}
}

func (w *typeWriter) structure(t *types.Struct, argument bool) {
	if t.NumFields() == 0 {
		w.WriteString("struct {}")
		return
	}
	w.WriteString("struct { ")
	for i := range t.NumFields() {
		if i > 0 {
			w.WriteString("; ")
		}
		f := t.Field(i)
		if !f.Embedded() {
			w.WriteString(f.Name() + " ")
		}
		w.write(f.Type(), argument)
		if tag := t.Tag(i); tag != "" {
			w.WriteString(" " + strconv.Quote(tag))
		}
	}
	w.WriteString(" }")
}

func (w *typeWriter) face(t *types.Interface, argument bool) {
	if t.NumMethods() == 0 {
		w.WriteString("interface {}")
		return
	}
	w.WriteString("interface { ")
	for i := range t.NumMethods() { // in the order of their names
		if i > 0 {
			w.WriteString("; ")
		}
		m := t.Method(i)
		if !m.Exported() && m.Pkg() != nil {
			w.WriteString(m.Pkg().Name() + ".")
		}
		w.WriteString(m.Name())
		w.signature(m.Signature(), argument)
	}
	w.WriteString(" }")
}
