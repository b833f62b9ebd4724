package machine

import (
	"fmt"
	"go/types"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/traefik/yaegi/interp"
)

// The operations of Go that yaegi has wrong, or not at all, for lowered source to
// call. Those with a pointer as their first argument put their result there.

func (m *Machine) operations() map[string]reflect.Value {
	return map[string]reflect.Value{
		"Any": reflect.ValueOf(original),
		"IndexOutOfRange": reflect.ValueOf(func(i, n int) {
			if i < 0 {
				panic(runtimeError(fmt.Sprintf("index out of range [%d]", i)))
			}
			panic(runtimeError(fmt.Sprintf("index out of range [%d] with length %d", i, n)))
		}),
		"UnsignedIndexOutOfRange": reflect.ValueOf(func(i, n int) {
			panic(runtimeError(fmt.Sprintf("index out of range [%d] with length %d", uint(i), n)))
		}),
		"SliceOutOfRange": reflect.ValueOf(sliceOutOfRange),
		"End":             reflect.ValueOf(m.finish),
		"Nothing":         reflect.ValueOf(func() {}),
		"Face":            reflect.ValueOf(printFace),
		"Key":             reflect.ValueOf(m.key),
		"Hashable":        reflect.ValueOf(m.hashable),
		"SameChan":        reflect.ValueOf(func(a, b any) bool { return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer() }),
		"Same":            reflect.ValueOf(func(a, b any) bool { return a == b }),
		"Arith":           reflect.ValueOf(arith),
		"Convert":         reflect.ValueOf(convert),
		"Reshape":         reflect.ValueOf(reshape),
		"NegativeShift":   reflect.ValueOf(func() { panic(runtimeError("negative shift amount")) }),
		"NotNil":          reflect.ValueOf(notNil),
		"Delete":          reflect.ValueOf(func(m, k any) { deleteEntry(m, k) }),
		"Copy":            reflect.ValueOf(func(to, from any) int { return reflect.Copy(reflect.ValueOf(to), reflect.ValueOf(from)) }),
		"MakeSlice":       reflect.ValueOf(makeSlice),
		"NextRune":        reflect.ValueOf(nextRune),
		"MapIter":         reflect.ValueOf(newMapIter),
		"NewSelect":       reflect.ValueOf(func() *Select { return &Select{m: m, fallback: -1} }),
	}
}

// TypeSymbol is the name by which lowered source spells a type, in the package
// of RuntimePath.
func (m *Machine) TypeSymbol(t reflect.Type) string {
	m.repMu.Lock()
	defer m.repMu.Unlock()
	name, ok := m.names[t]
	if !ok {
		name = "T#" + strconv.Itoa(len(m.names))
		m.names[t] = name
		m.yaegi.Use(interp.Exports{RuntimePath + "/runtime": {name: reflect.Zero(reflect.PointerTo(t))}})
	}
	return name
}

// key puts a value that adapts another into to as the one that stands for all that
// are equal.
func (m *Machine) key(to, k any) {
	p := reflect.ValueOf(to).Elem()
	if k == nil {
		p.SetZero()
		return
	}
	x := original(k)
	v := reflect.ValueOf(k)
	if !isBoxed(x) || v.Comparable() || !reflect.ValueOf(x).Comparable() {
		p.Set(v)
		return
	}
	type key struct {
		t reflect.Type
		x any
	}
	at := key{p.Type(), x}
	adapter := reflect.New(v.Type())
	adapter.Elem().Set(v)
	one, _ := m.keys.LoadOrStore(at, adapter.Interface())
	p.Set(reflect.ValueOf(one))
}

// hashable panics as Go does if a value can't be a key of a map: of the one that is
// read, if it is given, for which Go has other words if it is empty.
func (m *Machine) hashable(x any, read ...any) {
	switch x.(type) {
	case nil, string, int, float64, bool:
		return
	}
	if len(read) > 0 && reflect.ValueOf(read[0]).Len() == 0 {
		defer func() {
			switch e := recover().(type) {
			case nil:
			case runtimeError:
				panic(conversionError(strings.Replace(string(e), "unhashable type ", "unhashable type: ", 1)))
			default:
				panic(e)
			}
		}()
	}
	if t, v := m.dynamic(x); t != nil {
		m.hashableAs(t, v)
	}
}

