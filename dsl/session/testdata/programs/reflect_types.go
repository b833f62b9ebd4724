package main

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"reflect"
)

type P struct{ A, B int }
type Q struct{ A, B int }

func (q Q) String() string { return "Q!" }

type E struct{}

func (E) Hi() string { return "hi" }

type Tagged struct {
	X int `json:"x" db:"col"`
	Y string
}
type Node struct {
	V    int
	Next *Node
}
type W struct {
	E
	P
	Q *Q
	N *Node
}

func main() {
	fmt.Println(reflect.DeepEqual(P{1, 2}, Q{1, 2}), reflect.DeepEqual(P{1, 2}, P{1, 2}), reflect.DeepEqual(P{1, 2}, struct{ A, B int }{1, 2}))
	fmt.Println(reflect.ValueOf(P{1, 2}).Interface(), reflect.ValueOf(Q{1, 2}).Interface(), reflect.ValueOf(struct{ A, B int }{1, 2}).Interface())
	fmt.Printf("%T %T %T\n", reflect.ValueOf(P{1, 2}).Interface(), reflect.ValueOf(Q{1, 2}).Interface(), reflect.ValueOf(struct{ A, B int }{1, 2}).Interface())
	t := reflect.TypeOf(Tagged{})
	for i := range t.NumField() {
		fmt.Printf("%q %q %s\n", t.Field(i).Tag, t.Field(i).Tag.Get("db"), t.Field(i).Type)
	}
	vt := reflect.ValueOf(&Tagged{}).Elem().Type()
	fmt.Printf("%q %v %v\n", vt.Field(0).Tag, vt, vt == t)
	w := W{N: &Node{1, &Node{2, nil}}, Q: &Q{3, 4}}
	rv := reflect.ValueOf(w)
	fmt.Println(rv.Field(0).Interface().(interface{ Hi() string }).Hi(), rv.Field(2).Interface(), rv.Field(3).Interface().(*Node).Next.V)
	fmt.Println(rv.FieldByName("A").Int(), rv.FieldByName("Q").Elem().FieldByName("B").Int())
	n := rv.Field(3)
	for !n.IsNil() {
		fmt.Print(n.Elem().Field(0).Int(), " ")
		n = n.Elem().Field(1)
	}
	fmt.Println()
	b, err := json.Marshal(w)
	fmt.Println(string(b), err)
	var back W
	fmt.Println(json.Unmarshal(b, &back), back.N.Next.V)
	var buf bytes.Buffer
	fmt.Println(gob.NewEncoder(&buf).Encode(Tagged{1, "y"}))
	var tg Tagged
	fmt.Println(gob.NewDecoder(&buf).Decode(&tg), tg)
	var x any = []P{{1, 2}}
	s := reflect.ValueOf(x)
	fmt.Printf("%T %v\n", s.Index(0).Interface(), s.Interface().([]P)[0].B)
	m := map[string]Q{"k": {5, 6}}
	for it := reflect.ValueOf(m).MapRange(); it.Next(); {
		fmt.Println(it.Key(), it.Value().Interface().(fmt.Stringer).String())
	}
	f := reflect.ValueOf(func(p P, q ...Q) (Q, error) { return Q{p.A, len(q)}, nil })
	out := f.Call([]reflect.Value{reflect.ValueOf(P{9, 9}), reflect.ValueOf(Q{})})
	fmt.Println(out[0].Interface().(Q).A, out[1].IsNil())
	sf := reflect.StructOf([]reflect.StructField{{Name: "Z", Type: reflect.TypeOf(P{})}})
	sv := reflect.New(sf).Elem()
	sv.Field(0).Set(reflect.ValueOf(P{4, 5}))
	fmt.Println(sv.Field(0).Interface().(P).B)
	set := func(dst any, name string, v any) {
		reflect.ValueOf(dst).Elem().FieldByName(name).Set(reflect.ValueOf(v))
	}
	set(&w, "P", P{7, 8})
	set(&w, "Q", &Q{1, 1})
	fmt.Println(w.P, w.A, w.Q)
	fmt.Println(reflect.TypeOf(w).Field(1).Type == reflect.TypeOf(P{}), reflect.ValueOf(w).Field(1).Type() == reflect.TypeOf(P{}))
	fmt.Println(reflect.ValueOf(P{1, 2}).Equal(reflect.ValueOf(P{1, 2})), reflect.ValueOf(P{}).IsZero(), reflect.Indirect(reflect.ValueOf(&w)).NumField())
	c := reflect.ValueOf(P{1, 2}).Convert(reflect.TypeOf(Q{}))
	fmt.Println(c.Interface())
}
