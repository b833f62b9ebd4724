package machine

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/traefik/yaegi/interp"
)

// RuntimePath is the import path of the functions that lowered source calls.
// Cells can't import it: the universe does not have it.
const RuntimePath = "session/runtime"

// runtime is the package behind runtimePath.
func (m *Machine) runtime() interp.Exports {
	symbols := map[string]reflect.Value{
		"Run":               reflect.ValueOf(m.runGuarded),
		"Go":                reflect.ValueOf(m.start),
		"Show":              reflect.ValueOf(m.show),
		"Panic":             reflect.ValueOf(func(v any) { panic(nilPanic(v)) }),
		"Defers":            reflect.ValueOf(func() *Defers { return &Defers{m: m} }),
		"Recover":           reflect.ValueOf(m.recoverHere),
		"Forwards":          reflect.ValueOf(m.forwards),
		"Equal":             reflect.ValueOf(m.equal),
		"ErrorAs":           reflect.ValueOf(m.errorAs),
		"Box":               reflect.ValueOf(func(id int, v any) any { return Boxed{id, v, m} }),
		"Into":              reflect.ValueOf(m.into),
		"Must":              reflect.ValueOf(m.must),
		"Method":            reflect.ValueOf(m.method),
		"TypeMethod":        reflect.ValueOf(m.registerMethod),
		"Function":          reflect.ValueOf(m.registerFunction),
		"CallWith":          reflect.ValueOf(m.callWith),
		"Formatted":         reflect.ValueOf(m.formatted),
		"Scanned":           reflect.ValueOf(m.scanned),
		"FormattedAll":      reflect.ValueOf(m.formattedAll),
		"Printed":           reflect.ValueOf(m.printed),
		"PrintedAll":        reflect.ValueOf(m.printedAll),
		"Raw":               reflect.ValueOf(raw),
		"TypeOf":            reflect.ValueOf(m.typeOf),
		"ValueType":         reflect.ValueOf(m.valueType),
		"ValueMethods":      reflect.ValueOf(m.valueMethods),
		"ValueMethod":       reflect.ValueOf(m.valueMethod),
		"ValueMethodByName": reflect.ValueOf(m.valueMethodByName),
		"PlainType":         reflect.ValueOf(m.plainType),
		"ValueInterface":    reflect.ValueOf(m.valueInterface),
		"UnmarshalJSON":     reflect.ValueOf(m.unmarshalJSON),
		"DecodeJSON":        reflect.ValueOf(m.decodeJSON),
		"Encodable":         reflect.ValueOf(m.encodable),
		"ExecuteText":       reflect.ValueOf(m.executeText),
		"ExecuteHTML":       reflect.ValueOf(m.executeHTML),
		"Logged":            reflect.ValueOf(m.logged),
		"Plain":             reflect.ValueOf(m.plain),
		"Shaped":            reflect.ValueOf(m.shaped),
		"TypeName":          reflect.ValueOf(m.typeNameOf),
		"Clear":             reflect.ValueOf(clearValue),
		"Print":             reflect.ValueOf(func(v ...any) { m.builtinPrint("", v) }),
		"Println":           reflect.ValueOf(func(v ...any) { m.builtinPrint(" ", v) }),
		"Exit":              reflect.ValueOf(func(code int) { panic(fmt.Sprintf("os.Exit(%d): a cell can't end the kernel", code)) }),
		"IterationAfterEnd": reflect.ValueOf(iterationAfterEnd),
		"Sleep":             reflect.ValueOf(m.sleep),
		"Lock":              reflect.ValueOf(m.lock),
		"RLock":             reflect.ValueOf(m.rlock),
		"Wait":              reflect.ValueOf(m.wait),
		"Verbs":             reflect.ValueOf(m.verbs),
		"GroupGo":           reflect.ValueOf(m.groupGo),
		"TextVar":           reflect.ValueOf(textVar),
		"SortOrdered":       reflect.ValueOf(sortOrdered),
		"Mark":              reflect.ValueOf(m.mark),
		"Stdout":            reflect.ValueOf(&stream{m.output, "stdout"}),
		"Stderr":            reflect.ValueOf(&stream{m.output, "stderr"}),
		"Stdin":             reflect.ValueOf(&stdin{out: m.output}),
	}
	maps.Copy(symbols, m.operations())
	addExtrema[int](symbols)
	addExtrema[int8](symbols)
	addExtrema[int16](symbols)
	addExtrema[int32](symbols)
	addExtrema[int64](symbols)
	addExtrema[uint](symbols)
	addExtrema[uint8](symbols)
	addExtrema[uint16](symbols)
	addExtrema[uint32](symbols)
	addExtrema[uint64](symbols)
	addExtrema[uintptr](symbols)
	addExtrema[float32](symbols)
	addExtrema[float64](symbols)
	addExtrema[string](symbols)
	return interp.Exports{RuntimePath + "/runtime": symbols}
}

