package nd

import (
	"fmt"
	"math"

	"sapf/models/exact"
)

// Binary is a function of two numbers for each pair of entries, broadcast.
type Binary struct{ Name string }

// binary is a function of two numbers and its partial derivatives.
type binary struct {
	value func(a, b float64) float64
	slope func(a, b, y float64) (da, db float64)
}

// flat are the derivatives of a step.
func flat(_, _, _ float64) (float64, float64) { return 0, 0 }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// binaries are the functions by name. A comparison is 1 or 0 and has no slope.
// Where both arguments of Max or Min are equal, the first has the slope.
var binaries = map[string]binary{
	"Add": {func(a, b float64) float64 { return a + b }, func(_, _, _ float64) (float64, float64) { return 1, 1 }},
	"Sub": {func(a, b float64) float64 { return a - b }, func(_, _, _ float64) (float64, float64) { return 1, -1 }},
	"Mul": {func(a, b float64) float64 { return a * b }, func(a, b, _ float64) (float64, float64) { return b, a }},
	"Div": {func(a, b float64) float64 { return a / b }, func(_, b, y float64) (float64, float64) { return 1 / b, -y / b }},
	"Max": {func(a, b float64) float64 { return math.Max(a, b) }, func(a, b, _ float64) (float64, float64) { return truth(a >= b), truth(a < b) }},
	"Min": {func(a, b float64) float64 { return math.Min(a, b) }, func(a, b, _ float64) (float64, float64) { return truth(a <= b), truth(a > b) }},
	"Pow": {power, powerSlope},
	"PRelu": {func(a, b float64) float64 {
		if a < 0 {
			return a * b
		}
		return a
	}, func(a, b, _ float64) (float64, float64) {
		if a < 0 {
			return b, a
		}
		return 1, 0
	}},
	"Equal":          {func(a, b float64) float64 { return truth(a == b) }, flat},
	"Less":           {func(a, b float64) float64 { return truth(a < b) }, flat},
	"LessOrEqual":    {func(a, b float64) float64 { return truth(a <= b) }, flat},
	"Greater":        {func(a, b float64) float64 { return truth(a > b) }, flat},
	"GreaterOrEqual": {func(a, b float64) float64 { return truth(a >= b) }, flat},
	"And":            {func(a, b float64) float64 { return truth(a != 0 && b != 0) }, flat},
	"Or":             {func(a, b float64) float64 { return truth(a != 0 || b != 0) }, flat},
	"Xor":            {func(a, b float64) float64 { return truth((a != 0) != (b != 0)) }, flat},
}

// power is a^b; whole exponents of negative numbers are taken by multiplying.
func power(a, b float64) float64 {
	if whole := math.Abs(b); whole <= 16 && whole == math.Trunc(whole) {
		y := 1.0
		for range int(whole) {
			y *= a
		}
		if b < 0 {
			y = 1 / y
		}
		return y
	}
	switch {
	case a < 0 && b != math.Trunc(b):
		return math.NaN()
	case a < 0:
		y := power(-a, b)
		if math.Mod(b, 2) != 0 {
			y = -y
		}
		return y
	case b < 0:
		return 1 / exact.Pow(a, -b)
	}
	return exact.Pow(a, b)
}

func powerSlope(a, b, y float64) (da, db float64) {
	if b != 0 {
		da = b * power(a, b-1)
	}
	if a > 0 {
		db = y * exact.Log(a)
	}
	return da, db
}

// Value is the function of two numbers.
func (f *Binary) Value(a, b float64) float64 { return binaries[f.Name].value(a, b) }

// Kind is the function's name.
func (f *Binary) Kind() string { return f.Name }

// Shape is the arguments', broadcast.
func (f *Binary) Shape(in [][]int) ([]int, error) {
	if _, ok := binaries[f.Name]; !ok {
		return nil, fmt.Errorf("no function %s of two numbers", f.Name)
	}
	if err := arguments(in, 2); err != nil {
		return nil, err
	}
	return Broadcast(in...)
}

// Forward is the function of each pair.
func (f *Binary) Forward(in []Array, out Array) {
	value := binaries[f.Name].value
	a, b := spread(in[0].Dims, out.Dims), spread(in[1].Dims, out.Dims)
	n, sa := last(out.Dims, a)
	_, sb := last(out.Dims, b)
	k := 0
	walk(out.Dims, [][]int{a, b}, func(at []int) {
		x, y := at[0], at[1]
		for range n {
			out.Data[k] = value(in[0].Data[x], in[1].Data[y])
			k++
			x += sa
			y += sb
		}
	})
}

// Backward sums over what was repeated.
func (f *Binary) Backward(in []Array, out, dout Array, din []Array) {
	slope := binaries[f.Name].slope
	a, b := spread(in[0].Dims, out.Dims), spread(in[1].Dims, out.Dims)
	n, sa := last(out.Dims, a)
	_, sb := last(out.Dims, b)
	k := 0
	walk(out.Dims, [][]int{a, b}, func(at []int) {
		x, y := at[0], at[1]
		for range n {
			da, db := slope(in[0].Data[x], in[1].Data[y], out.Data[k])
			g := dout.Data[k]
			if din[0].Data != nil && da != 0 {
				din[0].Data[x] += float64(g * da)
			}
			if din[1].Data != nil && db != 0 {
				din[1].Data[y] += float64(g * db)
			}
			k++
			x += sa
			y += sb
		}
	})
}

// Where takes the second argument where the first is not zero, else the third.
type Where struct{}

// Kind is "Where".
func (Where) Kind() string { return "Where" }

// Shape is the arguments', broadcast.
func (Where) Shape(in [][]int) ([]int, error) {
	if err := arguments(in, 3); err != nil {
		return nil, err
	}
	return Broadcast(in...)
}

// chosen calls f(which, at, k) for every entry k of the result: it is entry at of
// argument which.
func chosen(in []Array, out []int, f func(which, at, k int)) {
	var strides [][]int
	var steps [3]int
	n := 1
	for i, x := range in {
		strides = append(strides, spread(x.Dims, out))
		n, steps[i] = last(out, strides[i])
	}
	k := 0
	walk(out, strides, func(at []int) {
		for j := range n {
			which := 2
			if in[0].Data[at[0]+j*steps[0]] != 0 {
				which = 1
			}
			f(which, at[which]+j*steps[which], k)
			k++
		}
	})
}

// Forward chooses.
func (Where) Forward(in []Array, out Array) {
	chosen(in, out.Dims, func(which, at, k int) { out.Data[k] = in[which].Data[at] })
}

// Backward goes to the chosen entries.
func (Where) Backward(in []Array, _, dout Array, din []Array) {
	chosen(in, dout.Dims, func(which, at, k int) {
		if din[which].Data != nil {
			din[which].Data[at] += dout.Data[k]
		}
	})
}
