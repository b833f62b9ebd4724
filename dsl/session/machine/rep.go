package machine

import (
	"errors"
	"fmt"
	"go/types"
	"reflect"
	"strconv"
	"sync/atomic"
	"unsafe"

	"golang.org/x/tools/go/types/typeutil"

	"sapf/dsl/session/universe"
)

// A value of a cell's type has, in memory and for yaegi, a type made by
// reflection: its representation. Names of types are not in it (type Celsius
// float64 is a float64 there), nor are tags; interfaces of cells are
// interface{}; and a structure has exported fields only, with the names that
// FieldName gives them:
//
//	type node struct {        struct {
//		Label Celsius             Label  float64
//		next  *node               Ẋnext *struct{...}
//	}                         }
//
// Reflection has no function that makes a type which contains itself. Such a
// type is made with a stand-in where it recurs, and then given to itself.

// reps makes representations.
type reps struct {
	universe *universe.Universe
	done     typeutil.Map                    // reflect.Type by types.Type
	making   map[*types.Named]reflect.Type   // the stand-ins for types that are being made
	same     typeutil.Map                    // *types.Named: one for all that are identical
	renewed  map[*types.Named]*types.Named   // types declared anew, without type arguments
	open     map[*types.Named]bool           // those that have been used
	view     bool                            // they look like the types, see shape.go
	alike    map[reflect.Type][]*types.Named // views: the structures that look so
}

// UnexportedPrefix makes an exported name of one that is not. A letter that
// programs do not begin names with.
const UnexportedPrefix = "Ẋ"

// FieldName is the name of field i of a structure in its representation.
func FieldName(st *types.Struct, i int) string {
	switch f := st.Field(i); {
	case f.Name() == "_":
		return UnexportedPrefix + "_" + strconv.Itoa(i)
	case f.Exported():
		return f.Name()
	default:
		return UnexportedPrefix + f.Name()
	}
}

// noRep is thrown for types that have no representation.
type noRep string

// Rep is the representation of a type. The error says what stands in the way.
func (m *Machine) Rep(t types.Type) (rep reflect.Type, err error) {
	m.repMu.Lock()
	defer m.repMu.Unlock()
	return m.reps.try(t)
}

// Renew makes the representation of a type that is declared anew that of the old
// one, whose structure it has.
func (m *Machine) Renew(old, now *types.Named) {
	m.repMu.Lock()
	defer m.repMu.Unlock()
	m.reps.renewed[now], m.views.renewed[now] = old, old
}

func newReps(u *universe.Universe, view bool) *reps {
	return &reps{universe: u, making: map[*types.Named]reflect.Type{}, open: map[*types.Named]bool{}, renewed: map[*types.Named]*types.Named{}, alike: map[reflect.Type][]*types.Named{}, view: view}
}

func (r *reps) try(t types.Type) (rep reflect.Type, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			no, ok := thrown.(noRep)
			if !ok {
				panic(thrown)
			}
			r.making, r.open = map[*types.Named]reflect.Type{}, map[*types.Named]bool{}
			err = errors.New(string(no))
		}
	}()
	return r.of(t), nil
}

func (r *reps) of(t types.Type) reflect.Type {
	t = types.Unalias(t)
	if done, ok := r.done.At(t).(reflect.Type); ok {
		return done
	}
	outer := r.open
	r.open = map[*types.Named]bool{}
	rep := r.make(t)
	if len(r.open) == 0 {
		r.done.Set(t, rep)
	}
	for n := range outer {
		r.open[n] = true
	}
	return rep
}

func (r *reps) make(t types.Type) reflect.Type {
	switch t := t.(type) {
	case *types.Basic:
		return basicRep(t)
	case *types.Named:
		return r.named(t)
	case *types.Interface:
		return anyType
	case *types.TypeParam:
		panic(noRep(fmt.Sprintf("type parameter %s is not bound", t.Obj().Name())))
	}
	parts := ComponentsOf(t)
	reps := make([]reflect.Type, len(parts))
	for i, p := range parts {
		reps[i] = r.of(p)
	}
	return r.composed(t, reps)
}

// one is the same for identical types.
func (r *reps) one(n *types.Named) *types.Named {
	for {
		old := r.renewed[n.Origin()]
		if old == nil {
			break
		}
		if n.TypeArgs().Len() == 0 {
			n = old
			continue
		}
		inst, err := types.Instantiate(nil, old, universe.TypeList(n.TypeArgs()), false)
		if err != nil {
			break
		}
		n = inst.(*types.Named)
	}
	if first, ok := r.same.At(n).(*types.Named); ok {
		return first
	}
	r.same.Set(n, n)
	return n
}

