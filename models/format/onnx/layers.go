package onnx

import (
	"fmt"
	"math"
	"slices"

	"sapf/models/engine"
)

// convolutions are the operators with weights and windows.
func convolutions() map[string]operator {
	const window = "kernel_shape strides dilations pads auto_pad "
	return map[string]operator{
		"Conv":               {in: 3, attrs: window + "group", lower: lowerConv},
		"Gemm":               {in: 3, attrs: "alpha beta transA transB", lower: lowerGemm},
		"MatMul":             {in: 2, lower: lowerMatMul},
		"BatchNormalization": {in: 5, attrs: "epsilon momentum spatial training_mode", lower: lowerBatchNorm},
		"MaxPool":            {in: 1, attrs: window + "ceil_mode storage_order", lower: lowerMaxPool},
		"AveragePool":        {in: 1, attrs: window + "ceil_mode count_include_pad", lower: lowerAveragePool},
		"GlobalAveragePool":  {in: 1, lower: lowerGlobalAverage},
		"GlobalMaxPool":      {in: 1, lower: lowerGlobalMax},
		"ReduceMean":         {in: 2, attrs: "axes keepdims noop_with_empty_axes", lower: lowerReduceMean},
	}
}

// activations are the operators that work entry by entry.
func activations() map[string]operator {
	return map[string]operator{
		"Relu":        {in: 1, lower: activation(engine.Activation{Func: engine.ReLU})},
		"Sigmoid":     {in: 1, lower: activation(engine.Activation{Func: engine.Sigmoid})},
		"Tanh":        {in: 1, lower: activation(engine.Activation{Func: engine.Tanh})},
		"HardSwish":   {in: 1, lower: activation(engine.Activation{Func: engine.HardSwish})},
		"LeakyRelu":   {in: 1, attrs: "alpha", lower: lowerLeakyRelu},
		"HardSigmoid": {in: 1, attrs: "alpha beta", lower: lowerHardSigmoid},
		"Clip":        {in: 3, rowsFirst: true, attrs: "min max", lower: lowerClip},
		"Softmax":     {in: 1, attrs: "axis", lower: lowerSoftmax},
		"Add":         {in: 2, rowsFirst: true, lower: lowerArithmetic, fold: foldArithmetic},
		"Sub":         {in: 2, rowsFirst: true, lower: lowerArithmetic, fold: foldArithmetic},
		"Mul":         {in: 2, rowsFirst: true, lower: lowerArithmetic, fold: foldArithmetic},
		"Div":         {in: 2, rowsFirst: true, lower: lowerArithmetic, fold: foldArithmetic},
	}
}

func lowerConv(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, 2); err != nil {
		return nil, err
	}
	w := in[1].c
	if w == nil || w.f == nil || len(w.dims) != 4 {
		return nil, fmt.Errorf("weights of shape %v, expected a constant of four dimensions (two-dimensional convolution)", in[1].dims)
	}
	x, err := g.image(n, in[0])
	if err != nil {
		return nil, err
	}
	s := g.Shape(x)
	win, err := n.window(s.H, s.W, w.dims[2:])
	if err != nil {
		return nil, err
	}
	if win.kh != w.dims[2] || win.kw != w.dims[3] {
		return nil, fmt.Errorf("kernel_shape %dx%d, but the weights are %v", win.kh, win.kw, w.dims)
	}
	groups := int(n.int("group", 1))
	op := &engine.Conv{In: w.dims[1] * groups, Out: w.dims[0], Groups: groups, KernelH: win.kh, KernelW: win.kw,
		StrideH: win.sh, StrideW: win.sw, DilationH: win.dh, DilationW: win.dw, Pad: win.pad, W: w.f}
	if len(in) > 2 && in[2] != nil {
		if in[2].c == nil || in[2].c.f == nil {
			return nil, fmt.Errorf("a bias that is not a constant of floats")
		}
		op.B = in[2].c.f
	}
	// A border of zeros added on its own is the convolution's padding.
	if before := g.Node(x); before != nil {
		if p, ok := before.Op.(*engine.Pad2D); ok && p.Value == 0 {
			op.Pad = engine.Padding{Top: op.Pad.Top + p.Pad.Top, Left: op.Pad.Left + p.Pad.Left,
				Bottom: op.Pad.Bottom + p.Pad.Bottom, Right: op.Pad.Right + p.Pad.Right}
			x = before.In[0]
		}
	}
	return g.layer(n, op, false, x), nil
}

