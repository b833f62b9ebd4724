package onnx

import (
	"fmt"
	"sapf/models/format"
)

// foldConstants evaluates a node that reads constants only.
func foldConstants(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if n.op == "Constant" {
		c, err := constantNode(n)
		if err != nil {
			return nil, err
		}
		return constants(c), nil
	}
	if err := need(in, 1); err != nil {
		return nil, err
	}
	c, err := foldOne(g, n, in)
	if err != nil {
		return nil, err
	}
	return constants(c), nil
}

func constantNode(n *nodeProto) (*constant, error) {
	if a, ok := n.attrs["value"]; ok && a.t != nil {
		return a.t.value()
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
	return nil, fmt.Errorf("a constant without a number in it")
}

func foldOne(g *importer, n *nodeProto, in []*operand) (*constant, error) {
	c := in[0].c
	switch n.op {
	case "Identity", "Dropout":
		return c, nil
	case "Flatten", "Reshape", "Squeeze", "Unsqueeze":
		dims, err := viewDims(n, in)
		return &constant{dims: dims, f: c.f, i: c.i}, err
	case "Cast":
		return c.cast(n.int("to", 0))
	case "Transpose":
		perm := make([]int, len(c.dims))
		given := n.attrs["perm"].ints
		seen := map[int]bool{}
		for k := range perm {
			perm[k] = len(perm) - 1 - k
			if given != nil {
				if len(given) != len(perm) || given[k] < 0 || int(given[k]) >= len(perm) {
					return nil, fmt.Errorf("permutation %v of %v", given, c.dims)
				}
				perm[k] = int(given[k])
			}
			seen[perm[k]] = true
		}
		if len(seen) != len(perm) {
			return nil, fmt.Errorf("permutation %v of %v", given, c.dims)
		}
		return c.transpose(perm)
	case "Add", "Sub", "Mul", "Div":
		if err := need(in, 2); err != nil {
			return nil, err
		}
		return arithmetic(n.op, c, in[1].c)
	case "Gather":
		if err := need(in, 2); err != nil {
			return nil, err
		}
		k, err := axis(n.int("axis", 0), len(c.dims))
		if err != nil {
			return nil, err
		}
		return c.gather(k, in[1].c)
	case "Concat":
		k, err := axis(n.int("axis", 0), len(c.dims))
		if err != nil {
			return nil, err
		}
		var parts []*constant
		for _, v := range in {
			parts = append(parts, v.c)
		}
		return concatConstants(k, parts)
	case "Slice":
		specs, err := n.slices(in)
		for _, s := range specs {
			if err == nil {
				c, err = c.slice(s.axis, s.start, s.step, s.count)
			}
		}
		return c, err
	case "ConstantOfShape":
		return constantOfShape(n, c)
	}
	return nil, fmt.Errorf("operator %s on constants is not supported", n.op)
}

func constantOfShape(n *nodeProto, shape *constant) (*constant, error) {
	target, err := shape.integers()
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
		if value, err = a.t.value(); err != nil {
			return nil, err
		}
		if value.len() != 1 {
			return nil, fmt.Errorf("a value of %d numbers", value.len())
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
