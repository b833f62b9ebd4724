package session

import (
	"context"
	"testing"

	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"
)

// besideYaegi are what cells must not be slower at than yaegi by itself.
var besideYaegi = []struct{ name, setup, code string }{
	{"fib", "func fib(n int) int { if n < 2 { return n }; return fib(n-1) + fib(n-2) }", "fib(25)"},
	{"method", `type counter struct{ n int }
func (c *counter) add(k int) { c.n += k }
func (c counter) get() int { return c.n }
func methods() int { c := &counter{}; for i := 0; i < 100000; i++ { c.add(i) }; return c.get() }`, "methods()"},
	{"sort.Slice", `import "sort"
func sorted() int {
	xs := make([]int, 10000)
	x := 1
	for i := 0; i < len(xs); i++ { x = (x*1103515245 + 12345) % 2147483648; xs[i] = x }
	sort.Slice(xs, func(i, j int) bool { return xs[i] < xs[j] })
	return xs[0]
}`, "sorted()"},
	{"range", `func ranged() float64 {
	xs := make([]float64, 1000)
	s := 0.0
	for k := 0; k < 500; k++ { for i, x := range xs { s += x; xs[i] = s + 1 } }
	return s
}`, "ranged()"},
	{"elements", `func elements() float64 {
	xs, ys := make([]float64, 1000), make([]float64, 1000)
	s := 0.0
	for k := 0; k < 500; k++ { for i := 0; i < len(xs); i++ { ys[i] = xs[i]*2 + 1; s += ys[i] } }
	return s
}`, "elements()"},
	{"matrix", `func matrix() float64 {
	const n = 80
	a, b, c := make([]float64, n*n), make([]float64, n*n), make([]float64, n*n)
	for i := 0; i < n; i++ { for j := 0; j < n; j++ { s := 0.0; for k := 0; k < n; k++ { s += a[i*n+k] * b[k*n+j] }; c[i*n+j] = s } }
	return c[0]
}`, "matrix()"},
	{"floats", `func square(x float64) float64 { return x*x + 1 }
func floats() float64 { s := 0.0; for i := 0; i < 100000; i++ { s += square(float64(i)) }; return s }`, "floats()"},
}

// BenchmarkBesideYaegi measures cells and yaegi in turn.
func BenchmarkBesideYaegi(b *testing.B) {
	for _, c := range besideYaegi {
		b.Run(c.name+"/yaegi", func(b *testing.B) {
			i := interp.New(interp.Options{})
			if err := i.Use(stdlib.Symbols); err != nil {
				b.Fatal(err)
			}
			if _, err := i.Eval(c.setup); err != nil {
				b.Fatal(err)
			}
			p, err := i.Compile(c.code)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := i.ExecuteWithContext(context.Background(), p); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/cell", func(b *testing.B) { benchmarkCell(b, c.setup, c.code+";") })
	}
}
