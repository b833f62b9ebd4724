package main

import "fmt"

func mustRecover(x any) {
	v := recover()
	if v != x {
		fmt.Println("wrong value", v, x)
	}
	fmt.Println("fine", x)
}
func mustNot() {
	v := recover()
	if v != nil {
		fmt.Println("spurious", v)
	}
}

func test1() {
	defer mustRecover(1)
	defer func() {
		defer mustRecover(2)
		panic(2)
	}()
	panic(1)
}
func test6() {
	defer mustNot()
	defer func() {
		defer recover()
		defer mustRecover(3)
		panic(3)
	}()
	panic(2)
}
func test7() {
	defer mustRecover(2)
	defer func() {
		defer mustRecover(3)
		defer recover()
		panic(3)
	}()
	panic(2)
}
func main() {
	test1()
	test6()
	test7()
}
