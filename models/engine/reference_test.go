package engine

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sapf/models/engine/nd"
)

// randoms fills a new slice with normal numbers.
func randoms(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// opCase is one operation at one set of input shapes.
type opCase struct {
	name string
	op   Op
	in   []Shape
}

func conv(r *rand.Rand, in, out, groups, kh, kw, sh, sw, dh, dw int, pad Padding) *Conv {
	c := &Conv{In: in, Out: out, Groups: groups, KernelH: kh, KernelW: kw, StrideH: sh, StrideW: sw, DilationH: dh, DilationW: dw, Pad: pad}
	c.W = randoms(r, out*(in/groups)*kh*kw)
	c.B = randoms(r, out)
	return c
}

func dense(r *rand.Rand, in, out int) *Dense {
	return &Dense{In: in, Out: out, W: randoms(r, in*out), B: randoms(r, out)}
}

func batchNorm(r *rand.Rand, c int) *BatchNorm {
	b := &BatchNorm{Gamma: randoms(r, c), Beta: randoms(r, c), Mean: randoms(r, c), Var: randoms(r, c), Eps: 1e-5}
	for i, v := range b.Var {
		b.Var[i] = v*v + 0.1
	}
	return b
}

// opCases has every operation, at shapes that exercise borders.
func opCases(r *rand.Rand) []opCase {
	p := func(v int) Padding { return Padding{v, v, v, v} }
	s := Shape{4, 5, 6}
	cases := []opCase{
		{"conv3x3", conv(r, 4, 6, 1, 3, 3, 1, 1, 1, 1, p(1)), []Shape{s}},
		{"conv3x3valid", conv(r, 4, 6, 1, 3, 3, 1, 1, 1, 1, p(0)), []Shape{s}},
		{"conv3x3stride2", conv(r, 4, 6, 1, 3, 3, 2, 2, 1, 1, p(1)), []Shape{s}},
		{"conv1x1stride2", conv(r, 4, 6, 1, 1, 1, 2, 2, 1, 1, p(0)), []Shape{s}},
		{"conv1x7", conv(r, 4, 3, 1, 1, 7, 1, 1, 1, 1, Padding{0, 3, 0, 3}), []Shape{s}},
		{"conv5x2uneven", conv(r, 4, 3, 1, 5, 2, 2, 3, 1, 1, Padding{1, 0, 2, 4}), []Shape{s}},
		{"convDilated", conv(r, 4, 3, 1, 3, 2, 1, 2, 2, 3, p(2)), []Shape{s}},
		{"convGroups", conv(r, 4, 6, 2, 3, 3, 1, 1, 1, 1, p(1)), []Shape{s}},
		{"depthwise", conv(r, 4, 4, 4, 3, 3, 1, 1, 1, 1, p(1)), []Shape{s}},
		{"depthwiseStride2", conv(r, 4, 4, 4, 3, 3, 2, 2, 1, 1, p(1)), []Shape{s}},
		{"depthwiseMultiplier", conv(r, 4, 8, 4, 3, 3, 2, 2, 1, 1, p(1)), []Shape{s}},
		{"dense", dense(r, s.Len(), 7), []Shape{s}},
		{"batchNorm", batchNorm(r, 4), []Shape{s}},
		{"affine", &Affine{Scale: []float64{2, -1, 0.5, 3}, Shift: []float64{-0.5}}, []Shape{s}},
		{"maxPool2", &MaxPool{2, 2, 2, 2, p(0), false}, []Shape{s}},
		{"maxPool3s2p1", &MaxPool{3, 3, 2, 2, p(1), false}, []Shape{s}},
		{"maxPool3s2ceil", &MaxPool{3, 3, 2, 2, p(0), true}, []Shape{s}},
		{"maxPoolUneven", &MaxPool{3, 2, 1, 3, Padding{2, 0, 1, 1}, true}, []Shape{s}},
		{"avgPool2", &AvgPool{2, 2, 2, 2, p(0), false, false}, []Shape{s}},
		{"avgPool3p1", &AvgPool{3, 3, 1, 1, p(1), false, true}, []Shape{s}},
		{"avgPool3p1exclude", &AvgPool{3, 3, 2, 2, p(1), true, false}, []Shape{s}},
		{"avgPoolCeil", &AvgPool{3, 3, 2, 2, p(1), true, true}, []Shape{s}},
		{"globalAvgPool", &GlobalAvgPool{}, []Shape{s}},
		{"add", &Add{}, []Shape{s, s}},
		{"add3", &Add{}, []Shape{s, {4, 1, 1}, s}},
		{"mul", &Mul{}, []Shape{s, s}},
		{"mulBroadcast", &Mul{}, []Shape{{4, 1, 1}, s}},
		{"concat", &Concat{}, []Shape{s, {3, 5, 6}, {16, 5, 6}}},
		{"flatten", &Flatten{}, []Shape{s}},
		{"pad", &Pad2D{Padding{1, 2, 0, 3}, 0.5}, []Shape{s}},
		{"slice", &Slice{1, 3, 2, 3}, []Shape{s}},
		{"sliceAll", &Slice{0, 0, 2, 2}, []Shape{s}},
		{"padChannels", &PadChannels{2, 1}, []Shape{s}},
		{"shuffle", &ChannelShuffle{2}, []Shape{s}},
		{"softmax", &Softmax{}, []Shape{{9, 1, 1}}},
	}
	for _, a := range []*Activation{{Func: ReLU}, {Func: ReLU6}, {Func: LeakyReLU, Alpha: 0.1}, {Func: Sigmoid}, {Func: SiLU},
		{Func: HardSigmoid, Alpha: 1. / 6, Beta: 0.5}, {Func: HardSwish}, {Func: Clip, Alpha: -0.5, Beta: 0.75}, {Func: Tanh}} {
		cases = append(cases, opCase{string(a.Func), a, []Shape{s}})
	}
	return append(cases, generalCases(r)...)
}

// generalCases are operations on arrays, in both orders of entries, and the
// functions that came with them.
func generalCases(r *rand.Rand) []opCase {
	constant := make([]float64, 6)
	for i := range constant {
		constant[i] = r.NormFloat64()
	}
	s, rows := Shape{4, 5, 6}, Arg{Dims: []int{5, 6, 4}, RowsFirst: true}
	cases := []opCase{
		{"general/softmax", &General{F: &nd.Softmax{Axes: []int{2}}, Args: []Arg{rows}, Out: s, RowsFirst: true}, []Shape{s}},
		{"general/norm", &General{F: &nd.Norm{Axes: []int{1, 2}, Eps: 1e-5}, Args: []Arg{{Dims: []int{4, 5, 6}}}, Out: s}, []Shape{s}},
		{"general/constant", &General{F: &nd.Binary{Name: "Sub"}, Args: []Arg{{Dims: []int{1, 6, 1}, Const: constant}, rows}, Out: s, RowsFirst: true}, []Shape{s}},
		{"general/orders", &General{F: &nd.Binary{Name: "Mul"}, Args: []Arg{rows, {Dims: []int{5, 6, 4}}}, Out: Shape{5, 6, 4}}, []Shape{s, s}},
		{"general/matMul", &General{F: nd.MatMul{}, Args: []Arg{{Dims: []int{6, 20}, RowsFirst: true}, {Dims: []int{20, 6}}}, Out: Shape{6, 1, 6}, RowsFirst: true}, []Shape{s, s}},
		{"general/reduce", &General{F: &nd.Reduce{Name: "L2", Axes: []int{1}}, Args: []Arg{rows}, Out: Shape{20, 1, 1}}, []Shape{s}},
	}
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		a := &Activation{Func: name, Alpha: 1.25, Beta: 0.75}
		switch name {
		case Log, Sqrt, Acosh, Atanh, Tan, Asin, Acos, Reciprocal, Exp, Sinh, Cosh, Quantise: // not defined everywhere, too large, or with a slope that is none: see TestSlopes
			continue
		}
		cases = append(cases, opCase{string(name), a, []Shape{s}})
	}
	return cases
}

