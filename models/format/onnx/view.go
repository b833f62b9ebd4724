package onnx

import (
	"fmt"

	"sapf/models/engine"
)

// shapes are the operators that change the shape only, and those that work on
// shapes.
func shapes() map[string]operator {
	return map[string]operator{
		"Constant":        {attrs: "value value_int value_ints value_float value_floats", fold: foldConstant},
		"ConstantOfShape": {in: 1, attrs: "value", fold: foldConstantOfShape},
		"Shape":           {in: 1, anyType: true, rowsFirst: true, attrs: "start end", lower: lowerShape, fold: shapeOf},
		"Flatten":         {in: 1, anyType: true, rowsFirst: true, attrs: "axis", lower: lowerView, fold: foldView},
		"Reshape":         {in: 2, anyType: true, rowsFirst: true, attrs: "shape allowzero", lower: lowerView, fold: foldView},
		"Squeeze":         {in: 2, anyType: true, rowsFirst: true, attrs: "axes", lower: lowerView, fold: foldView},
		"Unsqueeze":       {in: 2, anyType: true, rowsFirst: true, attrs: "axes", lower: lowerView, fold: foldView},
		"Identity":        {in: 1, anyType: true, rowsFirst: true, lower: lowerView, fold: foldView},
		"Dropout":         {in: 3, rowsFirst: true, attrs: "ratio seed", lower: lowerDropout, fold: foldView},
		"Cast":            {in: 1, anyType: true, rowsFirst: true, attrs: "to saturate", lower: lowerCast, fold: foldCast},
		"Transpose":       {in: 1, anyType: true, rowsFirst: true, attrs: "perm", lower: lowerTranspose, fold: foldTranspose},
	}
}

// viewDims is the shape that a view operator gives a value of shape dims.
func viewDims(n *nodeProto, in []*operand) ([]int, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	dims := in[0].dims
	switch n.op {
	case "Flatten":
		k := int(n.int("axis", 1))
		if k < 0 {
			k += len(dims)
		}
		if k < 0 || k > len(dims) {
			return nil, fmt.Errorf("flatten at axis %d of %v, expected %d to %d", k, dims, -len(dims), len(dims))
		}
		return []int{product(dims[:k]), product(dims[k:])}, nil
	case "Reshape":
		target, err := n.intsOf("shape", in, 1)
		if err != nil {
			return nil, err
		}
		if n.int("allowzero", 0) != 0 {
			for _, d := range target {
				if d == 0 {
					return nil, fmt.Errorf("reshape to %v, which is empty (allowzero), expected lengths of at least 1", target)
				}
			}
		}
		return reshapeDims(dims, target)
	case "Squeeze", "Unsqueeze":
		axes, err := n.intsOf("axes", in, 1)
		if err != nil {
			return nil, err
		}
		return squeeze(n.op == "Unsqueeze", dims, axes)
	}
	return dims, nil // Identity, Dropout
}

// squeeze drops axes of length 1, or puts them in.
func squeeze(in bool, dims []int, axes []int64) ([]int, error) {
	rank := len(dims)
	if in {
		rank += len(axes)
	}
	at := map[int]bool{}
	for _, a := range axes {
		k, err := axis(a, rank)
		if err != nil {
			return nil, err
		}
		at[k] = true
	}
	if in && len(at) != len(axes) {
		return nil, fmt.Errorf("axes %v to put in, expected each once", axes)
	}
	out := []int{}
	next := 0
	for k := range rank {
		switch {
		case in && at[k]:
			out = append(out, 1)
		case in:
			out = append(out, dims[next])
			next++
		case at[k] && dims[k] != 1:
			return nil, fmt.Errorf("squeeze of axis %d of %v, expected one of length 1", k, dims)
		case at[k] || axes == nil && dims[k] == 1:
		default:
			out = append(out, dims[k])
		}
	}
	return out, nil
}

// lowerView changes the shape only.
func lowerView(_ *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	dims, err := viewDims(n, in)
	if err != nil {
		return nil, err
	}
	return []*operand{viewed(in[0], dims...)}, nil
}

// lowerTranspose is a view where only axes of length 1 move, and a channel
// shuffle where groups and channels change places (N x g x c x H x W).
func lowerTranspose(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	dims := in[0].dims
	perm := n.attrs["perm"].ints
	if len(perm) != len(dims) {
		return nil, fmt.Errorf("permutation %v of %v, expected each of its %d axes once", perm, dims, len(dims))
	}
	out := make([]int, len(perm))
	var order []int64 // of the axes longer than 1
	sorted := true
	seen := map[int64]bool{}
	for k, p := range perm {
		if p < 0 || int(p) >= len(dims) || seen[p] {
			return nil, fmt.Errorf("permutation %v of %v, expected each of its %d axes once", perm, dims, len(dims))
		}
		seen[p] = true
		out[k] = dims[p]
		if dims[p] != 1 {
			sorted = sorted && (len(order) == 0 || order[len(order)-1] < p)
			order = append(order, p)
		}
	}
	s := g.Shape(in[0].node)
	if in[0].rowsFirst {
		v := g.turned(in[0], perm)
		if v == nil {
			return nil, fmt.Errorf("permutation %v of %v in rows", perm, dims)
		}
		return []*operand{v}, nil
	}
	if sorted {
		return []*operand{viewed(in[0], out...)}, nil
	}
	if len(dims) == 5 && perm[0] == 0 && perm[1] == 2 && perm[2] == 1 && perm[3] == 3 && perm[4] == 4 &&
		dims[1]*dims[2] == s.C && dims[3] == s.H && dims[4] == s.W {
		v := g.layer(n, &engine.ChannelShuffle{Groups: dims[1]}, false, in[0].node)
		v[0].dims = out
		return v, nil
	}
	return nil, fmt.Errorf("permutation %v of %v is not supported", perm, dims)
}

// lowerDropout is the identity, unless the graph was exported for training.
func lowerDropout(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if len(in) > 2 && in[2] != nil && (in[2].c == nil || in[2].c.len() != 1 || in[2].c.float(0) != 0) {
		return nil, fmt.Errorf("it drops entries at random, as in training: export the model after eval()")
	}
	return lowerView(g, n, in)
}

// lowerCast is the identity between types of floating-point numbers. A cast of
// the image to integers is a staircase, and no operator that we have.
func lowerCast(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if in[0].truth && elementTypes[n.int("to", 0)] != "" { // 0 or 1 in every type
		return []*operand{in[0]}, nil
	}
	switch to := elementTypes[n.int("to", 0)]; to {
	case "F32", "F64":
	case "F16", "BF16":
		g.note("half-precision numbers are computed in float32: its casts to %s do not round", to)
	default:
		return nil, fmt.Errorf("a cast of the image to element type %d, expected one to floating-point numbers: it rounds, so that no gradient passes", n.int("to", 0))
	}
	out, err := lowerView(g, n, in)
	if err == nil {
		out[0].bytes, out[0].truth = false, false
	}
	return out, err
}

// lowerShape is the shape of a layer's output, a constant.
func lowerShape(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	c, err := shapeOf(g, n, in)
	if err != nil {
		return nil, err
	}
	return constants(c), nil
}
