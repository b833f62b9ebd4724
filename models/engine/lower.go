package engine

import (
	"math"
	"slices"
)

// Lowering rewrites a network into fewer layers: batch norm and affine maps are
// folded into the convolution or dense layer before them, activations and
// residual additions become part of the layer that feeds them, average pools
// become depthwise convolutions.

// value is what flows between layers.
type value struct {
	shape    Shape
	producer *layer // nil for the network's input
	// t holds the value, g its gradient.
	t, g *tensor
	// pending is the tensor that holds the gradient found so far: nil, g, or
	// another value's gradient that this one equals up to now.
	pending *tensor
	// masked: the gradient comes masked, though the producer clamps.
	masked bool
	// shared: several nodes of the network as written read this value.
	shared bool
	// writers counts the layers whose gradient contribution is still to come.
	writers int
}

// layer is one pass of the engine.
type layer struct {
	name string
	op   Op
	in   []*value
	// residual is added before the activation, or nil.
	residual *value
	// act: the output is clamped to [0, hi].
	act bool
	hi  float32
	out *value
	// index is, for a max pool, the number of the entry that each window chose.
	index *tensor
	// order is the layer's place in the list.
	order int
	// forward and backward are the places of the layer's own first steps in
	// the plan's passes. The gradient of its output is complete before backward.
	forward, backward int
	// attention is the forward step of one.
	attention *attentionStep
}

// lowered is a network after lowering.
type lowered struct {
	input, output *value
	// scale and shift turn the images into input, per channel.
	scale, shift []float64
	layers       []*layer
}

func lower(n *Net, shapes []Shape) *lowered {
	uses := make([]int, len(n.Nodes))
	inputUses := 0
	for _, node := range n.Nodes {
		for _, k := range node.In {
			if k == Input {
				inputUses++
			} else {
				uses[k]++
			}
		}
	}
	uses[n.Output]++

	l := &lowered{input: &value{shape: n.Input}, scale: make([]float64, n.Input.C), shift: make([]float64, n.Input.C)}
	for c := range l.scale {
		l.scale[c] = 1
	}
	needed := reachable(n)
	at := make([]*value, len(n.Nodes))
	for i, node := range n.Nodes {
		if !needed[i] {
			continue
		}
		in := make([]*value, len(node.In))
		for j, k := range node.In {
			if k == Input {
				in[j] = l.input
			} else {
				in[j] = at[k]
			}
		}
		// alone reports that nobody else reads this node's input j.
		alone := func(j int) bool {
			if in[j].shared {
				return false
			}
			if node.In[j] == Input {
				return inputUses == 1
			}
			return uses[node.In[j]] == 1
		}
		if _, ok := node.Op.(*Flatten); ok && (in[0].shape.H*in[0].shape.W == 1 || onlyDense(n, i)) {
			in[0].shared = !alone(0)
			at[i] = in[0]
			continue
		}
		if v := l.absorb(node, in, alone); v != nil {
			at[i] = v
			continue
		}
		out := &value{shape: shapes[i]}
		ly := &layer{name: node.Name, op: simplify(node.Op, in[0].shape, shapes[i]), in: in, out: out, order: len(l.layers)}
		if _, ok := ly.op.(*identity); ok {
			ly.act, ly.hi = clampOf(node.Op)
		}
		out.producer = ly
		l.layers = append(l.layers, ly)
		at[i] = out
	}
	l.output = at[n.Output]
	return l
}

// reachable marks the nodes that the output depends on.
func reachable(n *Net) []bool {
	needed := make([]bool, len(n.Nodes))
	needed[n.Output] = true
	for i := n.Output; i >= 0; i-- {
		if !needed[i] {
			continue
		}
		for _, k := range n.Nodes[i].In {
			if k != Input {
				needed[k] = true
			}
		}
	}
	return needed
}

// absorb makes a node part of the layer before it and returns that layer's
// value, or nil if it can't.
func (l *lowered) absorb(node Node, in []*value, alone func(j int) bool) *value {
	p := in[0].producer
	switch op := node.Op.(type) {
	case *BatchNorm:
		scale, shift := op.scaleShift()
		return l.absorbAffine(in[0], scale, shift, alone(0))
	case *Affine:
		scale, shift := op.scaleShift(in[0].shape.C)
		return l.absorbAffine(in[0], scale, shift, alone(0))
	case *Activation:
		if act, hi := clampOf(op); act && p != nil && alone(0) && !p.act && p.clamps() {
			p.act, p.hi = true, hi
			return in[0]
		}
	case *Add:
		return absorbAdd(in, alone)
	}
	return nil
}

// onlyDense reports that all readers of node i are dense layers, which take
// their input in any shape.
func onlyDense(n *Net, i int) bool {
	for _, node := range n.Nodes {
		for _, k := range node.In {
			if _, ok := node.Op.(*Dense); k == i && !ok {
				return false
			}
		}
	}
	return i != n.Output
}