// addExtrema adds min and max for one type: Min_float64, Max_float64.
func addExtrema[T cmp.Ordered](symbols map[string]reflect.Value) {
	name := reflect.TypeFor[T]().Name()
	symbols["Min_"+name] = reflect.ValueOf(func(a T, rest ...T) T {
		for _, b := range rest {
			a = min(a, b)
		}
		return a
	})
	symbols["Max_"+name] = reflect.ValueOf(func(a T, rest ...T) T {
		for _, b := range rest {
			a = max(a, b)
		}
		return a
	})
}

// runtimeError is a panic of the language: index out of range and the like.
type runtimeError string

func (e runtimeError) Error() string { return "runtime error: " + string(e) }

// RuntimeError makes it a runtime.Error.
func (runtimeError) RuntimeError() {}

// goType is the type that the compiler's runtime panics with.
func (e runtimeError) goType() string {
	for _, s := range []string{"index out of range", "slice bounds out of range", "cannot convert slice"} {
		if strings.HasPrefix(string(e), s) {
			return "runtime.boundsError"
		}
	}
	return "runtime.errorString"
}

// iterationAfterEnd panics where a loop over a function is gone on with that is
// in that state.
func iterationAfterEnd(state int) {
	switch state {
	case 1: // the body has panicked or not returned
		panic(runtimeError("range function continued iteration after loop body panic"))
	case 3:
		panic(runtimeError("range function recovered a loop body panic and did not resume panicking"))
	case 4:
		panic(runtimeError("range function continued iteration after whole loop exit"))
	}
	panic(runtimeError("range function continued iteration after function for loop body returned false"))
}

func nilPanic(v any) any {
	if v == nil {
		return new(runtime.PanicNilError)
	}
	return v
}

// plainValue is the value of a panic as Go has it: yaegi hands some over inside
// a reflect.Value, and reports the language's own as reflect puts them.
func plainValue(v any) any {
	for {
		rv, ok := v.(reflect.Value)
		if !ok {
			break
		}
		if !rv.IsValid() {
			return nil
		}
		v = rv.Interface()
	}
	var value *reflect.ValueError
	switch e := v.(type) {
	case string:
		switch {
		case strings.HasPrefix(e, "reflect: ") && strings.HasSuffix(e, "index out of range"):
			return runtimeError("index out of range")
		case strings.HasPrefix(e, "reflect.Value.Slice") && strings.Contains(e, "out of bounds"):
			return runtimeError("slice bounds out of range")
		case strings.HasPrefix(e, "reflect.MakeSlice: "):
			what := "cap"
			if strings.HasSuffix(e, "negative len") {
				what = "len"
			}
			return runtimeError("makeslice: " + what + " out of range")
		case e == "reflect.Value.Grow: slice overflow":
			return runtimeError("growslice: len out of range")
		case strings.HasPrefix(e, "reflect.MakeChan: "):
			return conversionError("makechan: size out of range")
		case strings.HasPrefix(e, "reflect: cannot convert slice"):
			text := strings.Replace(strings.TrimPrefix(e, "reflect: "), "to pointer to array", "to array", 1)
			return runtimeError(strings.Replace(text, "to array", "to array or pointer to array", 1))
		case strings.HasPrefix(e, "reflect: ") && strings.Contains(e, "nil map"):
			return runtimeError("assignment to entry in nil map")
		case e == "reflect.Value.Call: call of nil function",
			strings.HasPrefix(e, "reflect: ") && strings.HasSuffix(e, "on nil interface value"),
			strings.HasPrefix(e, "reflect: call of ") && strings.HasSuffix(e, "on zero Value"):
			return runtimeError("invalid memory address or nil pointer dereference")
		}
	case error:
		if errors.As(e, &value) && value.Kind == reflect.Invalid {
			return runtimeError("invalid memory address or nil pointer dereference")
		}
	}
	return v
}

// DescribePanic is what Go prints of a panic's value.
func DescribePanic(v any) string {
	switch v := v.(type) {
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	case string:
		return v
	}
	return fmt.Sprintf("%v", v)
}

// as walks the tree of err as errors.As does.
func as(err error, match func(error) bool) bool {
	for err != nil {
		if match(err) {
			return true
		}
		switch x := err.(type) {
		case interface{ Unwrap() []error }:
			for _, e := range x.Unwrap() {
				if as(e, match) {
					return true
				}
			}
			return false
		default:
			err = errors.Unwrap(err)
		}
	}
	return false
}

