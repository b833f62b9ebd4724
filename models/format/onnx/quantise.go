package onnx

import (
	"fmt"

	"sapf/models/engine"
)

// quantisation are the operators of networks in 8 bits (QDQ: each number is
// quantised and at once made a floating-point number again). Weights are what
// their bytes stand for. Of activations only the range is kept, not the rounding,
// which lets no gradient pass.
func quantisation() map[string]operator {
	return map[string]operator{
		"QuantizeLinear":   {in: 3, attrs: "axis saturate", lower: lowerQuantise},
		"DequantizeLinear": {in: 3, attrs: "axis", lower: lowerView, fold: foldDequantise},
	}
}

// lowerQuantise is (x / scale + zero point) held within 8 bits and taken back, as
// DequantizeLinear does after it: a clip.
func lowerQuantise(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, 2); err != nil {
		return nil, err
	}
	lo, hi, zero := 0.0, 255.0, 0.0
	if len(in) > 2 && in[2] != nil {
		if in[2].c == nil || in[2].c.len() != 1 || in[2].c.i == nil {
			return nil, fmt.Errorf("its zero point is not a constant integer")
		}
		zero = in[2].c.float(0)
		if in[2].c.signed {
			lo, hi = -128, 127
		}
	}
	if in[1].c == nil || in[1].c.len() != 1 {
		return nil, fmt.Errorf("its scale is not a constant number")
	}
	scale := in[1].c.float(0)
	g.note("activations of 8 bits keep their range but are not rounded, so that gradients pass straight through")
	return g.entrywise(n, in, &engine.Activation{Func: engine.Clip, Alpha: (lo - zero) * scale, Beta: (hi - zero) * scale})
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
