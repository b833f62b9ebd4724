package onnx

import (
	"fmt"

	"sapf/models/engine"
)

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
			return nil, fmt.Errorf("axis %d of %v", k, dims)
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
					return nil, fmt.Errorf("reshape to an empty %v", target)
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
	return dims, nil // Identity, Dropout, Cast
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
		return nil, fmt.Errorf("axes %v", axes)
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
			return nil, fmt.Errorf("squeeze of axis %d of %v", k, dims)
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
	return []*operand{{node: in[0].node, dims: dims}}, nil
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
		return nil, fmt.Errorf("permutation %v of %v", perm, dims)
	}
	out := make([]int, len(perm))
	var order []int64 // of the axes longer than 1
	sorted := true
	seen := map[int64]bool{}
	for k, p := range perm {
		if p < 0 || int(p) >= len(dims) || seen[p] {
			return nil, fmt.Errorf("permutation %v of %v", perm, dims)
		}
		seen[p] = true
		out[k] = dims[p]
		if dims[p] != 1 {
			sorted = sorted && (len(order) == 0 || order[len(order)-1] < p)
			order = append(order, p)
		}
	}
	if sorted {
		return []*operand{{node: in[0].node, dims: out}}, nil
	}
	s := g.Shape(in[0].node)
	if len(dims) == 5 && perm[0] == 0 && perm[1] == 2 && perm[2] == 1 && perm[3] == 3 && perm[4] == 4 &&
		dims[1]*dims[2] == s.C && dims[3] == s.H && dims[4] == s.W {
		v := g.layer(n, &engine.ChannelShuffle{Groups: dims[1]}, false, in[0].node)
		v[0].dims = out
		return v, nil
	}
	return nil, fmt.Errorf("permutation %v of %v is not supported", perm, dims)
}
