package main

import "fmt"

func show[T any](vs ...T) {
	for _, v := range vs {
		fmt.Printf("%T ", v)
	}
	for i, v := range vs {
		fmt.Printf("%d %T ", i, v)
	}
}

func main() {
	a, b := make(chan int, 1), make(chan int, 1)
	for i, c := range []chan int{a, b} {
		c <- i
	}
	for _, c := range []<-chan int{a, b} {
		fmt.Println(<-c)
	}
	show(a, b)
	show(func() {}, nil)
	show[any](a, 1, nil)
	show(map[string]int{}, nil)
	for _, f := range []func(int) int{func(x int) int { return x + 1 }} {
		fmt.Println(f(1))
	}
	for i := range [][]chan int{{a}} {
		for range []chan int{a, b} {
			fmt.Println(i)
		}
	}
}
