package main

import (
	"fmt"
	"math"
	"sort"
	"strings"
)

type Sample []float64

func (s Sample) Len() int           { return len(s) }
func (s Sample) Less(i, j int) bool { return s[i] < s[j] }
func (s Sample) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }

func (s Sample) Mean() (m float64) {
	for _, x := range s {
		m += x
	}
	return m / float64(len(s))
}

func (s Sample) Std() float64 {
	m := s.Mean()
	v := 0.0
	for _, x := range s {
		v += (x - m) * (x - m)
	}
	return math.Sqrt(v / float64(len(s)-1))
}

func (s Sample) Quantile(q float64) float64 {
	t := append(Sample(nil), s...)
	sort.Sort(t)
	pos := q * float64(len(t)-1)
	i := int(math.Floor(pos))
	if i+1 >= len(t) {
		return t[len(t)-1]
	}
	f := pos - float64(i)
	return t[i]*(1-f) + t[i+1]*f
}

type Hist struct {
	lo, hi float64
	bins   [8]int
}

func (h *Hist) Add(x float64) bool {
	i := int((x - h.lo) / (h.hi - h.lo) * float64(len(h.bins)))
	if i < 0 || i >= len(h.bins) {
		return false
	}
	h.bins[i]++
	return true
}

func (h Hist) String() string {
	var b strings.Builder
	for i, n := range h.bins {
		fmt.Fprintf(&b, "%2d %s\n", i, strings.Repeat("#", n))
	}
	return b.String()
}

func main() {
	var s Sample
	x := uint32(12345)
	for i := 0; i < 40; i++ {
		x = x*1664525 + 1013904223
		s = append(s, float64(x>>8)/float64(1<<24))
	}
	fmt.Printf("%.4f %.4f %.4f\n", s.Mean(), s.Std(), s.Quantile(.5))
	h := Hist{lo: 0, hi: 1}
	for _, v := range s {
		if !h.Add(v) {
			fmt.Println("out", v)
		}
	}
	fmt.Print(h)
	fmt.Println(&h)
	c := h
	c.bins[0] = 100
	fmt.Println(h.bins[0] != c.bins[0], h == c, h.bins)
	sort.Sort(sort.Reverse(s))
	fmt.Printf("%.3f %v %T\n", s[:3], s[0] >= s[1], s)
}
