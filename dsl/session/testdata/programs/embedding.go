package main

import "fmt"

type Shape interface {
	Area() float64
	Perimeter() float64
}
type Named interface{ Name() string }
type NamedShape interface {
	Shape
	Named
}
type base struct{ name string }

func (b base) Name() string     { return b.name }
func (b *base) Rename(s string) { b.name = s }
func (b base) Describe() string { return "I am " + b.Name() }

type Rect struct {
	base
	w, h float64
}

func (r Rect) Area() float64      { return r.w * r.h }
func (r Rect) Perimeter() float64 { return 2 * (r.w + r.h) }

type Square struct{ *Rect }

func (s Square) Name() string { return "square " + s.Rect.Name() }

type Logger struct {
	Shape
	log []string
}

func (l *Logger) Area() float64 {
	a := l.Shape.Area()
	l.log = append(l.log, fmt.Sprint("area ", a))
	return a
}

func total(ss ...Shape) (t float64) {
	for _, s := range ss {
		t += s.Area()
	}
	return
}

func main() {
	r := Rect{base{"r"}, 2, 3}
	sq := Square{&Rect{base: base{"q"}, w: 4, h: 4}}
	l := &Logger{Shape: r}
	fmt.Println(total(r, &r, sq, l), l.log)
	var ns NamedShape = sq
	fmt.Println(ns.Name(), ns.Area(), sq.Describe())
	sq.Rename("renamed")
	r.Rename("rr")
	fmt.Println(ns.Name(), r.name, r.base.Name())
	var s Shape = &r
	if n, ok := s.(Named); ok {
		fmt.Println("named", n.Name())
	}
	if _, ok := Shape(l).(Named); !ok {
		fmt.Println("logger has no name")
	}
	f := r.Area
	r.w = 100
	fmt.Println(f(), r.Area(), Rect.Area(r), (*Rect).Perimeter(&r))
	g := (*base).Rename
	g(&r.base, "zz")
	fmt.Println(r.Name())
	fs := map[string]func() float64{"a": r.Area, "p": sq.Perimeter}
	fmt.Println(fs["a"](), fs["p"]())
	for _, s := range []any{r, &r, sq, l, 3, nil, "x", base{"b"}} {
		switch v := s.(type) {
		case NamedShape:
			fmt.Printf("NS %s %T\n", v.Name(), v)
		case Shape:
			fmt.Printf("S %.1f\n", v.Perimeter())
		case Named:
			fmt.Printf("N %s\n", v.Name())
		case int, string:
			fmt.Printf("B %v\n", v)
		case nil:
			fmt.Println("nil")
		}
	}
	fmt.Printf("%v %+v\n", r, r)
	var np *Rect
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		fmt.Println(np.Area())
	}()
	var ni Shape
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		fmt.Println(ni.Area())
	}()
}
