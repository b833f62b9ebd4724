package main

import "fmt"

type V struct{ x, y float64 }
type F float64

func (f F) Show(n string)              { fmt.Println(n, float64(f)) }
func (f *F) PShow(n string, g float64) { fmt.Println(n, float64(*f), g) }
func (v V) Show(n string)              { fmt.Println(n, v.x, v.y) }

type Shower interface{ Show(string) }

func direct(x float64) float64            { return 1 / x }
func f32(x float32) float32               { return 1 / x }
func cplx(z complex128) complex128        { return z }
func st(v V) V                            { return v }
func arr(a [2]float64) [2]float64         { return a }
func vari(xs ...float64) float64          { return xs[0] }
func gen[T any](x T) T                    { return x }
func two(x, y float64) (float64, float64) { return x, y }
func named(x float64) (r float64)         { r = x; return }

type E struct{ F }

func main() {
	z := 0.0
	n := -z
	n = z * -1
	fmt.Println(direct(n), f32(float32(n)), cplx(complex(n, n)), st(V{n, n}), arr([2]float64{n, n}), vari(n), gen(n), named(n))
	fmt.Println(two(n, n))
	fmt.Println(gen(V{n, 0}), gen([]float64{n}))
	cl := func(x float64) float64 { return x }
	fmt.Println(cl(n), func(x float64) float64 { return x }(n))
	f := F(n)
	f.Show("m")
	f.PShow("pm", n)
	var s Shower = f
	s.Show("i")
	s = V{n, n}
	s.Show("iv")
	V{n, 0}.Show("v")
	E{f}.Show("promoted")
	s = E{f}
	s.Show("ip")
	g := f.Show
	g("mv")
	h := F.Show
	h(f, "me")
	func() { defer f.Show("defer") }()
	func() { defer func(x float64) { fmt.Println("dl", x) }(n) }()
	done := make(chan bool)
	go func(x float64) { fmt.Println("go", x); done <- true }(n)
	<-done
	d := direct
	fmt.Println(d(n))
	m := map[string]func(float64) float64{"d": direct}
	fmt.Println(m["d"](n))
	apply := func(f func(float64) float64, x float64) float64 { return f(x) }
	fmt.Println(apply(direct, n), apply(cl, n))
	for range 1 {
		fmt.Println(gen(func() float64 { return n })())
	}
	ch := make(chan float64, 1)
	ch <- n
	fmt.Println(<-ch)
	p := &n
	fmt.Println(*p, []float64{n}, map[float64]int{n: 1}, struct{ a float64 }{n})
	a, b := n, n
	a, b = b, a
	fmt.Println(a, b)
}

type Phase complex128

func (p Phase) Size() int { return int(real(complex128(p))) }

func inverse(x float64) (float64, error) { return 1 / x, nil }

func init() {
	for i := range 2 {
		v := Phase(2i)
		func() {
			defer (+v).Size()
			fmt.Println("ran", i)
		}()
		zero := float64(i) * 0
		inverse(zero)
		direct(zero)
		V{zero, zero}.Show("zero")
	}
}
