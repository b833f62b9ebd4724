// Package nd has the operations on arrays of any rank that networks beside the
// convolutional ones are made of, in double precision, each with its
// vector-Jacobian product. They are plain loops: the definition of what the
// engine computes, and what it runs where it has no kernel. Sums run in a fixed
// order and products are rounded before they are added, so that the bytes are
// the same everywhere.
package nd

import (
	"fmt"
	"slices"
)

// Func is one operation with its parameters, which never change.
type Func interface {
	// Kind is the operation's name, "MatMul".
	Kind() string
	// Shape checks the shapes of the arguments and returns the result's.
	Shape(in [][]int) ([]int, error)
	// Forward computes the result; the shapes have been checked.
	Forward(in []Array, out Array)
	// Backward ADDS the vector-Jacobian product for the gradient dout of the
	// result into din. A din without numbers is not wanted.
	Backward(in []Array, out, dout Array, din []Array)
}

// Array is a row-major array. A shape of no axes is one number.
type Array struct {
	Dims []int
	Data []float64
}

// Len is the number of entries of a shape.
func Len(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// Strides of a row-major array.
func Strides(dims []int) []int {
	s, step := make([]int, len(dims)), 1
	for d := len(dims) - 1; d >= 0; d-- {
		s[d] = step
		step *= dims[d]
	}
	return s
}

// Broadcast is the shape that arrays of the given shapes are spread to: the last
// axes are aligned, and lengths of 1 repeat.
func Broadcast(in ...[]int) ([]int, error) {
	rank := 0
	for _, d := range in {
		rank = max(rank, len(d))
	}
	out := make([]int, rank)
	for k := range out {
		out[k] = 1
	}
	for _, dims := range in {
		for k, d := range dims {
			at := &out[rank-len(dims)+k]
			switch {
			case d == *at || d == 1:
			case *at == 1:
				*at = d
			default:
				return nil, fmt.Errorf("shapes %v do not broadcast", in)
			}
		}
	}
	return out, nil
}

// spread are the strides with which an array of shape dims is read where it is
// broadcast to out.
func spread(dims, out []int) []int {
	own, s := Strides(dims), make([]int, len(out))
	for k := range dims {
		if dims[k] != 1 {
			s[len(out)-len(dims)+k] = own[k]
		}
	}
	return s
}

// walk calls f once for every run along the last axis of dims: with the offset
// of its first entry in each of the strided arrays. The runs come in order.
func walk(dims []int, strides [][]int, f func(at []int)) {
	at := make([]int, len(strides))
	if Len(dims) == 0 {
		return
	}
	if len(dims) == 0 {
		f(at)
		return
	}
	index := make([]int, len(dims)-1)
	for {
		f(at)
		d := len(index) - 1
		for ; d >= 0; d-- {
			index[d]++
			for k, s := range strides {
				at[k] += s[d]
			}
			if index[d] < dims[d] {
				break
			}
			for k, s := range strides {
				at[k] -= dims[d] * s[d]
			}
			index[d] = 0
		}
		if d < 0 {
			return
		}
	}
}

// last is the length of the runs of walk, and the stride within them.
func last(dims, strides []int) (n, step int) {
	if len(dims) == 0 {
		return 1, 0
	}
	return dims[len(dims)-1], strides[len(dims)-1]
}

// arguments refuses another number of arguments than expected.
func arguments(in [][]int, n int) error {
	if len(in) != n {
		return fmt.Errorf("%d arguments, expected %d", len(in), n)
	}
	return nil
}

// axes checks that axes are of an array of that rank, each once.
func checkAxes(axes []int, rank int) error {
	for k, a := range axes {
		if a < 0 || a >= rank || slices.Contains(axes[:k], a) {
			return fmt.Errorf("axes %v of an array of %d axes", axes, rank)
		}
	}
	return nil
}
