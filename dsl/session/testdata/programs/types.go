package main

import (
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strings"
)

type Shape interface {
	Area() float64
	Perimeter() float64
}

type Named interface{ Name() string }

type Base struct{ name string }

func (b Base) Name() string     { return b.name }
func (b *Base) Rename(s string) { b.name = s }

type Rect struct {
	Base
	W, H float64
}

func (r Rect) Area() float64      { return r.W * r.H }
func (r Rect) Perimeter() float64 { return 2 * (r.W + r.H) }

type Circle struct {
	*Base
	R float64
}

func (c *Circle) Area() float64      { return 3 * c.R * c.R }
func (c *Circle) Perimeter() float64 { return 6 * c.R }

type Celsius float64

func (c Celsius) String() string { return fmt.Sprintf("%.1f°C", float64(c)) }

type MyErr struct{ Code int }

func (e *MyErr) Error() string { return fmt.Sprintf("code %d", e.Code) }

type ValErr struct{ S string }

func (e ValErr) Error() string { return e.S }

type A struct{ X int }
type B struct{ X int }
type S int
type F func(int) int

func (f F) Twice(n int) int { return f(f(n)) }

type byLen []string

func (s byLen) Len() int           { return len(s) }
func (s byLen) Less(i, j int) bool { return len(s[i]) < len(s[j]) }
func (s byLen) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }

type Tree struct {
	L, R *Tree
	V    int
}

func (t *Tree) Insert(v int) *Tree {
	if t == nil {
		return &Tree{V: v}
	}
	if v < t.V {
		t.L = t.L.Insert(v)
	} else {
		t.R = t.R.Insert(v)
	}
	return t
}

func (t *Tree) Walk(f func(int)) {
	if t == nil {
		return
	}
	t.L.Walk(f)
	f(t.V)
	t.R.Walk(f)
}

type Counter struct{ n int }

func (c *Counter) Inc() *Counter { c.n++; return c }
func (c Counter) Get() int       { return c.n }

type upper struct{ strings.Builder }

func (u *upper) Write(p []byte) (int, error) {
	return u.Builder.WriteString(strings.ToUpper(string(p)))
}

func find(n int) error {
	switch n {
	case 0:
		return nil
	case 1:
		return &MyErr{n}
	case 2:
		return fmt.Errorf("wrapped: %w", &MyErr{n})
	}
	return ValErr{"value"}
}

type Weekday int

const (
	Sunday Weekday = iota
	Monday
	Tuesday
)

func (d Weekday) String() string { return [...]string{"Sun", "Mon", "Tue"}[d] }

type Pair[K comparable, V any] struct {
	Key K
	Val V
}

func (p Pair[K, V]) String() string { return fmt.Sprintf("%v=%v", p.Key, p.Val) }

func main() {
	r := Rect{Base{"rect"}, 2, 3}
	r.Rename("renamed")
	c := &Circle{&Base{"circle"}, 1}
	c.Rename("round")
	for _, s := range []Shape{r, c, &r} {
		fmt.Print(s.Area(), s.Perimeter(), " ")
		if n, ok := s.(Named); ok {
			fmt.Print(n.Name(), " ")
		}
		switch v := s.(type) {
		case Rect:
			fmt.Print("Rect", v.W, " ")
		case *Rect:
			fmt.Print("*Rect", v.H, " ")
		case *Circle:
			fmt.Print("*Circle", v.R, " ")
		}
	}
	fmt.Println()
	fmt.Println(Celsius(36.6), []Celsius{1, 2}, Monday, []Weekday{0, 2}, map[string]Weekday{"x": 1})
	fmt.Printf("%v %d %s|%5v|%v\n", Tuesday, Tuesday, Tuesday, Monday, struct{ D Weekday }{Monday})
	for i := range 4 {
		err := find(i)
		var me *MyErr
		var ve ValErr
		fmt.Print(err, " ", errors.As(err, &me), " ", errors.As(err, &ve), " ", err == nil, ";")
		if me != nil {
			fmt.Print(me.Code)
		}
	}
	fmt.Println()
	var va, vb any = A{1}, B{1}
	fmt.Println(va == vb, va == any(A{1}), A{1} == A{1}, A(B{2}))
	var vs any = S(1)
	_, isInt := vs.(int)
	_, isS := vs.(S)
	fmt.Println(isInt, isS, vs == any(1), vs == any(S(1)))
	switch va.(type) {
	case B:
		fmt.Println("B")
	case A:
		fmt.Println("A")
	}
	fmt.Println(F(func(n int) int { return n * 3 }).Twice(2))
	words := byLen{"ccc", "a", "bb"}
	sort.Sort(words)
	fmt.Println(words)
	sort.Sort(sort.Reverse(words))
	fmt.Println(words)
	var t *Tree
	for _, v := range []int{5, 2, 8, 1} {
		t = t.Insert(v)
	}
	sum := 0
	t.Walk(func(v int) { sum += v; fmt.Print(v, " ") })
	fmt.Println(sum)
	var cnt Counter
	cnt.Inc().Inc()
	inc := cnt.Inc
	inc()
	get := cnt.Get
	cnt.Inc()
	f := (*Counter).Inc
	f(&cnt)
	g := Counter.Get
	fmt.Println(cnt.Get(), get(), g(cnt))
	var u upper
	fmt.Fprintf(&u, "hello %d", 1)
	fmt.Println(u.String(), u.Len())
	p := Pair[string, int]{"a", 1}
	fmt.Println(p, Pair[int, bool]{1, true}.Key)
	anon := struct {
		Name string
		Pos  struct{ X, Y int }
	}{Name: "n"}
	anon.Pos.X = 3
	fmt.Printf("%v %+v\n", anon, anon)
	m := map[A]string{{1}: "one", {2}: "two"}
	fmt.Println(m[A{2}], len(m))
	pts := []*A{{1}, {2}}
	fmt.Println(pts[1].X, *pts[0])
	mm := map[string][]int{}
	mm["a"] = append(mm["a"], 1, 2)
	mm["b"] = append(mm["b"], 3)
	fmt.Println(mm, len(mm["c"]))
	ms := map[string]*Counter{"x": {}}
	ms["x"].Inc()
	fmt.Println(ms["x"].n)
	var np *Rect
	func() {
		defer func() { fmt.Println("nil:", recover() != nil) }()
		fmt.Println(np.W)
	}()
	var ni Shape
	func() {
		defer func() { fmt.Println("nil:", recover() != nil) }()
		fmt.Println(ni.Area())
	}()
	func() {
		defer func() { fmt.Println(recover()) }()
		var x any = "s"
		fmt.Println(x.(int))
	}()
	conversions := []func(){
		func() { var s Shape = Rect{}; fmt.Println(s.(*Counter2)) },
		func() { var s Shape; fmt.Println(s.(Rect)) },
		func() { var x any; fmt.Println(x.(Company)) },
		func() { var x any = Company{}; fmt.Println(x.(Shape)) },
		func() { var x any = []Company{{}}; fmt.Println(x.(map[string]any)) },
		func() { var x any; fmt.Println(x.(Shape)) },
		func() { var err error = fmt.Errorf("e"); fmt.Println(err.(*fs.PathError)) },
	}
	for _, f := range conversions {
		func() {
			defer func() { fmt.Println(recover()) }()
			f()
		}()
	}
}

// Counter2 is a shape whose methods have pointer receivers.
type Counter2 struct{ n float64 }

func (c *Counter2) Area() float64      { return c.n }
func (c *Counter2) Perimeter() float64 { return 4 * c.n }

type Company struct{ Staff any }
