package engine

import "sapf/models/engine/nd"

// layerNorm normalises each pixel over its channels:
// y = (x-mean)/sqrt(variance+eps)*gamma + beta. With root the mean stays, and the
// divisor is the root of the mean square.
type layerNorm struct {
	eps         float64
	root        bool
	gamma, beta []float32
}

func newLayerNorm(channels int, eps float64, root bool) *layerNorm {
	n := &layerNorm{eps: eps, root: root, gamma: make([]float32, channels), beta: make([]float32, channels)}
	for c := range n.gamma {
		n.gamma[c] = 1
	}
	return n
}

// Kind is "LayerNorm".
func (*layerNorm) Kind() string { return "LayerNorm" }

// OutShape is the input's.
func (*layerNorm) OutShape(in []Shape) (Shape, error) { return one(in) }

// norm finds norms over the channels: the operation, and the chain of
// x-mean, squares, their mean, plus eps, root, quotient.
func (f *fusion) norm(i int) {
	g, fn := f.general(i)
	if g == nil {
		return
	}
	if n, ok := fn.(*nd.Norm); ok {
		if s, ok := f.overChannels(i, n.Axes); ok {
			f.replace(i, newLayerNorm(s.C, n.Eps, n.Root), s, f.Nodes[i].In[0])
		}
		return
	}
	if _, ok := f.binary(i, "Div"); !ok || len(f.Nodes[i].In) != 2 {
		return
	}
	centred := f.Nodes[i].In[0]
	x, ok := f.lessMean(centred)
	if !ok {
		return
	}
	root, ok := f.op(f.Nodes[i].In[1]).(*Activation)
	if !ok || root.Func != Sqrt {
		return
	}
	mean, scale, eps := f.unscaled(f.Nodes[f.Nodes[i].In[1]].In[0])
	if square, ok := f.meanOf(mean); ok && scale == 1 && eps > 0 {
		if a, ok := f.op(square).(*Activation); ok && a.Func == Square && f.Nodes[square].In[0] == centred {
			f.replace(i, newLayerNorm(f.shape(x).C, eps, false), f.shape(x), x)
		}
	}
}

// overChannels says whether a node's axes are the channels of its only input,
// which its result lies like.
func (f *fusion) overChannels(i int, axes []int) (Shape, bool) {
	g, _ := f.general(i)
	if len(f.Nodes[i].In) != 1 || len(g.Args) != 1 || len(axes) != 1 {
		return Shape{}, false
	}
	s, a := f.shape(f.Nodes[i].In[0]), g.Args[0]
	last := len(a.Dims) - 1
	return s, axes[0] == last && a.Dims[last] == s.C && sameOrder(s, a.RowsFirst)
}

// meanOf is x where a node is the mean of x over its channels.
func (f *fusion) meanOf(k int) (x int, ok bool) {
	_, fn := f.general(k)
	r, ok := fn.(*nd.Reduce)
	if !ok || r.Name != "Mean" {
		return 0, false
	}
	_, ok = f.overChannels(k, r.Axes)
	return f.Nodes[k].In[0], ok
}

// lessMean is x where a node is x less its mean over the channels.
func (f *fusion) lessMean(k int) (x int, ok bool) {
	g, ok := f.binary(k, "Sub")
	if !ok || len(f.Nodes[k].In) != 2 || g.Out != f.shape(f.Nodes[k].In[0]) {
		return 0, false
	}
	x, ok = f.meanOf(f.Nodes[k].In[1])
	return x, ok && x == f.Nodes[k].In[0]
}

// scaledNorm takes the affine maps behind a norm into it.
func (f *fusion) scaledNorm(i int) {
	a, ok := f.Nodes[i].Op.(*Affine)
	if !ok || !f.only(f.Nodes[i].In[0]) {
		return
	}
	n, ok := f.op(f.Nodes[i].In[0]).(*layerNorm)
	if !ok {
		return
	}
	scale, shift := a.scaleShift(len(n.gamma))
	out := newLayerNorm(len(n.gamma), n.eps, n.root)
	for c := range scale {
		out.gamma[c] = float32(float64(n.gamma[c]) * scale[c])
		out.beta[c] = float32(float64(float64(n.beta[c])*scale[c]) + shift[c])
	}
	f.replace(i, out, f.shapes[i], f.Nodes[f.Nodes[i].In[0]].In[0])
}
