package nd

import (
	"fmt"
	"math"
	"slices"

	"sapf/models/exact"
)

// Reduce makes one number of all that differ in Axes only. The axes stay, with a
// length of 1.
type Reduce struct {
	// Name is Sum, Mean, Max, Min, Prod, L1, L2, SumSquare, LogSum or LogSumExp.
	Name string
	Axes []int
}

// Kind is "Reduce" and the name.
func (f *Reduce) Kind() string { return "Reduce" + f.Name }

// Shape is the argument's with lengths of 1.
func (f *Reduce) Shape(in [][]int) ([]int, error) {
	if err := arguments(in, 1); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"}, f.Name) {
		return nil, fmt.Errorf("no function Reduce%s", f.Name)
	}
	if err := checkAxes(f.Axes, len(in[0])); err != nil {
		return nil, err
	}
	out := append([]int{}, in[0]...)
	for _, a := range f.Axes {
		out[a] = 1
	}
	return out, nil
}

// groups calls f with the offsets of the entries that become one, for each
// entry k of the result.
func groups(dims, axes []int, f func(k int, at []int)) {
	var inner, outer []int
	var innerStrides, outerStrides []int
	s := Strides(dims)
	for d, n := range dims {
		if slices.Contains(axes, d) {
			inner, innerStrides = append(inner, n), append(innerStrides, s[d])
		} else {
			outer, outerStrides = append(outer, n), append(outerStrides, s[d])
		}
	}
	offsets := func(dims, strides []int) []int {
		var out []int
		n, step := last(dims, strides)
		walk(dims, [][]int{strides}, func(at []int) {
			for j := range n {
				out = append(out, at[0]+j*step)
			}
		})
		return out
	}
	within := offsets(inner, innerStrides)
	at := make([]int, len(within))
	for k, first := range offsets(outer, outerStrides) {
		for j, d := range within {
			at[j] = first + d
		}
		f(k, at)
	}
}

// Forward reduces in order.
func (f *Reduce) Forward(in []Array, out Array) {
	x := in[0].Data
	groups(in[0].Dims, f.Axes, func(k int, at []int) { out.Data[k] = f.value(x, at) })
}

func (f *Reduce) value(x []float64, at []int) float64 {
	y := 0.0
	switch f.Name {
	case "Max", "Min":
		return x[f.extreme(x, at)]
	case "Prod":
		y = 1
		for _, i := range at {
			y *= x[i]
		}
	case "L1":
		for _, i := range at {
			y += math.Abs(x[i])
		}
	case "L2", "SumSquare":
		for _, i := range at {
			y += float64(x[i] * x[i])
		}
		if f.Name == "L2" {
			y = math.Sqrt(y)
		}
	case "LogSumExp":
		top := math.Inf(-1)
		for _, i := range at {
			top = math.Max(top, x[i])
		}
		if math.IsInf(top, 0) {
			return top
		}
		for _, i := range at {
			y += exact.Exp(x[i] - top)
		}
		y = exact.Log(y) + top
	default:
		for _, i := range at {
			y += x[i]
		}
		switch f.Name {
		case "Mean":
			y /= float64(len(at))
		case "LogSum":
			y = exact.Log(y)
		}
	}
	return y
}

// extreme is the first of the largest or smallest entries.
func (f *Reduce) extreme(x []float64, at []int) int {
	best := at[0]
	for _, i := range at[1:] {
		if f.Name == "Max" && x[i] > x[best] || f.Name == "Min" && x[i] < x[best] || math.IsNaN(x[i]) && !math.IsNaN(x[best]) {
			best = i
		}
	}
	return best
}

// Backward shares the gradient out.
func (f *Reduce) Backward(in []Array, out, dout Array, din []Array) {
	x, dx := in[0].Data, din[0].Data
	if dx == nil {
		return
	}
	groups(in[0].Dims, f.Axes, func(k int, at []int) {
		g, y := dout.Data[k], out.Data[k]
		switch f.Name {
		case "Max", "Min":
			dx[f.extreme(x, at)] += g
		case "Prod":
			for _, i := range at {
				p := g
				for _, j := range at {
					if j != i {
						p *= x[j]
					}
				}
				dx[i] += p
			}
		default:
			total := 0.0
			if f.Name == "LogSum" {
				total = exact.Exp(y)
			}
			for _, i := range at {
				dx[i] += f.share(g, x[i], y, total, len(at))
			}
		}
	})
}

// share is an entry's part of the gradient.
func (f *Reduce) share(g, x, y, total float64, n int) float64 {
	switch f.Name {
	case "Mean":
		return g / float64(n)
	case "L1":
		return g * (truth(x > 0) - truth(x < 0))
	case "L2":
		if y == 0 {
			return 0
		}
		return g * (x / y)
	case "SumSquare":
		return 2 * float64(g*x)
	case "LogSum":
		return g / total
	case "LogSumExp":
		return g * exact.Exp(x-y)
	}
	return g
}