// TestSlopes holds the functions that are not defined everywhere against central
// differences.
func TestSlopes(t *testing.T) {
	const h = 1e-6
	for name, xs := range map[ActKind][]float64{Log: {1e-2, 0.5, 2, 100}, Sqrt: {0.3, 4}, Acosh: {1.5, 20}, Reciprocal: {-2, 0.5}, Exp: {-3, 0, 3}, Tan: {-1.2, 0, 2}, Asin: {-0.9, 0, 0.5}, Acos: {-0.9, 0, 0.5}, Sinh: {-3, 0, 2}, Cosh: {-3, 0, 2}, Atanh: {-0.9, -0.1, 0, 0.5},
		Elu: {-30, -1, 0, 2}, Softplus: {-800, -3, 0, 3, 800}, Mish: {-800, -3, 0, 3, 800}, Gelu: {-9, -1, 0, 1, 9}} {
		a := &Activation{Func: name, Alpha: 1}
		for _, x := range xs {
			want := (a.value(x+h) - a.value(x-h)) / (2 * h)
			if got := a.slope(x); !(math.Abs(got-want) <= 1e-6*(1+math.Abs(want))) {
				t.Errorf("%s at %v: slope %v, central difference %v", name, x, got, want)
			}
		}
	}
}

// TestQuantise: a step for values, and none for gradients.
func TestQuantise(t *testing.T) {
	a := &Activation{Func: Quantise, Alpha: -2, Beta: 3}
	for x, want := range map[float64][2]float64{-9: {-2, 0}, -2: {-2, 1}, -1.6: {-2, 1}, 0.5: {0, 1}, 1.5: {2, 1}, 2.4: {2, 1}, 3: {3, 1}, 3.2: {3, 0}} {
		if got := [2]float64{a.value(x), a.slope(x)}; got != want {
			t.Errorf("at %v: value and slope %v, want %v", x, got, want)
		}
	}
}

