package main

import "fmt"

func firstAndLen(xs []int) (int, int)       { return xs[0], len(xs) }
func parts(c complex128) (float64, float64) { return real(c), imag(c) }
func nameAndSize(s string) (string, int)    { return s + "!", len(s) }
func sizeAndCopy(xs []int) (int, []int)     { return len(xs), append([]int{}, xs...) }

func main() {
	fmt.Println(firstAndLen([]int{7, 8, 9}))
	fmt.Println(parts(1 + 2i))
	fmt.Println(nameAndSize("ab"))
	fmt.Println(sizeAndCopy([]int{4, 5}))
}
