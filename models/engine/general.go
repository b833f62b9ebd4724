package engine

import (
	"fmt"

	"sapf/models/engine/nd"
)

// General is an operation on arrays of any rank. What flows between layers is
// images of C x H x W; an array is all entries of one, in this order or, with
// RowsFirst, in the order H x W x C, which is how they lie in memory.
type General struct {
	F nd.Func
	// Args are the arguments of F: the layer's inputs in their order, and
	// constants between them.
	Args []Arg
	// Out is the shape of the result as an image, RowsFirst the order of its
	// entries.
	Out       Shape
	RowsFirst bool
}

// Arg is one argument.
type Arg struct {
	// Dims is its shape as F sees it.
	Dims      []int
	RowsFirst bool
	// Const has the numbers of an argument that is not an input.
	Const []float64
}

// Kind is the operation's.
func (g *General) Kind() string { return g.F.Kind() }

// OutShape is Out.
func (g *General) OutShape(in []Shape) (Shape, error) {
	var dims [][]int
	k := 0
	for i, a := range g.Args {
		dims = append(dims, a.Dims)
		if a.Const != nil {
			if len(a.Const) != nd.Len(a.Dims) {
				return Shape{}, fmt.Errorf("argument %d has %d numbers for shape %v", i, len(a.Const), a.Dims)
			}
			continue
		}
		if k >= len(in) || in[k].Len() != nd.Len(a.Dims) {
			return Shape{}, fmt.Errorf("argument %d of shape %v is input %d of %v", i, a.Dims, k, in)
		}
		k++
	}
	if k != len(in) {
		return Shape{}, fmt.Errorf("%d inputs, expected %d", len(in), k)
	}
	out, err := g.F.Shape(dims)
	if err == nil && (nd.Len(out) != g.Out.Len() || g.Out.Len() == 0) {
		err = fmt.Errorf("result of shape %v as an image of %v", out, g.Out)
	}
	return g.Out, err
}

// arrays are the arguments, and the result y, of one image.
func (g *General) arrays(xs [][]float64, y []float64) (in []nd.Array, out nd.Array) {
	var dims [][]int
	k := 0
	for _, a := range g.Args {
		x := nd.Array{Dims: a.Dims, Data: a.Const}
		if a.Const == nil {
			x.Data = xs[k]
			k++
		}
		in, dims = append(in, x), append(dims, a.Dims)
	}
	shape, err := g.F.Shape(dims)
	if err != nil {
		panic("engine: " + err.Error()) // OutShape has checked it
	}
	return in, nd.Array{Dims: shape, Data: y}
}

// forwardOwn computes one image, whose entries are in the arguments' order.
func (g *General) forwardOwn(xs [][]float64, y []float64) {
	in, out := g.arrays(xs, y)
	g.F.Forward(in, out)
}

// backwardOwn adds one image's gradients to dxs, all in the arguments' order.
func (g *General) backwardOwn(xs [][]float64, y, dy []float64, dxs [][]float64) {
	in, out := g.arrays(xs, y)
	din := make([]nd.Array, len(g.Args))
	k := 0
	for i, a := range g.Args {
		din[i].Dims = a.Dims
		if a.Const == nil {
			din[i].Data = dxs[k]
			k++
		}
	}
	g.F.Backward(in, out, nd.Array{Dims: out.Dims, Data: dy}, din)
}

// inputs are the arguments that are not constants.
func (g *General) inputs() (list []Arg) {
	for _, a := range g.Args {
		if a.Const == nil {
			list = append(list, a)
		}
	}
	return list
}

// reorder copies an image of C x H x W to H x W x C, or back.
func reorder(s Shape, to, from []float64, back bool) {
	hw := s.H * s.W
	for c := range s.C {
		for p := range hw {
			if back {
				to[c*hw+p] = from[p*s.C+c]
			} else {
				to[p*s.C+c] = from[c*hw+p]
			}
		}
	}
}

func (g *General) forward64(in []Shape, out Shape, n int, xs [][]float64, y []float64) {
	for b := range n {
		own := g.own(in, b, xs)
		res := make([]float64, out.Len())
		g.forwardOwn(own, res)
		to := y[b*out.Len():][:out.Len()]
		if g.RowsFirst {
			reorder(out, to, res, true)
		} else {
			copy(to, res)
		}
	}
}

// own are the inputs of image b in the arguments' order.
func (g *General) own(in []Shape, b int, xs [][]float64) [][]float64 {
	var own [][]float64
	for i, a := range g.inputs() {
		x := xs[i][b*in[i].Len():][:in[i].Len()]
		if a.RowsFirst {
			r := make([]float64, len(x))
			reorder(in[i], r, x, false)
			x = r
		}
		own = append(own, x)
	}
	return own
}

func (g *General) backward64(in []Shape, out Shape, n int, xs [][]float64, y, dy []float64, dxs [][]float64) {
	result := func(v []float64, b int) []float64 {
		v = v[b*out.Len():][:out.Len()]
		if g.RowsFirst {
			r := make([]float64, len(v))
			reorder(out, r, v, false)
			v = r
		}
		return v
	}
	for b := range n {
		var own [][]float64
		for i := range dxs {
			own = append(own, make([]float64, in[i].Len()))
		}
		g.backwardOwn(g.own(in, b, xs), result(y, b), result(dy, b), own)
		for i, a := range g.inputs() {
			d := own[i]
			if a.RowsFirst {
				d = make([]float64, len(own[i]))
				reorder(in[i], d, own[i], true)
			}
			to := dxs[i][b*in[i].Len():][:in[i].Len()]
			for k, v := range d {
				to[k] += v
			}
		}
	}
}

var _ reference = (*General)(nil)
