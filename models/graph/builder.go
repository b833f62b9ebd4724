package graph

import (
	"fmt"

	"sapf/models/engine"
)

// Builder writes a network down layer by layer. The first error stays; Net
// reports it.
type Builder struct {
	net    engine.Net
	shapes []engine.Shape
	err    error
}

// NewBuilder begins a network of that name for images of one shape.
func NewBuilder(name string, input engine.Shape) *Builder {
	return &Builder{net: engine.Net{Name: name, Input: input}}
}

// Add appends a layer that reads the given nodes and returns its index.
func (b *Builder) Add(name string, op engine.Op, in ...int) int {
	var shapes []engine.Shape
	for _, k := range in {
		shapes = append(shapes, b.Shape(k))
	}
	var s engine.Shape
	if b.err == nil {
		var err error
		if s, err = op.OutShape(shapes); err != nil {
			b.err = fmt.Errorf("network %s: layer %s (%s): %w", b.net.Name, name, op.Kind(), err)
		}
	}
	b.shapes = append(b.shapes, s)
	b.net.Nodes = append(b.net.Nodes, engine.Node{Name: name, Op: op, In: in})
	return len(b.net.Nodes) - 1
}

// Shape is the output shape of a node.
func (b *Builder) Shape(k int) engine.Shape {
	if k == engine.Input {
		return b.net.Input
	}
	return b.shapes[k]
}

// Node is a layer that was added, nil for the image.
func (b *Builder) Node(k int) *engine.Node {
	if k == engine.Input {
		return nil
	}
	return &b.net.Nodes[k]
}

// Fail keeps an error that the layers to come depend on, if it is the first.
func (b *Builder) Fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// Err is the first error.
func (b *Builder) Err() error { return b.err }

// Net is the network whose logits are node out.
func (b *Builder) Net(out int) (*engine.Net, error) {
	if b.err != nil {
		return nil, b.err
	}
	b.net.Output = out
	return &b.net, nil
}

// Prune drops layers that the output does not depend on.
func Prune(net *engine.Net) *engine.Net {
	used := make([]bool, len(net.Nodes))
	used[net.Output] = true
	for i := net.Output; i >= 0; i-- {
		for _, k := range net.Nodes[i].In {
			if used[i] && k != engine.Input {
				used[k] = true
			}
		}
	}
	at := make([]int, len(net.Nodes))
	out := &engine.Net{Name: net.Name, Input: net.Input}
	for i, node := range net.Nodes {
		if !used[i] {
			continue
		}
		in := make([]int, len(node.In))
		for j, k := range node.In {
			in[j] = k
			if k != engine.Input {
				in[j] = at[k]
			}
		}
		at[i] = len(out.Nodes)
		out.Nodes = append(out.Nodes, engine.Node{Name: node.Name, Op: node.Op, In: in})
	}
	out.Output = at[net.Output]
	return out
}

// Len is the number of layers, for Cut.
func (b *Builder) Len() int { return len(b.net.Nodes) }

// Cut drops all layers from the n-th on, and the error that one of them made.
func (b *Builder) Cut(n int) {
	b.net.Nodes, b.shapes, b.err = b.net.Nodes[:n], b.shapes[:n], nil
}
