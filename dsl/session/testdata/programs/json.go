package main

import (
	"encoding/json"
	"fmt"
)

type Base struct {
	ID  int
	Sub *Base `json:",omitempty"`
}
type Opt struct {
	Base
	V float64
}
type Item struct {
	Base
	*Opt
	Name  string `json:"name"`
	inner int
	Any   any
	List  []Base
	M     map[string]Base
	A     [2]Base
	F     []struct{ x, Y int }
}

func main() {
	it := Item{Base: Base{ID: 1, Sub: &Base{ID: 2}}, Name: "n", inner: 3, Any: Base{ID: 9}, List: []Base{{ID: 4}}, M: map[string]Base{"k": {ID: 5}}}
	it.F = append(it.F, struct{ x, Y int }{1, 2})
	b, err := json.Marshal(it)
	fmt.Println(string(b), err)
	b, err = json.MarshalIndent(map[string]any{"x": it.Base, "l": []any{Base{ID: 3}, &Base{ID: 4}}}, "", " ")
	fmt.Println(string(b), err)
	b, err = json.Marshal([]Item{it}[:0])
	fmt.Println(string(b), err)
	b, err = json.Marshal(&it)
	fmt.Println(len(b) > 20, err)
	var back Item
	err = json.Unmarshal([]byte(`{"ID":7,"Sub":{"ID":8},"name":"q","List":[{"ID":1},{"ID":2}],"M":{"a":{"ID":3}},"V":2.5,"F":[{"Y":5}],"A":[{"ID":1}]}`), &back)
	fmt.Println(back.ID, back.Sub.ID, back.Name, back.List, back.M, back.F, back.A, err, back.Opt != nil)
	var list []Item
	fmt.Println(json.Unmarshal([]byte(`[{"ID":7,"name":"q"}]`), &list), list[0].ID, list[0].Name)
	var p *Base
	fmt.Println(json.Unmarshal([]byte(`{"ID":7}`), &p), p.ID)
	var m map[string]*Base
	fmt.Println(json.Unmarshal([]byte(`{"z":{"ID":7}}`), &m), m["z"].ID)
	var a any
	fmt.Println(json.Unmarshal([]byte(`{"z":{"ID":7}}`), &a), a)
}
