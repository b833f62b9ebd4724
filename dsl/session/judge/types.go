package judge

import (
	"fmt"
	"slices"
	"strings"
)

// kind sorts types by what can be done with them.
type kind int

const (
	boolean kind = iota
	integer
	unsigned
	float
	cplx
	text
	slice
	array
	mapping
	pointer
	function
	channel
	structure
	face
)

// Type is a type of the grammar.
type Type struct {
	name   string // as Go writes it
	id     string // what names are made of
	kind   kind
	named  bool
	elem   *Type
	key    *Type
	fields []field
	faces  []string // of the interfaces of the table
	method string   // a call without arguments whose result is an int or a string
	result string
	// leaves are expressions without operands, of different values.
	leaves []string
	// constants is set where leaves are constants.
	constants bool
	bits      int
	// incomparable types have no ==.
	incomparable bool
	dir          string // of a channel
	params       []string
	variadic     bool
	base         string // the type literal under a named one
}

type field struct {
	name string
	typ  *Type
}

func (t *Type) numeric() bool { return t.kind >= integer && t.kind <= cplx }
func (t *Type) whole() bool   { return t.kind == integer || t.kind == unsigned }
func (t *Type) ordered() bool {
	return t.whole() || t.kind == float || t.kind == text
}

// underlying is the type literal under t.
func (t *Type) underlying() string {
	if t.base != "" {
		return t.base
	}
	return t.name
}

var (
	types  []*Type
	byName = map[string]*Type{}
)

func add(t Type) *Type {
	if t.id == "" {
		t.id = strings.NewReplacer("...", "V", "[", "L", "]", "R", "*", "P", " ", "", "<-", "In", ".", "", "(", "F", ")", "", ",", "", "{", "B", "}", "", ";", "").Replace(t.name)
	}
	types = append(types, &t)
	byName[t.name] = &t
	return &t
}

func typ(name string) *Type {
	t := byName[name]
	if t == nil {
		panic("judge: no type " + name)
	}
	return t
}

func words(s string) []string { return strings.Split(s, "|") }

