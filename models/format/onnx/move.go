package onnx

import (
	"fmt"

	"sapf/models/engine"
)

// moves are the operators that join, part and move entries.
func moves() map[string]operator {
	return map[string]operator{
		"Concat": {attrs: "axis", lower: lowerConcat, fold: foldConcat},
		"Split":  {in: 2, attrs: "axis split num_outputs", lower: lowerSplit},
		"Slice":  {in: 5, attrs: "starts ends axes", lower: lowerSlice, fold: foldSlice},
		"Gather": {in: 2, attrs: "axis", lower: lowerGather, fold: foldGather},
		"Pad":    {in: 4, attrs: "mode pads value", lower: lowerPad},
	}
}

// lowerArithmetic is Add, Sub, Mul or Div of two images, or of an image and a
// constant per channel.
func lowerArithmetic(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, 2); err != nil {
		return nil, err
	}
	a, b := in[0], in[1]
	if a.c == nil && b.c == nil && (a.rowsFirst || b.rowsFirst) {
		return nil, fmt.Errorf("two images, of them one of N x H x W x C, are not supported")
	}
	switch {
	case a.c == nil && b.c == nil:
		return g.combine(n, a, b)
	case a.c == nil:
		return g.affine(n, a, b.c, false)
	}
	return g.affine(n, b, a.c, true)
}

// combine joins two images.
func (g *importer) combine(n *nodeProto, a, b *operand) ([]*operand, error) {
	if len(a.dims) != len(b.dims) { // ONNX aligns the last axes, not the channels
		return nil, fmt.Errorf("images of shapes %v and %v, expected as many axes", a.dims, b.dims)
	}
	x, err := g.image(n, a)
	if err != nil {
		return nil, err
	}
	y, err := g.image(n, b)
	if err != nil {
		return nil, err
	}
	var op engine.Op = &engine.Add{}
	switch n.op {
	case "Sub":
		y = g.layer(&nodeProto{name: n.name + ".negate"}, &engine.Affine{Scale: []float64{-1}, Shift: []float64{0}}, false, y)[0].node
	case "Mul":
		op = &engine.Mul{}
	case "Div":
		return nil, fmt.Errorf("division of one image by another is not supported")
	}
	out := g.layer(n, op, false, x, y)
	if len(a.dims) == 2 && len(b.dims) == 2 {
		out[0].dims = out[0].dims[:2]
	}
	return out, nil
}

// affine is image op constant, or constant op image where swapped.
func (g *importer) affine(n *nodeProto, x *operand, c *constant, swapped bool) ([]*operand, error) {
	channel := 1
	if x.rowsFirst {
		channel = len(x.dims) - 1
	}
	channels := 1
	if len(x.dims) > 1 {
		channels = x.dims[channel]
	}
	per, err := perChannel(c, x.dims, channel)
	if err != nil {
		return nil, err
	}
	if len(per) > 1 && (channels != g.Shape(x.node).C || len(x.dims) < 2 || !x.rowsFirst && x.dims[0] != 1 && x.dims[0] != g.batch) {
		return nil, fmt.Errorf("a constant for %d channels, the layer has %d", len(per), g.Shape(x.node).C)
	}
	op := &engine.Affine{}
	for _, v := range per {
		scale, shift := 1.0, 0.0
		switch {
		case n.op == "Add":
			shift = v
		case n.op == "Sub" && swapped:
			scale, shift = -1, v
		case n.op == "Sub":
			shift = -v
		case n.op == "Mul":
			scale = v
		case swapped:
			return nil, fmt.Errorf("division of a constant by an image is not supported")
		case v == 0:
			return nil, fmt.Errorf("division by zero")
		default:
			scale = 1 / v
		}
		op.Scale, op.Shift = append(op.Scale, scale), append(op.Shift, shift)
	}
	return g.entrywise(n, []*operand{x}, op)
}

