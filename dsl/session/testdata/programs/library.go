package main

import (
	"bufio"
	"bytes"
	"container/heap"
	"container/ring"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"
)

type Item struct {
	name string
	prio int
	idx  int
}
type PQ []*Item

func (p PQ) Len() int           { return len(p) }
func (p PQ) Less(i, j int) bool { return p[i].prio > p[j].prio }
func (p PQ) Swap(i, j int)      { p[i], p[j] = p[j], p[i]; p[i].idx = i; p[j].idx = j }
func (p *PQ) Push(x any)        { it := x.(*Item); it.idx = len(*p); *p = append(*p, it) }
func (p *PQ) Pop() any {
	old := *p
	n := len(old)
	it := old[n-1]
	old[n-1] = nil
	*p = old[:n-1]
	return it
}

type rot13 struct{ r io.Reader }

func (r rot13) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	for i := range b[:n] {
		switch c := b[i]; {
		case c >= 'a' && c <= 'z':
			b[i] = 'a' + (c-'a'+13)%26
		case c >= 'A' && c <= 'Z':
			b[i] = 'A' + (c-'A'+13)%26
		}
	}
	return n, err
}

type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }

func main() {
	pq := PQ{}
	heap.Init(&pq)
	for i, w := range strings.Fields("banana apple cherry") {
		heap.Push(&pq, &Item{name: w, prio: (i * 7) % 5})
	}
	pq[0].prio = -1
	heap.Fix(&pq, 0)
	for pq.Len() > 0 {
		it := heap.Pop(&pq).(*Item)
		fmt.Print(it.name, ":", it.prio, " ")
	}
	fmt.Println()
	r := ring.New(3)
	for i := range 3 {
		r.Value = i
		r = r.Next()
	}
	r.Do(func(x any) { fmt.Print(x, " ") })
	fmt.Println()
	io.Copy(os.Stdout, rot13{strings.NewReader("Uryyb, jbeyq!\n")})
	c := &counter{}
	fmt.Fprintf(io.MultiWriter(c, os.Stdout), "%s %d\n", "abc", 5)
	fmt.Println(c.n)
	sc := bufio.NewScanner(strings.NewReader("one two\nthree"))
	sc.Split(bufio.ScanWords)
	for n := 1; sc.Scan(); n++ {
		fmt.Print(n, sc.Text(), ";")
	}
	fmt.Println()
	tw := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "a\tbbb\tc\t")
	fmt.Fprintln(tw, "aaaa\tb\tccccc\t")
	tw.Flush()
	cr := csv.NewReader(strings.NewReader("x,y\n1,\"2,3\"\n"))
	rows, err := cr.ReadAll()
	fmt.Println(rows, len(rows), err)
	re := regexp.MustCompile(`(?P<k>\w+)=(?P<v>\d+)`)
	for _, m := range re.FindAllStringSubmatch("a=1, bc=22", -1) {
		fmt.Printf("%q ", m)
	}
	fmt.Println(re.ReplaceAllString("a=1", "$v:$k"), re.ReplaceAllStringFunc("z=9", strings.ToUpper))
	h := fnv.New32a()
	h.Write([]byte("hello"))
	fmt.Println(h.Sum32(), hex.EncodeToString([]byte{1, 255}))
	var buf bytes.Buffer
	binary.Write(&buf, binary.LittleEndian, struct {
		A uint16
		B int32
	}{1, -2})
	fmt.Println(buf.Bytes(), binary.BigEndian.Uint16([]byte{1, 2}))
	t := time.Date(2024, time.February, 29, 13, 4, 5, 6e6, time.UTC)
	fmt.Println(t.Format(time.RFC3339Nano), t.Weekday(), t.YearDay(), t.Add(24*time.Hour).Format("Jan _2 06 3:04PM"), t.Truncate(time.Hour).Unix())
	d := 90*time.Minute + 30*time.Second
	fmt.Println(d, d.Hours(), time.Duration(1.5*float64(time.Second)), d.Round(time.Hour))
	p, err := time.Parse("2006-01-02", "2024-13-01")
	fmt.Println(p.IsZero(), err)
}
