package main

import (
	"bufio"
	"bytes"
	"container/heap"
	"container/list"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"math"
	"math/big"
	"os"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"text/template"
	"time"
	"unicode/utf8"
)

type stateFn func(*lexer) stateFn
type lexer struct {
	in  string
	pos int
	out []string
}

func lexText(l *lexer) stateFn {
	if l.pos >= len(l.in) {
		return nil
	}
	if l.in[l.pos] >= '0' && l.in[l.pos] <= '9' {
		return lexNum
	}
	l.pos++
	return lexText
}
func lexNum(l *lexer) stateFn {
	s := l.pos
	for l.pos < len(l.in) && l.in[l.pos] >= '0' && l.in[l.pos] <= '9' {
		l.pos++
	}
	l.out = append(l.out, l.in[s:l.pos])
	return lexText
}

type Tree map[string]Tree

func (t Tree) depth() int {
	d := 0
	for _, c := range t {
		d = max(d, c.depth())
	}
	return d + 1
}

type IntHeap []int

func (h IntHeap) Len() int           { return len(h) }
func (h IntHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h IntHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *IntHeap) Push(x any)        { *h = append(*h, x.(int)) }
func (h *IntHeap) Pop() any {
	old := *h
	n := len(old)
	x := old[n-1]
	*h = old[:n-1]
	return x
}

type Stamp time.Time

func (s Stamp) MarshalText() ([]byte, error) { return []byte(time.Time(s).UTC().Format("2006")), nil }

type Color int

const (
	Red Color = iota
	Green
	Blue
)

func (c Color) String() string { return [...]string{"R", "G", "B"}[c] }
func (c *Color) UnmarshalText(b []byte) error {
	switch string(b) {
	case "R":
		*c = Red
	case "G":
		*c = Green
	default:
		return fmt.Errorf("bad color %q", b)
	}
	return nil
}
func (c Color) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

type Visitor interface{ Visit(n Node) (Visitor, error) }
type Node interface{ Children() []Node }
type leaf struct{ v int }
type branch struct{ kids []Node }

func (leaf) Children() []Node     { return nil }
func (b branch) Children() []Node { return b.kids }

type counter struct{ n, sum int }

func (c *counter) Visit(n Node) (Visitor, error) {
	c.n++
	if l, ok := n.(leaf); ok {
		if l.v < 0 {
			return nil, fmt.Errorf("leaf %d: %w", l.v, os.ErrInvalid)
		}
		c.sum += l.v
	}
	return c, nil
}
func walk(v Visitor, n Node) error {
	w, err := v.Visit(n)
	if err != nil {
		return err
	}
	for _, k := range n.Children() {
		if err := walk(w, k); err != nil {
			return fmt.Errorf("walk: %w", err)
		}
	}
	return nil
}

type Opt func(*conf)
type conf struct {
	name string
	n    int
	hook func(string, ...any) string
}

func WithN(n int) Opt { return func(c *conf) { c.n = n } }
func newConf(opts ...Opt) *conf {
	c := &conf{name: "d", hook: fmt.Sprintf}
	for _, o := range opts {
		o(c)
	}
	return c
}

type Num interface{ ~int | ~float64 }

func Map[T, U any](xs []T, f func(T) U) []U {
	out := make([]U, 0, len(xs))
	for _, x := range xs {
		out = append(out, f(x))
	}
	return out
}
func Reduce[T, A any](xs []T, a A, f func(A, T) A) A {
	for _, x := range xs {
		a = f(a, x)
	}
	return a
}

type Set[K comparable] map[K]struct{}

func (s Set[K]) Add(ks ...K) Set[K] {
	for _, k := range ks {
		s[k] = struct{}{}
	}
	return s
}
func (s Set[K]) Has(k K) bool { _, ok := s[k]; return ok }

type LinkedList[T any] struct {
	head, tail *el[T]
	n          int
}
type el[T any] struct {
	v    T
	next *el[T]
}

