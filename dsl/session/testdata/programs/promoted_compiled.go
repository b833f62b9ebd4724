package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

type A struct{ strings.Builder }
type B struct {
	*strings.Builder
	n int
}
type C struct {
	A
	n int
}
type D struct {
	n int
	bytes.Buffer
	sync.Mutex
}
type W interface {
	io.Writer
	String() string
}

func try(n string, f func()) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Println(n, "panic", r)
		}
	}()
	f()
}

func main() {
	a := &A{}
	try("direct", func() {
		a.WriteByte('(')
		a.WriteString("x")
		a.Builder.WriteByte('y')
		fmt.Println(a.String(), a.Len())
	})
	try("fprint", func() { fmt.Fprint(a, "p", 1); fmt.Fprint(a, "q"); fmt.Println(a.String(), a.Len()) })
	try("print", func() { fmt.Println(a); fmt.Print(a, "\n"); fmt.Printf("%v %s\n", a, a) })
	try("face", func() { var w W = a; w.Write([]byte("z")); fmt.Println(w.String(), w) })
	try("iow", func() { var w io.Writer = a; io.WriteString(w, "ii"); fmt.Println(w.(fmt.Stringer).String()) })
	b := B{Builder: &strings.Builder{}}
	try("b", func() { b.WriteByte('b'); fmt.Fprint(b, "c"); fmt.Println(b.String(), b.Len(), b) })
	var c C
	try("c", func() {
		c.WriteByte('b')
		fmt.Fprint(&c, "c")
		fmt.Fprint(&c.A, "d")
		fmt.Println(c.String(), c.Len(), &c, &c.A)
	})
	d := &D{}
	try("d", func() {
		d.Lock()
		d.WriteString("hello")
		d.Unlock()
		fmt.Fprintf(d, "%d", 5)
		fmt.Println(d.String(), d.Len())
		io.Copy(d, strings.NewReader("copied"))
		fmt.Println(d)
	})
	try("m", func() {
		f := a.WriteString
		f("mv")
		g := (*A).WriteString
		g(a, "me")
		fmt.Println(a.String())
		h := d.Len
		fmt.Println(h())
	})
	var st fmt.Stringer = a
	try("stringer", func() { fmt.Println(st, st.String()) })
}