// TestBackward64 holds every layer's vector-Jacobian product against central
// differences of its forward pass.
func TestBackward64(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const batch, h = 2, 1e-6
	for _, c := range opCases(r) {
		t.Run(c.name, func(t *testing.T) {
			out, err := c.op.OutShape(c.in)
			if err != nil {
				t.Fatal(err)
			}
			xs, dxs := make([][]float64, len(c.in)), make([][]float64, len(c.in))
			for i, s := range c.in {
				xs[i], dxs[i] = make([]float64, batch*s.Len()), make([]float64, batch*s.Len())
				for j := range xs[i] {
					xs[i][j] = 2 * r.NormFloat64()
				}
			}
			y, dy := make([]float64, batch*out.Len()), make([]float64, batch*out.Len())
			for j := range dy {
				dy[j] = r.NormFloat64()
			}
			value := func() float64 {
				if err := Forward64(c.op, c.in, batch, xs, y); err != nil {
					t.Fatal(err)
				}
				sum := 0.0
				for j, v := range y {
					sum += v * dy[j]
				}
				return sum
			}
			value()
			if err := Backward64(c.op, c.in, batch, xs, append([]float64(nil), y...), dy, dxs); err != nil {
				t.Fatal(err)
			}
			for i, x := range xs {
				for j := range x {
					keep := x[j]
					x[j] = keep + h
					up := value()
					x[j] = keep - h
					down := value()
					x[j] = keep
					if want := (up - down) / (2 * h); math.Abs(want-dxs[i][j]) > 1e-6*(1+math.Abs(want)) {
						t.Fatalf("input %d entry %d: gradient %g, central difference %g", i, j, dxs[i][j], want)
					}
				}
			}
		})
	}
}