func (l *LinkedList[T]) All() func(yield func(int, T) bool) {
	return func(yield func(int, T) bool) {
		i := 0
		for e := l.head; e != nil; e = e.next {
			if !yield(i, e.v) {
				return
			}
			i++
		}
	}
}
func (l *LinkedList[T]) Push(v T) *LinkedList[T] {
	e := &el[T]{v: v}
	if l.tail == nil {
		l.head, l.tail = e, e
	} else {
		l.tail.next = e
		l.tail = e
	}
	l.n++
	return l
}

type countWriter struct {
	io.Writer
	n int
}

func (c *countWriter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += n
	return n, err
}

type rot13 struct{ r io.Reader }

func (r rot13) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	for i := range p[:n] {
		c := p[i]
		switch {
		case c >= 'a' && c <= 'z':
			p[i] = 'a' + (c-'a'+13)%26
		case c >= 'A' && c <= 'Z':
			p[i] = 'A' + (c-'A'+13)%26
		}
	}
	return n, err
}

type MyErr struct{ Code int }

func (e *MyErr) Error() string        { return "code " + strconv.Itoa(e.Code) }
func (e *MyErr) Is(target error) bool { return target == io.EOF }
func (e *MyErr) Unwrap() []error      { return []error{os.ErrClosed} }

func try(f func()) (s string) {
	defer func() {
		if r := recover(); r != nil {
			s = fmt.Sprintf("%T %v", r, r)
		}
	}()
	f()
	return "ok"
}