func init() {
	add(Type{name: "bool", kind: boolean, leaves: words("true|false"), constants: true})
	for _, n := range words("int|int8|int16|int32|int64") {
		add(Type{name: n, kind: integer, bits: bitsOf(n), leaves: []string{n + "(5)", n + "(-3)", n + "(17)"}, constants: true})
	}
	for _, n := range words("uint|uint8|uint16|uint32|uint64|uintptr") {
		add(Type{name: n, kind: unsigned, bits: bitsOf(n), leaves: []string{n + "(6)", n + "(2)", n + "(29)"}, constants: true})
	}
	for _, n := range words("float32|float64") {
		add(Type{name: n, kind: float, leaves: []string{n + "(2.5)", n + "(-0.75)", n + "(8)"}, constants: true})
	}
	for _, n := range words("complex64|complex128") {
		add(Type{name: n, kind: cplx, leaves: []string{n + "(1 + 2i)", n + "(3i)", n + "(-4)"}, constants: true})
	}
	add(Type{name: "string", kind: text, leaves: words(`"ab"|"xyz"|"é!"`), constants: true})
	add(Type{name: "Celsius", kind: float, named: true, base: "float64", faces: words("fmt.Stringer"), method: "String", result: "string", leaves: words("Celsius(21.5)|Celsius(-2)"), constants: true})
	add(Type{name: "Count", kind: integer, named: true, base: "int", bits: 64, faces: words("Summer"), method: "Sum", result: "int", leaves: words("Count(4)|Count(9)"), constants: true})
	add(Type{name: "Tiny", kind: integer, named: true, base: "int8", bits: 8, leaves: words("Tiny(7)|Tiny(-8)"), constants: true})
	add(Type{name: "Level", kind: integer, named: true, base: "int", bits: 64, faces: words("fmt.Formatter"), leaves: words("Level(6)|Level(-1)"), constants: true})
	add(Type{name: "Mask", kind: unsigned, named: true, base: "uint16", bits: 16, faces: words("fmt.Stringer"), method: "String", result: "string", leaves: words("Mask(3)|Mask(12)"), constants: true})
	add(Type{name: "Word", kind: text, named: true, base: "string", faces: words("error"), method: "Error", result: "string", leaves: words(`Word("w1")|Word("other")`), constants: true})
	add(Type{name: "Flag", kind: boolean, named: true, base: "bool", method: "Text", result: "string", leaves: words("Flag(true)|Flag(false)"), constants: true})
	add(Type{name: "Phase", kind: cplx, named: true, base: "complex128", method: "Size", result: "int", leaves: words("Phase(2i)|Phase(1 - 1i)"), constants: true})
	add(Type{name: "time.Duration", kind: integer, named: true, base: "int64", bits: 64, faces: words("fmt.Stringer"), method: "String", result: "string", leaves: words("time.Duration(1500)|time.Second"), constants: true})
	add(Type{name: "time.Month", kind: integer, named: true, base: "int", bits: 64, faces: words("fmt.Stringer"), method: "String", result: "string", leaves: words("time.May|time.Month(2)"), constants: true})

	add(Type{name: "Point", kind: structure, named: true, base: "struct{ X, Y int }", fields: []field{{"X", typ("int")}, {"Y", typ("int")}}, faces: words("Summer"), method: "Sum", result: "int",
		leaves: words("Point{1, 2}|Point{X: 3}|Point{}")})
	add(Type{name: "Fault", kind: structure, named: true, fields: []field{{"Code", typ("int")}, {"Why", typ("string")}}, faces: words("error"), method: "Error", result: "string",
		leaves: words(`Fault{4, "four"}|Fault{Why: "no"}`)})
	add(Type{name: "Failure", kind: structure, named: true, fields: []field{{"N", typ("int")}}, leaves: words("Failure{3}|Failure{}")})
	add(Type{name: "struct{ N int; S string }", id: "Anon", kind: structure, fields: []field{{"N", typ("int")}, {"S", typ("string")}},
		leaves: words(`struct{ N int; S string }{1, "s"}|struct{ N int; S string }{N: 2}`)})
	add(Type{name: "Frame", kind: structure, named: true, fields: []field{{"W", typ("int")}, {"Name", typ("string")}}, faces: words("fmt.Formatter"), leaves: words(`Frame{3, "f"}|Frame{Name: "g"}`)})
	add(Type{name: "Probe", kind: structure, named: true, fields: []field{{"N", typ("int")}}, leaves: words("Probe{5}|Probe{}")})
	add(Type{name: "Nested", kind: structure, named: true, fields: []field{{"Point", typ("Point")}, {"Tag", typ("string")}}, faces: words("Summer"), method: "Sum", result: "int",
		leaves: words(`Nested{Point{5, 6}, "tag"}|Nested{Tag: "t"}`)})
	add(Type{name: "Box[int]", kind: structure, named: true, fields: []field{{"V", typ("int")}}, faces: words("Summer"), method: "Sum", result: "int", leaves: words("Box[int]{8}|Box[int]{V: -1}")})
	add(Type{name: "Box[string]", kind: structure, named: true, fields: []field{{"V", typ("string")}}, method: "Get", result: "string", leaves: words(`Box[string]{"in"}|Box[string]{}`)})
	add(Type{name: "image.Point", kind: structure, named: true, fields: []field{{"X", typ("int")}, {"Y", typ("int")}}, faces: words("fmt.Stringer"), method: "String", result: "string", leaves: words("image.Pt(3, 4)|image.Point{X: 1}")})

	add(Type{name: "any", kind: face, leaves: words(`any(3)|any("s")|any(Point{7, 8})|any(nil)|any([]int{1})`)})
	add(Type{name: "error", kind: face, leaves: words(`errors.New("e1")|error(Fault{2, "two"})|error(nil)|error(Word("w"))`), faces: words("error"), method: "Error", result: "string"})
	add(Type{name: "fmt.Stringer", kind: face, leaves: words("fmt.Stringer(Celsius(3))|fmt.Stringer(time.Second)|fmt.Stringer(nil)"), faces: words("fmt.Stringer"), method: "String", result: "string"})
	add(Type{name: "fmt.Formatter", kind: face, leaves: words("fmt.Formatter(Level(2))|fmt.Formatter(&Probe{1})|fmt.Formatter(Frame{1, \"i\"})|fmt.Formatter(nil)"), faces: words("fmt.Formatter")})
	add(Type{name: "Summer", kind: face, named: true, leaves: words("Summer(Point{1, 1})|Summer(&Point{2, 2})|Summer(Count(3))|Summer(nil)"), faces: words("Summer"), method: "Sum", result: "int"})

	for _, e := range words("int|string|uint8|float64|Point|any|error|Celsius|Level|Frame") {
		s := add(Type{name: "[]" + e, kind: slice, elem: typ(e), incomparable: true})
		l := s.elem.leaves
		s.leaves = []string{s.name + "{" + l[0] + ", " + l[1] + "}", s.name + "(nil)", s.name + "{" + l[1] + "}"}
	}
	add(Type{name: "[][]int", kind: slice, elem: typ("[]int"), incomparable: true, leaves: words("[][]int{{1, 2}, {3}}|[][]int{nil}")})
	add(Type{name: "Ints", kind: slice, named: true, base: "[]int", elem: typ("int"), incomparable: true, faces: words("Summer"), method: "Sum", result: "int", leaves: words("Ints{1, 2, 3}|Ints{4}")})
	for _, e := range words("int|string|Point|any|Frame") {
		a := add(Type{name: "[2]" + e, kind: array, elem: typ(e)})
		l := a.elem.leaves
		a.leaves = []string{a.name + "{" + l[0] + ", " + l[1] + "}", a.name + "{1: " + l[0] + "}"}
	}
	add(Type{name: "Grid", kind: array, named: true, base: "[2][2]int", elem: typ("[2]int"), method: "Trace", result: "int", leaves: words("Grid{{1, 2}, {3, 4}}|Grid{1: {5}}")})
	for _, kv := range words("string:int|int:string|Point:bool|string:any|any:int|string:Point|string:[]int|bool:float64|string:Level|Frame:int") {
		k, v, _ := strings.Cut(kv, ":")
		m := add(Type{name: "map[" + k + "]" + v, kind: mapping, key: typ(k), elem: typ(v), incomparable: true})
		kl, vl := m.key.leaves, m.elem.leaves
		m.leaves = []string{m.name + "{" + kl[0] + ": " + vl[0] + "}", m.name + "{" + kl[0] + ": " + vl[1] + ", " + kl[1] + ": " + vl[0] + "}"}
	}
	add(Type{name: "Dict", kind: mapping, named: true, base: "map[string]string", key: typ("string"), elem: typ("string"), incomparable: true, method: "Len", result: "int", leaves: words(`Dict{"k": "v"}|Dict{"a": "b", "c": "d"}`)})
	for _, e := range words("int|string|Point|Count|[]int|Fault") {
		p := add(Type{name: "*" + e, kind: pointer, elem: typ(e), faces: typ(e).faces, method: typ(e).method, result: typ(e).result})
		p.leaves = []string{"ptr(" + p.elem.leaves[0] + ")", "new(" + p.elem.leaves[1] + ")"}
	}
	add(Type{name: "**int", kind: pointer, elem: typ("*int"), leaves: words("ptr(ptr(3))|ptr(ptr(4))")})
	add(Type{name: "*[2]int", kind: pointer, elem: typ("[2]int"), leaves: words("&[2]int{1, 2}|ptr([2]int{3, 4})")})
	add(Type{name: "*Probe", kind: pointer, elem: typ("Probe"), faces: words("fmt.Formatter"), leaves: words("&Probe{1}|&Probe{N: 2}")})
	add(Type{name: "*Failure", kind: pointer, elem: typ("Failure"), faces: words("error"), method: "Error", result: "string", leaves: words("&Failure{1}|&Failure{N: 2}")})

	add(Type{name: "func() int", kind: function, elem: typ("int"), incomparable: true, leaves: words("seven|func() int { return 8 }|Count(6).Sum")})
	add(Type{name: "func(int) int", kind: function, elem: typ("int"), params: words("int"), incomparable: true, leaves: words("double|func(i int) int { return i + 100 }|same[int]")})
	add(Type{name: "func(string) string", kind: function, elem: typ("string"), params: words("string"), incomparable: true, leaves: words(`strings.ToUpper|func(s string) string { return s + "?" }|same[string]`)})
	add(Type{name: "func(...int) int", kind: function, elem: typ("int"), params: words("int"), variadic: true, incomparable: true, leaves: words("total|func(n ...int) int { return len(n) }")})
	add(Type{name: "BinOp", kind: function, named: true, base: "func(int, int) int", elem: typ("int"), params: words("int|int"), incomparable: true, method: "Twice", result: "int", leaves: words("BinOp(plus)|BinOp(func(a, b int) int { return a * b })")})
	add(Type{name: "func(Point) int", kind: function, elem: typ("int"), params: words("Point"), incomparable: true, leaves: words("Point.Sum|func(p Point) int { return p.Y }")})

	for _, e := range words("int|string|any|Point") {
		add(Type{name: "chan " + e, kind: channel, elem: typ(e)}).leaves = []string{"filled[" + e + "](" + typ(e).leaves[0] + ")", "make(chan " + e + ", 2)"}
	}
	add(Type{name: "<-chan int", kind: channel, dir: "<-", elem: typ("int"), leaves: words("source(4)|source(5)")})
}