func (r *reps) named(n *types.Named) reflect.Type {
	if n.Obj().Pkg() == nil { // error
		return universe.ErrorType
	}
	if !r.universe.Interpreted(n) || n.Obj().Pkg().Path() == "iter" {
		if rt := r.universe.ReflectType(n); rt != nil {
			return rt
		}
	}
	n = r.one(n)
	if stand, ok := r.making[n]; ok {
		r.open[n] = true
		return stand
	}
	if done, ok := r.done.At(n).(reflect.Type); ok {
		return done
	}
	u := n.Underlying()
	if types.IsInterface(u) {
		return anyType
	}
	if _, basic := u.(*types.Basic); basic {
		return r.of(u)
	}
	parts := ComponentsOf(u)
	r.making[n] = r.standIn(u)
	reps := make([]reflect.Type, len(parts))
	recurs := false
	for i, p := range parts {
		before := r.open
		r.open = map[*types.Named]bool{}
		reps[i] = r.of(p)
		recurs = recurs || r.open[n]
		for m := range before {
			r.open[m] = true
		}
	}
	delete(r.making, n)
	rep := r.composed(u, reps)
	if st, ok := u.(*types.Struct); ok && r.view {
		rep = viewOf(st, reps, r.serial(n, rep))
	}
	if !recurs {
		return rep
	}
	// Made with stand-ins, so nobody else's. What it is made of is made again,
	// with the type itself.
	delete(r.open, n)
	if len(r.open) > 0 { // it will be made again with what it is within
		return rep
	}
	r.done.Set(n, rep)
	for i, p := range parts {
		replaceComponent(u, rep, i, reps[i], r.of(p))
	}
	return rep
}

// serial is the number of a structure among those that look the same, from 1: types
// without a name are number 0.
func (r *reps) serial(n *types.Named, look reflect.Type) int {
	for i, other := range r.alike[look] {
		if types.Identical(other, n) {
			return i + 1
		}
	}
	r.alike[look] = append(r.alike[look], n)
	return len(r.alike[look])
}

// standIns counts the stand-ins of all sessions: reflection makes two types of the
// same structure once.
var standIns atomic.Int64

// standIn is a type of the same kind as the representation of t, unlike any
// other.
func (r *reps) standIn(t types.Type) reflect.Type {
	unique := reflect.StructOf([]reflect.StructField{{Name: "Recursive", Type: reflect.TypeFor[int](), Tag: reflect.StructTag(strconv.FormatInt(standIns.Add(1), 10))}})
	parts := ComponentsOf(t)
	reps := make([]reflect.Type, len(parts))
	for i := range reps {
		reps[i] = unique
	}
	switch t := t.(type) {
	case *types.Struct, *types.Array:
		return unique
	case *types.Signature:
		if t.Variadic() {
			reps[t.Params().Len()-1] = reflect.SliceOf(unique)
		}
	}
	return r.composed(t, reps)
}

// ComponentsOf are the types that a type literal consists of.
func ComponentsOf(t types.Type) []types.Type {
	switch t := t.(type) {
	case *types.Pointer:
		return []types.Type{t.Elem()}
	case *types.Slice:
		return []types.Type{t.Elem()}
	case *types.Array:
		return []types.Type{t.Elem()}
	case *types.Chan:
		return []types.Type{t.Elem()}
	case *types.Map:
		return []types.Type{t.Key(), t.Elem()}
	case *types.Struct:
		out := make([]types.Type, t.NumFields())
		for i := range out {
			out[i] = t.Field(i).Type()
		}
		return out
	case *types.Signature:
		var out []types.Type
		for v := range t.Params().Variables() {
			out = append(out, v.Type())
		}
		for v := range t.Results().Variables() {
			out = append(out, v.Type())
		}
		return out
	}
	panic(noRep(fmt.Sprintf("type %s can't be used in a cell", t)))
}