func main() {
	l := &lexer{in: "a12b345"}
	for st := stateFn(lexText); st != nil; {
		st = st(l)
	}
	fmt.Println(l.out)
	fmt.Println(Tree{"a": {"b": {}, "c": {"d": nil}}}.depth())
	h := &IntHeap{5, 2, 8}
	heap.Init(h)
	heap.Push(h, 1)
	for h.Len() > 0 {
		fmt.Print(heap.Pop(h), " ")
	}
	fmt.Println()
	b, err := json.Marshal(map[string]any{"s": Stamp(time.Unix(0, 0)), "c": Blue, "m": map[Color]int{Red: 1}})
	fmt.Println(string(b), err)
	var c struct {
		C  Color
		Cs map[Color]string
		R  json.RawMessage
		P  *Color `json:"p,omitempty"`
	}
	fmt.Println(json.Unmarshal([]byte(`{"C":"G","Cs":{"R":"x"},"R":{"a":1}}`), &c), c.C, c.Cs, string(c.R), c.P)
	fmt.Println(json.Unmarshal([]byte(`{"C":"Z"}`), &c))
	cn := &counter{}
	fmt.Println(walk(cn, branch{[]Node{leaf{1}, branch{[]Node{leaf{2}, leaf{3}}}}}), *cn)
	e := walk(cn, branch{[]Node{leaf{-1}}})
	fmt.Println(e, errors.Is(e, os.ErrInvalid))
	cf := newConf(WithN(3), func(c *conf) { c.name += "!" })
	fmt.Println(cf.name, cf.n, cf.hook("%03d|%v", 7, []string{"a"}))
	fmt.Println(Map([]int{1, 2}, func(i int) string { return strings.Repeat("x", i) }), Reduce([]float64{1, 2.5}, 0.0, func(a, x float64) float64 { return a + x }))
	s := Set[string]{}.Add("a", "b")
	fmt.Println(s.Has("a"), s.Has("z"), len(s))
	var ll LinkedList[Color]
	for i, v := range ll.Push(Red).Push(Blue).Push(Green).All() {
		if i == 2 {
			break
		}
		fmt.Print(i, v, " ")
	}
	fmt.Println(ll.n)
	cw := &countWriter{Writer: io.Discard}
	fmt.Fprintf(cw, "%08.3f", math.Pi)
	io.Copy(cw, rot13{strings.NewReader("Uryyb")})
	fmt.Println(cw.n)
	o, _ := io.ReadAll(rot13{strings.NewReader("Uryyb")})
	fmt.Println(string(o))
	var me *MyErr
	we := fmt.Errorf("ctx: %w", &MyErr{7})
	fmt.Println(errors.As(we, &me), me.Code, errors.Is(we, io.EOF), errors.Is(we, os.ErrClosed))
	var np *MyErr
	var ni error = np
	fmt.Println(ni == nil, try(func() { _ = ni.Error() }))
	fmt.Println(try(func() { var m map[Color][]int; m[Red] = append(m[Red], 1) }))
	fmt.Println(try(func() { var a any = Green; _ = a.(fmt.Formatter) }))
	fmt.Println(try(func() { var a any = Green; _ = a.(string) }))
	fmt.Println(try(func() { x := []int{1, 2, 3}; i := 5; _ = x[1:i] }))
	fmt.Println(try(func() { panic(fmt.Errorf("e%d", 1)) }), try(func() { panic(Blue) }))
	fmt.Println(try(func() { var p *lexer; p.pos++ }), try(func() { a, b := 1, 0; fmt.Println(a / b) }))
	tw := tabwriter.NewWriter(os.Stdout, 0, 4, 1, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "a\tbbb\tc")
	fmt.Fprintln(tw, "aaaa\tb\tccccc")
	tw.Flush()
	t := template.Must(template.New("t").Funcs(template.FuncMap{"up": strings.ToUpper}).Parse(`{{range $i, $e := .L}}{{$i}}={{$e.String | up}} {{end}}{{with .M}}{{.a}}{{end}}{{printf "%05d" .N}}{{len .L}}` + "\n"))
	fmt.Println(t.Execute(os.Stdout, struct {
		L []Color
		M map[string]float64
		N int
	}{[]Color{Red, Blue}, map[string]float64{"a": 1.5}, 42}))
	r := csv.NewReader(strings.NewReader("a,\"b,c\"\n1,2\n"))
	rec, _ := r.ReadAll()
	fmt.Println(rec, len(rec))
	var buf bytes.Buffer
	binary.Write(&buf, binary.LittleEndian, struct {
		A uint16
		B int32
		C [2]uint8
	}{1, -2, [2]uint8{3, 4}})
	fmt.Println(hex.EncodeToString(buf.Bytes()))
	var rd struct {
		A uint16
		B int32
	}
	binary.Read(&buf, binary.LittleEndian, &rd)
	fmt.Println(rd)
	fmt.Println(new(big.Int).Exp(big.NewInt(3), big.NewInt(100), nil), big.NewRat(3, 6))
	re := regexp.MustCompile(`(?P<k>\w+)=(?P<v>\d+)`)
	fmt.Println(re.ReplaceAllStringFunc("a=1,b=22", func(m string) string { return "<" + m + ">" }), re.FindAllStringSubmatch("a=1,b=22", -1), re.SubexpNames())
	sc := bufio.NewScanner(strings.NewReader("one two\nthree"))
	sc.Split(bufio.ScanWords)
	for sc.Scan() {
		fmt.Print(sc.Text(), utf8.RuneCountInString(sc.Text()), ";")
	}
	fmt.Println()
	fs := flag.NewFlagSet("x", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	n := fs.Int("n", 5, "")
	var cc Color
	fs.TextVar(&cc, "c", Red, "color")
	fs.Func("f", "", func(s string) error { fmt.Print("f:", s, " "); return nil })
	fmt.Println(fs.Parse([]string{"-n", "9", "-c", "G", "-f", "q", "rest"}), *n, cc, fs.Args())
	lg := log.New(os.Stdout, "[p] ", log.Lmsgprefix)
	lg.Printf("%v %d", Green, 3)
	li := list.New()
	li.PushBack(Blue)
	li.PushFront(1)
	for e := li.Front(); e != nil; e = e.Next() {
		fmt.Print(e.Value, " ")
	}
	fmt.Println()
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(&MyErr{3})
	fmt.Println(ctx.Err(), context.Cause(ctx))
	type kv struct {
		k string
		v int
	}
	kvs := []kv{{"b", 2}, {"a", 2}, {"c", 1}}
	sort.Slice(kvs, func(i, j int) bool {
		if kvs[i].v != kvs[j].v {
			return kvs[i].v > kvs[j].v
		}
		return kvs[i].k < kvs[j].k
	})
	fmt.Printf("%v %+v %#v\n", kvs, kvs[0], kvs[1].k)
	var mu sync.Mutex
	var wg sync.WaitGroup
	got := map[int]int{}
	for i := range 20 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			mu.Lock()
			defer mu.Unlock()
			got[i%4] += i
		}()
	}
	wg.Wait()
	for _, k := range slices.Sorted(maps.Keys(got)) {
		fmt.Print(k, ":", got[k], " ")
	}
	fmt.Println()
	var x struct {
		XMLName xml.Name `xml:"r"`
		A       []int    `xml:"a"`
	}
	fmt.Println(xml.Unmarshal([]byte(`<r><a>1</a><a>2</a></r>`), &x), x.A)
	func() {
		for i := 0; i < 3; i++ {
			defer func(n int) { fmt.Print(n, i, " ") }(i * 10)
		}
	}()
	fmt.Println()
	ch := make(chan int)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for v := range ch {
			fmt.Print(v, ",")
		}
	}()
