package onnx

import (
	"fmt"
	"math"
	"strings"

	"sapf/models/engine"
	"sapf/models/engine/nd"
)

// reductions are the operators that sum, normalise or compare along axes.
func reductions() map[string]operator {
	rows := map[string]operator{
		"Softmax":                   {in: 1, attrs: "axis", general: generic(1, softmaxGeneral)},
		"LogSoftmax":                {in: 1, attrs: "axis", general: generic(1, softmaxGeneral)},
		"LayerNormalization":        {in: 3, attrs: "axis epsilon stash_type", general: generic(2, layerNorm)},
		"RMSNormalization":          {in: 2, attrs: "axis epsilon stash_type", general: generic(2, layerNorm)},
		"InstanceNormalization":     {in: 3, attrs: "epsilon", general: generic(3, groupNorm)},
		"GroupNormalization":        {in: 3, attrs: "epsilon num_groups stash_type", general: generic(3, groupNorm)},
		"BatchNormalization":        {general: generic(5, batchNormGeneral)},
		"MeanVarianceNormalization": {in: 1, attrs: "axes", general: generic(1, meanVariance)},
		"LpNormalization":           {in: 1, attrs: "axis p", general: generic(1, lpNorm)},
		"LRN":                       {in: 1, attrs: "alpha beta bias size", general: generic(1, localResponse)},
		"GlobalAveragePool":         {general: generic(1, globalPool)},
		"GlobalMaxPool":             {general: generic(1, globalPool)},
		"CumSum":                    {in: 2, attrs: "exclusive reverse", general: generic(2, cumulative)},
	}
	for _, name := range []string{"Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"} {
		rows["Reduce"+name] = operator{in: 2, attrs: "axes keepdims noop_with_empty_axes", general: generic(1, reduceGeneral)}
	}
	return rows
}

func softmaxGeneral(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	rank, first := len(in[0].dims), int64(-1)
	if g.opset < 13 {
		first = 1
	}
	k, err := axis(n.int("axis", first), rank)
	if err != nil {
		return nil, err
	}
	f := &nd.Softmax{Axes: []int{k}, Log: n.op == "LogSoftmax"}
	for d := k + 1; g.opset < 13 && d < rank; d++ { // it flattened what follows
		f.Axes = append(f.Axes, d)
	}
	return g.array(n, f, in[0])
}

// affine multiplies and adds constants that may be nil.
func (g *importer) scaleShift(n *nodeProto, v, scale, shift *operand) (*operand, error) {
	for k, c := range []*operand{scale, shift} {
		if c == nil {
			continue
		}
		op := []string{"Mul", "Add"}[k]
		step := &nodeProto{name: n.name + "." + strings.ToLower(op), op: op, out: n.out}
		if c.c != nil && v.c == nil {
			if out, err := g.affine(step, v, c.c, false); err == nil {
				v = out[0]
				continue
			}
		}
		out, err := g.pair(step, op, v, c)
		if err != nil {
			return nil, err
		}
		v = out
	}
	return v, nil
}

func optional(in []*operand, k int) *operand {
	if k < len(in) {
		return in[k]
	}
	return nil
}

// layerNorm is over the axes from one on; scale and shift have their shape.
func layerNorm(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	k, err := axis(n.int("axis", -1), len(in[0].dims))
	if err != nil {
		return nil, err
	}
	f := &nd.Norm{Eps: n.float("epsilon", 1e-5), Root: n.op == "RMSNormalization"}
	for d := k; d < len(in[0].dims); d++ {
		f.Axes = append(f.Axes, d)
	}
	out, err := g.array(n, f, in[0])
	if err != nil {
		return nil, err
	}
	return g.scaleShift(n, out, in[1], optional(in, 2))
}