func bitsOf(n string) int {
	for _, b := range []int{8, 16, 32} {
		if strings.HasSuffix(n, fmt.Sprint(b)) {
			return b
		}
	}
	return 64
}

// implements tells whether t's method set has what the interface asks for.
func (t *Type) implements(i *Type) bool {
	return i.name == "any" || slices.Contains(t.faces, i.name)
}

// comparable tells whether == compiles.
func (t *Type) comparable() bool {
	if t.incomparable {
		return false
	}
	for _, f := range t.fields {
		if !f.typ.comparable() {
			return false
		}
	}
	return t.kind != array || t.elem.comparable()
}

// prelude is what all programs of a batch share: the types of the table, and a
// function that prints each of them without the help of reflection.
func prelude() string {
	var b strings.Builder
	b.WriteString(preludeText)
	var cases, reset strings.Builder
	done := map[string]bool{}
	emit := func(t *Type) {
		if done[t.name] {
			return
		}
		done[t.name] = true
		fmt.Fprintf(&b, "func show%s(v %s) {\n%s}\n\n", t.id, t.name, t.shows())
		fmt.Fprintf(&b, "func make%s() %s { return %s }\n\n", t.id, t.name, t.leaves[0])
		fmt.Fprintf(&b, "var global%s %s = %s\n\n", t.id, t.name, t.leaves[len(t.leaves)-1])
		fmt.Fprintf(&reset, "\tglobal%s = %s\n", t.id, t.leaves[len(t.leaves)-1])
		if t.kind != face {
			fmt.Fprintf(&cases, "\tcase %s:\n\t\tshow%s(v)\n", t.name, t.id)
		}
	}
	for _, t := range types {
		emit(t)
	}
	fmt.Fprintf(&b, "// resetGlobals undoes what a program has done to the others' variables.\nfunc resetGlobals() {\n%s}\n\n", reset.String())
	fmt.Fprintf(&b, "func showAnything(v any) {\n\tswitch v := v.(type) {\n\tcase nil:\n\t\tfmt.Print(\"nothing \")\n%s\tdefault:\n\t\tfmt.Print(\"other \", v, \" \")\n\t}\n}\n", cases.String())
	return b.String()
}

