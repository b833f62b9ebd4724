package main

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
)

type Person struct {
	Name string
	Age  int
	City string
}

type byAge []Person

func (b byAge) Len() int           { return len(b) }
func (b byAge) Less(i, j int) bool { return b[i].Age < b[j].Age }
func (b byAge) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

type lessFunc func(a, b *Person) bool
type multi struct {
	ps   []Person
	less []lessFunc
}

func (m *multi) Sort(ps []Person) { m.ps = ps; sort.Sort(m) }
func (m *multi) Len() int         { return len(m.ps) }
func (m *multi) Swap(i, j int)    { m.ps[i], m.ps[j] = m.ps[j], m.ps[i] }
func (m *multi) Less(i, j int) bool {
	p, q := &m.ps[i], &m.ps[j]
	var k int
	for k = 0; k < len(m.less)-1; k++ {
		less := m.less[k]
		switch {
		case less(p, q):
			return true
		case less(q, p):
			return false
		}
	}
	return m.less[k](p, q)
}
func OrderedBy(less ...lessFunc) *multi { return &multi{less: less} }

func Map[T, U any](s iter.Seq[T], f func(T) U) iter.Seq[U] {
	return func(yield func(U) bool) {
		for v := range s {
			if !yield(f(v)) {
				return
			}
		}
	}
}
func Filter[T any](s iter.Seq[T], ok func(T) bool) iter.Seq[T] {
	return func(yield func(T) bool) {
		s(func(v T) bool {
			if ok(v) {
				return yield(v)
			}
			return true
		})
	}
}
func Take[T any](n int, s iter.Seq[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		if n <= 0 {
			return
		}
		i := 0
		for v := range s {
			if !yield(v) {
				return
			}
			if i++; i == n {
				return
			}
		}
	}
}
func Count() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	}
}
func GroupBy[K comparable, V any](vs []V, key func(V) K) map[K][]V {
	out := make(map[K][]V)
	for _, v := range vs {
		k := key(v)
		out[k] = append(out[k], v)
	}
	return out
}

func main() {
	ps := []Person{{"Ann", 30, "Oslo"}, {"Bob", 25, "Rome"}, {"Cid", 30, "Rome"}, {"Dan", 25, "Oslo"}, {"Eve", 41, "Bern"}}
	sort.Slice(ps, func(i, j int) bool {
		if ps[i].City != ps[j].City {
			return ps[i].City < ps[j].City
		}
		return ps[i].Age > ps[j].Age
	})
	fmt.Println(ps)
	slices.SortStableFunc(ps, func(a, b Person) int {
		return cmp.Or(cmp.Compare(a.Age, b.Age), -strings.Compare(a.Name, b.Name))
	})
	fmt.Println(ps)
	sort.Sort(byAge(ps))
	fmt.Println(ps[0].Age, ps[4].Age)
	OrderedBy(func(a, b *Person) bool { return a.City < b.City }, func(a, b *Person) bool { return a.Name > b.Name }).Sort(ps)
	fmt.Println(ps)
	g := GroupBy(ps, func(p Person) string { return p.City })
	for _, k := range slices.Sorted(maps.Keys(g)) {
		fmt.Print(k, ":")
		for _, p := range g[k] {
			fmt.Print(" ", p.Name)
		}
		fmt.Println()
	}
	for s := range Map(Take(3, Filter(Count(), func(i int) bool { return i%3 == 1 })), func(i int) string { return strings.Repeat("*", i) }) {
		fmt.Println(s)
	}
	next, stop := iter.Pull(Count())
	a, _ := next()
	b, ok := next()
	stop()
	_, ok2 := next()
	fmt.Println(a, b, ok, ok2)
	i, found := slices.BinarySearchFunc(ps, "Oslo", func(p Person, c string) int { return cmp.Compare(p.City, c) })
	fmt.Println(i, found, slices.IndexFunc(ps, func(p Person) bool { return p.Age > 40 }))
	m := slices.MaxFunc(ps, func(a, b Person) int { return a.Age - b.Age })
	fmt.Printf("%+v %#v\n", m, m)
	for c := range slices.Chunk([]int{1, 2, 3, 4, 5}, 2) {
		fmt.Print(c, len(c), ";")
	}
	fmt.Println()
	for i, v := range slices.Backward([]string{"x", "y"}) {
		fmt.Print(i, v)
	}
	fmt.Println(slices.Collect(maps.Values(map[string]int{"a": 1})), slices.Compact([]int{1, 1, 2, 2, 1}))
}