// perChannel reads a constant that broadcasts over everything but the
// channels, which are an axis of the image: one number, or one a channel.
func perChannel(c *constant, dims []int, channel int) ([]float64, error) {
	channelAt := len(c.dims) - len(dims) + channel // where that axis lies in c
	for d, k := range c.dims {
		if k != 1 && (d != channelAt || k != dims[channel]) {
			return nil, fmt.Errorf("a constant of shape %v beside an image of %v, expected one number or one a channel", c.dims, dims)
		}
	}
	if len(c.dims) > len(dims) {
		return nil, fmt.Errorf("a constant of shape %v beside an image of %v", c.dims, dims)
	}
	out := make([]float64, c.len())
	for k := range out {
		out[k] = c.float(k)
	}
	return out, nil
}

func lowerConcat(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, len(in)); err != nil {
		return nil, err
	}
	k, err := axis(n.int("axis", 1), len(in[0].dims))
	if err != nil {
		return nil, err
	}
	if k != 1 {
		return nil, fmt.Errorf("concatenation along axis %d, expected along the channels", k)
	}
	var nodes []int
	for _, v := range in {
		x, err := g.image(n, v)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, x)
	}
	return g.layer(n, &engine.Concat{}, len(in[0].dims) == 2, nodes...), nil
}

// channels is a slice [c0,c1) of the channels of v.
func (g *importer) channels(n *nodeProto, v *operand, c0, c1 int) (*operand, error) {
	x, err := g.image(n, v)
	if err != nil {
		return nil, err
	}
	if c0 < 0 || c1 <= c0 || c1 > g.Shape(x).C {
		return nil, fmt.Errorf("channels %d to %d of %d", c0, c1, g.Shape(x).C)
	}
	name := fmt.Sprintf("%s[%d:%d]", n.name, c0, c1)
	return g.layer(&nodeProto{name: name}, &engine.Slice{C0: c0, C1: c1, StrideH: 1, StrideW: 1}, len(v.dims) == 2, x)[0], nil
}

func lowerSplit(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	k, err := axis(n.int("axis", 0), len(in[0].dims))
	if err != nil {
		return nil, err
	}
	sizes, err := n.intsOf("split", in, 1)
	if err != nil {
		return nil, err
	}
	if k != 1 {
		return nil, fmt.Errorf("split along axis %d, expected along the channels", k)
	}
	if sizes == nil {
		parts := len(n.out)
		each := (in[0].dims[1] + parts - 1) / parts
		for at := 0; at < in[0].dims[1]; at += each {
			sizes = append(sizes, int64(min(each, in[0].dims[1]-at)))
		}
	}
	var out []*operand
	at := 0
	for _, size := range sizes {
		v, err := g.channels(n, in[0], at, at+int(size))
		if err != nil {
			return nil, err
		}
		at += int(size)
		out = append(out, v)
	}
	return out, nil
}

// sliceSpec is one axis of a Slice.
type sliceSpec struct{ axis, start, step, count int }

// slices reads Slice's attributes (opset below 10) or inputs.
func (n *nodeProto) slices(in []*operand) ([]sliceSpec, error) {
	var lists [4][]int64
	for k, name := range []string{"starts", "ends", "axes", "steps"} {
		var err error
		if lists[k], err = n.intsOf(name, in, k+1); err != nil {
			return nil, err
		}
	}
	starts, ends, axes, steps := lists[0], lists[1], lists[2], lists[3]
	if len(starts) != len(ends) || axes != nil && len(axes) != len(starts) || steps != nil && len(steps) != len(starts) {
		return nil, fmt.Errorf("slice %v to %v, axes %v, steps %v", starts, ends, axes, steps)
	}
	var out []sliceSpec
	for k := range starts {
		a := int64(k)
		if axes != nil {
			a = axes[k]
		}
		d, err := axis(a, len(in[0].dims))
		if err != nil {
			return nil, err
		}
		s := sliceSpec{axis: d, step: 1}
		if steps != nil {
			s.step = int(steps[k])
		}
		size := int64(in[0].dims[d])
		clamp := func(v, lo, hi int64) int64 {
			if v < 0 {
				v += size
			}
			return min(max(v, lo), hi)
		}
		switch {
		case s.step > 0:
			start, end := clamp(starts[k], 0, size), clamp(ends[k], 0, size)
			s.start, s.count = int(start), int(max(0, (end-start+int64(s.step)-1)/int64(s.step)))
		case s.step < 0:
			start, end := clamp(starts[k], 0, size-1), clamp(ends[k], -1, size-1)
			s.start, s.count = int(start), int(max(0, (start-end-int64(s.step)-1)/int64(-s.step)))
		default:
			return nil, fmt.Errorf("slice with step 0")
		}
		out = append(out, s)
	}
	return out, nil
}