// shows is the body of the function that prints v of type t.
func (t *Type) shows() string {
	label := fmt.Sprintf("\tfmt.Print(%q)\n", t.id+":")
	end := "\tfmt.Print(\" \")\n"
	null := fmt.Sprintf("\tif v == nil {\n\t\tfmt.Print(\"nil \")\n\t\treturn\n\t}\n")
	switch t.kind {
	case boolean, integer, unsigned, float, cplx, text:
		return label + "\tfmt.Print(" + t.underlying() + "(v))\n" + end
	case slice:
		return label + null + "\tfmt.Print(\"[\")\n\tfor i := 0; i < len(v); i++ {\n\t\t" + t.elem.show("v[i]") + "\n\t}\n\tfmt.Print(\"] \")\n"
	case array:
		return label + "\tfor i := 0; i < len(v); i++ {\n\t\t" + t.elem.show("v[i]") + "\n\t}\n" + end
	case mapping:
		return label + null + "\tvar lines []string\n\tkeys := map[string]" + t.key.name + "{}\n\tfor k := range v {\n\t\tl := fmt.Sprint(k)\n\t\tlines = append(lines, l)\n\t\tkeys[l] = k\n\t}\n\tsort.Strings(lines)\n\tfor _, l := range lines {\n\t\tk := keys[l]\n\t\t" + t.key.show("k") + "\n\t\te := v[k]\n\t\t" + t.elem.show("e") + "\n\t}\n" + end
	case pointer:
		return label + null + "\t" + t.elem.show("*v") + "\n"
	case function:
		args := map[string]string{"": "v()", "int": "v(3)", "string": `v("in")`, "int|int": "v(3, 4)", "Point": "v(Point{5, 6})"}[strings.Join(t.params, "|")]
		return label + null + "\tr := " + args + "\n\t" + t.elem.show("r") + "\n"
	case channel:
		return label + null + "\tfmt.Print(len(v), cap(v), \" \")\n"
	case structure:
		var b strings.Builder
		b.WriteString(label)
		for _, f := range t.fields {
			fmt.Fprintf(&b, "\t%s\n", f.typ.show("v."+f.name))
		}
		return b.String() + end
	}
	if t.name == "any" {
		return label + "\tshowAnything(v)\n"
	}
	call := ""
	if t.method != "" {
		call = "\tfmt.Print(v." + t.method + "(), \" \")\n"
	}
	return label + null + call + "\tshowAnything(v)\n"
}

