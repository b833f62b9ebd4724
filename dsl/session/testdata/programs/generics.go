package main

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
)

type Number interface {
	~int | ~int64 | ~float64
}

func Sum[T Number](xs ...T) T {
	var s T
	for _, x := range xs {
		s += x
	}
	return s
}

func Map[T, U any](xs []T, f func(T) U) []U {
	out := make([]U, 0, len(xs))
	for _, x := range xs {
		out = append(out, f(x))
	}
	return out
}

func Filter[S ~[]E, E any](s S, keep func(E) bool) S {
	var out S
	for _, e := range s {
		if keep(e) {
			out = append(out, e)
		}
	}
	return out
}

func Reduce[T, A any](xs []T, init A, f func(A, T) A) A {
	for _, x := range xs {
		init = f(init, x)
	}
	return init
}

func Keys[M ~map[K]V, K cmp.Ordered, V any](m M) []K {
	var ks []K
	for k := range m {
		ks = append(ks, k)
	}
	sort.Slice(ks, func(i, j int) bool { return ks[i] < ks[j] })
	return ks
}

type Stack[T any] struct{ items []T }

func (s *Stack[T]) Push(x T) { s.items = append(s.items, x) }
func (s *Stack[T]) Pop() (T, error) {
	var zero T
	if len(s.items) == 0 {
		return zero, errors.New("empty")
	}
	x := s.items[len(s.items)-1]
	s.items = s.items[:len(s.items)-1]
	return x, nil
}
func (s Stack[T]) All() iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for i, x := range s.items {
			if !yield(i, x) {
				return
			}
		}
	}
}

type List[T any] struct {
	head *node[T]
	size int
}

type node[T any] struct {
	val  T
	next *node[T]
}

func (l *List[T]) Add(v T) {
	l.head = &node[T]{v, l.head}
	l.size++
}

func (l *List[T]) Each(f func(T)) {
	for n := l.head; n != nil; n = n.next {
		f(n.val)
	}
}

type Set[T comparable] map[T]struct{}

func (s Set[T]) Add(x T)      { s[x] = struct{}{} }
func (s Set[T]) Has(x T) bool { _, ok := s[x]; return ok }

func Max[T cmp.Ordered](a, b T) T {
	if a > b {
		return a
	}
	return b
}

type ID int

type Stringish interface{ ~string }

func Upper[T Stringish](x T) T { return T(strings.ToUpper(string(x))) }

type Tag string

func Count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; i < n; i++ {
			if !yield(i) {
				fmt.Print("stopped ")
				return
			}
		}
	}
}

func firstOver(limit int) (int, bool) {
	for v := range Count(100) {
		if v*v > limit {
			return v, true
		}
	}
	return 0, false
}

func pairs() string {
	var b strings.Builder
outer:
	for i := range Count(4) {
		for j := range Count(4) {
			switch {
			case j == 2:
				continue outer
			case i == 2:
				break outer
			}
			fmt.Fprint(&b, i, j, " ")
		}
	}
	return b.String()
}

func named() (res string, err error) {
	for i := range Count(3) {
		if i == 1 {
			res = "one"
			return res, fmt.Errorf("at %d", i)
		}
	}
	return
}

func kind[T any](x T) string {
	switch any(x).(type) {
	case int:
		return "int"
	case string:
		return "string"
	}
	return fmt.Sprintf("%T", x)
}

func Ptr[T any](x T) *T { return &x }

func main() {
	fmt.Println(Sum(1, 2, 3), Sum(1.5, 2), Sum[ID](1, 2))
	fmt.Println(Map([]int{1, 2}, func(i int) string { return fmt.Sprint(i * i) }))
	fmt.Println(Filter([]int{1, 2, 3, 4}, func(i int) bool { return i%2 == 0 }))
	fmt.Println(Reduce([]string{"a", "b"}, 0, func(n int, s string) int { return n + len(s) }))
	fmt.Println(Keys(map[string]int{"b": 1, "a": 2}))
	var s Stack[string]
	s.Push("x")
	s.Push("y")
	for i, v := range s.All() {
		fmt.Print(i, v, " ")
	}
	v, err := s.Pop()
	fmt.Println(v, err)
	_, _ = s.Pop()
	_, err = s.Pop()
	fmt.Println(err)
	l := &List[float64]{}
	l.Add(1.5)
	l.Add(2.5)
	l.Each(func(f float64) { fmt.Print(f, " ") })
	fmt.Println(l.size)
	set := Set[int]{}
	set.Add(3)
	fmt.Println(set.Has(3), set.Has(4), len(set))
	fmt.Println(Max(1, 2), Max("a", "b"), Max(ID(3), 2), Upper(Tag("tag")))
	fmt.Println(firstOver(50))
	fmt.Println(pairs())
	fmt.Println(named())
	fmt.Println(kind(1), kind("s"), kind(2.5))
	fmt.Println(*Ptr(42), *new(43))
	xs := []int{3, 1, 2}
	slices.Sort(xs)
	i, found := slices.BinarySearch(xs, 2)
	fmt.Println(xs, slices.Contains(xs, 2), slices.Index(xs, 3), slices.Max(xs), i, found)
	fmt.Println(slices.Sorted(maps.Keys(map[string]int{"z": 1, "y": 2})))
	slices.SortFunc(xs, func(a, b int) int { return cmp.Compare(b, a) })
	fmt.Println(xs, slices.Equal(xs, []int{3, 2, 1}), slices.Collect(Count(3)))
	for i, x := range slices.Backward(xs) {
		fmt.Print(i, x, " ")
	}
	fmt.Println(min(3, 1, 2), max("a", "b"), min(2.5, 1))
	next, stop := iter.Pull(Count(2))
	fmt.Println(next())
	fmt.Println(next())
	fmt.Println(next())
	stop()
	m := maps.Clone(map[string]int{"a": 1})
	m["b"] = 2
	clear(m)
	fmt.Println(len(m))
}