func lowerSlice(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	specs, err := n.slices(in)
	if err != nil {
		return nil, err
	}
	x, err := g.image(n, in[0])
	if err != nil {
		return nil, err
	}
	op := &engine.Slice{StrideH: 1, StrideW: 1}
	for _, s := range specs {
		size := in[0].dims[s.axis]
		whole := s.start == 0 && s.step == 1 && s.count == size
		switch {
		case whole:
		case s.axis == 1 && s.step == 1 && s.count > 0:
			op.C0, op.C1 = s.start, s.start+s.count
		case s.axis == 2 && s.start == 0 && s.step > 0 && s.count == (size+s.step-1)/s.step:
			op.StrideH = s.step
		case s.axis == 3 && s.start == 0 && s.step > 0 && s.count == (size+s.step-1)/s.step:
			op.StrideW = s.step
		default:
			return nil, fmt.Errorf("slice of %d entries from %d by %d along axis %d of %v is not supported", s.count, s.start, s.step, s.axis, in[0].dims)
		}
	}
	return g.layer(n, op, len(in[0].dims) == 2, x), nil
}

// lowerGather takes one channel, as x[:, 0] is exported.
func lowerGather(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, 2); err != nil {
		return nil, err
	}
	k, err := axis(n.int("axis", 0), len(in[0].dims))
	if err != nil {
		return nil, err
	}
	if k != 1 || in[1].c == nil || in[1].c.len() != 1 || len(in[1].dims) > 1 {
		return nil, fmt.Errorf("gather along axis %d with indices of shape %v, expected one channel", k, in[1].dims)
	}
	at, err := in[1].c.integers()
	if err != nil {
		return nil, err
	}
	c := int(at[0])
	if c < 0 {
		c += in[0].dims[1]
	}
	v, err := g.channels(n, in[0], c, c+1)
	if err != nil {
		return nil, err
	}
	if len(in[1].dims) == 0 { // the axis goes
		v.dims = append([]int{v.dims[0]}, v.dims[2:]...)
	}
	return []*operand{v}, nil
}

func lowerPad(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if mode := n.attrs["mode"].s; mode != "" && mode != "constant" {
		return nil, fmt.Errorf("mode %q, expected constant", mode)
	}
	pads, err := n.intsOf("pads", in, 1)
	if err != nil {
		return nil, err
	}
	value := n.float("value", 0)
	if len(in) > 2 && in[2] != nil {
		if in[2].c == nil || in[2].c.len() != 1 {
			return nil, fmt.Errorf("the value to pad with is not a constant number")
		}
		value = in[2].c.float(0)
	}
	if len(in[0].dims) != 4 || len(pads) != 8 || pads[0] != 0 || pads[1] != 0 || pads[4] != 0 || pads[5] != 0 {
		return nil, fmt.Errorf("pads %v of an image of %v, expected rows and columns only", pads, in[0].dims)
	}
	for _, p := range pads {
		if p < 0 || p > maxWindow {
			return nil, fmt.Errorf("pads %v, expected 0 to %d", pads, maxWindow)
		}
	}
	x, err := g.image(n, in[0])
	if err != nil {
		return nil, err
	}
	op := &engine.Pad2D{Pad: engine.Padding{Top: int(pads[2]), Left: int(pads[3]), Bottom: int(pads[6]), Right: int(pads[7])}, Value: value}
	return g.layer(n, op, false, x), nil
}
