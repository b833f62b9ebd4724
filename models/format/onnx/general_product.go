package onnx

import (
	"fmt"

	"sapf/models/engine"
	"sapf/models/engine/nd"
)

// products are the operators that multiply matrices.
func products() map[string]operator {
	return map[string]operator{
		"MatMul":    {general: generic(2, matMulGeneral)},
		"Gemm":      {general: generic(2, gemmGeneral)},
		"Einsum":    {attrs: "equation", general: generic(1, einsum)},
		"Attention": {in: 7, attrs: "is_causal kv_num_heads q_num_heads qk_matmul_output_mode scale softcap softmax_precision", general: attention},
	}
}

// rowsTimes multiplies each row, the last axis, with a constant matrix of in x
// out: a convolution of 1x1 where the rows are the channels of pixels.
func (g *importer) rowsTimes(n *nodeProto, x *operand, w *constant, bias []float32) (*operand, error) {
	if g.batch != 1 {
		return nil, fmt.Errorf("the file is for batches of %d images: export it for one image, or for any number", g.batch)
	}
	k, out := w.dims[0], w.dims[1]
	if len(x.dims) < 1 || x.dims[len(x.dims)-1] != k || k < 1 || out < 1 {
		return nil, fmt.Errorf("rows of %v and a matrix of %v", x.dims, w.dims)
	}
	t, err := w.transpose([]int{1, 0})
	if err != nil {
		return nil, err
	}
	s := g.Shape(x.node)
	if s.C != k || !x.rowsFirst && s.H*s.W > 1 {
		s = engine.Shape{C: k, H: 1, W: product(x.dims) / k}
		x = g.lay(n, x, s, true)
	}
	op := &engine.Conv{In: k, Out: out, Groups: 1, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, W: t.f, B: bias}
	v := g.layer(n, op, false, x.node)[0]
	v.dims, v.rowsFirst = append(append([]int{}, x.dims[:len(x.dims)-1]...), out), true
	return v, nil
}

func matMulGeneral(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	a, b := in[0], in[1]
	if len(a.dims) < 1 || len(b.dims) < 1 {
		return nil, fmt.Errorf("a product of %v and %v", a.dims, b.dims)
	}
	if a.c == nil && b.c != nil && b.c.f != nil && len(b.dims) == 2 {
		return g.rowsTimes(n, a, b.c, nil)
	}
	// A vector is a matrix of one row or column, which goes again.
	vectorA, vectorB := len(a.dims) == 1, len(b.dims) == 1
	if vectorA {
		a = viewed(a, 1, a.dims[0])
	}
	if vectorB {
		b = viewed(b, b.dims[0], 1)
	}
	out, err := g.array(n, nd.MatMul{}, a, b)
	if err != nil {
		return nil, err
	}
	d := append([]int{}, out.dims...)
	if vectorB {
		d = d[:len(d)-1]
	}
	if vectorA {
		at := len(out.dims) - 2
		d = append(d[:at], d[at+1:]...)
	}
	return viewed(out, d...), nil
}

func gemmGeneral(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	a, b, c := in[0], in[1], optional(in, 2)
	if len(a.dims) != 2 || len(b.dims) != 2 {
		return nil, fmt.Errorf("matrices of %v and %v", a.dims, b.dims)
	}
	alpha, beta := n.float("alpha", 1), n.float("beta", 1)
	flip := func(v *operand, by string) (*operand, error) {
		if n.int(by, 0) == 0 {
			return v, nil
		}
		out, err := movers()["Transpose"].general(g, &nodeProto{op: "Transpose", name: n.name + "." + by, out: n.out, attrs: map[string]attrProto{"perm": {ints: []int64{1, 0}}}}, []*operand{v})
		if err != nil {
			return nil, err
		}
		return out[0], nil
	}
	var err error
	if a, err = flip(a, "transA"); err == nil {
		b, err = flip(b, "transB")
	}
	if err != nil {
		return nil, err
	}
	var out *operand
	if a.c == nil && b.c != nil && b.c.f != nil {
		w := &constant{dims: b.c.dims, f: scaled(b.c.f, alpha)}
		if c != nil && c.c != nil && c.c.f != nil && c.c.len() == w.dims[1] && c.dims[len(c.dims)-1] == w.dims[1] {
			return g.rowsTimes(n, a, w, scaled(c.c.f, beta))
		}
		out, err = g.rowsTimes(n, a, w, nil)
	} else if out, err = g.array(n, nd.MatMul{}, a, b); err == nil && alpha != 1 {
		out, err = g.scaled(n, out, alpha, 0)
	}
	if err != nil || c == nil {
		return out, err
	}
	if beta != 1 {
		if c, err = g.scaled(n, c, beta, 0); err != nil {
			return nil, err
		}
	}
	return g.pair(n, "Add", out, c)
}

func einsum(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	var ranks []int
	var args []any
	if err := need(in, len(in)); err != nil {
		return nil, err
	}
	for _, v := range in {
		ranks, args = append(ranks, len(v.dims)), append(args, v)
	}
	f, err := nd.ParseEinsum(n.attrs["equation"].s, ranks)
	if err != nil {
		return nil, err
	}
	return g.array(n, f, args...)
}
