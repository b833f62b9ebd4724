package main

import (
	"bytes"
	"container/heap"
	"container/list"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/gob"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"time"
	"unicode"
)

type Item struct {
	Pri  int
	Name string
	idx  int
}
type PQ []*Item

func (p PQ) Len() int           { return len(p) }
func (p PQ) Less(i, j int) bool { return p[i].Pri > p[j].Pri }
func (p PQ) Swap(i, j int)      { p[i], p[j] = p[j], p[i]; p[i].idx = i; p[j].idx = j }
func (p *PQ) Push(x any)        { it := x.(*Item); it.idx = len(*p); *p = append(*p, it) }
func (p *PQ) Pop() any {
	old := *p
	n := len(old)
	it := old[n-1]
	*p = old[:n-1]
	return it
}

type rot13 struct{ r io.Reader }

func (r rot13) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	for i := range p[:n] {
		switch c := p[i]; {
		case c >= 'a' && c <= 'z':
			p[i] = 'a' + (c-'a'+13)%26
		}
	}
	return n, err
}

type countW struct{ n int }

func (c *countW) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }

type P struct {
	X, Y int
	S    string
	M    map[string]int
}
type Hdr struct {
	A uint16
	B int32
	C [2]uint8
}
type X struct {
	XMLName xml.Name `xml:"x"`
	A       int      `xml:"a,attr"`
	B       []string `xml:"b"`
	C       *X       `xml:"x,omitempty"`
}
type lv string

func (l *lv) String() string { return string(*l) }
func (l *lv) Set(s string) error {
	if s == "bad" {
		return errors.New("bad value")
	}
	*l = lv(s)
	return nil
}

type Tags struct {
	F int `k:"v" json:"f"`
	G string
	h bool
}

func (t Tags) Hello(n int) string { return fmt.Sprint("hello", n, t.F) }
func (t *Tags) Ptr()              {}

type MyErr struct{ Op string }

func (m *MyErr) Error() string        { return m.Op }
func (m *MyErr) Is(target error) bool { return target == fs.ErrPermission }
func (m *MyErr) Timeout() bool        { return true }

type LV struct{ a int }

func (l LV) LogValue() slog.Value { return slog.IntValue(l.a * 10) }