// groupNorm is over the channels of a group and all that follows; an instance is
// a group of one channel.
func groupNorm(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	d := in[0].dims
	if len(d) < 2 || product(d) == 0 {
		return nil, fmt.Errorf("input of shape %v, expected N x C and more", d)
	}
	groups := int64(d[1])
	if n.op == "GroupNormalization" {
		groups = n.int("num_groups", 0)
	}
	if groups < 1 || int64(d[1])%groups != 0 {
		return nil, fmt.Errorf("%d channels in %d groups", d[1], groups)
	}
	v := viewed(in[0], d[0], int(groups), product(d)/d[0]/int(groups))
	out, err := g.array(n, &nd.Norm{Axes: []int{2}, Eps: n.float("epsilon", 1e-5)}, v)
	if err != nil {
		return nil, err
	}
	out = viewed(out, d...)
	var by [2]*operand
	for k := range by {
		c := in[k+1]
		if c.c == nil || len(c.dims) != 1 {
			return nil, fmt.Errorf("input %d of shape %v, expected a constant vector", k+1, c.dims)
		}
		if c.dims[0] != d[1] && c.dims[0] == int(groups) { // up to opset 20: one a group
			per := d[1] / int(groups)
			if c, err = spreadConstant(c.c, per); err != nil {
				return nil, err
			}
		}
		if c.dims[0] != d[1] {
			return nil, fmt.Errorf("input %d of shape %v for %d channels", k+1, c.dims, d[1])
		}
		by[k] = perChannelView(c, len(d))
	}
	return g.scaleShift(n, out, by[0], by[1])
}

// spreadConstant repeats each entry.
func spreadConstant(c *constant, times int) (*operand, error) {
	out, err := c.pick([]int{c.dims[0] * times}, func(index []int) int { return index[0] / times })
	if err != nil {
		return nil, err
	}
	return constants(out)[0], nil
}

// perChannelView is a vector along axis 1 of an array of that rank.
func perChannelView(v *operand, rank int) *operand {
	dims := []int{product(v.dims)}
	for range rank - 2 {
		dims = append(dims, 1)
	}
	return viewed(v, dims...)
}

func batchNormGeneral(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	d := in[0].dims
	err := inference(n)
	if err != nil && in[0].c != nil && len(d) >= 2 {
		return standardised(g, n, in)
	}
	if err != nil {
		return nil, err
	}
	scale, shift := number{}, number{}
	for k := 1; k < 5; k++ {
		if in[k].c == nil || len(d) < 2 || in[k].c.len() != d[1] {
			return nil, fmt.Errorf("input %d of shape %v beside an input of %v, expected a constant a channel", k, in[k].dims, d)
		}
	}
	scale.dims = perChannelView(in[1], len(d)).dims
	shift.dims = scale.dims
	for c := range d[1] {
		s := in[1].c.float(c) / math.Sqrt(in[4].c.float(c)+n.float("epsilon", 1e-5))
		scale.v = append(scale.v, s)
		shift.v = append(shift.v, in[2].c.float(c)-float64(in[3].c.float(c)*s))
	}
	out, err := g.array(n, &nd.Binary{Name: "Mul"}, in[0], scale)
	if err != nil {
		return nil, err
	}
	return g.array(n, &nd.Binary{Name: "Add"}, out, shift)
}

// standardised normalises weights by their own statistics, channel by channel:
// how PyTorch exports the weight standardisation of NFNets and BiT, as a batch
// norm in training mode of what does not depend on the image.
func standardised(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	d := in[0].dims
	f := &nd.Norm{Axes: []int{0}, Eps: n.float("epsilon", 1e-5)}
	for k := 2; k < len(d); k++ {
		f.Axes = append(f.Axes, k)
	}
	out, err := g.array(n, f, in[0])
	if err != nil {
		return nil, err
	}
	var by [2]*operand
	for k := range by {
		if v := in[k+1]; v.c == nil || v.c.len() != d[1] {
			return nil, fmt.Errorf("input %d of shape %v beside an input of %v, expected a constant a channel", k+1, v.dims, d)
		}
		by[k] = perChannelView(in[k+1], len(d))
	}
	return g.scaleShift(n, out, by[0], by[1])
}

func meanVariance(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	axes := []int{0, 2, 3}
	if _, ok := n.attrs["axes"]; ok {
		var err error
		if axes, err = n.axesOf(in, 1, 0); err != nil {
			return nil, err
		}
	}
	const eps = 1e-9 // added to the deviation, where we add its square to the variance
	return g.array(n, &nd.Norm{Axes: axes, Eps: eps * eps}, in[0])
}