func (m *Machine) hashableAs(t types.Type, v reflect.Value) {
	switch u := t.Underlying().(type) {
	case *types.Interface:
		if !v.IsNil() {
			m.hashable(v.Elem().Interface())
		}
	case *types.Slice, *types.Map, *types.Signature:
		panic(runtimeError("hash of unhashable type " + m.typeName(t)))
	case *types.Array:
		if !types.Comparable(t) {
			panic(runtimeError("hash of unhashable type " + m.typeName(t)))
		}
		for i := range v.Len() {
			m.hashableAs(u.Elem(), v.Index(i))
		}
	case *types.Struct:
		if !types.Comparable(t) {
			panic(runtimeError("hash of unhashable type " + m.typeName(t)))
		}
		for i := range u.NumFields() {
			m.hashableAs(u.Field(i).Type(), v.Field(i))
		}
	}
}

// arith is an operation on complex numbers.
func arith(to any, op string, x, y any) {
	p := reflect.ValueOf(to).Elem()
	a, b := reflect.ValueOf(x).Complex(), reflect.ValueOf(y).Complex()
	single := p.Kind() == reflect.Complex64
	var z complex128
	switch {
	case single:
		c, d := complex64(a), complex64(b)
		switch op {
		case "+":
			c += d
		case "-":
			c -= d
		case "*":
			c *= d
		case "/":
			c /= d
		case "neg":
			c = -c
		}
		z = complex128(c)
	case op == "+":
		z = a + b
	case op == "-":
		z = a - b
	case op == "*":
		z = a * b
	case op == "/":
		z = a / b
	case op == "neg":
		z = -a
	}
	p.SetComplex(z)
}

// convert is a conversion that changes the value: between numbers, strings and
// slices, channels' directions.
func convert(to, x any) {
	p := reflect.ValueOf(to).Elem()
	v := reflect.ValueOf(x)
	switch {
	case v.CanFloat() && (p.CanInt() || p.CanUint()):
		convertFloat(p, v.Float())
	case v.CanFloat() && (p.Kind() == reflect.Complex64 || p.Kind() == reflect.Complex128):
		p.SetComplex(complex(v.Float(), 0))
	default:
		p.Set(v.Convert(p.Type()))
	}
}

func convertFloat(p reflect.Value, f float64) {
	switch p.Kind() {
	case reflect.Int:
		p.SetInt(int64(int(f)))
	case reflect.Int8:
		p.SetInt(int64(int8(f)))
	case reflect.Int16:
		p.SetInt(int64(int16(f)))
	case reflect.Int32:
		p.SetInt(int64(int32(f)))
	case reflect.Int64:
		p.SetInt(int64(f))
	case reflect.Uint, reflect.Uint64, reflect.Uintptr:
		p.SetUint(uint64(f))
	case reflect.Uint8:
		p.SetUint(uint64(uint8(f)))
	case reflect.Uint16:
		p.SetUint(uint64(uint16(f)))
	case reflect.Uint32:
		p.SetUint(uint64(uint32(f)))
	}
}

// reshape copies a value to where to points: its type has the same layout.
func reshape(to, x any) {
	p := reflect.ValueOf(to)
	v := reflect.ValueOf(x)
	if v.Type() == p.Type().Elem() {
		p.Elem().Set(v)
		return
	}
	if v.Type().Size() != p.Type().Elem().Size() {
		panic(fmt.Sprintf("reshape of %s to %s", v.Type(), p.Type().Elem()))
	}
	at := reflect.New(v.Type())
	at.Elem().Set(v)
	p.Elem().Set(reflect.NewAt(p.Type().Elem(), at.UnsafePointer()).Elem())
}

func notNil(x any) {
	if x == nil {
		panic(nilDereference)
	}
	if v := reflect.ValueOf(x); v.Kind() == reflect.Pointer && v.IsNil() {
		panic(nilDereference)
	}
}

const nilDereference = runtimeError("invalid memory address or nil pointer dereference")

func deleteEntry(m, k any) {
	v := reflect.ValueOf(m)
	key := reflect.ValueOf(k)
	if v.IsNil() {
		return
	}
	if !key.IsValid() {
		key = reflect.Zero(v.Type().Key())
	}
	v.SetMapIndex(key, reflect.Value{})
}

func makeSlice(to any, size ...int) {
	p := reflect.ValueOf(to).Elem()
	n := size[0]
	c := n
	if len(size) > 1 {
		c = size[1]
	}
	elem := max(1, int(p.Type().Elem().Size()))
	switch {
	case n < 0 || n > math.MaxInt/elem/16:
		panic(runtimeError("makeslice: len out of range"))
	case c < n || c > math.MaxInt/elem/16:
		panic(runtimeError("makeslice: cap out of range"))
	}
	p.Set(reflect.MakeSlice(p.Type(), n, c))
}

