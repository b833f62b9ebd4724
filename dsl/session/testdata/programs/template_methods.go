package main

import (
	"errors"
	"fmt"
	htemplate "html/template"
	"os"
	"strings"
	"text/template"
	"time"
)

type Money int

func (m Money) String() string   { return fmt.Sprintf("$%d.%02d", int(m)/100, int(m)%100) }
func (m Money) Dollars() int     { return int(m) / 100 }
func (m Money) Plus(n int) Money { return m + Money(n) }
func (m Money) In(c string, rate float64) string {
	return fmt.Sprintf("%s%.2f", c, float64(m)*rate/100)
}

type Level int

const (
	Low Level = iota
	High
)

func (l Level) String() string { return [...]string{"low", "high"}[l] }

type Item struct {
	Name  string
	Cost  Money
	Qty   int
	Lv    Level
	When  time.Time
	Tags  []string
	Meta  map[string]any
	owner string
}

func (i Item) Total() Money                      { return i.Cost * Money(i.Qty) }
func (i *Item) Owner() string                    { return "owner:" + i.owner }
func (i Item) Fail() (string, error)             { return "", errors.New("item failed") }
func (i Item) Ok() (string, error)               { return "fine " + i.Name, nil }
func (i Item) Panics() string                    { panic("in method") }
func (i Item) Join(sep string, xs ...any) string { return i.Name + sep + fmt.Sprint(xs...) }

type Items []Item

func (is Items) Len() int { return len(is) }
func (is Items) Sum() (m Money) {
	for _, i := range is {
		m += i.Total()
	}
	return
}

type Customer struct {
	First, Last string
	Parent      *Customer
}

func (c Customer) String() string    { return c.First + " " + c.Last }
func (c *Customer) Initials() string { return c.First[:1] + c.Last[:1] }

type Base struct{ ID int }

func (b Base) Ref() string { return fmt.Sprintf("#%03d", b.ID) }

type Order struct {
	Base
	Cust   *Customer
	Items  Items
	ByName map[string]Item
	ByLv   map[Level]Money
	Ptrs   []*Item
	Any    any
	Err    error
	Fn     func(int) Money
	Shape  interface{ Ref() string }
	Nil    *Item
}

func run(name, text string, data any) {
	t, err := template.New(name).Funcs(template.FuncMap{"up": strings.ToUpper, "show": func(x any) string { return fmt.Sprintf("[%v]", x) }, "double": func(m Money) Money { return m * 2 }, "add": func(a, b int) int { return a + b }}).Parse(text)
	if err != nil {
		fmt.Println("parse:", err)
		return
	}
	if err := t.Execute(os.Stdout, data); err != nil {
		fmt.Print(" ERR ", err)
	}
	fmt.Println("|")
}

