package engine

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"unsafe"

	"sapf/models/exact"
)

// rowInput has ordinary numbers, and those at the kernels' borders.
func rowInput(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	odd := []float32{0, -0.0, expLow, -87, 88, 90, -1e30, 1e30, 1e-30, float32(math.Inf(1)), float32(math.Inf(-1)), 12.5, -12.5}
	for i := range v {
		v[i] = float32(r.NormFloat64() * []float64{1, 10, 40, 0.01}[r.IntN(4)])
		if r.IntN(10) == 0 {
			v[i] = odd[r.IntN(len(odd))]
		}
	}
	return v
}

// sameFloats takes all NaNs for one.
func sameFloats(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool {
		return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y
	})
}

// TestRowKernels holds the kernels of every family to the plain ones: the same bytes.
func TestRowKernels(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for _, f := range []Family{Generic, AVX2, AVX512, NEON} {
		if (Profile{f, Direct}).check() != nil {
			continue
		}
		for k, name := range rowNames() {
			for round := range 60 {
				blocks := 1 + round%5
				n := blocks * block
				in := make([][]float32, 4)
				for i := range in {
					in[i] = rowInput(r, n)
				}
				var a [2]rowArgs
				var ys [2][]float32
				for i, set := range []rowKernels{f.kernels().rows, plainRows} {
					ys[i] = make([]float32, n)
					a[i] = rowArgs{x: unsafe.Pointer(&in[0][0]), z: unsafe.Pointer(&in[1][0]), u: unsafe.Pointer(&in[2][0]), v: unsafe.Pointer(&in[3][0]),
						y: unsafe.Pointer(&ys[i][0]), consts: unsafe.Pointer(&rowConsts), n: blocks, a: 0.75, b: -1.5, c: 0.125, d: 2.5}
					for j := range a[i].s {
						a[i].s[j], a[i].t[j] = float32(j), -float32(j)
					}
					set.list()[k](&a[i])
				}
				if !sameFloats(ys[0], ys[1]) || !sameFloats(a[0].s[:], a[1].s[:]) || !sameFloats(a[0].t[:], a[1].t[:]) {
					t.Fatalf("%v, kernel %s: %v %v %v, expected %v %v %v", f, name, ys[0], a[0].s, a[0].t, ys[1], a[1].s, a[1].t)
				}
			}
		}
	}
}

// list has all kernels, in the order of rowNames.
func (set rowKernels) list() []func(*rowArgs) {
	return slices.Clone((*[unsafe.Sizeof(rowKernels{}) / unsafe.Sizeof(uintptr(0))]func(*rowArgs))(unsafe.Pointer(&set))[:])
}

func rowNames() (names []string) {
	for k := range reflect.TypeFor[rowKernels]().NumField() {
		names = append(names, reflect.TypeFor[rowKernels]().Field(k).Name)
	}
	return names
}

// TestRowFunctions holds the functions and their slopes to double precision.
func TestRowFunctions(t *testing.T) {
	type pair struct {
		f    ActKind
		y, s func(float32) float32
	}
	for _, p := range []pair{{Gelu, gelu32, geluSlope32}, {GeluTanh, geluTanh32, geluTanhSlope32}, {SiLU, silu32, siluSlope32}, {Sigmoid, sigmoid32, sigmoidSlope32}} {
		a := &Activation{Func: p.f}
		worst := [2]float64{}
		for k := -120_000; k <= 120_000; k++ {
			x := float32(k) / 8000
			for i, v := range [2][2]float64{{float64(p.y(x)), a.value(float64(x))}, {float64(p.s(x)), a.slope(float64(x))}} {
				worst[i] = max(worst[i], math.Abs(v[0]-v[1])/math.Max(math.Abs(v[1]), 0.1))
			}
		}
		// The arguments' own rounding counts where x^2/2 or a cubic of x is large.
		if worst[0] > 1e-6 || worst[1] > 3e-6 {
			t.Errorf("%s: value %.2g, slope %.2g off", p.f, worst[0], worst[1])
		}
		t.Logf("%s: value %.2g, slope %.2g off", p.f, worst[0], worst[1])
	}
	worst := 0.0
	for k := -86_000; k <= 88_000; k++ {
		x := float32(k) / 1000
		worst = math.Max(worst, math.Abs(float64(exp32(x))/exact.Exp(float64(x))-1))
	}
	if worst > 3e-7 {
		t.Errorf("e^x is %.2g off", worst)
	}
	t.Logf("e^x: %.2g", worst)
}
