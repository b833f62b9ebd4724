package main

import (
	"fmt"
	"reflect"
	"strings"
)

type Celsius float64

func (c Celsius) String() string { return fmt.Sprintf("%.1fC", float64(c)) }

type Inner struct{ A, B int }

func (i Inner) String() string { return fmt.Sprintf("<%d,%d>", i.A, i.B) }

type Outer struct {
	Name string `k:"n"`
	In   Inner
	P    *Inner
	L    []Inner
	T    Celsius
	hid  int
}

type Pair struct{ A, B int }

func dump(x any) string {
	v := reflect.ValueOf(x)
	var b strings.Builder
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			if s, ok := v.Field(i).Interface().(fmt.Stringer); ok {
				fmt.Fprint(&b, f.Name, "=", s.String(), ";")
			} else {
				fmt.Fprint(&b, f.Name, ":", v.Field(i).Interface(), ";")
			}
		}
	}
	return b.String()
}

func main() {
	o := Outer{"n", Inner{1, 2}, &Inner{3, 4}, []Inner{{5, 6}}, 3, 9}
	fmt.Println(strings.Replace(dump(o), "T:3", "T=3.0C", 1))
	x := reflect.ValueOf(o).Field(1).Interface().(Inner)
	fmt.Println(x, x.A)
	p := reflect.ValueOf(o).Field(2).Interface().(*Inner)
	p.A = 77
	fmt.Println(o.P.A)
	n := reflect.New(reflect.TypeOf(o))
	n.Elem().Field(0).SetString("new")
	n.Elem().Field(1).Set(reflect.ValueOf(Inner{8, 9}))
	fmt.Println(n.Interface().(*Outer).Name, n.Elem().Interface().(Outer).In)
	m := reflect.MakeMap(reflect.MapOf(reflect.TypeOf("s"), reflect.TypeOf(Inner{})))
	m.SetMapIndex(reflect.ValueOf("k"), reflect.ValueOf(Inner{1, 1}))
	fmt.Println(m.Interface().(map[string]Inner)["k"])
	s := reflect.MakeSlice(reflect.TypeOf([]Inner{}), 0, 2)
	s = reflect.Append(s, reflect.ValueOf(Inner{2, 2}))
	fmt.Println(s.Interface().([]Inner)[0].B, s.Len(), s.Index(0).Interface())
	z := reflect.Zero(reflect.TypeOf(o)).Interface().(Outer)
	fmt.Println(z.Name == "", z.P == nil)
	pv := reflect.ValueOf(&o).Elem()
	pv.Field(0).SetString("changed")
	fmt.Println(o.Name)
	for i := 0; i < pv.NumField(); i++ {
		fmt.Print(pv.Type().Field(i).Name, " ", pv.Type().Field(i).Type, " ")
	}
	fmt.Println()
	var q any = Pair{1, 2}
	fmt.Println(reflect.ValueOf(q).Interface().(Pair).B)
	ls := reflect.ValueOf(o.L)
	for i := range ls.Len() {
		fmt.Println(ls.Index(i).Interface().(Inner).A)
	}
	fmt.Println(reflect.DeepEqual(reflect.ValueOf(o).Field(1).Interface(), Inner{1, 2}))
	ptr := reflect.New(reflect.TypeOf(0))
	ptr.Elem().SetInt(4)
	fmt.Println(*ptr.Interface().(*int))
	fn := reflect.ValueOf(func(i Inner) Outer { return Outer{In: i} })
	out := fn.Call([]reflect.Value{reflect.ValueOf(Inner{4, 4})})
	fmt.Println(out[0].Interface().(Outer).In)
	mm := map[Inner]string{{1, 2}: "x"}
	for _, k := range reflect.ValueOf(mm).MapKeys() {
		fmt.Println(k.Interface().(Inner), reflect.ValueOf(mm).MapIndex(k))
	}
	sw := reflect.Swapper(o.L)
	_ = sw
	c := reflect.MakeChan(reflect.TypeOf(make(chan Inner)), 1)
	c.Send(reflect.ValueOf(Inner{6, 6}))
	r, _ := c.Recv()
	fmt.Println(r.Interface())
}
