package zoo

import (
	"sapf/models/engine"
	"sapf/models/graph"
)

// builder is graph.Builder with the layers of PyTorch, which take their
// parameters by PyTorch's names.
type builder struct {
	*graph.Builder
	params *Params
}

func newBuilder(p *Params, name string, input engine.Shape) *builder {
	return &builder{graph.NewBuilder(name, input), p}
}

// head is the last dense layer, whose weights say how many classes there are.
func (b *builder) head(name string, classes, in int) int {
	return b.dense(name, b.params.Outputs(name+".weight", classes), in)
}

// Take is Params.Take, but after an error: the shapes asked for would be wrong
// because of it.
func (b *builder) Take(name string, shape ...int) []float32 {
	if b.Err() != nil {
		return nil
	}
	w := b.params.Take(name, shape...)
	b.Fail(b.params.err)
	return w
}

// net is the network whose logits are node out.
func (b *builder) net(out int) (*engine.Net, error) {
	b.Fail(b.params.Err())
	return b.Net(out)
}

// normalise is (x - mean) / std per channel.
func (b *builder) normalise(mean, std []float64, in int) int {
	a := &engine.Affine{}
	for c := range mean {
		a.Scale = append(a.Scale, 1/std[c])
		a.Shift = append(a.Shift, -mean[c]/std[c])
	}
	return b.Add("normalise", a, in)
}

// convSpec is a convolution in full. Kernels and padding may differ along rows
// and columns.
type convSpec struct {
	out, kh, kw, stride, ph, pw int
	groups                      int // 0: 1
	noBias                      bool
}

// square is a k x k convolution with bias.
func square(out, k, stride, pad int) convSpec {
	return convSpec{out: out, kh: k, kw: k, stride: stride, ph: pad, pw: pad}
}

// conv is a square convolution with bias.
func (b *builder) conv(name string, out, k, stride, pad, in int) int {
	return b.convOf(name, square(out, k, stride, pad), in)
}

// convOf takes name.weight (out x in/groups x kh x kw) and name.bias (out).
func (b *builder) convOf(name string, s convSpec, in int) int {
	c, groups := b.Shape(in).C, max(s.groups, 1)
	op := &engine.Conv{
		In: c, Out: s.out, Groups: groups, KernelH: s.kh, KernelW: s.kw,
		StrideH: s.stride, StrideW: s.stride, DilationH: 1, DilationW: 1,
		Pad: engine.Padding{Top: s.ph, Left: s.pw, Bottom: s.ph, Right: s.pw},
		W:   b.Take(name+".weight", s.out, c/groups, s.kh, s.kw),
	}
	if !s.noBias {
		op.B = b.Take(name+".bias", s.out)
	}
	return b.Add(name, op, in)
}

// convBN is a convolution without bias, batch norm and, unless act is empty,
// an activation.
func (b *builder) convBN(conv, bn string, eps float64, act engine.ActKind, s convSpec, in int) int {
	s.noBias = true
	x := b.batchNorm(bn, eps, b.convOf(conv, s, in))
	if act == "" {
		return x
	}
	return b.Add(bn+"."+string(act), &engine.Activation{Func: act}, x)
}

// batchNorm is name.weight, bias, running_mean and running_var.
func (b *builder) batchNorm(name string, eps float64, in int) int {
	c := b.Shape(in).C
	return b.Add(name, &engine.BatchNorm{
		Gamma: b.Take(name+".weight", c), Beta: b.Take(name+".bias", c),
		Mean: b.Take(name+".running_mean", c), Var: b.Take(name+".running_var", c), Eps: eps,
	}, in)
}

// dense is a linear layer over the flattened input: name.weight (out x in) and
// name.bias (out).
func (b *builder) dense(name string, out, in int) int {
	n := b.Shape(in).Len()
	return b.Add(name, &engine.Dense{In: n, Out: out, W: b.Take(name+".weight", out, n), B: b.Take(name+".bias", out)}, in)
}

func (b *builder) relu(name string, in int) int {
	return b.Add(name, &engine.Activation{Func: engine.ReLU}, in)
}

func (b *builder) maxPool(name string, k, stride, pad, in int) int {
	return b.Add(name, &engine.MaxPool{KernelH: k, KernelW: k, StrideH: stride, StrideW: stride,
		Pad: engine.Padding{Top: pad, Left: pad, Bottom: pad, Right: pad}}, in)
}