// matrix is the weights of a product of a row of features an image and a constant
// matrix; other products are refused.
func (g *importer) matrix(n *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, 2); err != nil {
		return nil, err
	}
	x, w := in[0], in[1]
	if x.c != nil || w.c == nil || w.c.f == nil || len(w.dims) != 2 || n.int("transA", 0) != 0 {
		return nil, fmt.Errorf("inputs of shapes %v and %v, expected features and a constant matrix", x.dims, w.dims)
	}
	if len(x.dims) != 2 || x.dims[0] != g.batch {
		return nil, fmt.Errorf("input of shape %v, expected batch x features", x.dims)
	}
	return w.c, nil
}

// dense appends y = W x + b; x is features, w is out x in.
func (g *importer) dense(n *nodeProto, x *operand, w *constant, bias []float32) ([]*operand, error) {
	return g.layer(n, &engine.Dense{In: w.dims[1], Out: w.dims[0], W: w.f, B: bias}, true, x.node), nil
}

func lowerGemm(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	w, err := g.matrix(n, in)
	if err != nil {
		return nil, err
	}
	if n.int("transB", 0) == 0 {
		if w, err = w.transpose([]int{1, 0}); err != nil {
			return nil, err
		}
	}
	w = &constant{dims: w.dims, f: scaled(w.f, n.float("alpha", 1))}
	var bias []float32
	if len(in) > 2 && in[2] != nil {
		c := in[2].c
		if c == nil || c.f == nil || c.len() != 1 && (c.len() != w.dims[0] || c.dims[len(c.dims)-1] != w.dims[0]) {
			return nil, fmt.Errorf("bias of shape %v for %d outputs", in[2].dims, w.dims[0])
		}
		bias = scaled(c.f, n.float("beta", 1))
		for c.len() == 1 && len(bias) < w.dims[0] {
			bias = append(bias, bias[0])
		}
	}
	return g.dense(n, in[0], w, bias)
}

func scaled(v []float32, by float64) []float32 {
	if by == 1 {
		return v
	}
	out := make([]float32, len(v))
	for i := range v {
		out[i] = float32(float64(v[i]) * by)
	}
	return out
}

func lowerMatMul(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	w, err := g.matrix(n, in)
	if err != nil {
		return nil, err
	}
	w, err = w.transpose([]int{1, 0})
	if err != nil {
		return nil, err
	}
	return g.dense(n, in[0], w, nil)
}

func lowerBatchNorm(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, 5); err != nil {
		return nil, err
	}
	if err := inference(n); err != nil {
		return nil, err
	}
	var v [4][]float32
	for i := range v {
		if in[i+1].c == nil || in[i+1].c.f == nil {
			return nil, fmt.Errorf("input %d is not a constant of floats", i+1)
		}
		v[i] = in[i+1].c.f
	}
	x, err := g.image(n, in[0])
	if err != nil {
		return nil, err
	}
	op := &engine.BatchNorm{Gamma: v[0], Beta: v[1], Mean: v[2], Var: v[3], Eps: n.float("epsilon", 1e-5)}
	return g.layer(n, op, len(in[0].dims) == 2, x), nil
}

// inference refuses a batch norm as in training.
func inference(n *nodeProto) error {
	// Before opset 14 training shows in the outputs: the batch's own statistics.
	statistics := slices.ContainsFunc(n.out[min(1, len(n.out)):], func(name string) bool { return name != "" })
	if n.int("training_mode", 0) != 0 || statistics {
		return fmt.Errorf("it normalises by the batch's own statistics, as in training: export the model after eval()")
	}
	if n.int("spatial", 1) != 1 {
		return fmt.Errorf("spatial %d, expected 1: statistics a channel", n.int("spatial", 1))
	}
	return nil
}

func activation(a engine.Activation) func(*importer, *nodeProto, []*operand) ([]*operand, error) {
	return func(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
		return g.entrywise(n, in, &a)
	}
}

// entrywise appends a layer that keeps the shape, whatever view of it is taken.
func (g *importer) entrywise(n *nodeProto, in []*operand, op engine.Op) ([]*operand, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	out := g.layer(n, op, false, in[0].node)
	out[0].dims, out[0].rowsFirst = in[0].dims, in[0].rowsFirst
	return out, nil
}

func lowerLeakyRelu(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	return g.entrywise(n, in, &engine.Activation{Func: engine.LeakyReLU, Alpha: n.float("alpha", 0.01)})
}

