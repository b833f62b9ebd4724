package main

import "fmt"

type Weekday uint8

const (
	Mon Weekday = iota + 1
	Tue
	Wed
	_
	Fri
)
const (
	KB = 1 << (10 * (iota + 1))
	MB
	GB
)
const (
	a, b = iota, iota * 10
	c, d
	e, f
)

type Flags uint16

const (
	FlagA Flags = 1 << iota
	FlagB
	FlagC
	mask = FlagA | FlagC
)

func (f Flags) Has(x Flags) bool { return f&x == x }
func (f *Flags) Set(x Flags)     { *f |= x }
func (f *Flags) Clear(x Flags)   { *f &^= x }
func (f Flags) String() string   { return fmt.Sprintf("%03b", uint16(f)) }

func main() {
	fmt.Println(Mon, Tue, Wed, Fri, KB, MB, GB, a, b, c, d, e, f)
	var fl Flags
	fl.Set(FlagB)
	fl.Set(mask)
	fmt.Println(fl, fl.Has(mask), fl.Has(FlagB|FlagC))
	fl.Clear(FlagC)
	fmt.Printf("%v %d %s %x %T\n", fl, fl, fl, uint16(fl), fl)
	var u8 uint8 = 200
	u8 += 100
	var i8 int8 = -128
	i8--
	fmt.Println(u8, i8, -i8, ^u8, ^i8, i8>>1, u8<<3, uint8(u8<<7))
	var s uint = 70
	fmt.Println(1<<s == 0, int32(1)<<s, int64(-1)>>s, uint64(1)<<(s-7))
	x := 7
	fmt.Println(-x/2, -x%2, x&^5, x^3, x|8, x<<2>>1)
	var u32 uint32 = 1 << 31
	fmt.Println(u32, u32<<1, int32(u32), int64(int32(u32)), uint16(u32>>16), float32(u32))
	const big = 1 << 100
	fmt.Println(big>>98, float64(big), big/(1<<97))
	const h = 0x1p-2
	fmt.Println(h, 0b101, 0o17, 1_000_000, 'a', "\u00e9\x41", `raw\n`)
	var f32 float32 = 16777216
	fmt.Println(f32+1 == f32, float64(f32)+1, f32/3, 1/3.0)
	z := complex(1, 2)
	fmt.Println(z*z, real(z), imag(z), z == complex(1, 2), -z)
	fmt.Printf("%v %.2f %08.3f %+d %x %X %o %b %c %q %U %e %g %6.2f|%-6d|%06d\n", z, 3.14159, 3.14159, 5, 255, 255, 8, 5, 'x', 'x', 'x', 12345.678, 1e21, 2.5, 42, 42)
	var by byte = 'a'
	by += 2
	r := rune(by) + 1
	fmt.Println(string(rune(by)), string(r), by, r, []byte("héy"), []rune("héy"), len("héy"))
	for i, c := range "aé\xff中" {
		fmt.Print(i, ":", c, string(c), " ")
	}
	fmt.Println()
	str := "hello"
	bs := []byte(str)
	bs[0] = 'J'
	fmt.Println(str, string(bs), str[1:3], str[4], str > "help", str+"!"+string(bs[:2]))
	arr := [3]int{1, 2, 3}
	brr := arr
	brr[0] = 9
	parr := &arr
	parr[1] = 8
	for i, v := range arr {
		arr[2] = 100
		fmt.Print(i, v, " ")
	}
	fmt.Println(arr, brr, arr == brr, arr == [3]int{1, 8, 100}, len(parr))
	m := map[[2]int]string{{1, 2}: "a", {3, 4}: "b"}
	fmt.Println(m[[2]int{1, 2}], m[[...]int{3, 4}], m[[2]int{}] == "")
	type pt struct {
		x, y int
		s    string
	}
	ms := map[pt][]int{}
	ms[pt{1, 2, "q"}] = append(ms[pt{1, 2, "q"}], 5, 6)
	fmt.Println(ms, pt{1, 2, "q"} == pt{y: 2, x: 1, s: "q"})
	fmt.Println(min(3, 1, 2), max(2.5, 1), min("b", "a"))
	clear(ms)
	fmt.Println(len(ms))
	sl := []int{1, 2, 3, 4, 5}
	t := sl[1:3:4]
	t = append(t, 99)
	t = append(t, 100)
	t[0] = -1
	fmt.Println(sl, t, len(t), cap(sl[2:]), copy(sl, sl[2:]))
	clear(sl[:2])
	fmt.Println(sl)
}
