package main

import (
	"fmt"
	"math"
	"math/big"
	"math/rand"
	randv2 "math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

type Matrix struct {
	r, c int
	d    []float64
}

func New(r, c int, vals ...float64) *Matrix {
	m := &Matrix{r, c, make([]float64, r*c)}
	copy(m.d, vals)
	return m
}
func (m *Matrix) At(i, j int) float64     { return m.d[i*m.c+j] }
func (m *Matrix) Set(i, j int, v float64) { m.d[i*m.c+j] = v }
func (m *Matrix) Mul(o *Matrix) (*Matrix, error) {
	if m.c != o.r {
		return nil, fmt.Errorf("dims %dx%d * %dx%d", m.r, m.c, o.r, o.c)
	}
	out := New(m.r, o.c)
	for i := range m.r {
		for j := range o.c {
			var s float64
			for k := range m.c {
				s += m.At(i, k) * o.At(k, j)
			}
			out.Set(i, j, s)
		}
	}
	return out, nil
}
func (m *Matrix) Apply(f func(i, j int, v float64) float64) *Matrix {
	for i := range m.r {
		for j := range m.c {
			m.Set(i, j, f(i, j, m.At(i, j)))
		}
	}
	return m
}
func (m *Matrix) Det() float64 {
	if m.r == 1 {
		return m.d[0]
	}
	det := 0.0
	for j := 0; j < m.c; j++ {
		sub := New(m.r-1, m.c-1)
		for a := 1; a < m.r; a++ {
			k := 0
			for b := 0; b < m.c; b++ {
				if b == j {
					continue
				}
				sub.Set(a-1, k, m.At(a, b))
				k++
			}
		}
		det += math.Pow(-1, float64(j)) * m.At(0, j) * sub.Det()
	}
	return det
}

func newton(f, df func(float64) float64, x float64) (root float64, iters int) {
	for iters = 0; iters < 50; iters++ {
		nx := x - f(x)/df(x)
		if math.Abs(nx-x) < 1e-12 {
			return nx, iters
		}
		x = nx
	}
	return x, iters
}

func softmax(xs []float64) []float64 {
	m := slices.Max(xs)
	out := make([]float64, len(xs))
	sum := 0.
	for i, x := range xs {
		out[i] = math.Exp(x - m)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

func sieve(n int) (ps []int) {
	comp := make([]bool, n+1)
	for i := 2; i <= n; i++ {
		if comp[i] {
			continue
		}
		ps = append(ps, i)
		for j := i * i; j <= n; j += i {
			comp[j] = true
		}
	}
	return
}

func main() {
	a := New(2, 3, 1, 2, 3, 4, 5, 6)
	b := New(3, 2, 1, 0, 0, 1, 1, 1)
	p, err := a.Mul(b)
	fmt.Println(p.d, err)
	_, err = a.Mul(a)
	fmt.Println(err)
	fmt.Println(New(3, 3, 2, 0, 1, 1, 3, 2, 1, 1, 4).Det())
	fmt.Println(New(2, 2).Apply(func(i, j int, v float64) float64 { return float64(i*10 + j) }).d)
	r, n := newton(func(x float64) float64 { return x*x - 2 }, func(x float64) float64 { return 2 * x }, 1)
	fmt.Printf("%.12f %d\n", r, n)
	fmt.Printf("%.4f\n", softmax([]float64{1, 2, 3}))
	fmt.Println(sieve(40))
	fmt.Println(math.Inf(1), math.NaN(), -math.MaxFloat64, math.MaxInt64, math.MinInt64, uint64(math.MaxUint64), math.Pi)
	nan := math.NaN()
	fmt.Println(nan == nan, nan < 1, !(nan >= 1), math.IsNaN(nan), math.Max(1, nan), max(1, nan), min(-0.0, 0.0))
	fmt.Println(math.Mod(-7, 3), math.Remainder(7, 3), math.Trunc(-2.5), math.Round(2.5), math.RoundToEven(2.5), math.Hypot(3, 4), math.Cbrt(27))
	fmt.Println(math.Copysign(0, -1), 1/math.Copysign(0, -1), math.Signbit(-0.0))
	f := big.NewInt(1)
	for i := int64(1); i <= 30; i++ {
		f.Mul(f, big.NewInt(i))
	}
	fmt.Println(f, f.BitLen(), new(big.Rat).SetFrac64(3, 9))
	rng := rand.New(rand.NewSource(42))
	fmt.Println(rng.Intn(100), rng.Float64(), rng.Perm(5))
	r2 := randv2.New(randv2.NewPCG(1, 2))
	fmt.Println(r2.IntN(100), r2.Float64(), r2.NormFloat64())
	xs := []int{3, 1, 2}
	r2.Shuffle(len(xs), func(i, j int) { xs[i], xs[j] = xs[j], xs[i] })
	fmt.Println(len(xs), slices.Contains(xs, 3))
	i, err := strconv.Atoi("12x")
	fmt.Println(i, err)
	u, err := strconv.ParseUint("300", 10, 8)
	fmt.Println(u, err)
	fmt.Println(strconv.Quote("a\tb"), strconv.FormatInt(-255, 16), strconv.FormatFloat(1.0/3, 'g', 5, 64), strconv.Itoa(7)+"!")
	fmt.Println(strings.Map(func(r rune) rune {
		if r == 'a' {
			return -1
		}
		return r + 1
	}, "banana"), strings.FieldsFunc("a1b2c", func(r rune) bool { return r >= '0' && r <= '9' }), strings.EqualFold("Go", "GO"))
	fmt.Println(utf8.RuneCountInString("héllo"), utf8.ValidString("a\xff"), []rune("é")[0], string([]rune{72, 105}), strings.ToTitle("ß"))
	before, after, ok := strings.Cut("k=v=w", "=")
	fmt.Println(before, after, ok, strings.SplitN("a,b,c", ",", 2), strings.TrimFunc("--x--", func(r rune) bool { return r == '-' }), strings.NewReplacer("a", "1", "b", "2").Replace("abc"))
	for s := range strings.SplitSeq("x-y-z", "-") {
		fmt.Print(s, ".")
	}
	for i, l := range slices.Collect(strings.Lines("a\nb\n")) {
		fmt.Printf("%d%q", i, l)
	}
	fmt.Println()
	var sum float32
	for range 10 {
		sum += 0.1
	}
	fmt.Println(sum, float64(sum), 0.1+0.2, float32(0.1)+float32(0.2))
	h := uint32(2166136261)
	for _, c := range []byte("hash me") {
		h ^= uint32(c)
		h *= 16777619
	}
	fmt.Println(h, h>>16|h<<16, int32(h), uint16(h))
	var x uint64 = 0x123456789abcdef
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	fmt.Println(x, x%1000, int64(x))
	fmt.Println(7&^2, -7>>1, -7/2, -7%3, 7%-3, 1<<3|1, 6^3)
}
