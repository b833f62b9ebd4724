package onnx

import (
	"fmt"
	"math"
	"slices"

	"sapf/models/engine"
	"sapf/models/engine/nd"
)

// What the convolution engine has no layer for runs on operations on arrays of
// any rank (package nd). An operator's general form is tried where its own
// layers do not fit, and computes constants too.

// float64s are a constant's numbers.
func (c *constant) float64s() []float64 {
	out := make([]float64, c.len())
	for k := range out {
		out[k] = c.float(k)
	}
	return out
}

// arrayConstant makes a constant of numbers; integers where they are said to be.
func arrayConstant(dims []int, v []float64, integers bool) *constant {
	c := &constant{dims: dims}
	if integers {
		c.i = make([]int64, len(v))
		for k, x := range v {
			c.i[k] = int64(x)
		}
		return c
	}
	c.f = make([]float32, len(v))
	for k, x := range v {
		c.f[k] = float32(x)
	}
	return c
}

// number is a constant of one number, in double precision.
type number struct {
	dims []int
	v    []float64
}

// scalar is a constant argument that is one number.
func scalar(v float64) number { return number{[]int{}, []float64{v}} }

// array appends an operation on arrays. An argument is an operand, or numbers in
// double precision; where all are constants, so is the result.
func (g *importer) array(n *nodeProto, f nd.Func, args ...any) (*operand, error) {
	var dims [][]int
	var list []engine.Arg
	var images []*operand
	var nodes []int
	integers := true
	for _, a := range args {
		switch a := a.(type) {
		case number:
			list = append(list, engine.Arg{Dims: a.dims, Const: a.v})
		case *operand:
			if a.c != nil {
				integers = integers && a.c.i != nil
				list = append(list, engine.Arg{Dims: a.dims, Const: a.c.float64s()})
				break
			}
			images, nodes = append(images, a), append(nodes, a.node)
			list = append(list, engine.Arg{Dims: a.dims, RowsFirst: a.rowsFirst})
		}
		dims = append(dims, list[len(list)-1].Dims)
	}
	out, err := f.Shape(dims)
	if err != nil {
		return nil, err
	}
	size, err := checkSize(out)
	if err != nil {
		return nil, err
	}
	if len(images) == 0 {
		in := make([]nd.Array, len(list))
		for i, a := range list {
			in[i] = nd.Array{Dims: a.Dims, Data: a.Const}
		}
		y := nd.Array{Dims: out, Data: make([]float64, size)}
		f.Forward(in, y)
		return constants(arrayConstant(out, y.Data, integers))[0], nil
	}
	if g.batch != 1 {
		return nil, fmt.Errorf("the file is for batches of %d images: export it for one image, or for any number", g.batch)
	}
	if size == 0 { // nothing of it is the image's
		return constants(&constant{dims: out, f: []float32{}})[0], nil
	}
	s, rows := g.placement(out, images)
	op := &engine.General{F: f, Args: list, Out: s, RowsFirst: rows}
	v := g.layer(n, op, false, nodes...)[0]
	v.dims, v.rowsFirst = out, rows
	return v, nil
}

// maxEntries bounds the entries of an array, those of a layer's output included.
const maxEntries = 1 << 27

func checkSize(dims []int) (int, error) {
	n := 1
	for _, d := range dims {
		if d < 0 || n > 0 && d > maxEntries/n {
			return 0, fmt.Errorf("an array of %v, expected up to %d entries", dims, maxEntries)
		}
		n *= d
	}
	return n, nil
}

// thinnest is the smallest last axis that is worth being the channels.
const thinnest = 8

// placement is how an array lies in memory: as one of the same shape that it was
// made of; as an image where it was made of images; else with its last axis as
// channels, which is what matrix products and norms want.
func (g *importer) placement(dims []int, from []*operand) (s engine.Shape, rows bool) {
	image := len(dims) == 4 && dims[0] == 1
	for _, v := range from {
		if slices.Equal(v.dims, dims) {
			return g.Shape(v.node), v.rowsFirst
		}
		s := g.Shape(v.node)
		image = image && !v.rowsFirst && len(v.dims) == 4 && v.dims[1] == s.C && v.dims[2] == s.H
	}
	n := len(dims)
	switch {
	case image:
		return engine.Shape{C: dims[1], H: dims[2], W: dims[3]}, false
	case n < 2 || dims[n-1] < thinnest:
		return engine.Shape{C: product(dims), H: 1, W: 1}, false
	case n == 4 && dims[0] == 1:
		return engine.Shape{C: dims[3], H: dims[1], W: dims[2]}, true
	}
	return engine.Shape{C: dims[n-1], H: 1, W: product(dims[:n-1])}, true
}

