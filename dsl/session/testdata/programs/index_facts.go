package main

import (
	"fmt"
	"sort"
)

func try(f func()) {
	defer func() { fmt.Println(recover()) }()
	f()
}

var glob = []int{1, 2, 3}

func shrink() int { glob = glob[:1]; return 0 }

func main() {
	try(func() {
		xs := []int{1, 2}
		for i := 0; i < len(xs); i++ {
			fmt.Print(xs[i])
			fmt.Print(xs[i+1])
		}
	})
	try(func() {
		xs := []int{1, 2}
		for i := range xs {
			xs = xs[:1]
			fmt.Print(xs[i])
		}
	})
	try(func() {
		xs := []int{1, 2}
		f := func() { xs = nil }
		for i := range xs {
			fmt.Print(xs[i])
			f()
		}
	})
	try(func() {
		xs := []int{1, 2}
		p := &xs
		for i := range xs {
			fmt.Print(xs[i])
			*p = nil
		}
	})
	try(func() {
		for i := range glob {
			fmt.Print(glob[i])
			shrink()
		}
	})
	glob = []int{1, 2, 3}
	try(func() {
		for i := range glob {
			fmt.Print(shrink() + glob[i])
		}
	})
	glob = []int{1, 2, 3}
	for i := range glob {
		fmt.Print(glob[i])
	}
	try(func() {
		xs := []int{1, 2}
		j := 1
		for i, k := 0, xs[j]; i < 3; i, j = i+1, j+1 {
			fmt.Print(xs[j], k)
		}
	})
	try(func() {
		xs := [][]int{{1, 2, 3, 4}, {2}}
		j := 0
		for range xs[j] {
			fmt.Print(xs[j][0])
			j++
		}
	})
	try(func() { xs := []int{1}; i := 0; fmt.Print(xs[i]); i--; fmt.Print(xs[i]) })
	try(func() { xs := []int{1}; i := 0; fmt.Print(xs[i]); xs = nil; fmt.Print(xs[i]) })
	try(func() {
		xs := []int{1}
		i := 0
		if xs[i] == 1 {
			i = 5
		}
		fmt.Print(xs[i])
	})
	try(func() {
		xs := []int{1}
		i := 0
		xs[i] = 3
		for {
			fmt.Print(xs[i])
			i++
		}
	})
	try(func() {
		xs := []int{1}
		i := 0
	again:
		fmt.Print(xs[i])
		i++
		goto again
	})
	try(func() {
		xs := []int{3, 1, 2}
		ys := []int{1}
		sort.Slice(xs, func(i, j int) bool { return ys[i] < ys[j] })
	})
	try(func() {
		xs := []int{3, 1, 2}
		sort.Slice(xs, func(i, j int) bool { return xs[i] < xs[j] })
		fmt.Print(xs)
	})
	try(func() {
		xs := []int{3, 1, 2}
		sort.Slice(xs, func(i, j int) bool { i++; return xs[i] < xs[j+1] })
		fmt.Print(xs)
	})
	try(func() {
		a := [3]int{1, 2, 3}
		for i := 0; i < len(a); i++ {
			fmt.Print(a[i])
			a[(i+3)%4]++
		}
	})
	try(func() {
		s := "héy"
		for i := 0; i < len(s); i++ {
			fmt.Print(s[i], " ")
		}
		n := 9
		fmt.Print(s[n])
	})
	try(func() {
		xs := make([]int, 3)
		for i := 0; i < 5; i++ {
			xs[i] = i
			fmt.Print(xs[i])
		}
	})
	try(func() {
		xs := make([]int, 3)
		for i := 5; i < len(xs) || i > 3; i-- {
			fmt.Print(xs[i])
		}
	})
	try(func() {
		xs := make([]int, 3)
		for i := -1; i < len(xs); i++ {
			fmt.Print(xs[i])
		}
	})
	try(func() {
		xs := make([]int, 3)
		for i := 0; i < len(xs); i++ {
			i -= 2
			fmt.Print(xs[i])
		}
	})
	try(func() {
		xs := []int{1, 2, 3}
		for i := range xs {
			func() { i -= 5 }()
			fmt.Print(xs[i])
		}
	})
	try(func() { xs, i := []int{1, 2, 3}, 2; _, xs, i = xs[i], xs[:1], i; fmt.Print(xs[i]) })
	try(func() {
		xs, i := []int{1, 2, 3}, 2
		switch {
		case xs[i] > 1:
			i = 3
			fallthrough
		case true:
			fmt.Print(xs[i])
		}
	})
	try(func() {
		xs, i := []int{1, 2, 3}, 2
		_ = xs[i]
		select {
		default:
			i = 4
		}
		fmt.Print(xs[i])
	})
	try(func() { xs, i := []int{1, 2, 3}, 2; _ = xs[i]; func() { i = 7 }(); fmt.Print(xs[i]) })
	try(func() { xs, i := []int{1, 2, 3}, 2; _ = i > 5 && xs[i] > 0; i = 8; fmt.Print(xs[i]) })
	try(func() { xs, i := []int{1, 2, 3}, 8; _ = i < 5 && xs[i] > 0; fmt.Print(xs[i]) })
	try(func() {
		xs := []int{1, 2, 3}
		for i := 0; i < len(xs); i++ {
			for i < 5 {
				i++
			}
			fmt.Print(xs[i])
		}
	})
	try(func() {
		xs := []int{1, 2, 3}
		for i := 0; i < len(xs); i++ {
			if i == 1 {
				xs = xs[:0]
				continue
			}
			fmt.Print(xs[i])
		}
	})
}