// clamps reports that the layer's kernels can end with an activation.
func (ly *layer) clamps() bool {
	switch ly.op.(type) {
	case *Conv, *Dense, *Add:
		return true
	}
	return false
}

func (l *lowered) absorbAffine(in *value, scale, shift []float64, alone bool) *value {
	if !alone {
		return nil
	}
	p := in.producer
	if p == nil {
		for c := range scale {
			l.shift[c] = float64(l.shift[c]*scale[c]) + shift[c]
			l.scale[c] *= scale[c]
		}
		return in
	}
	if p.act || p.residual != nil {
		return nil
	}
	fold := func(w, b []float32) ([]float32, []float32) {
		fw, fb := w, make([]float32, len(scale))
		if slices.ContainsFunc(scale, func(v float64) bool { return v != 1 }) { // else it is a bias
			per := len(w) / len(scale)
			fw = make([]float32, len(w))
			for i, v := range w {
				fw[i] = float32(float64(v) * scale[i/per])
			}
		}
		for o := range fb {
			fb[o] = float32(shift[o])
			if b != nil {
				fb[o] = float32(float64(float64(b[o])*scale[o]) + shift[o])
			}
		}
		return fw, fb
	}
	switch op := p.op.(type) {
	case *Conv:
		c := *op
		c.W, c.B = fold(op.W, op.B)
		p.op = &c
		return in
	case *Dense:
		d := *op
		d.W, d.B = fold(op.W, op.B)
		p.op = &d
		return in
	}
	return nil
}

// absorbAdd makes an addition of two values the end of the convolution that
// computes the later of them.
func absorbAdd(in []*value, alone func(j int) bool) *value {
	if len(in) != 2 || in[0].shape != in[1].shape || in[0] == in[1] {
		return nil
	}
	for _, v := range in {
		if v.producer == nil {
			return nil
		}
	}
	late := 0
	if in[1].producer.order > in[0].producer.order {
		late = 1
	}
	p := in[late].producer
	if _, ok := p.op.(*Conv); !ok || !alone(late) || p.act || p.residual != nil {
		return nil
	}
	p.residual = in[1-late]
	return in[late]
}

// clampOf says whether an operation clamps to [0, hi].
func clampOf(op Op) (act bool, hi float32) {
	a, ok := op.(*Activation)
	switch {
	case !ok:
	case a.Func == ReLU:
		return true, float32(math.Inf(1))
	case a.Func == ReLU6:
		return true, 6
	case a.Func == Clip && a.Alpha == 0 && a.Beta > 0:
		return true, float32(a.Beta)
	}
	return false, 0
}

// identity is the layer that is left of an activation by itself.
type identity struct{ Activation }

// simplify writes an operation as one that has kernels: a clamp as an identity
// whose layer clamps; an affine map, and a pool whose windows all count the
// same number of entries, as the depthwise convolution that it is.
func simplify(op Op, in, out Shape) Op {
	switch op := op.(type) {
	case *Activation:
		if act, _ := clampOf(op); act {
			return &identity{*op}
		}
	case *BatchNorm:
		return depthwiseAffine(op.scaleShift())
	case *Affine:
		return depthwiseAffine(op.scaleShift(in.C))
	case *AvgPool:
		whole := (out.H-1)*op.StrideH+op.KernelH <= in.H+op.Pad.Top+op.Pad.Bottom && (out.W-1)*op.StrideW+op.KernelW <= in.W+op.Pad.Left+op.Pad.Right
		if !whole || !op.CountIncludePad && op.Pad != (Padding{}) {
			return op
		}
		// Ceil mode makes no difference where all windows are whole.
		c := depthwise(in.C, op.KernelH, op.KernelW, 1/float64(op.KernelH*op.KernelW))
		c.StrideH, c.StrideW, c.Pad = op.StrideH, op.StrideW, op.Pad
		return c
	}
	return op
}

// depthwise is a convolution of each channel by itself with equal weights.
func depthwise(channels, kh, kw int, weight float64) *Conv {
	c := &Conv{In: channels, Out: channels, Groups: channels, KernelH: kh, KernelW: kw, StrideH: 1, StrideW: 1,
		DilationH: 1, DilationW: 1, W: make([]float32, channels*kh*kw)}
	for i := range c.W {
		c.W[i] = float32(weight)
	}
	return c
}

func depthwiseAffine(scale, shift []float64) Op {
	c := depthwise(len(scale), 1, 1, 1)
	c.B = make([]float32, len(scale))
	for i := range scale {
		c.W[i], c.B[i] = float32(scale[i]), float32(shift[i])
	}
	return c
}
