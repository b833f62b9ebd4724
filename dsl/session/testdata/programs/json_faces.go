package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

type Node struct {
	Name   string
	Parent *Node `json:"-"`
	Kids   []*Node
	Data   any
}

func (n *Node) Depth() int {
	d := 0
	for p := n.Parent; p != nil; p = p.Parent {
		d++
	}
	return d
}

type Cyc struct {
	Next *Cyc
	Any  any
}

type Money int

func (m Money) String() string { return fmt.Sprintf("$%d.%02d", int(m)/100, int(m)%100) }

type Line struct {
	What string
	Cost Money
	Qty  int `json:",omitempty"`
	Tags map[string]bool
	Err  error
	F    func(int) int
}
type Status int

const (
	Open Status = iota
	Closed
)

func (s Status) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }
func (s *Status) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `"open"`:
		*s = Open
	case `"closed"`:
		*s = Closed
	default:
		return fmt.Errorf("bad status %s", b)
	}
	return nil
}
func (s Status) String() string { return [...]string{"open", "closed"}[s] }

type Ticket struct {
	ID     int     `json:"id"`
	S      Status  `json:"s"`
	PS     *Status `json:"ps,omitempty"`
	Hist   []Status
	ByName map[string]Status
	Arr    [2]Status
	Inner  struct {
		S Status
		N float64
	}
	Opt   *Ticket `json:",omitempty"`
	Any   any
	Is    []any
	Float float64
	Unexp int `json:"un-exp"`
}
type Emb struct {
	Ticket
	*Line
	Extra string
}
type Shape interface{ Area() float64 }
type Sq struct{ Side float64 }

func (s Sq) Area() float64 { return s.Side * s.Side }

type Wrap struct {
	S  Shape
	M  map[string]Shape
	SS []Shape
}
type Anon struct {
	json.RawMessage
}
type Inl struct {
	A int
	B struct {
		C []struct{ D string }
	} `json:"b"`
	c int
}
type List []Status
type MM map[Status]string

func main() {
	root := &Node{Name: "root", Data: 1}
	kid := &Node{Name: "kid", Parent: root, Data: Money(5)}
	root.Kids = append(root.Kids, kid)
	b, err := json.Marshal(root)
	fmt.Println(string(b), err)
	c := Closed
	tk := Ticket{ID: 1, S: Closed, PS: &c, Hist: []Status{Open, Closed}, ByName: map[string]Status{"z": Open, "a": Closed}, Arr: [2]Status{Closed, Open}, Any: Closed, Is: []any{Open, 1, nil, []Status{Open}}, Float: 1e21}
	b, err = json.Marshal(tk)
	fmt.Println(string(b), err)
	var back Ticket
	fmt.Println(json.Unmarshal(b, &back))
	fmt.Println(back.S, *back.PS, back.Hist, back.ByName, back.Arr, back.Inner, back.Opt, back.Any, back.Is, back.Float)
	b, err = json.Marshal(Emb{Ticket{ID: 3}, &Line{What: "w"}, "e"})
	fmt.Println(err)
	b, err = json.Marshal(Emb{Ticket: Ticket{ID: 3}, Extra: "e"})
	fmt.Println(string(b), err)
	var e Emb
	fmt.Println(json.Unmarshal([]byte(`{"id":4,"s":"closed","What":"ww","Extra":"q"}`), &e), e.ID, e.S, e.Extra, e.Line != nil && e.What == "ww")
	b, err = json.Marshal(Wrap{Sq{2}, map[string]Shape{"k": Sq{3}}, []Shape{Sq{1}, nil}})
	fmt.Println(string(b), err)
	var w Wrap
	fmt.Println(json.Unmarshal(b, &w))
	fmt.Println(json.Unmarshal([]byte(`{"Hist":["open","bad"]}`), &back))
	fmt.Println(json.Unmarshal([]byte(`{"Inner":{"N":"x"}}`), &back))
	fmt.Println(json.Unmarshal([]byte(`{"id":1.5}`), &back))
	fmt.Println(json.Unmarshal([]byte(`{"id":1`), &back))
	fmt.Println(json.Unmarshal([]byte(`[1]`), &back))
	fmt.Println(json.Unmarshal([]byte(`{}`), back))
	fmt.Println(json.Unmarshal([]byte(`{}`), (*Ticket)(nil)))
	var in Inl
	fmt.Println(json.Unmarshal([]byte(`{"a":1,"b":{"c":[{"d":"x"},{"D":"y"}]},"c":5}`), &in), in)
	var l List
	fmt.Println(json.Unmarshal([]byte(`["open","closed"]`), &l), l, len(l))
	var arr []Ticket
	fmt.Println(json.Unmarshal([]byte(`[{"id":1},{"id":2,"s":"closed"}]`), &arr), len(arr), arr[1].S)
	var mp map[string]*Ticket
	fmt.Println(json.Unmarshal([]byte(`{"a":{"id":9}}`), &mp), mp["a"].ID)
	var a any
	fmt.Println(json.Unmarshal([]byte(`{"x":[1,2.5,"s",null,{"y":false}]}`), &a), a)
	cyc := &Cyc{}
	cyc.Next = cyc
	cyc.Any = 1
	_, err = json.Marshal(cyc)
	fmt.Println(err != nil)
	_, err = json.Marshal(make(chan int))
	fmt.Println(err)
	_, err = json.Marshal(map[string]any{"f": func() {}})
	fmt.Println(err)
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent(">", "  ")
	fmt.Println(enc.Encode(map[string]any{"b": Closed, "a": "<x>", "n": nil, "m": Money(3)}), buf.String())
	b, _ = json.Marshal(MM{Closed: "c", Open: "o"})
	fmt.Println(string(b))
	b, _ = json.Marshal([]any{Money(1), &c, struct {
		A Money `json:"a"`
		b int
	}{1, 2}, [2]bool{true}, []byte("hi"), "é<>&", 1.0, 1e-9, nil})
	fmt.Println(string(b))
	dec := json.NewDecoder(strings.NewReader(`{"id":1,"zzz":2}`))
	dec.DisallowUnknownFields()
	fmt.Println(dec.Decode(&back))
	dec = json.NewDecoder(strings.NewReader(`[{"id":1},{"id":2}]`))
	tok, _ := dec.Token()
	fmt.Println(tok)
	for dec.More() {
		var x Ticket
		fmt.Println(dec.Decode(&x), x.ID)
	}
	keys := []string{}
	for k := range e.ByName {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	fmt.Println(keys)
}
