package onnx

import (
	"fmt"
	"math"

	"sapf/models/engine"
)

// quantisation are the operators of networks in 8 bits (QDQ: each number is
// quantised and at once made a floating-point number again). Numbers are what
// their bytes stand for. The rounding of activations is computed, and the gradient
// passes through it as if it were not there (the straight-through estimator of
// Bengio, Leonard and Courville, 2013), but not beyond the range.
func quantisation() map[string]operator {
	return map[string]operator{
		"QuantizeLinear":   {in: 3, attrs: "axis saturate output_dtype", lower: lowerQuantise, fold: foldQuantise},
		"DequantizeLinear": {in: 3, attrs: "axis output_dtype", lower: lowerView, fold: foldDequantise},
	}
}

// quantiser is q = clamp(round(x / scale) + zero), lo <= q <= hi.
type quantiser struct{ scale, zero, lo, hi float64 }

// quantiser reads the inputs and attributes of a QuantizeLinear, which must be of
// the whole tensor.
func (n *nodeProto) quantiser(in []*operand) (q quantiser, err error) {
	if err := need(in, 2); err != nil {
		return q, err
	}
	if in[1].c == nil || in[1].c.len() != 1 {
		return q, fmt.Errorf("its scale is not a constant number: of activations only one scale a tensor is supported")
	}
	q.scale = in[1].c.float(0)
	if !(q.scale > 0) || math.IsInf(q.scale, 0) {
		return q, fmt.Errorf("its scale is %v, expected a positive number", q.scale)
	}
	dtype := n.int("output_dtype", 0)
	if len(in) > 2 && in[2] != nil {
		if in[2].c == nil || in[2].c.len() != 1 || in[2].c.i == nil {
			return q, fmt.Errorf("its zero point is not a constant integer")
		}
		q.zero = in[2].c.float(0)
		if in[2].c.dtype != 0 {
			dtype = in[2].c.dtype
		}
	}
	switch elementTypes[dtype] {
	case "U8", "":
		q.hi = math.MaxUint8
		if elementTypes[dtype] == "" && dtype != 0 {
			return q, fmt.Errorf("element type %d, expected integers of 8 or 16 bits", dtype)
		}
	case "I8":
		q.lo, q.hi = math.MinInt8, math.MaxInt8
	case "U16":
		q.hi = math.MaxUint16
	case "I16":
		q.lo, q.hi = math.MinInt16, math.MaxInt16
	default:
		return q, fmt.Errorf("element type %d, expected integers of 8 or 16 bits", dtype)
	}
	return q, nil
}

// lowerQuantise is the number that the quantised one stands for, what
// DequantizeLinear makes of it.
func lowerQuantise(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	q, err := n.quantiser(in)
	if err != nil {
		return nil, err
	}
	g.note("activations are rounded to whole steps, as the file says; gradients pass straight through the rounding, and not beyond its range")
	x := in[0]
	for _, op := range []engine.Op{
		&engine.Affine{Scale: []float64{1 / q.scale}, Shift: []float64{0}},
		&engine.Activation{Func: engine.Quantise, Alpha: q.lo - q.zero, Beta: q.hi - q.zero},
		&engine.Affine{Scale: []float64{q.scale}, Shift: []float64{0}},
	} {
		out, err := g.entrywise(n, []*operand{x}, op)
		if err != nil {
			return nil, err
		}
		x = out[0]
	}
	return []*operand{x}, nil
}

// foldQuantise is q of a constant.
func foldQuantise(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	q, err := n.quantiser(in)
	if err != nil {
		return nil, err
	}
	out := &constant{dims: in[0].c.dims, i: make([]int64, in[0].c.len())}
	for k := range out.i {
		v := math.RoundToEven(float64(float32(in[0].c.float(k))/float32(q.scale))) + q.zero
		out.i[k] = int64(math.Min(math.Max(v, q.lo), q.hi))
	}
	return out, nil
}

// foldDequantise is (q - zero point) scale, with one of each, or one along an
// axis.
func foldDequantise(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, 2); err != nil {
		return nil, err
	}
	q, scale := in[0].c, in[1].c
	zero := &constant{i: []int64{0}}
	if len(in) > 2 && in[2] != nil {
		zero = in[2].c
	}
	if q.i == nil || scale.f == nil || zero.i == nil || zero.len() != 1 && zero.len() != scale.len() {
		return nil, fmt.Errorf("expected integers, scales and as many zero points")
	}
	along, inner := 1, 1
	if scale.len() != 1 {
		k, err := axis(n.int("axis", 1), len(q.dims))
		if err != nil {
			return nil, err
		}
		if along = q.dims[k]; along != scale.len() {
			return nil, fmt.Errorf("%d scales for %d entries of axis %d", scale.len(), along, k)
		}
		inner = product(q.dims[k+1:])
	}
	out := &constant{dims: q.dims, f: make([]float32, len(q.i))}
	for i, v := range q.i {
		c := i / inner % along
		z := zero.i[0]
		if zero.len() > 1 {
			z = zero.i[c]
		}
		out.f[i] = float32(float64(v-z) * float64(scale.f[c]))
	}
	return out, nil
}
