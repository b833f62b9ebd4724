package onnx

import (
	"fmt"
	"math"
	"strings"

	"sapf/models/engine"
	"sapf/models/engine/nd"
)

// samplers are the operators that choose entries by what the image says.
func samplers() map[string]operator {
	return map[string]operator{
		"GridSample": {in: 2, attrs: "align_corners mode padding_mode", general: generic(2, gridSample)},
		"TopK":       {in: 2, attrs: "axis k largest sorted", general: generic(1, topK)},
		"IsNaN":      {in: 1, general: generic(1, isNaN)},
		"IsInf":      {in: 1, attrs: "detect_negative detect_positive", general: generic(1, isInf)},
	}
}

// gridSample reads images at the places of a grid.
func gridSample(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	f := &nd.GridSample{Mode: "linear", Padding: "zeros", AlignCorners: n.int("align_corners", 0) != 0}
	if a, ok := n.attrs["mode"]; ok {
		f.Mode = strings.TrimPrefix(a.s, "bi") // bilinear and bicubic before opset 20
	}
	if a, ok := n.attrs["padding_mode"]; ok {
		f.Padding = a.s
	}
	if f.Mode == "nearest" {
		g.steps(n, in[1:])
	}
	return g.array(n, f, in[0], in[1])
}

// topK are the largest entries; where they were is not given.
func topK(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	k, err := axis(n.int("axis", -1), len(in[0].dims))
	if err != nil {
		return nil, err
	}
	count, err := n.intsOf("k", in, 1)
	if a, ok := n.attrs["k"]; ok && count == nil { // before opset 10
		count = []int64{a.i}
	}
	if err != nil || len(count) != 1 || count[0] < 0 || count[0] > math.MaxInt32 {
		return nil, fmt.Errorf("k of %v (%v), expected one number that does not depend on the image", count, err)
	}
	return g.array(n, &nd.TopK{Axis: k, K: int(count[0]), Smallest: n.int("largest", 1) == 0}, in[0])
}

// isNaN is what differs from itself.
func isNaN(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	same, err := g.pair(n, "Equal", in[0], in[0])
	if err != nil {
		return nil, err
	}
	return g.truth(g.each(n, same, engine.Activation{Func: engine.Not}))
}

// isInf is what is larger than every number.
func isInf(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	if n.int("detect_negative", 1) == 0 || n.int("detect_positive", 1) == 0 {
		return nil, fmt.Errorf("infinities of one sign, expected of both")
	}
	size, err := g.each(n, in[0], engine.Activation{Func: engine.Abs})
	if err != nil {
		return nil, err
	}
	return g.truth(g.pair(n, "Greater", size, constants(&constant{f: []float32{math.MaxFloat32}})[0]))
}

// truth marks a value that is 0 or 1.
func (g *importer) truth(v *operand, err error) (*operand, error) {
	if err != nil {
		return nil, err
	}
	v.truth = true
	if v.c != nil {
		v.c = arrayConstant(v.dims, v.c.float64s(), true)
	}
	return v, nil
}