// composed is the representation of a type literal, given those of its
// components.
func (r *reps) composed(t types.Type, parts []reflect.Type) reflect.Type {
	switch t := t.(type) {
	case *types.Pointer:
		return reflect.PointerTo(parts[0])
	case *types.Slice:
		return reflect.SliceOf(parts[0])
	case *types.Array:
		if size := int64(parts[0].Size()); size > 0 && t.Len() > (1<<40)/size {
			panic(noRep(fmt.Sprintf("type %s is too large", t)))
		}
		return reflect.ArrayOf(int(t.Len()), parts[0])
	case *types.Chan:
		dir := map[types.ChanDir]reflect.ChanDir{types.SendRecv: reflect.BothDir, types.SendOnly: reflect.SendDir, types.RecvOnly: reflect.RecvDir}[t.Dir()]
		return reflect.ChanOf(dir, parts[0])
	case *types.Map:
		return reflect.MapOf(parts[0], parts[1])
	case *types.Signature:
		n := t.Params().Len()
		return reflect.FuncOf(parts[:n:n], parts[n:], t.Variadic())
	}
	st := t.(*types.Struct)
	if r.view {
		return viewOf(st, parts, 0)
	}
	fields := make([]reflect.StructField, len(parts))
	for i := range fields {
		fields[i] = reflect.StructField{Name: FieldName(st, i), Type: parts[i]}
	}
	return reflect.StructOf(fields)
}

var anyType = reflect.TypeFor[any]()

func basicRep(t *types.Basic) reflect.Type {
	if t.Kind() == types.UntypedNil {
		return anyType
	}
	if t.Kind() == types.UnsafePointer {
		panic(noRep("unsafe.Pointer can't be used in a cell"))
	}
	if rt, ok := basicTypes[types.Default(t).(*types.Basic).Kind()]; ok {
		return rt
	}
	panic(noRep(fmt.Sprintf("type %s can't be used in a cell", t)))
}

var basicTypes = map[types.BasicKind]reflect.Type{
	types.Bool: reflect.TypeFor[bool](), types.String: reflect.TypeFor[string](),
	types.Int: reflect.TypeFor[int](), types.Int8: reflect.TypeFor[int8](), types.Int16: reflect.TypeFor[int16](),
	types.Int32: reflect.TypeFor[int32](), types.Int64: reflect.TypeFor[int64](),
	types.Uint: reflect.TypeFor[uint](), types.Uint8: reflect.TypeFor[uint8](), types.Uint16: reflect.TypeFor[uint16](),
	types.Uint32: reflect.TypeFor[uint32](), types.Uint64: reflect.TypeFor[uint64](), types.Uintptr: reflect.TypeFor[uintptr](),
	types.Float32: reflect.TypeFor[float32](), types.Float64: reflect.TypeFor[float64](),
	types.Complex64: reflect.TypeFor[complex64](), types.Complex128: reflect.TypeFor[complex128](),
}

// What follows knows how the runtime lays out types (internal/abi, Go 1.26):
// the header of a type, then pointers to the types it consists of. Each place
// is checked to hold what it must before it is written to.

// typeHeader is the size of abi.Type.
const typeHeader = 48

// replaceComponent makes part i of rep, which t represents, another type of the
// same size.
func replaceComponent(t types.Type, rep reflect.Type, i int, old, now reflect.Type) {
	if old == now {
		return
	}
	at := unsafe.Pointer(typePointer(rep))
	if _, ok := t.(*types.Struct); ok {
		// abi.StructType: the header, PkgPath, Fields []struct{Name, Typ, Offset}.
		fields := *(*unsafe.Pointer)(unsafe.Add(at, typeHeader+8))
		replaceType(unsafe.Add(fields, i*24+8), old, now)
		return
	}
	switch t := t.(type) {
	case *types.Signature:
		// abi.FuncType: the header, two counts, then the parameters and results.
		replaceType(unsafe.Add(at, typeHeader+8+8*i), old, now)
	case *types.Array:
		// abi.ArrayType: the header, Elem, Slice.
		replaceType(unsafe.Add(at, typeHeader), old, now)
		replaceType(unsafe.Add(at, typeHeader+8), reflect.SliceOf(old), reflect.SliceOf(now))
	default: // Elem, or Key and Elem
		_ = t
		replaceType(unsafe.Add(at, typeHeader+8*i), old, now)
	}
}

func replaceType(at unsafe.Pointer, old, now reflect.Type) {
	place := (*unsafe.Pointer)(at)
	if *place != typePointer(old) {
		panic(noRep("this version of Go keeps types otherwise, so a cell can't have types that contain themselves"))
	}
	*place = typePointer(now)
}

// typePointer is the pointer in a reflect.Type.
func typePointer(t reflect.Type) unsafe.Pointer {
	return (*[2]unsafe.Pointer)(unsafe.Pointer(&t))[1]
}
