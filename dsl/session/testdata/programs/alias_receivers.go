package main

import (
	"fmt"
	"slices"
	"sort"
)

type Number int32

type Number1 = Number

type Number2 = Number1

func (n Number2) IsValid() bool { return n > 0 }

func (n *Number1) Up() { *n++ }

type Celsius float64

func (c Celsius) String() string { return fmt.Sprintf("%.1f°", float64(c)) }

type Word string

func main() {
	a := Number(5)
	a.Up()
	fmt.Println(a, a.IsValid(), Number2(-1).IsValid())
	temps := []Celsius{21.5, -3, 7}
	slices.Sort(temps)
	words := []Word{"b", "a"}
	slices.Sort(words)
	fmt.Println(temps, words, sort.SliceIsSorted(temps, func(i, j int) bool { return temps[i] < temps[j] }))
}