func lpNorm(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	k, err := axis(n.int("axis", -1), len(in[0].dims))
	if err != nil {
		return nil, err
	}
	p := n.int("p", 2)
	if p != 1 && p != 2 {
		return nil, fmt.Errorf("p %d, expected 1 or 2", p)
	}
	size, err := g.array(n, &nd.Reduce{Name: fmt.Sprintf("L%d", p), Axes: []int{k}}, in[0])
	if err == nil {
		size, err = g.array(n, &nd.Binary{Name: "Max"}, size, scalar(1e-30)) // zeros stay zeros
	}
	if err != nil {
		return nil, err
	}
	return g.pair(n, "Div", in[0], size)
}

// localResponse divides by (bias + alpha/size * sum of squares nearby)^beta.
func localResponse(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	size := int(n.int("size", 0))
	if len(in[0].dims) < 2 || size < 1 || size > maxWindow {
		return nil, fmt.Errorf("size %d of an input of %v", size, in[0].dims)
	}
	channels := in[0].dims[1]
	if channels > 0 && min(size, channels) > maxFolded/channels {
		return nil, fmt.Errorf("size %d for %d channels", size, channels)
	}
	f := &nd.Mix{Axis: 1, In: channels}
	for c := range channels {
		var row []nd.Share
		for k := max(0, c-(size-1)/2); k <= min(channels-1, c+size/2); k++ {
			row = append(row, nd.Share{At: k, Weight: n.float("alpha", 0.0001) / float64(size)})
		}
		f.Rows = append(f.Rows, row)
	}
	v, err := g.each(n, in[0], engine.Activation{Func: engine.Square})
	if err == nil {
		v, err = g.array(n, f, v)
	}
	if err == nil {
		v, err = g.scaled(n, v, 1, n.float("bias", 1))
	}
	if err == nil {
		v, err = g.array(n, &nd.Binary{Name: "Pow"}, v, scalar(n.float("beta", 0.75)))
	}
	if err != nil {
		return nil, err
	}
	return g.pair(n, "Div", in[0], v)
}

func globalPool(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	f := &nd.Reduce{Name: "Mean"}
	if n.op == "GlobalMaxPool" {
		f.Name = "Max"
	}
	for d := 2; d < len(in[0].dims); d++ {
		f.Axes = append(f.Axes, d)
	}
	return g.array(n, f, in[0])
}

func reduceGeneral(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	all := 0
	if n.int("noop_with_empty_axes", 0) != 0 {
		all = len(in[0].dims)
	}
	axes, err := n.axesOf(in, 1, all)
	if err != nil {
		return nil, err
	}
	if len(axes) == 0 && all == 0 {
		if axes, err = (&nodeProto{}).axesOf(in, len(in), 0); err != nil {
			return nil, err
		}
	}
	if len(axes) == 0 && len(in[0].dims) > 0 && all > 0 {
		return in[0], nil
	}
	out, err := g.array(n, &nd.Reduce{Name: strings.TrimPrefix(n.op, "Reduce"), Axes: axes}, in[0])
	if err != nil || n.int("keepdims", 1) != 0 {
		return out, err
	}
	dims := []int{}
	for d, k := range out.dims {
		gone := false
		for _, a := range axes {
			gone = gone || a == d
		}
		if !gone {
			dims = append(dims, k)
		}
	}
	return viewed(out, dims...), nil
}

// cumulative is a running sum.
func cumulative(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	if in[1].c == nil || in[1].c.len() != 1 {
		return nil, fmt.Errorf("its axis is not a constant number")
	}
	k, err := axis(int64(in[1].c.float(0)), len(in[0].dims))
	if err != nil {
		return nil, err
	}
	size, less := in[0].dims[k], int(n.int("exclusive", 0))
	if size > maxWindow {
		return nil, fmt.Errorf("a sum over %d entries, expected up to %d", size, maxWindow)
	}
	f := &nd.Mix{Axis: k, In: size, Rows: make([][]nd.Share, size)}
	for r := range size {
		lo, hi := 0, r+1-less
		if n.int("reverse", 0) != 0 {
			lo, hi = r+less, size
		}
		for i := lo; i < hi; i++ {
			f.Rows[r] = append(f.Rows[r], nd.Share{At: i, Weight: 1})
		}
	}
	return g.array(n, f, in[0])
}
