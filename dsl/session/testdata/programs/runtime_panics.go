package main

import "fmt"

func try(name string, f func()) {
	defer func() {
		r := recover()
		fmt.Printf("%s: %v", name, r)
		if e, ok := r.(error); ok {
			fmt.Printf(" [error %T] %s", e, e.Error())
			if re, ok := r.(interface{ RuntimeError() }); ok {
				_ = re
				fmt.Print(" runtime")
			}
		}
		fmt.Println()
	}()
	f()
}

type T struct{ n, m int }

func (t *T) Get() int { return t.n }
func (t T) Val() int  { return t.m }

type I interface{ Val() int }
type J interface {
	Foo()
	Bar()
}
type K struct{}

func (K) Foo() {}

type Num int

func (n Num) Val() int { return int(n) }

type S struct{ s []int }
type F func() int

func main() {
	var m map[string]int
	var p *T
	var s []int
	var a [4]int
	var i any
	var iv I
	var f func()
	var ff F
	z := 0
	n := 5
	neg := -1
	try("nilmap", func() { m["a"] = 1 })
	try("nilmap op", func() { m["a"]++ })
	try("nilptr", func() { _ = p.n })
	try("nilptr set", func() { p.m = 1 })
	try("nilptr meth", func() { p.Get() })
	try("nilptr val", func() { p.Val() })
	try("idx", func() { _ = s[n] })
	try("idx neg", func() { _ = s[neg] })
	try("idx arr", func() { _ = a[n] })
	try("idx arr set", func() { a[n] = 1 })
	try("idx str", func() { _ = "abc"[n] })
	try("slice hi", func() { _ = s[:n] })
	try("slice lohi", func() { s2 := []int{1, 2, 3}; lo := 2; hi := 1; _ = s2[lo:hi] })
	try("slice lo", func() { s2 := []int{1, 2, 3}; _ = s2[n:] })
	try("slice3", func() { s2 := []int{1, 2, 3}; _ = s2[0:1:n] })
	try("slice3b", func() { s2 := []int{1, 2, 3}; h := 3; _ = s2[0:h:2] })
	try("slice str", func() { _ = "abc"[n:] })
	try("slice str2", func() { st := "abc"; lo := 2; hi := 1; _ = st[lo:hi] })
	try("slice arr", func() { _ = a[:n] })
	try("slice arr neg", func() { _ = a[neg:] })
	try("div", func() { _ = 1 / z })
	try("mod", func() { _ = 1 % z })
	try("assert nil", func() { _ = i.(int) })
	try("assert", func() { i = "s"; _ = i.(int) })
	try("assert2", func() { i = T{}; _ = i.(*T) })
	try("assert3", func() { i = Num(3); _ = i.(J) })
	try("assert4", func() { i = K{}; _ = i.(J) })
	try("assert5", func() { _ = iv.(Num) })
	try("assert6", func() { iv = Num(2); _ = iv.(T) })
	try("assert7", func() { i = &T{}; _ = i.(fmt.Stringer) })
	try("assert8", func() { i = []Num{}; _ = i.(map[Num]T) })
	try("assert9", func() { i = struct{ A Num }{}; _ = i.(func(Num) I) })
	try("nil iface", func() { var x I; x.Val() })
	try("nil func", func() { f() })
	try("nil func type", func() { ff() })
	try("close nil", func() { var c chan int; close(c) })
	try("close twice", func() { c := make(chan int); close(c); close(c) })
	try("send closed", func() { c := make(chan int, 1); close(c); c <- 1 })
	try("makeslice", func() { _ = make([]int, neg) })
	try("makeslice cap", func() { _ = make([]int, 3, n-4) })
	try("makechan", func() { _ = make(chan int, neg) })
	try("conv arr", func() { _ = [4]int([]int{1, 2}) })
	try("conv arrp", func() { _ = (*[4]int)([]int{1, 2}) })
	try("unhash", func() { mm := map[any]int{}; mm[[]int{1}] = 2 })

	try("cmp", func() { var x, y any = []int{1}, []int{1}; fmt.Print(x == y) })
	try("cmp2", func() { var x, y any = S{}, S{}; fmt.Print(x == y) })
	try("cmp3", func() { var x, y any = S{}, 3; fmt.Print(x == y, " ") })
	try("cmp4", func() { var x, y any = F(nil), F(nil); fmt.Print(x == y, " ") })
	try("cmp5", func() { x, y := [2]any{1, []int{}}, [2]any{2, []int{}}; fmt.Print(x == y, " ") })
	try("cmp6", func() { x, y := [2]any{1, []int{}}, [2]any{1, []int{}}; fmt.Print(x == y, " ") })
	try("panic nil", func() { panic(nil) })
	try("panic err", func() { panic(fmt.Errorf("boom %d", 3)) })
	try("panic num", func() { panic(Num(3)) })
	try("panic T", func() { panic(T{1, 2}) })
	try("panic &T", func() { panic([]T{{1, 2}}) })
	try("shift", func() { _ = 1 << neg })
	try("ptr arr", func() { var q *[3]int; _ = q[1] })
	try("ptr arr len", func() {
		var q *[3]int
		fmt.Print(len(q), " ")
		for i := range q {
			fmt.Print(i)
		}
	})
	try("ptr arr range", func() {
		var q *[3]int
		for _, v := range q {
			fmt.Print(v)
		}
	})
	try("deref", func() { var q *int; *q = 1 })
	try("deref copy", func() { var q *T; t := *q; _ = t })
	try("nil embedded", func() { type E struct{ *T }; var e E; e.Get() })
	try("nil embedded field", func() { type E struct{ *T }; var e E; _ = e.n })
	try("method value nil", func() { var x I; g := x.Val; _ = g })
	try("method value nil ptr", func() { g := p.Get; fmt.Print("bound "); g() })
	try("method value nil ptr val", func() { g := p.Val; fmt.Print("bound "); g() })
	try("defer nil", func() { defer f(); fmt.Print("body ") })
	try("go on", func() {
		defer func() { panic(fmt.Sprint("second after ", recover())) }()
		panic("first")
	})
	try("int min", func() { x := -1 << 63; fmt.Print(x/neg, x%neg, " ") })
}
