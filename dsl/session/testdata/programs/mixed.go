package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"text/tabwriter"
	"time"
)

type Animal interface {
	Sound() string
	Namer
}

type Namer interface{ Name() string }

type base struct{ name string }

func (b *base) Name() string { return b.name }

type Dog struct {
	*base
	tricks []string
}

func (d Dog) Sound() string { return "woof" }

type Cat struct{ base }

func (c *Cat) Sound() string { return "meow" }

type Loud struct{ Animal }

func (l Loud) Sound() string { return strings.ToUpper(l.Animal.Sound()) + "!" }

type Op func(float64, float64) (float64, error)

type Matrix [2][2]float64

func (m Matrix) Mul(o Matrix) (r Matrix) {
	for i := range m {
		for j := range m[i] {
			for k := range o {
				r[i][j] += m[i][k] * o[k][j]
			}
		}
	}
	return
}

type State int

const (
	Idle State = iota
	Running
	Stopped
)

var names = map[State]string{Idle: "idle", Running: "running", Stopped: "stopped"}

func (s State) String() string { return names[s] }

type Event struct {
	At   time.Duration `json:"at"`
	Kind State         `json:"kind"`
	Tags []string      `json:"tags,omitempty"`
	Sub  *Event        `json:"sub,omitempty"`
}

type Visitor interface {
	Visit(n int) Visitor
}

type depth int

func (d depth) Visit(n int) Visitor {
	if n == 0 {
		return nil
	}
	fmt.Print(int(d), ":", n, " ")
	return d + 1
}

type Stack []int

func (s *Stack) Push(v int) { *s = append(*s, v) }
func (s *Stack) Pop() int {
	old := *s
	v := old[len(old)-1]
	*s = old[:len(old)-1]
	return v
}
func (s Stack) Len() int { return len(s) }

type temporary interface{ Temporary() bool }

type netErr struct{ msg string }

func (n netErr) Error() string   { return n.msg }
func (n netErr) Temporary() bool { return true }

var ErrBase = errors.New("base")

func layered(n int) error {
	if n == 0 {
		return fmt.Errorf("layer: %w", ErrBase)
	}
	return fmt.Errorf("%d: %w", n, layered(n-1))
}

type Option func(*config)

type config struct {
	size int
	name string
}

func WithSize(n int) Option { return func(c *config) { c.size = n } }

func build(opts ...Option) config {
	c := config{size: 1, name: "default"}
	for _, o := range opts {
		o(&c)
	}
	return c
}

type countWriter struct {
	w io.Writer
	n int
}

func (c *countWriter) Write(p []byte) (int, error) {
	c.n += len(p)
	return c.w.Write(p)
}

func safe(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			err = r
		case string:
			err = errors.New(r)
		default:
			err = fmt.Errorf("%v", r)
		}
	}()
	f()
	return nil
}

type people []struct {
	Name string
	Age  int
}