// TestWeightGrad64 does the same for the parameters.
func TestWeightGrad64(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const batch, h = 2, 1.0 / 1024 // exact in float32; the layers are linear in W
	for _, c := range opCases(r) {
		var w, b []float32
		switch op := c.op.(type) {
		case *Conv:
			w, b = op.W, op.B
		case *Dense:
			w, b = op.W, op.B
		default:
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			out, _ := c.op.OutShape(c.in)
			x, y, dy := make([]float64, batch*c.in[0].Len()), make([]float64, batch*out.Len()), make([]float64, batch*out.Len())
			for j := range x {
				x[j] = r.NormFloat64()
			}
			for j := range dy {
				dy[j] = r.NormFloat64()
			}
			dw, db := make([]float64, len(w)), make([]float64, len(b))
			if err := WeightGrad64(c.op, c.in, batch, [][]float64{x}, dy, dw, db); err != nil {
				t.Fatal(err)
			}
			value := func() float64 {
				if err := Forward64(c.op, c.in, batch, [][]float64{x}, y); err != nil {
					t.Fatal(err)
				}
				sum := 0.0
				for j, v := range y {
					sum += v * dy[j]
				}
				return sum
			}
			check := func(p []float32, grad []float64) {
				for j := range p {
					keep := p[j]
					p[j] = keep + h
					up, step := value(), float64(p[j])
					p[j] = keep - h
					down := value()
					step -= float64(p[j])
					p[j] = keep
					if want := (up - down) / step; math.Abs(want-grad[j]) > 1e-8*(1+math.Abs(want)) {
						t.Fatalf("parameter %d: gradient %g, difference %g", j, grad[j], want)
					}
				}
			}
			check(w, dw)
			check(b, db)
		})
	}
}

// TestOutShapeErrors: each message names what was expected and what arrived.
func TestOutShapeErrors(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	s := Shape{4, 5, 6}
	short := conv(r, 4, 6, 1, 3, 3, 1, 1, 1, 1, Padding{})
	short.W = short.W[1:]
	for _, c := range []struct {
		op   Op
		in   []Shape
		want []string
	}{
		{short, []Shape{s}, []string{"215", "216", "6x4x3x3"}},
		{conv(r, 3, 6, 1, 3, 3, 1, 1, 1, 1, Padding{}), []Shape{s}, []string{"4x5x6", "4 channels", "3"}},
		{conv(r, 4, 6, 1, 7, 3, 1, 1, 1, 1, Padding{}), []Shape{s}, []string{"7x3", "5x6"}},
		{&Conv{In: 4, Out: 6, Groups: 4}, []Shape{s}, []string{"4 channels to 6", "4 groups"}},
		{dense(r, 119, 7), []Shape{s}, []string{"120", "119"}},
		{&Add{}, []Shape{s, {4, 5, 5}}, []string{"4x5x6", "4x5x5"}},
		{&Concat{}, []Shape{s, {4, 5, 5}}, []string{"4x5x6", "4x5x5"}},
		{&Activation{Func: "golu"}, []Shape{s}, []string{"golu"}},
		{&MaxPool{KernelH: 2, KernelW: 2, StrideH: 2, StrideW: 2, Pad: Padding{Top: 2}}, []Shape{s}, []string{"2x2"}},
		{batchNorm(r, 3), []Shape{s}, []string{"gamma", "3", "4x5x6"}},
		{&Softmax{}, []Shape{s}, []string{"4x5x6"}},
		{&Slice{C0: 2, C1: 5, StrideH: 1, StrideW: 1}, []Shape{s}, []string{"[2, 5)"}},
	} {
		_, err := c.op.OutShape(c.in)
		if err == nil {
			t.Errorf("%s %v: no error", c.op.Kind(), c.in)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", c.op.Kind(), err, w)
			}
		}
	}
}