// show is a statement that prints an expression of type t.
func (t *Type) show(e string) string {
	return "show" + t.id + "(" + e + ")"
}

const preludeText = `
type Celsius float64

func (c Celsius) String() string { return fmt.Sprintf("%.1f°", float64(c)) }

type Count int

func (c Count) Sum() int { return int(c) * 2 }
func (c *Count) Inc()    { *c++ }

type Tiny int8

type Mask uint16

func (m Mask) String() string { return fmt.Sprintf("mask%b", uint16(m)) }

type Word string

func (w Word) Error() string { return "word " + string(w) }

type Flag bool

func (f Flag) Text() string {
	if f {
		return "yes"
	}
	return "no"
}

type Phase complex128

func (p Phase) Size() int { return int(real(p)) + int(imag(p)) }

type Point struct{ X, Y int }

func (p Point) Sum() int      { return p.X + p.Y }
func (p *Point) Move(d int)   { p.X += d }
func (p Point) Add(q Point) Point { return Point{p.X + q.X, p.Y + q.Y} }

type Fault struct {
	Code int
	Why  string
}

func (f Fault) Error() string { return fmt.Sprint("fault ", f.Code, " ", f.Why) }

type Failure struct{ N int }

func (f *Failure) Error() string { return fmt.Sprint("failure ", f.N) }

// Frame, Level and *Probe print themselves, and what they were asked for.
type Frame struct {
	W    int
	Name string
}

func (f Frame) Format(s fmt.State, verb rune) {
	width, wide := s.Width()
	precision, precise := s.Precision()
	fmt.Fprintf(s, "frame %c %d %q %d %t %d %t", verb, f.W, f.Name, width, wide, precision, precise)
}

type Level int

func (l Level) Format(s fmt.State, verb rune) {
	fmt.Fprintf(s, "level %c %d", verb, int(l))
	for _, c := range "+-# 0" {
		if s.Flag(int(c)) {
			fmt.Fprintf(s, " %q", c)
		}
	}
}

type Probe struct{ N int }

func (p *Probe) Format(s fmt.State, verb rune) {
	if p == nil {
		s.Write([]byte("no probe"))
		return
	}
	fmt.Fprintf(s, fmt.FormatString(s, verb)+"|probe", p.N)
}

type Nested struct {
	Point
	Tag string
}

type Box[T any] struct{ V T }

func (b Box[T]) Get() T   { return b.V }
func (b *Box[T]) Set(v T) { b.V = v }
func (b Box[T]) Sum() int { return len(fmt.Sprint(b.V)) }

type List[T any] struct {
	head *node[T]
	n    int
}

type node[T any] struct {
	v    T
	next *node[T]
}

func (l *List[T]) Push(v T) {
	l.head = &node[T]{v, l.head}
	l.n++
}

func (l *List[T]) At(i int) T {
	n := l.head
	for range i {
		n = n.next
	}
	return n.v
}

type Pair[A, B any] struct {
	A A
	B B
}

func (p Pair[A, B]) Swap() Pair[B, A] { return Pair[B, A]{p.B, p.A} }

func pairOf[A, B any](a A, b B) Pair[A, B] { return Pair[A, B]{a, b} }

func each[T any](vs ...T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, v := range vs {
			if !yield(v) {
				return
			}
		}
	}
}

type addable interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr | ~float32 | ~float64 | ~string
}

func added[T addable](a, b T, more ...T) T {
	s := a + b
	for _, v := range more {
		s += v
	}
	return s
}

func encoded(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

type Summer interface{ Sum() int }

type Getter[T any] interface{ Get() T }

type Ints []int

func (s Ints) Sum() int {
	n := 0
	for _, v := range s {
		n += v
	}
	return n
}

type Grid [2][2]int

func (g Grid) Trace() int { return g[0][0] + g[1][1] }

type Dict map[string]string

func (d Dict) Len() int { return len(d) }

type BinOp func(int, int) int

func (f BinOp) Twice() int { return f(f(1, 2), 3) }

var yes, no = true, false

func seven() int             { return 7 }
func double(i int) int       { return 2 * i }
func plus(a, b int) int      { return a + b }
func same[T any](v T) T      { return v }
func ptr[T any](v T) *T      { return &v }
func first[T any](v T, rest ...T) T { return v }
func last[T any](v ...T) T   { return v[len(v)-1] }
func two[A, B any](a A, b B) (A, B) { return a, b }

func total(n ...int) int {
	t := 0
	for _, v := range n {
		t += v
	}
	return t
}

// at prints a number when its operand is evaluated.
func at[T any](n int, v T) T {
	fmt.Print("@", n, " ")
	return v
}

func filled[T any](v T) chan T {
	c := make(chan T, 2)
	c <- v
	return c
}

func source(n int) <-chan int {
	c := make(chan int, 3)
	c <- n
	c <- n + 1
	close(c)
	return c
}

func showAll(vs ...any) {
	fmt.Print(len(vs), " of ")
	for _, v := range vs {
		showAnything(v)
	}
}

// caught prints what a goroutine panics with.
func caught() {
	if v := recover(); v != nil {
		fmt.Print("caught: ", v)
	}
}

// ended is c if there is something in it, closed behind that.
func ended(c <-chan int) <-chan int {
	out := make(chan int, 5)
	for len(c) > 0 {
		out <- <-c
		if len(out) > 3 {
			break
		}
	}
	close(out)
	return out
}

func once(yield func() bool) { yield() }

`
