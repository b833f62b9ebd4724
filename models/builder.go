package models

import (
	"fmt"

	"sapf/models/engine"
)

// builder writes down a network layer by layer, in PyTorch's order and with
// PyTorch's parameter names. The first error stays; net reports it.
type builder struct {
	*Params
	n      engine.Net
	shapes []engine.Shape
	err    error
}

func newBuilder(p *Params, name string, input engine.Shape) *builder {
	return &builder{Params: p, n: engine.Net{Name: name, Input: input}}
}

// add appends a layer that reads the given nodes and returns its index.
func (b *builder) add(name string, op engine.Op, in ...int) int {
	var shapes []engine.Shape
	for _, k := range in {
		shapes = append(shapes, b.shape(k))
	}
	if b.err == nil && b.Params.err == nil {
		s, err := op.OutShape(shapes)
		if err != nil {
			b.err = fmt.Errorf("network %s: layer %s (%s): %w", b.n.Name, name, op.Kind(), err)
		}
		b.shapes = append(b.shapes, s)
	} else {
		b.shapes = append(b.shapes, engine.Shape{})
	}
	b.n.Nodes = append(b.n.Nodes, engine.Node{Name: name, Op: op, In: in})
	return len(b.n.Nodes) - 1
}

// shape is the output shape of a node.
func (b *builder) shape(k int) engine.Shape {
	if k == engine.Input {
		return b.n.Input
	}
	return b.shapes[k]
}

// Take is Params.Take, but after an error: the shapes asked for would be wrong
// because of it.
func (b *builder) Take(name string, shape ...int) []float32 {
	if b.err != nil {
		return nil
	}
	return b.Params.Take(name, shape...)
}

// net is the network whose logits are node out.
func (b *builder) net(out int) (*engine.Net, error) {
	if b.err != nil {
		return nil, b.err
	}
	if err := b.Params.Err(); err != nil {
		return nil, err
	}
	b.n.Output = out
	return &b.n, nil
}

// normalise is (x - mean) / std per channel.
func (b *builder) normalise(mean, std []float64, in int) int {
	a := &engine.Affine{}
	for c := range mean {
		a.Scale = append(a.Scale, 1/std[c])
		a.Shift = append(a.Shift, -mean[c]/std[c])
	}
	return b.add("normalise", a, in)
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
	c, groups := b.shape(in).C, max(s.groups, 1)
	op := &engine.Conv{
		In: c, Out: s.out, Groups: groups, KernelH: s.kh, KernelW: s.kw,
		StrideH: s.stride, StrideW: s.stride, DilationH: 1, DilationW: 1,
		Pad: engine.Padding{Top: s.ph, Left: s.pw, Bottom: s.ph, Right: s.pw},
		W:   b.Take(name+".weight", s.out, c/groups, s.kh, s.kw),
	}
	if !s.noBias {
		op.B = b.Take(name+".bias", s.out)
	}
	return b.add(name, op, in)
}

// convBN is a convolution without bias, batch norm and, unless act is empty,
// an activation.
func (b *builder) convBN(conv, bn string, eps float64, act engine.ActKind, s convSpec, in int) int {
	s.noBias = true
	x := b.batchNorm(bn, eps, b.convOf(conv, s, in))
	if act == "" {
		return x
	}
	return b.add(bn+"."+string(act), &engine.Activation{Func: act}, x)
}

// batchNorm is name.weight, bias, running_mean and running_var.
func (b *builder) batchNorm(name string, eps float64, in int) int {
	c := b.shape(in).C
	return b.add(name, &engine.BatchNorm{
		Gamma: b.Take(name+".weight", c), Beta: b.Take(name+".bias", c),
		Mean: b.Take(name+".running_mean", c), Var: b.Take(name+".running_var", c), Eps: eps,
	}, in)
}

// dense is a linear layer over the flattened input: name.weight (out x in) and
// name.bias (out).
func (b *builder) dense(name string, out, in int) int {
	n := b.shape(in).Len()
	return b.add(name, &engine.Dense{In: n, Out: out, W: b.Take(name+".weight", out, n), B: b.Take(name+".bias", out)}, in)
}

func (b *builder) relu(name string, in int) int {
	return b.add(name, &engine.Activation{Func: engine.ReLU}, in)
}

func (b *builder) maxPool(name string, k, stride, pad, in int) int {
	return b.add(name, &engine.MaxPool{KernelH: k, KernelW: k, StrideH: stride, StrideW: stride,
		Pad: engine.Padding{Top: pad, Left: pad, Bottom: pad, Right: pad}}, in)
}