func main() {
	pq := &PQ{}
	heap.Init(pq)
	for i, n := range []string{"a", "b", "c"} {
		heap.Push(pq, &Item{Pri: (i * 7) % 5, Name: n})
	}
	(*pq)[2].Pri = 10
	heap.Fix(pq, 2)
	for pq.Len() > 0 {
		it := heap.Pop(pq).(*Item)
		fmt.Print(it.Name, it.Pri, " ")
	}
	fmt.Println()
	l := list.New()
	l.PushBack(P{X: 1})
	l.PushFront(P{X: 2})
	for e := l.Front(); e != nil; e = e.Next() {
		fmt.Print(e.Value.(P).X, " ")
	}
	fmt.Println()
	b, err := io.ReadAll(rot13{strings.NewReader("uryyb")})
	fmt.Println(string(b), err)
	cw := &countW{}
	n, err := io.Copy(io.MultiWriter(cw, io.Discard), io.LimitReader(rot13{strings.NewReader("abcdefgh")}, 5))
	fmt.Println(n, err, cw.n)
	fmt.Fprintf(cw, "%s-%d", "abc", 5)
	fmt.Println(cw.n)
	r := csv.NewReader(strings.NewReader("a,b\n\"c,d\",e\n"))
	recs, err := r.ReadAll()
	fmt.Println(recs, err)
	var buf bytes.Buffer
	fmt.Println(gob.NewEncoder(&buf).Encode(P{1, 2, "s", map[string]int{"a": 1}}))
	var p P
	fmt.Println(gob.NewDecoder(&buf).Decode(&p), p)
	buf.Reset()
	fmt.Println(binary.Write(&buf, binary.BigEndian, Hdr{1, -2, [2]uint8{3, 4}}), buf.Bytes())
	var h Hdr
	fmt.Println(binary.Read(&buf, binary.BigEndian, &h), h, binary.Size(h))
	xb, err := xml.Marshal(X{A: 1, B: []string{"p", "q"}, C: &X{A: 2}})
	fmt.Println(string(xb), err)
	var x X
	fmt.Println(xml.Unmarshal([]byte(`<x a="5"><b>z</b><x a="6"/></x>`), &x), x.A, x.B, x.C.A)
	f := flag.NewFlagSet("t", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	var v lv = "d"
	f.Var(&v, "v", "usage")
	ni := f.Int("n", 3, "num")
	fmt.Println(f.Parse([]string{"-v", "val", "-n=7", "rest"}), v, *ni, f.Args())
	fmt.Println(f.Parse([]string{"-v", "bad"}))
	t := reflect.TypeOf(Tags{})
	for i := range t.NumField() {
		fmt.Print(t.Field(i).Name, " ", t.Field(i).Type, " ", t.Field(i).Tag.Get("k"), "; ")
	}
	fmt.Println(t.Name(), t.Kind(), t, t.NumMethod(), reflect.TypeOf(&Tags{}).NumMethod(), t.Method(0).Name)
	rv := reflect.ValueOf(Tags{F: 3})
	fmt.Println(rv.Field(0).Int(), rv.NumField(), rv.MethodByName("Hello").Call([]reflect.Value{reflect.ValueOf(4)})[0])
	pt := &Tags{}
	reflect.ValueOf(pt).Elem().FieldByName("G").SetString("set")
	fmt.Println(*pt, reflect.DeepEqual(*pt, Tags{G: "set"}), reflect.DeepEqual(map[string][]Tags{"a": {{}}}, map[string][]Tags{"a": {{}}}))
	fmt.Println(reflect.DeepEqual([]any{1, P{X: 1}}, []any{1, P{X: 1}}), reflect.DeepEqual(P{}, Tags{}), reflect.Zero(t))
	re := regexp.MustCompile(`(?P<k>\w+)=(?P<v>\d+)`)
	fmt.Println(re.FindAllStringSubmatch("a=1, b=22", -1), re.ReplaceAllString("a=1", "${v}=${k}"), re.ReplaceAllStringFunc("a=1 b=2", strings.ToUpper))
	var e error = fmt.Errorf("w: %w", &MyErr{"op"})
	var to interface{ Timeout() bool }
	fmt.Println(errors.Is(e, fs.ErrPermission), errors.As(e, &to), to.Timeout())
	var me *MyErr
	fmt.Println(errors.As(e, &me), me.Op)
	_, err = os.Open("/none")
	var pe *fs.PathError
	fmt.Println(errors.As(err, &pe), errors.Is(err, fs.ErrNotExist), err)
	lg := log.New(os.Stdout, "[p] ", log.Lmsgprefix)
	lg.Printf("%v %s", P{X: 1}, e)
	sl := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(g []string, a slog.Attr) slog.Attr {
		if a.Key == "time" {
			return slog.Attr{}
		}
		return a
	}}))
	sl.Info("msg", "k", 1, "p", P{X: 1, S: "q"}, "err", e, "lv", LV{4})
	sj := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(g []string, a slog.Attr) slog.Attr {
		if a.Key == "time" {
			return slog.Attr{}
		}
		return a
	}}))
	sj.With("w", Tags{F: 2}).Warn("m", slog.Group("g", "a", LV{1}, "d", time.Second))
	rg := rand.New(rand.NewPCG(1, 2))
	fmt.Println(rg.IntN(100), rg.Perm(4), rg.Float64() < 1)
	fmt.Println(strings.IndexFunc("ab1", unicode.IsDigit), strings.TrimFunc("  x ", unicode.IsSpace))
	hh := fnv.New32a()
	hh.Write([]byte("x"))
	fmt.Println(hh.Sum32(), hex.EncodeToString([]byte{1, 255}), base64.StdEncoding.EncodeToString([]byte("hey")), sha256.Sum256([]byte("a")))
	fmt.Println(filepath.Join("a", "../b"), filepath.Ext("x.go"))
	u, err := url.Parse("http://h/p?q=1&r=a+b")
	fmt.Println(u.Host, u.Query()["r"], err)
	ss := sort.StringSlice{"b", "a"}
	ss.Sort()
	fmt.Println(ss, sort.SearchInts([]int{1, 3, 5}, 4))
	fmt.Println(sort.Find(3, func(i int) int { return 1 - i }))
}