// sliceOutOfRange panics as Go does for x[low:high:top]; bounds that are not
// written are less than any that may be. limit is the capacity or length, and n
// the length. The bits of unsigned say which of the bounds are of an unsigned type,
// whose large values are negative here.
func sliceOutOfRange(kind string, low, high, top, limit, n, unsigned int) {
	const none = -1 << 31
	bounds := [3]int{low, high, top}
	written := func(i int) bool { return bounds[i] != none }
	wide := func(i int) bool { return unsigned>>i&1 == 1 && bounds[i] < 0 }
	text := func(i int) string {
		if wide(i) {
			return strconv.FormatUint(uint64(bounds[i]), 10)
		}
		return strconv.Itoa(bounds[i])
	}
	negative := func(i int) bool { return bounds[i] < 0 && !wide(i) }
	above := func(i, limit int) bool { return bounds[i] > limit || wide(i) }
	over := func(i, j int) bool { // both are written
		if wide(i) || wide(j) {
			return uint(bounds[i]) > uint(bounds[j])
		}
		return bounds[i] > bounds[j]
	}
	say := func(format string, args ...any) {
		panic(runtimeError("slice bounds out of range " + fmt.Sprintf(format, args...)))
	}
	switch {
	case written(2):
		switch {
		case negative(2):
			say("[::%s]", text(2))
		case above(2, limit):
			say("[::%s] with %s %d", text(2), kind, limit)
		case negative(1):
			say("[:%s:]", text(1))
		case over(1, 2):
			say("[:%s:%s]", text(1), text(2))
		case negative(0):
			say("[%s::]", text(0))
		}
		say("[%s:%s:]", text(0), text(1))
	case written(1) && negative(1):
		say("[:%s]", text(1))
	case written(1) && above(1, limit):
		say("[:%s] with %s %d", text(1), kind, limit)
	case written(0) && negative(0):
		say("[%s:]", text(0))
	case !written(1):
		say("[%s:%d]", text(0), n)
	}
	say("[%s:%s]", text(0), text(1))
}

// nextRune is the rune of s at *i, which moves behind it.
func nextRune(i *int, s string) rune {
	r, n := utf8.DecodeRuneInString(s[*i:])
	*i += n
	return r
}

// MapIter goes through a map for a range loop. Exported for yaegi.
type MapIter struct{ iter *reflect.MapIter }

func newMapIter(m any) *MapIter {
	v := reflect.ValueOf(m)
	if v.IsNil() {
		return &MapIter{}
	}
	return &MapIter{v.MapRange()}
}

// Next sets the next key and value, or reports that there is none.
func (it *MapIter) Next(key, value any) bool {
	if it.iter == nil || !it.iter.Next() {
		return false
	}
	reflect.ValueOf(key).Elem().Set(it.iter.Key())
	reflect.ValueOf(value).Elem().Set(it.iter.Value())
	return true
}

// Select is a select statement. Exported for yaegi.
type Select struct {
	m        *Machine
	cases    []reflect.SelectCase
	number   []int
	to       []any // what receives, by case
	fallback int
	ok       bool
}

// Send adds a case that sends what value points to.
func (s *Select) Send(n int, c, value any) {
	s.add(n, reflect.SelectCase{Dir: reflect.SelectSend, Chan: reflect.ValueOf(c), Send: reflect.ValueOf(value).Elem()}, nil)
}

// Receive adds a case that receives into what to points to.
func (s *Select) Receive(n int, c, to any) {
	s.add(n, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)}, to)
}

func (s *Select) add(n int, c reflect.SelectCase, to any) {
	if !c.Chan.IsValid() {
		return
	}
	s.cases, s.number, s.to = append(s.cases, c), append(s.number, n), append(s.to, to)
}

// Default adds the default.
func (s *Select) Default(n int) { s.fallback = n }

// Ok is whether what was received was sent.
func (s *Select) Ok() bool { return s.ok }

// Wait waits for a case and returns its number. An interrupt ends it.
func (s *Select) Wait() int {
	cases := s.cases
	if s.fallback >= 0 {
		cases = append(cases[:len(cases):len(cases)], reflect.SelectCase{Dir: reflect.SelectDefault})
	} else {
		cases = append(cases[:len(cases):len(cases)], reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(s.m.stopping())})
	}
	i, v, ok := reflect.Select(cases)
	if i == len(s.cases) {
		return s.fallback
	}
	s.ok = ok
	if to := s.to[i]; to != nil {
		reflect.ValueOf(to).Elem().Set(v)
	}
	return s.number[i]
}
