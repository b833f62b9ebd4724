package exact

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestAccuracy(t *testing.T) {
	const tolerance = 4e-16 // relative, and absolute below 1
	rng := rand.New(rand.NewPCG(1, 1))
	for _, f := range []struct {
		name      string
		got, want func(float64) float64
		lo, hi    float64
		scaled    bool
	}{
		{"exp", Exp, math.Exp, -700, 700, true},
		{"exp", Exp, math.Exp, -1, 1, true},
		{"log", Log, math.Log, 0, 1e6, false},
		{"log", Log, math.Log, 0.5, 2, false},
		{"tanh", Tanh, math.Tanh, -20, 20, false},
		{"tanh", Tanh, math.Tanh, -0.01, 0.01, false},
		{"atanh", Atanh, math.Atanh, -0.999999, 0.999999, false},
		{"square root", func(x float64) float64 { return Pow(x, 0.5) }, math.Sqrt, 0, 9, true},
		{"power 2.4", func(x float64) float64 { return Pow(x, 2.4) }, func(x float64) float64 { return math.Pow(x, 2.4) }, 0, 1, false},
		{"cube root", func(x float64) float64 { return Pow(x, 1./3) }, math.Cbrt, 0, 1, false},
		{"cos pi", CosPi, func(x float64) float64 { return math.Cos(math.Pi * x) }, 0, 1, false},
	} {
		for range 20000 {
			x := f.lo + (f.hi-f.lo)*rng.Float64()
			got, want := f.got(x), f.want(x)
			scale := math.Abs(want)
			if !f.scaled {
				scale = max(scale, 1)
			}
			if math.Abs(got-want) > 2*tolerance*scale {
				t.Fatalf("%s(%v) = %v, package math has %v", f.name, x, got, want)
			}
		}
	}
}

func TestEnds(t *testing.T) {
	for _, c := range []struct{ got, want float64 }{
		{Exp(0), 1}, {Exp(-1000), 0}, {Exp(1000), math.Inf(1)}, {Log(1), 0}, {Log(0), math.Inf(-1)},
		{Log(math.Inf(1)), math.Inf(1)}, {Tanh(0), 0}, {Tanh(100), 1}, {Tanh(-100), -1}, {Atanh(0), 0},
		{Pow(0, 2.4), 0}, {Pow(3, 1), 3}, {CosPi(0), 1}, {CosPi(1), -1},
	} {
		if c.got != c.want {
			t.Errorf("%v, expected %v", c.got, c.want)
		}
	}
	if !math.IsNaN(Log(-1)) || !math.IsNaN(Exp(math.NaN())) {
		t.Error("log of -1 or exp of NaN is a number")
	}
}

func BenchmarkTanh(b *testing.B) {
	x := 0.3
	for b.Loop() {
		x = Tanh(x) + 0.2
	}
}

func BenchmarkMathTanh(b *testing.B) {
	x := 0.3
	for b.Loop() {
		x = math.Tanh(x) + 0.2
	}
}
