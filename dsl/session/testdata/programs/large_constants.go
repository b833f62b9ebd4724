package main

import (
	"fmt"
	"math"
)

type U uint64

func (u U) next() U { return 1<<64 - 2 }

func named() (u uint64, err error) { return math.MaxUint64, nil }

func deferred() (u uint64) {
	defer func() { u-- }()
	return math.MaxUint64
}
func anyOf() (any, U)   { return uint64(math.MaxUint64), U(math.MaxUint64) }
func ptr() uintptr      { return 1 << 63 }
func gen[T ~uint64]() T { return 1 << 63 }

func main() {
	x := uint64(7)
	fmt.Println(U(3).next())
	fmt.Println(named())
	fmt.Println(deferred())
	fmt.Println(anyOf())
	fmt.Println(ptr() == 1<<63, gen[U](), gen[uint64]())
	f := func(v uint64) uint64 { return v }
	fmt.Println(f(1<<63), f(math.MaxUint64)+1, x == 1<<63, x < math.MaxUint64, x+(1<<63), x^math.MaxUint64, x&^(1<<63))
	ch := make(chan uint64, 1)
	ch <- math.MaxUint64
	fmt.Println(<-ch)
	switch x {
	case math.MaxUint64:
		fmt.Println("max")
	case 7:
		fmt.Println("seven")
	}
	x += 1 << 63
	x |= math.MaxUint64 - 7
	a := [2]uint64{math.MaxUint64, 1 << 63}
	m := map[string]U{"a": math.MaxUint64}
	s := struct{ u uint64 }{math.MaxUint64}
	p := &struct{ U }{1 << 63}
	fmt.Println(x, a, m, s, p.U, min(x, 1<<63), max(x, math.MaxUint64))
	g := func() (int, uint64) { return -1, math.MaxUint64 }
	fmt.Println(g())
	var i any = uint64(1 << 63)
	fmt.Printf("%T %v %d\n", i, i, i.(uint64)>>62)
	for k := uint64(math.MaxUint64 - 2); k < math.MaxUint64; k++ {
		fmt.Print(k, " ")
	}
	fmt.Println(uint64(1<<63)/3, float64(x), float64(uint64(math.MaxUint64)))
}
