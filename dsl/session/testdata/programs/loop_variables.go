package main

import (
	"fmt"
	"sort"
	"sync"
)

type acc struct {
	s float64
	n int
}

func (a *acc) add(x float64, k int) { a.s += x; a.n += k }
func (a acc) mean() float64         { return a.s / float64(a.n) }

func work(id int, x float64, out chan<- string) { out <- fmt.Sprint(id, " ", x*2) }

func main() {
	out := make(chan string, 100)
	var wg sync.WaitGroup
	for i := 0; i < 20; i++ {
		x := float64(i) * 1.5
		wg.Add(1)
		go func() { defer wg.Done(); out <- fmt.Sprint(i, " ", x) }()
		wg.Add(1)
		go func(k int, y float64) { defer wg.Done(); work(k+100, y, out) }(i+i, x+1)
		go work(i*2+1000, x-1, out)
	}
	wg.Wait()
	var got []string
	for len(got) < 60 {
		got = append(got, <-out)
	}
	sort.Strings(got)
	fmt.Println(got)
	var ps []*int
	var fs []func() (int, string)
	for i := 0; i < 3; i++ {
		v := i * 10
		ps = append(ps, &v)
		s := fmt.Sprint("s", v)
		fs = append(fs, func() (int, string) { return v, s })
		w := v + 1
		p := &w
		*p += 5
		if i > 0 {
			*ps[i-1] += w
		}
	}
	for i, p := range ps {
		a, b := fs[i]()
		fmt.Print(*p, " ", a, b, ";")
	}
	fmt.Println()
	for i := range 3 {
		defer fmt.Println("deferred", i, i*i+1)
		defer func(n int) { fmt.Println("lit", n) }(i + 7)
	}
	a := &acc{}
	for i, x := range []float64{1, 2, 3, -0.5} {
		y := x * float64(i+1)
		a.add(y, 1)
		m := a.mean
		fmt.Print(m(), " ")
	}
	fmt.Println(a.mean())
	grid := [][]int{{1, 2}, {3, 4}, {5, 6}}
	sum := 0
	for r := range grid {
		row := grid[r]
		for c := range row {
			v := row[c] * (r + 1)
			sum += v
			var z int
			z += v
			if z != v {
				fmt.Println("z", z)
			}
		}
	}
	fmt.Println(sum)
	words := map[string]int{}
	for _, w := range []string{"a", "b", "a"} {
		words[w]++
		n := words[w]
		if n > 1 {
			fmt.Println(w, n)
		}
	}
	var rec func(d int) int
	rec = func(d int) (total int) {
		for i := 0; i < 3; i++ {
			k := d*10 + i
			if d > 0 {
				total += rec(d - 1)
			}
			total += k
		}
		return
	}
	fmt.Println(rec(3))
	for i := 0; i < 2; i++ {
		for j := range 2 {
			k := i*2 + j
			func() {
				for m := 0; m < 2; m++ {
					q := k + m
					fmt.Print(q, " ")
				}
			}()
		}
	}
	fmt.Println()
}
