package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

type Bits uint8

const (
	F0 Bits = 1 << iota
	F1
	_
	F3
)

const (
	KB = 1 << (10 * (iota + 1))
	MB
)

const big = 1 << 100
const typed float32 = 0.1

var global = initGlobal()

func initGlobal() int { return 42 }

func variadic(prefix string, xs ...int) string {
	return prefix + fmt.Sprint(len(xs), xs)
}

func multi() (int, string, error) { return 1, "two", nil }

func take(a int, b string, e error) string { return fmt.Sprint(a, b, e) }

func apply(f func(int, ...int) int, xs ...int) int { return f(1, xs...) }

func named() (x, y int) {
	x, y = 1, 2
	return y, x
}

func main() {
	fmt.Println(F0, F1, F3, F0|F3, F3&^F3, KB, MB, big>>98, typed)
	var u8 uint8 = 250
	u8 += 10
	var i8 int8 = 127
	i8++
	fmt.Println(u8, i8, -7/2, -7%3, 7>>1, -7>>1, 1<<3|1, 6&^2, ^5)
	var u uint = 3
	fmt.Println(1<<u, uint32(1)<<31, int64(1)<<40, 0x1p-2, 0b101, 0o17, 1_000)
	fmt.Println(math.MaxInt64, uint64(math.MaxUint64), math.Pi, float32(math.Pi), math.Inf(1), -math.MaxFloat64)
	fmt.Println(3/2, 3/2.0, 1e3, 'a', string(rune(65)), "a"+"b", len("é"), []byte("hi"), []rune("é"))
	c := complex(1, 2)
	fmt.Println(c*c, real(c), imag(c), 2i*2i)
	fmt.Println(variadic("p"), variadic("q", 1, 2), variadic("r", []int{4, 5}...))
	fmt.Println(take(multi()))
	fmt.Println(apply(func(a int, b ...int) int { return a + len(b) }, 7, 8, 9))
	fmt.Println(named())
	a := [3]int{1, 2}
	b := a
	b[0] = 9
	pa := &a
	pa[1] = 7
	fmt.Println(a, b, a == [3]int{1, 7, 0}, len(pa))
	s := a[:]
	s = append(s, 4)
	s[0] = 100
	fmt.Println(a, s, s[1:3], cap(s[:2:2]), s[len(s)-1])
	s2 := make([]int, 2, 5)
	copy(s2, s)
	s2 = append(s2[:1], s2[1:]...)
	fmt.Println(s2, copy(s2, []int{8}), s2)
	grid := [][]float64{{1, 2}, {3, 4}}
	grid[1][0] *= 10
	for i, row := range grid {
		for j := range row {
			grid[i][j]++
		}
	}
	fmt.Println(grid, [...]string{2: "c", 0: "a"}, []int{5: 1, 2})
	m := map[string]map[string]int{"x": {"y": 1}}
	m["x"]["z"] += 5
	delete(m["x"], "y")
	v, ok := m["q"]["r"]
	fmt.Println(m, v, ok)
	if v, ok := m["x"]["z"]; ok && v > 3 {
		fmt.Println("found", v)
	}
	type local struct {
		A int
		B []string
	}
	ls := []local{{1, nil}, {A: 2, B: []string{"x"}}}
	ls[0].B = append(ls[0].B, "w")
	p := &ls[1]
	p.A++
	fmt.Printf("%v %+v %d\n", ls, ls[1], p.A)
	f := func(n int) func() int { return func() int { n++; return n } }(5)
	fmt.Println(f(), f(), f())
	var fact func(int) int
	fact = func(n int) int {
		if n < 2 {
			return 1
		}
		return n * fact(n-1)
	}
	fmt.Println(fact(10), global)
	d := 90 * time.Minute
	fmt.Println(d, d.Hours(), time.Duration(1500)*time.Millisecond, time.Second*2)
	n, err := strconv.Atoi("12x")
	fmt.Println(n, err)
	var sb strings.Builder
	sb.WriteString("abc")
	sb.WriteByte('d')
	fmt.Println(sb.String(), sb.Len(), strings.Fields(" a b "), strings.Repeat("-", 3))
	var x any = 3
	y, isInt := x.(int)
	_, isStr := x.(string)
	fmt.Println(y, isInt, isStr, x == 3, x != nil, x == "3")
	var e error
	fmt.Println(e == nil, e)
	r := strings.NewReplacer("a", "b")
	fmt.Println(r.Replace("banana"))
	var arr2 [2][3]int
	arr2[1][2] = 5
	arr3 := arr2
	arr3[0][0] = 1
	fmt.Println(arr2, arr3, len(arr2[0]))
	x1, y1 := 1.5, float32(2)
	fmt.Println(x1*float64(y1), int(x1), uint8(300&0xff), int64(-1.0), math.Floor(-1.5))
	fmt.Printf("%T %T %T %T %T\n", x1, y1, 'a', 1, "s")
	fmt.Printf("%08b %x %q %v %6.2f|%-5s|%5d\n", 5, 255, "q", []string{"a"}, math.E, "l", 42)
	str := "hello"
	fmt.Println(str[1], str[1:3], str[:2]+str[3:], str > "hallo")
	bs := []byte(str)
	bs[0] = 'J'
	fmt.Println(string(bs), strings.Compare("a", "b"))
	var ptr *int
	if ptr == nil {
		z := 5
		ptr = &z
	}
	*ptr += 2
	pp := &ptr
	**pp *= 2
	fmt.Println(*ptr)
	fn := fmt.Sprintf
	fmt.Println(fn("%d", 3))
	var iface interface{ String() string } = d
	fmt.Println(iface.String())
	ch := make(chan func() string, 1)
	ch <- func() string { return "from channel" }
	fmt.Println((<-ch)())
	fmt.Println(func() (int, int) { return 1, 2 }())
	const local2 = "c"
	switch local2 {
	case "c":
		fmt.Println("const switch")
	}
	bits := Bits(3)
	bits |= F3
	bits <<= 1
	fmt.Println(bits)
}
