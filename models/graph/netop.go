package graph

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"sapf/models/engine"
)

// netOp is the whole network as one gorgonia Op, logits = net(x), computed by
// an engine.Runner in float32. Its gradient is netVJP. Values on the tape are
// float64: x is batch x C x H x W, the logits are batch x classes.
type netOp struct {
	frozen
	runner  *engine.Runner
	name    string
	x       []float32
	logits  []float32
	out     *tensor.Dense
	classes int
}

// frozen is what our Ops have in common: the output lies in memory of the Op's
// own, nothing is overwritten, and two Ops are equal where their names are.
type frozen struct{ id string }

func (f frozen) ReturnsPtr() bool     { return true }
func (f frozen) CallsExtern() bool    { return false }
func (f frozen) OverwritesInput() int { return -1 }
func (f frozen) String() string       { return f.id }
func (f frozen) WriteHash(h hash.Hash) {
	h.Write([]byte(f.id))
}
func (f frozen) Hashcode() uint32 {
	h := fnv.New32a()
	h.Write([]byte(f.id))
	return h.Sum32()
}

func tensorOf(dims int) hm.Type { return gorgonia.TensorType{Dims: dims, Of: tensor.Float64} }

func newDense(shape ...int) *tensor.Dense {
	return tensor.New(tensor.Of(tensor.Float64), tensor.WithShape(shape...))
}

func newNetOp(name string, r *engine.Runner, in engine.Shape, classes int) *netOp {
	n := r.Batch()
	return &netOp{
		// One runner holds one batch's state, so it is part of the identity.
		frozen:  frozen{fmt.Sprintf("net{%s, batch %d, runner %p}", name, n, r)},
		runner:  r,
		name:    name,
		x:       make([]float32, n*in.Len()),
		logits:  make([]float32, n*classes),
		out:     newDense(n, classes),
		classes: classes,
	}
}

func (op *netOp) Arity() int    { return 1 }
func (op *netOp) Type() hm.Type { return hm.NewFnType(tensorOf(4), tensorOf(2)) }

func (op *netOp) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return op.out.Shape().Clone(), nil
}

func (op *netOp) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	op.forward(in[0].Data().([]float64), op.out.Data().([]float64))
	return op.out, nil
}

func (op *netOp) forward(x, logits []float64) {
	for i, v := range x {
		op.x[i] = float32(v)
	}
	op.runner.Forward(op.x, op.logits)
	for i, v := range op.logits {
		logits[i] = float64(v)
	}
}

func (op *netOp) DiffWRT(int) []bool { return []bool{true} }

func (op *netOp) SymDiff(in gorgonia.Nodes, logits, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	vjp := &netVJP{
		frozen: frozen{"vjp " + op.id},
		net:    op,
		dx:     make([]float32, len(op.x)),
		dz:     make([]float32, len(op.logits)),
		out:    newDense(in[0].Shape()...),
	}
	d, err := gorgonia.ApplyOp(vjp, in[0], logits, grad)
	return gorgonia.Nodes{d}, err
}

// netVJP is the vector-Jacobian product of netOp: from the gradient of the
// logits to that of the image. It reads the logits only to come after them:
// what it needs of the forward pass is in the runner.
type netVJP struct {
	frozen
	net    *netOp
	dz, dx []float32
	out    *tensor.Dense
}

func (op *netVJP) Arity() int { return 3 }
func (op *netVJP) Type() hm.Type {
	return hm.NewFnType(tensorOf(4), tensorOf(2), tensorOf(2), tensorOf(4))
}

func (op *netVJP) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return op.out.Shape().Clone(), nil
}

func (op *netVJP) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	for i, v := range in[2].Data().([]float64) {
		op.dz[i] = float32(v)
	}
	op.net.runner.Backward(op.dz, op.dx)
	out := op.out.Data().([]float64)
	for i, v := range op.dx {
		out[i] = float64(v)
	}
	return op.out, nil
}

var (
	_ gorgonia.SDOp = (*netOp)(nil)
	_ gorgonia.Op   = (*netVJP)(nil)
)