func lowerHardSigmoid(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	return g.entrywise(n, in, &engine.Activation{Func: engine.HardSigmoid, Alpha: n.float("alpha", 0.2), Beta: n.float("beta", 0.5)})
}

func lowerClip(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	bound := func(name string, k int, otherwise float64) (float64, error) {
		if k < len(in) && in[k] != nil {
			if in[k].c == nil || in[k].c.len() != 1 {
				return 0, fmt.Errorf("%s is not a constant number", name)
			}
			return in[k].c.float(0), nil
		}
		return n.float(name, otherwise), nil
	}
	lo, err := bound("min", 1, -math.MaxFloat32)
	if err != nil {
		return nil, err
	}
	hi, err := bound("max", 2, math.MaxFloat32)
	if err != nil {
		return nil, err
	}
	a := &engine.Activation{Func: engine.Clip, Alpha: lo, Beta: hi}
	switch {
	case lo == 0 && hi == 6:
		a = &engine.Activation{Func: engine.ReLU6}
	case lo == 0 && hi >= math.MaxFloat32:
		a = &engine.Activation{Func: engine.ReLU}
	}
	return g.entrywise(n, in, a)
}

func lowerSoftmax(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	otherwise := int64(-1)
	if g.opset < 13 {
		otherwise = 1
	}
	k, err := axis(n.int("axis", otherwise), len(in[0].dims))
	if err != nil {
		return nil, err
	}
	if k != 1 || product(in[0].dims[2:]) != 1 {
		return nil, fmt.Errorf("softmax along axis %d of %v, expected over the classes", k, in[0].dims)
	}
	x, err := g.image(n, in[0])
	if err != nil {
		return nil, err
	}
	out := g.layer(n, &engine.Softmax{}, false, x)
	out[0].dims = in[0].dims
	return out, nil
}

func (g *importer) pool(n *nodeProto, in []*operand, op func(win window, s engine.Shape) (engine.Op, error)) ([]*operand, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	x, err := g.image(n, in[0])
	if err != nil {
		return nil, err
	}
	s := g.Shape(x)
	win, err := n.window(s.H, s.W, nil)
	if err != nil {
		return nil, err
	}
	if win.dh != 1 || win.dw != 1 {
		return nil, fmt.Errorf("dilations %dx%d, expected 1x1", win.dh, win.dw)
	}
	o, err := op(win, s)
	if err != nil {
		return nil, err
	}
	return g.layer(n, o, false, x), nil
}

func lowerMaxPool(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	return g.pool(n, in, func(w window, _ engine.Shape) (engine.Op, error) {
		return &engine.MaxPool{KernelH: w.kh, KernelW: w.kw, StrideH: w.sh, StrideW: w.sw, Pad: w.pad,
			CeilMode: n.int("ceil_mode", 0) != 0}, nil
	})
}

func lowerAveragePool(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	return g.pool(n, in, func(w window, _ engine.Shape) (engine.Op, error) {
		return &engine.AvgPool{KernelH: w.kh, KernelW: w.kw, StrideH: w.sh, StrideW: w.sw, Pad: w.pad,
			CeilMode: n.int("ceil_mode", 0) != 0, CountIncludePad: n.int("count_include_pad", 0) != 0}, nil
	})
}

func lowerGlobalAverage(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	x, err := g.image(n, in[0])
	if err != nil {
		return nil, err
	}
	return g.layer(n, &engine.GlobalAvgPool{}, false, x), nil
}

func lowerGlobalMax(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	x, err := g.image(n, in[0])
	if err != nil {
		return nil, err
	}
	s := g.Shape(x)
	return g.layer(n, &engine.MaxPool{KernelH: s.H, KernelW: s.W, StrideH: 1, StrideW: 1}, false, x), nil
}

// lowerReduceMean is a mean over rows and columns.
func lowerReduceMean(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	axes, err := n.intsOf("axes", in, 1)
	if err != nil {
		return nil, err
	}
	seen := map[int]bool{}
	for _, a := range axes {
		k, err := axis(a, len(in[0].dims))
		if err != nil {
			return nil, err
		}
		seen[k] = true
	}
	if len(in[0].dims) != 4 || len(seen) != 2 || !seen[2] || !seen[3] {
		return nil, fmt.Errorf("mean over axes %v of %v, expected over rows and columns", axes, in[0].dims)
	}
	out, err := lowerGlobalAverage(g, n, in)
	if err == nil && n.int("keepdims", 1) == 0 {
		out[0].dims = out[0].dims[:2]
	}
	return out, err
}
