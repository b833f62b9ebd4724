package main

import (
	"errors"
	"fmt"
	"time"
)

type T struct {
	A any
	B error
	M map[string]T
	S []T
	P *T
	F func(int) string
	C chan T
	d time.Duration
	D time.Duration
	t time.Time
	w struct{ s fmt.Stringer }
	e
	E
	x []e
}
type e struct {
	D time.Duration
	d time.Duration
	S St
}
type E struct {
	D time.Duration
	d time.Duration
}
type St string

func (s St) String() string { return "<" + string(s) + ">" }

func main() {
	t := T{d: 3, D: 4, e: e{5, 6, "q"}, E: E{7, 8}, x: []e{{1, 2, "r"}}}
	fmt.Printf("%v\n%+v\n%#v\n", t, t, t)
	t.A = St("in any")
	t.S = []T{{A: 1}}
	t.w.s = St("hidden")
	fmt.Printf("%v\n%+v\n%#v\n", t, t, t)
	fmt.Printf("%#v %#v %#v %#v\n", []error{nil}, map[string]any{"a": nil}, [1]func(){}, struct{ p *int }{})
	fmt.Printf("%#v %#v %#v\n", t.S[0].A, []St{"x"}, map[St]St{"k": "v"})
	fmt.Printf("%v %+v %s\n", []any{errors.New("e"), St("s"), time.Second}, map[string]error{"k": errors.New("x")}, struct{ E error }{errors.New("f")})
	fmt.Printf("%v %v\n", struct{ e any }{time.Second}, struct{ e []St }{[]St{"a"}})
	fmt.Printf("%x %d %q %v\n", St("hi"), []St{"a"}, []St{"b"}, [2]St{"c"})
	fmt.Printf("%08.3f|%+v|%-10v|%10v|\n", struct{ X float64 }{1.5}, struct{ X []float64 }{[]float64{1}}, St("l"), St("r"))
	var np *T
	fmt.Printf("%v %+v %#v %T\n", np, np, np, np)
	fmt.Printf("%v %d %s\n", struct{ a, b int }{1, 2}, struct {
		a int
		b string
	}{1, "x"}, struct {
		a int
		b string
	}{1, "x"})
}