func main() {
	d := Dog{&base{"Rex"}, nil}
	c := &Cat{base{"Tom"}}
	zoo := []Animal{d, c, Loud{d}, &Loud{c}}
	for i, a := range zoo {
		fmt.Print(i, a.Name(), a.Sound(), " ")
		if n, ok := a.(Namer); ok {
			fmt.Print(len(n.Name()), " ")
		}
		switch a := a.(type) {
		case Dog, *Cat:
			fmt.Print("plain ")
		case Loud:
			fmt.Print(a.Animal.Sound(), " ")
		case interface{ Name() string }:
			fmt.Print("other ")
		}
	}
	fmt.Println()
	sort.Slice(zoo, func(i, j int) bool { return zoo[i].Name() > zoo[j].Name() })
	fmt.Println(zoo[0].Name(), zoo[len(zoo)-1].Name())
	ops := map[string]Op{
		"add": func(a, b float64) (float64, error) { return a + b, nil },
		"div": func(a, b float64) (float64, error) {
			if b == 0 {
				return 0, errors.New("division by zero")
			}
			return a / b, nil
		},
	}
	for _, k := range []string{"add", "div"} {
		v, err := ops[k](1, 0)
		fmt.Print(v, " ", err, "; ")
	}
	fmt.Println()
	m := Matrix{{1, 1}, {1, 0}}
	p := m
	for range 5 {
		p = p.Mul(m)
	}
	fmt.Println(p, m == Matrix{{1, 1}, {1, 0}})
	e := Event{1500 * time.Millisecond, Running, []string{"a"}, &Event{Kind: Stopped}}
	b, err := json.Marshal(e)
	fmt.Println(string(b), err)
	var back Event
	err = json.Unmarshal(b, &back)
	fmt.Println(back.At, back.Kind, back.Tags, back.Sub.Kind, err)
	fmt.Printf("%v|%+v|%s|%d|%q\n", e.Kind, Event{Kind: Idle}, Stopped, Running, Idle)
	var v Visitor = depth(0)
	for n := 3; v != nil; n-- {
		v = v.Visit(n)
	}
	fmt.Println()
	var s Stack
	for i := range 4 {
		s.Push(i * i)
	}
	fmt.Println(s.Pop(), s.Pop(), s.Len(), s)
	var t temporary
	fmt.Println(errors.As(fmt.Errorf("w: %w", netErr{"reset"}), &t), t != nil && t.Temporary())
	fmt.Println(layered(2), errors.Is(layered(2), ErrBase), errors.Unwrap(errors.Unwrap(layered(2))))
	fmt.Println(build(), build(WithSize(5), func(c *config) { c.name = "x" }))
	cw := &countWriter{w: os.Stdout}
	fmt.Fprintf(cw, "%s %d\n", "counted", 7)
	fmt.Println(cw.n)
	tw := tabwriter.NewWriter(cw, 0, 8, 1, '.', 0)
	fmt.Fprintln(tw, "a\tbb\tc")
	fmt.Fprintln(tw, "aaa\tb\tc")
	tw.Flush()
	fmt.Println(safe(func() { panic("text") }), safe(func() { panic(fmt.Errorf("err")) }), safe(func() {}), safe(func() { panic(42) }))
	fmt.Println(safe(func() { var a []int; _ = a[len(a)] }) != nil, safe(func() { var m map[string]int; m["a"]++ }))
	ps := people{{"Al", 30}, {"Bo", 25}}
	sort.Slice(ps, func(i, j int) bool { return ps[i].Age < ps[j].Age })
	fmt.Printf("%v %+v\n", ps, ps[0])
	var buf bytes.Buffer
	io.Copy(&buf, io.TeeReader(strings.NewReader("tee"), cw))
	fmt.Println(buf.String(), cw.n)
	x := struct {
		A, B int
		f    func() int
	}{1, 2, nil}
	x.f = func() int { return x.A + x.B }
	x.A = 10
	fmt.Println(x.f())
	arr := [3]int{1, 2, 3}
	for i, v := range arr {
		arr[2] = 10
		if i == 2 {
			fmt.Println("range copies the array:", v)
		}
	}
	sl := []int{1, 2, 3}
	for i, v := range sl {
		sl[2] = 10
		if i == 2 {
			fmt.Println("a slice is shared:", v)
		}
	}
	q := &arr
	q2 := q
	q2[0] = 99
	fmt.Println(arr[0], q == q2, *q == arr)
	type key struct{ a, b int }
	grid := map[key][]key{}
	grid[key{1, 2}] = append(grid[key{1, 2}], key{3, 4})
	fmt.Println(grid, len(grid[key{9, 9}]))
	var any1, any2 any = key{1, 2}, key{1, 2}
	fmt.Println(any1 == any2, any1 != nil, map[any]int{Idle: 1, 0: 2, "x": 3}[Idle])
	fmt.Printf("%T %T %T %T %T\n", any1, zoo[0], s, m, []State{Idle})
	fn := d.Sound
	d.name = "changed"
	fmt.Println(fn(), d.Name())
	func(xs ...any) { fmt.Println(len(xs), xs) }(1, "a", Running, nil, []State{Idle, Running})
	ch := make(chan Animal, 2)
	ch <- d
	ch <- c
	close(ch)
	for a := range ch {
		fmt.Print(a.Sound(), " ")
	}
	fmt.Println()
	acc := 0
	func() {
		defer func() { acc *= 2 }()
		defer func() { acc += 5 }()
		acc = 1
	}()
	fmt.Println(acc)
	var np *Cat
	var an Animal = np
	fmt.Println(an == nil, an != nil, np == nil)
	const huge = 1 << 40
	fmt.Println(huge/1024, uint8(huge>>36), 07, 'x', "\u00e9", `raw\n`)
	if n, err := fmt.Sscanf("12 abc", "%d %s", new(int), new(string)); err == nil {
		fmt.Println(n)
	}
	bits := uint16(0xF0F0)
	bits &^= 0x00F0
	bits |= 1
	bits ^= 0x8000
	fmt.Printf("%#x %b %v\n", bits, bits>>8, bits<<4 == 0x0010)
}