// lay gives an operand's entries another place in memory.
func (g *importer) lay(n *nodeProto, v *operand, s engine.Shape, rows bool) *operand {
	old := g.Shape(v.node)
	flat := func(s engine.Shape) bool { return s.C == 1 || s.H*s.W == 1 }
	if old == s && (v.rowsFirst == rows || flat(s)) {
		return &operand{node: v.node, dims: v.dims, rowsFirst: rows, bytes: v.bytes}
	}
	op := &engine.General{F: &nd.Reshape{Dims: v.dims}, Args: []engine.Arg{{Dims: v.dims, RowsFirst: v.rowsFirst}}, Out: s, RowsFirst: rows}
	out := g.layer(&nodeProto{name: n.name + ".laid"}, op, false, v.node)[0]
	return &operand{node: out.node, dims: v.dims, rowsFirst: rows, bytes: v.bytes}
}

// straight is an operand with its entries in the order C x H x W.
func (g *importer) straight(n *nodeProto, v *operand) *operand {
	if v == nil || v.c != nil || !v.rowsFirst {
		return v
	}
	s := engine.Shape{C: product(v.dims), H: 1, W: 1}
	if len(v.dims) == 4 && v.dims[0] == 1 {
		s = engine.Shape{C: v.dims[1], H: v.dims[2], W: v.dims[3]}
	}
	return g.lay(n, v, s, false)
}

// viewed is an operand under another shape.
func viewed(v *operand, dims ...int) *operand {
	out := *v
	out.dims = dims
	if v.c != nil {
		c := *v.c
		c.dims, out.c = dims, &c
	}
	return &out
}

// each applies a function to every entry.
func (g *importer) each(n *nodeProto, v *operand, a engine.Activation) (*operand, error) {
	if v.c != nil {
		y := make([]float64, v.c.len())
		for k := range y {
			y[k] = a.Value(v.c.float(k))
		}
		return constants(arrayConstant(v.dims, y, v.c.i != nil))[0], nil
	}
	out, err := g.entrywise(n, []*operand{v}, &a)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// scaled is v*scale + shift.
func (g *importer) scaled(n *nodeProto, v *operand, scale, shift float64) (*operand, error) {
	if v.c == nil {
		out, err := g.entrywise(n, []*operand{v}, &engine.Affine{Scale: []float64{scale}, Shift: []float64{shift}})
		if err != nil {
			return nil, err
		}
		return out[0], nil
	}
	y := v.c.float64s()
	for k, x := range y {
		y[k] = float64(x*scale) + shift
	}
	return constants(arrayConstant(v.dims, y, v.c.i != nil && scale == math.Trunc(scale) && shift == math.Trunc(shift)))[0], nil
}

// generic makes a node's general form of a function with one result.
func generic(least int, f func(g *importer, n *nodeProto, in []*operand) (*operand, error)) func(*importer, *nodeProto, []*operand) ([]*operand, error) {
	return func(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
		if err := need(in, least); err != nil {
			return nil, err
		}
		out, err := f(g, n, in)
		if err != nil {
			return nil, err
		}
		return []*operand{out}, nil
	}
}

// axesOf are a node's axes, an attribute or input k, sorted and not negative; all
// from the given one on where there are none.
func (n *nodeProto) axesOf(in []*operand, k, otherwise int) ([]int, error) {
	rank := len(in[0].dims)
	given, err := n.intsOf("axes", in, k)
	if err != nil {
		return nil, err
	}
	var out []int
	for _, a := range given {
		d, err := axis(a, rank)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	for d := otherwise; given == nil && d < rank; d++ {
		out = append(out, d)
	}
	slices.Sort(out)
	return out, nil
}
