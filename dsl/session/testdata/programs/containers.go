package main

import "fmt"

type Number interface {
	~int | ~int64 | ~float64
}
type Stack[T any] struct{ items []T }

func (s *Stack[T]) Push(v ...T) *Stack[T] { s.items = append(s.items, v...); return s }
func (s *Stack[T]) Pop() (T, bool) {
	var zero T
	if len(s.items) == 0 {
		return zero, false
	}
	v := s.items[len(s.items)-1]
	s.items = s.items[:len(s.items)-1]
	return v, true
}
func (s Stack[T]) All() func(func(int, T) bool) {
	return func(yield func(int, T) bool) {
		for i, v := range s.items {
			if !yield(i, v) {
				return
			}
		}
	}
}

type Pair[A, B any] struct {
	First  A
	Second B
}

func MakePair[A, B any](a A, b B) Pair[A, B] { return Pair[A, B]{a, b} }
func (p Pair[A, B]) Swap() Pair[B, A]        { return Pair[B, A]{p.Second, p.First} }
func (p Pair[A, B]) String() string          { return fmt.Sprintf("<%v,%v>", p.First, p.Second) }
func Sum[T Number](xs ...T) (s T) {
	for _, x := range xs {
		s += x
	}
	return
}
func Reduce[T, A any](xs []T, a A, f func(A, T) A) A {
	for _, x := range xs {
		a = f(a, x)
	}
	return a
}
func Ptr[T any](v T) *T { return &v }

type Tree[T any] struct {
	left, right *Tree[T]
	val         T
	cmp         func(a, b T) int
}

func (t *Tree[T]) Insert(v T) *Tree[T] {
	if t == nil {
		return &Tree[T]{val: v}
	}
	switch c := t.cmp(v, t.val); {
	case c < 0:
		t.left = t.left.Insert(v)
		t.left.cmp = t.cmp
	case c > 0:
		t.right = t.right.Insert(v)
		t.right.cmp = t.cmp
	}
	return t
}
func (t *Tree[T]) Walk(f func(T)) {
	if t != nil {
		t.left.Walk(f)
		f(t.val)
		t.right.Walk(f)
	}
}

type Set[K comparable] map[K]struct{}

func (s Set[K]) Add(ks ...K) Set[K] {
	for _, k := range ks {
		s[k] = struct{}{}
	}
	return s
}
func (s Set[K]) Has(k K) bool { _, ok := s[k]; return ok }
func Intersect[S ~map[K]struct{}, K comparable](a, b S) S {
	out := S{}
	for k := range a {
		if _, ok := b[k]; ok {
			out[k] = struct{}{}
		}
	}
	return out
}

type Celsius float64
type List[T any] struct {
	head *node[T]
	n    int
}
type node[T any] struct {
	v    T
	next *node[T]
}

func (l *List[T]) Prepend(v T) { l.head = &node[T]{v, l.head}; l.n++ }
func (l *List[T]) Each(yield func(T) bool) {
	for n := l.head; n != nil && yield(n.v); n = n.next {
	}
}

type Stringish interface{ ~string }

func Join[S Stringish](xs []S, sep S) (out S) {
	for i, x := range xs {
		if i > 0 {
			out += sep
		}
		out += x
	}
	return
}

type ID string

func kind[T any](v T) string {
	switch any(v).(type) {
	case int:
		return "int"
	case []T:
		return "slice of T"
	case fmt.Stringer:
		return "stringer"
	case Stack[int]:
		return "stack of int"
	}
	return fmt.Sprintf("%T", v)
}

func main() {
	s := (&Stack[string]{}).Push("a", "b", "c")
	v, ok := s.Pop()
	fmt.Println(v, ok, len(s.items))
	for i, v := range s.All() {
		fmt.Print(i, v, " ")
	}
	var e Stack[Pair[int, string]]
	p, ok := e.Pop()
	fmt.Println(p, ok)
	fmt.Println(MakePair(1, "x").Swap(), MakePair(MakePair(1, 2), []int{3}))
	fmt.Println(Sum(1, 2, 3), Sum(1.5, 2), Sum[Celsius](1, 2.5), Sum[int]())
	fmt.Printf("%T %T %T\n", Sum[Celsius](1), MakePair(1, Celsius(2)), s)
	fmt.Println(Reduce([]int{1, 2, 3}, "", func(a string, x int) string { return a + fmt.Sprint(x) }))
	*Ptr(3)++
	fmt.Println(*Ptr(Celsius(3)))
	t := &Tree[string]{val: "m", cmp: func(a, b string) int {
		if a < b {
			return -1
		} else if a > b {
			return 1
		}
		return 0
	}}
	for _, w := range []string{"q", "a", "z", "c", "m"} {
		t.Insert(w)
	}
	t.Walk(func(s string) { fmt.Print(s, " ") })
	fmt.Println()
	a, b := Set[int]{}.Add(1, 2, 3), Set[int]{}.Add(2, 3, 4)
	fmt.Println(len(Intersect(a, b)), Intersect(a, b).Has(2), a.Has(9))
	var l List[func() int]
	for i := range 3 {
		l.Prepend(func() int { return i * i })
	}
	for f := range l.Each {
		fmt.Print(f(), " ")
	}
	fmt.Println(l.n, Join([]ID{"x", "y"}, "-"))
	fmt.Println(kind(1), kind("s"), kind(Stack[int]{}), kind(MakePair(1, 2)), kind([]int{}), kind(Celsius(1)))
	var any1 any = Stack[int]{items: []int{1}}
	_, isI := any1.(Stack[int])
	_, isS := any1.(Stack[string])
	fmt.Println(isI, isS)
	f := MakePair[int, float64]
	fmt.Println(f(1, 2))
}