func main() {
	it := Item{"pen", 150, 3, High, time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), []string{"a", "b"}, map[string]any{"c": Money(5), "n": 1}, "me"}
	it2 := Item{Name: "ink", Cost: 0, Qty: 1}
	o := Order{Base{7}, &Customer{"Ann", "Bee", &Customer{First: "Mum", Last: "Zed"}}, Items{it, it2}, map[string]Item{"x": it}, map[Level]Money{High: 1, Low: 2}, []*Item{&it}, Money(99), errors.New("bad"), func(i int) Money { return Money(i) }, Base{3}, nil}
	run("methods", `{{.Ref}} {{.Cust}} {{.Cust.Initials}} {{.Cust.Parent.Initials}} {{.Items.Sum}} {{.Items.Len}} {{len .Items}}`, o)
	run("range", `{{range $i, $x := .Items}}{{$i}}:{{.Name}} {{$x.Total}} {{.Cost.Dollars}} {{.Cost}} {{.Cost.Plus 5}} {{.Cost.In "€" 0.5}} {{.Lv}} {{.Owner}}; {{end}}`, o)
	run("range2", `{{range .Ptrs}}{{.Owner}} {{.Total | printf "%v/%d"  }} {{.Name | up}}{{end}}`, o)
	run("if", `{{range .Items}}{{if .Cost}}cost{{else}}free{{end}} {{if eq .Lv 1}}high{{end}} {{if gt .Qty 2}}many{{end}} {{if and .Cost .Tags}}both{{end}} {{or .Cost "none"}} {{not .Cost}} {{with .Cost}}{{.}} {{.Dollars}}{{else}}nothing{{end}};{{end}}`, o)
	run("map", `{{range $k, $v := .ByName}}{{$k}}={{$v.Name}} {{$v.Total}}{{end}} {{.ByName.x.Total}} {{(index .ByName "x").Cost}} {{index .ByLv 1}} {{range $k, $v := .ByLv}}{{$k}}:{{$v}} {{end}}`, o)
	run("any", `{{.Any}} {{.Err}} {{.Any.Dollars}} {{printf "%d %v %s" .Any .Any .Any}} {{.Shape.Ref}} {{call .Fn 250}}`, o)
	run("funcs", `{{show .Any}} {{double .Any}} {{up .Cust.First}} {{.Cust.First | up | show}} {{add (len .Items) 3}} {{print .Any " " .Items.Sum}} {{(index .Items 0).Ok}} {{(index .Items 0).Join "-" 1 "x" 2}}`, o)
	run("time", `{{(index .Items 0).When.Format "2006-01-02"}} {{(index .Items 0).When.Year}} {{index (index .Items 0).Tags 1}} {{(index .Items 0).Meta.c}} {{(index .Items 0).Meta.zz}} {{slice (index .Items 0).Name 1 2}}`, o)
	run("fail", `a {{(index .Items 0).Fail}}`, o)
	run("fail2", `a {{.Missing}}`, o)
	run("fail3", `a {{.Nil.Name}}`, o)
	run("fail4", `a {{range .Items}}{{.Cost.Nope}}{{end}}`, o)
	run("fail5", `a {{range .Items}}{{.owner}}{{end}}`, o)
	run("fail6", `{{index .Items 9}}`, o)
	run("dot", `{{.}} {{. | printf "%05d"}} {{.Dollars}}`, Money(1234))
	run("dots", `{{range .}}{{.}},{{end}} {{len .}} {{.}}`, []Money{1, 250})
	run("items", `{{.Sum}} {{range .}}{{.Name}}{{end}} {{.Len}} {{len .}}`, Items{it})
	run("ptr", `{{.}} {{.First}} {{.Initials}} {{with .Parent}}{{.}}{{end}} {{with $p := .Parent.Parent}}x{{else}}none{{end}}`, o.Cust)
	run("mapdata", `{{.m}} {{.i.Name}} {{.i.Total}} {{.list.Sum}} {{.missing}} {{range .ms}}{{.}} {{end}}{{.n}} {{if .e}}y{{else}}n{{end}}`, map[string]any{"m": Money(5), "i": it, "list": Items{it}, "ms": []Money{1, 2}, "n": 3, "e": Items(nil)})
	run("define", `{{define "li"}}<{{.Name}}:{{.Total}}>{{end}}{{range .Items}}{{template "li" .}}{{end}}{{block "foot" .Cust}}{{.}} {{.Initials}}{{end}}`, o)
	run("var", `{{$c := .Cust}}{{$c}} {{$c.First}} {{$t := .Items.Sum}}{{$t}} {{$t.Dollars}} {{range .Items}}{{$.Ref}}{{$c.Initials}}{{if .Cost}}{{break}}{{end}}{{end}}`, o)
	run("plain", `{{.A}} {{range .B}}{{.}}{{end}}`, struct {
		A int
		B []string
	}{1, []string{"x"}})
	run("ints", `{{range $i := 3}}{{$i}}{{end}} {{range .}}{{.}}{{else}}empty{{end}}`, []Money{})
	h := htemplate.Must(htemplate.New("h").Parse(`<a href="/{{.Ref}}" title="{{.Cust}}">{{.Cust}} {{.Items.Sum}}</a>{{range .Items}}<li>{{.Name}} {{.Cost}} {{.Lv}}{{end}}<script>var x = {{.Ref}};</script>` + "\n"))
	o.Cust.First = "<b>"
	fmt.Println(h.Execute(os.Stdout, o))
	fmt.Println(h.Execute(os.Stdout, o))
	h2 := htemplate.Must(htemplate.New("p").Parse(`{{define "x"}}<i>{{.Total}}</i>{{end}}{{template "x" .}}`))
	fmt.Println(h2.ExecuteTemplate(os.Stdout, "x", it))
	fmt.Println(h2.Execute(os.Stdout, &it))
}