outer:
	for i := 0; ; i++ {
		select {
		case ch <- i:
			if i == 3 {
				close(ch)
				break outer
			}
		case <-time.After(5 * time.Second):
			fmt.Println("late")
			break outer
		}
	}
	<-done
	fmt.Println()
	arr := [3][2]int{{1, 2}, {3, 4}}
	ar2 := arr
	ar2[0][1] = 99
	pa := &arr[1]
	pa[0] = 7
	fmt.Println(arr, ar2, arr == ar2, len(arr[0]))
	var iface interface {
		fmt.Stringer
		MarshalText() ([]byte, error)
	} = Green
	bt, _ := iface.MarshalText()
	fmt.Println(iface, string(bt))
	f := Color.String
	g := iface.String
	fmt.Println(f(Blue), g(), (*Color).UnmarshalText(&cc, []byte("R")), cc)
	const big1 = 1 << 40
	fmt.Println(big1>>38, uint8(300&0xff), -7/2, -7%3, 7&^5, 1<<3|1, ^0, math.MaxInt64, uint64(math.MaxUint64))
	fmt.Printf("%08b|%x|%X|%o|%q|%U|%e|%g|%6.2f|%-5d|%+d|%t|%p\n", 5, "hi", []byte{1, 171}, 8, 'x', 0x1F600, 12345.678, 1e21, 3.14159, 42, 7, true, nil)
	fmt.Printf("%v %v %s %d %[2]v %[1]T %*d\n", Red, []any{1, nil, "s"}, Blue, Green, 5, 42)
	var nilm map[string]int
	fmt.Println(nilm["q"], len(nilm), nilm == nil)
	z := append([]int(nil), 1, 2, 3)
	z = append(z[:1], z[2:]...)
	fmt.Println(z, cap(z) >= 2, slices.Index(z, 3))
	for i, r := range "héy\xff" {
		fmt.Print(i, ":", string(r), " ")
	}
	fmt.Println()
	switch v := any(z).(type) {
	case []string:
		fmt.Println("strings", v)
	case interface{ Len() int }:
		fmt.Println("len")
	case []int:
		fmt.Println("ints", v[0])
	}
	goto end
end:
	fmt.Println("end", time.Duration(90)*time.Second, time.Date(2024, 2, 30, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
}