// clearValue is the builtin clear.
func clearValue(v any) {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Map && rv.IsNil() {
		return
	}
	rv.Clear()
}

// sortOrdered is slices.Sort for a slice of any ordered type.
func sortOrdered(x any) {
	switch x := raw(x).(type) {
	case []int:
		slices.Sort(x)
	case []float64:
		slices.Sort(x)
	case []string:
		slices.Sort(x)
	default:
		v := reflect.ValueOf(x)
		sort.Slice(x, func(i, j int) bool { return lessOrdered(v.Index(i), v.Index(j)) })
	}
}

func lessOrdered(a, b reflect.Value) bool {
	switch {
	case a.CanInt():
		return a.Int() < b.Int()
	case a.CanUint():
		return a.Uint() < b.Uint()
	case a.CanFloat():
		return cmp.Less(a.Float(), b.Float())
	}
	return a.String() < b.String()
}

// builtinPrint is print or println: to stderr, as Go does.
func (m *Machine) builtinPrint(between string, values []any) {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = printed(v)
	}
	text := strings.Join(parts, between)
	if between != "" {
		text += "\n"
	}
	m.output.Write("stderr", text)
}

// face is an interface as print prints it.
type face string

func printFace(v any) any {
	if v == nil {
		return face("(0x0,0x0)")
	}
	p := reflect.New(anyType)
	p.Elem().Set(reflect.ValueOf(v))
	words := (*[2]uintptr)(p.UnsafePointer())
	return face(fmt.Sprintf("(0x%x,0x%x)", words[0], words[1]))
}

// printed is a value as print of Go 1.26 prints it.
func printed(v any) string {
	switch x := v.(type) {
	case face:
		return string(x)
	case nil:
		return "nil"
	}
	switch v := reflect.ValueOf(v); v.Kind() {
	case reflect.Float64:
		return printFloat(v.Float(), 64)
	case reflect.Float32:
		return printFloat(v.Float(), 32)
	case reflect.Complex128:
		return printComplex(v.Complex(), 64)
	case reflect.Complex64:
		return printComplex(v.Complex(), 32)
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return fmt.Sprintf("0x%x", v.Pointer())
	case reflect.Slice:
		return fmt.Sprintf("[%d/%d]0x%x", v.Len(), v.Cap(), v.Pointer())
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.String:
		return v.String()
	default:
		if v.CanInt() {
			return strconv.FormatInt(v.Int(), 10)
		}
		if v.CanUint() {
			return strconv.FormatUint(v.Uint(), 10)
		}
	}
	return fmt.Sprint(v)
}

// printFloat is a number as println of Go 1.26 prints it.
func printFloat(x float64, bits int) string {
	return strconv.FormatFloat(x, 'g', -1, bits)
}

func printComplex(x complex128, bits int) string {
	im := printFloat(imag(x), bits)
	if im[0] != '-' && im[0] != '+' {
		im = "+" + im
	}
	return "(" + printFloat(real(x), bits) + im + "i)"
}

// sleep is time.Sleep that an interrupt ends.
func (m *Machine) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-m.stopping():
	}
}

// pollEvery is how often a lock that is held by another is tried again.
const pollEvery = time.Millisecond

// lock is sync.Mutex.Lock and sync.RWMutex.Lock that an interrupt ends.
func (m *Machine) lock(l interface {
	sync.Locker
	TryLock() bool
}) {
	m.poll(l.TryLock)
}

func (m *Machine) rlock(l *sync.RWMutex) { m.poll(l.TryRLock) }

func (m *Machine) poll(try func() bool) {
	for spin := 0; !try(); spin++ {
		if spin < 100 {
			time.Sleep(10 * time.Microsecond)
			continue
		}
		select {
		case <-m.stopping():
			return
		case <-time.After(pollEvery):
		}
	}
}

// wait is sync.WaitGroup.Wait that an interrupt ends.
func (m *Machine) wait(g *sync.WaitGroup) {
	done := make(chan struct{})
	go func() {
		g.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-m.stopping():
	}
}

// groupGo is sync.WaitGroup.Go.
func (m *Machine) groupGo(g *sync.WaitGroup, f func()) {
	g.Add(1)
	m.start(func() {
		defer g.Done()
		f()
	})
}

// mark makes known the variable in which a function keeps the place it has
// come to: a token.Pos.
func (m *Machine) mark(name string, place *int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.marks[name] = place
}

// Place is where a function has come to, or 0.
func (m *Machine) Place(name string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.marks[name]; p != nil {
		return *p
	}
	return 0
}
