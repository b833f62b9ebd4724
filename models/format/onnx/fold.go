package onnx

import (
	"fmt"
	"sapf/models/format"
)

// foldConstant is the number or tensor in a Constant.
func foldConstant(_ *importer, n *nodeProto, _ []*operand) (*constant, error) {
	if a, ok := n.attrs["value"]; ok && a.t != nil {
		return a.t.value(nil)
	}
	if a, ok := n.attrs["value_int"]; ok {
		return &constant{i: []int64{a.i}}, nil
	}
	if a, ok := n.attrs["value_ints"]; ok {
		return ints(a.ints...), nil
	}
	if a, ok := n.attrs["value_float"]; ok {
		return &constant{f: []float32{a.f}}, nil
	}
	if a, ok := n.attrs["value_floats"]; ok {
		return &constant{dims: []int{len(a.floats)}, f: a.floats}, nil
	}
	return nil, fmt.Errorf("a constant without a number in it, expected value, value_int(s) or value_float(s)")
}

// shapeOf is the shape of a value, from its axis start up to end.
func shapeOf(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	rank := int64(len(in[0].dims))
	clamp := func(v int64) int64 {
		if v < 0 {
			v += rank
		}
		return min(max(v, 0), rank)
	}
	out := []int64{}
	for _, d := range in[0].dims[clamp(n.int("start", 0)):max(clamp(n.int("start", 0)), clamp(n.int("end", rank)))] {
		out = append(out, int64(d))
	}
	return ints(out...), nil
}

func foldView(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	dims, err := viewDims(n, in)
	if err != nil {
		return nil, err
	}
	return &constant{dims: dims, f: in[0].c.f, i: in[0].c.i}, nil
}

func foldCast(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	return in[0].c.cast(n.int("to", 0))
}

func foldTranspose(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	c := in[0].c
	perm := make([]int, len(c.dims))
	given := n.attrs["perm"].ints
	seen := map[int]bool{}
	for k := range perm {
		perm[k] = len(perm) - 1 - k
		if given != nil {
			if len(given) != len(perm) || given[k] < 0 || int(given[k]) >= len(perm) {
				return nil, fmt.Errorf("permutation %v of %v, expected each of its %d axes once", given, c.dims, len(c.dims))
			}
			perm[k] = int(given[k])
		}
		seen[perm[k]] = true
	}
	if len(seen) != len(perm) {
		return nil, fmt.Errorf("permutation %v of %v, expected each of its %d axes once", given, c.dims, len(c.dims))
	}
	return c.transpose(perm)
}

func foldArithmetic(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, 2); err != nil {
		return nil, err
	}
	return arithmetic(n.op, in[0].c, in[1].c)
}

func foldGather(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, 2); err != nil {
		return nil, err
	}
	k, err := axis(n.int("axis", 0), len(in[0].dims))
	if err != nil {
		return nil, err
	}
	return in[0].c.gather(k, in[1].c)
}

func foldConcat(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, max(1, len(in))); err != nil {
		return nil, err
	}
	k, err := axis(n.int("axis", 0), len(in[0].dims))
	if err != nil {
		return nil, err
	}
	var parts []*constant
	for _, v := range in {
		parts = append(parts, v.c)
	}
	return concatConstants(k, parts)
}

func foldSlice(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	c := in[0].c
	specs, err := n.slices(in)
	for _, s := range specs {
		if err == nil {
			c, err = c.slice(s.axis, s.start, s.step, s.count)
		}
	}
	return c, err
}

// foldConstantOfShape repeats one number.
func foldConstantOfShape(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	target, err := in[0].c.integers()
	if err != nil {
		return nil, err
	}
	out := &constant{dims: []int{}}
	for _, d := range target {
		out.dims = append(out.dims, int(d))
	}
	count, err := format.CheckShape(out.dims, 1<<16)
	if err != nil {
		return nil, err
	}
	value := &constant{f: []float32{0}}
	if a := n.attrs["value"]; a.t != nil {
		if value, err = a.t.value(nil); err != nil {
			return nil, err
		}
		if value.len() != 1 {
			return nil, fmt.Errorf("a value of %d numbers to fill with, expected one", value.len())
		}
	}
	if value.i != nil {
		out.i = make([]int64, count)
		for k := range out.i {
			out.i[k] = value.i[0]
		}
		return out, nil
	}
	out.f = make([]float32, count)
	for k := range out.f {
		out.f[k] = value.f[0]
	}
	return out, nil
}
