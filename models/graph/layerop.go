package graph

import (
	"fmt"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"sapf/models/engine"
)

// layer is one layer of a network on the tape of the float64 profile, where
// gorgonia's autodiff runs through every layer. Values are batch x C x H x W.
type layer struct {
	op    engine.Op
	in    []engine.Shape
	batch int
	// dims of the output: 4, or 2 for the logits.
	dims int
}

func (l layer) data(in []gorgonia.Value) [][]float64 {
	xs := make([][]float64, len(in))
	for i, v := range in {
		xs[i] = v.Data().([]float64)
	}
	return xs
}

// layerOp computes a layer with engine.Forward64.
type layerOp struct {
	frozen
	layer
	out *tensor.Dense
}

// newLayerOp makes the Op of a layer; id tells it from all others of the graph.
func newLayerOp(id string, l layer) (*layerOp, error) {
	s, err := l.op.OutShape(l.in)
	if err != nil {
		return nil, err
	}
	shape := []int{l.batch, s.C, s.H, s.W}
	return &layerOp{frozen: frozen{id}, layer: l, out: newDense(shape[:l.dims]...)}, nil
}

func (op *layerOp) Arity() int { return len(op.in) }

func (op *layerOp) Type() hm.Type {
	var types []hm.Type
	for range op.in {
		types = append(types, tensorOf(4))
	}
	return hm.NewFnType(append(types, tensorOf(op.dims))...)
}

func (op *layerOp) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return op.out.Shape().Clone(), nil
}

func (op *layerOp) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return op.out, engine.Forward64(op.op, op.in, op.batch, op.data(in), op.out.Data().([]float64))
}

func (op *layerOp) DiffWRT(inputs int) []bool {
	wrt := make([]bool, inputs)
	for i := range wrt {
		wrt[i] = true
	}
	return wrt
}

func (op *layerOp) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	var grads gorgonia.Nodes
	for i, x := range in {
		vjp := &layerVJP{frozen: frozen{fmt.Sprintf("vjp %d of %s", i, op.id)}, layer: op.layer, wrt: i}
		for _, y := range in {
			vjp.dxs = append(vjp.dxs, newDense(y.Shape()...))
		}
		d, err := gorgonia.ApplyOp(vjp, append(append(gorgonia.Nodes{}, in...), out, grad)...)
		if err != nil {
			return nil, fmt.Errorf("gradient of %s with respect to %v: %w", op.id, x, err)
		}
		grads = append(grads, d)
	}
	return grads, nil
}

// layerVJP is the vector-Jacobian product of a layer with respect to one of
// its inputs, by engine.Backward64: from (inputs, output, gradient of the
// output) to the gradient of that input.
type layerVJP struct {
	frozen
	layer
	wrt int
	// dxs are the gradients of all inputs, which come together.
	dxs []*tensor.Dense
}

func (op *layerVJP) Arity() int { return len(op.in) + 2 }

func (op *layerVJP) Type() hm.Type {
	var types []hm.Type
	for range op.in {
		types = append(types, tensorOf(4))
	}
	return hm.NewFnType(append(types, tensorOf(op.dims), tensorOf(op.dims), tensorOf(4))...)
}

func (op *layerVJP) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return op.dxs[op.wrt].Shape().Clone(), nil
}

func (op *layerVJP) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	dxs := make([][]float64, len(op.dxs))
	for i, d := range op.dxs {
		dxs[i] = d.Data().([]float64)
		clear(dxs[i])
	}
	v, k := op.data(in), len(op.in)
	return op.dxs[op.wrt], engine.Backward64(op.op, op.in, op.batch, v[:k], v[k], v[k+1], dxs)
}

var (
	_ gorgonia.SDOp = (*layerOp)(nil)
	_ gorgonia.Op   = (*layerVJP)(nil)
)

// addLayers puts every layer of a network on the graph of x and returns the
// logits, batch x classes.
func addLayers(net *engine.Net, batch int, x *gorgonia.Node) (*gorgonia.Node, error) {
	shapes, err := net.Shapes()
	if err != nil {
		return nil, err
	}
	nodes := make([]*gorgonia.Node, len(net.Nodes))
	apply := func(i int, name string, op engine.Op, dims int, inputs []int) (*gorgonia.Node, error) {
		l := layer{op: op, batch: batch, dims: dims}
		var children gorgonia.Nodes
		for _, k := range inputs {
			if k == engine.Input {
				children, l.in = append(children, x), append(l.in, net.Input)
			} else {
				children, l.in = append(children, nodes[k]), append(l.in, shapes[k])
			}
		}
		f, err := newLayerOp(fmt.Sprintf("layer %d %s{%s, batch %d}", i, op.Kind(), name, batch), l)
		if err != nil {
			return nil, err
		}
		return gorgonia.ApplyOp(f, children...)
	}
	for i, node := range net.Nodes {
		if nodes[i], err = apply(i, node.Name, node.Op, 4, node.In); err != nil {
			return nil, fmt.Errorf("network %s: layer %s: %w", net.Name, node.Name, err)
		}
	}
	return apply(len(net.Nodes), "logits", &engine.Flatten{}, 2, []int{net.Output})
}
