// Package engine computes logits and input gradients of frozen convolutional
// networks, fast. A Net describes a network; Compile packs it for a kernel
// family; a Runner owns the buffers of one batch size and runs steps.
package engine

import "fmt"

// Shape is the shape of one example between two layers: channels, rows,
// columns. A vector of n numbers is n x 1 x 1.
type Shape struct{ C, H, W int }

// Len is the number of entries of one example.
func (s Shape) Len() int { return s.C * s.H * s.W }

func (s Shape) String() string { return fmt.Sprintf("%dx%dx%d", s.C, s.H, s.W) }

// Input is the index that a Node's In uses for the network's own input.
const Input = -1

// Net is a frozen feed-forward network as written down: one node a layer,
// nothing folded or fused. Compile does that.
type Net struct {
	// Name of the architecture, for messages.
	Name string
	// Input is the shape of one image.
	Input Shape
	// Nodes are in topological order: a node reads only earlier ones.
	Nodes []Node
	// Output is the node whose output is the logits.
	Output int
}

// Node is one layer.
type Node struct {
	// Name of the layer, for messages: "conv1".
	Name string
	// Op is what the layer computes.
	Op Op
	// In are the nodes read, or Input.
	In []int
}

// Op is one kind of layer with its parameters. Parameters are float32 in
// PyTorch's layout; they are never modified.
type Op interface {
	// Kind is the name of the operation, "Conv".
	Kind() string
	// OutShape checks the parameters against the inputs and returns the
	// shape of the output.
	OutShape(in []Shape) (Shape, error)
}

// Shapes returns the output shape of each node, checking the whole network.
func (n *Net) Shapes() ([]Shape, error) {
	if n.Input.C < 1 || n.Input.H < 1 || n.Input.W < 1 {
		return nil, fmt.Errorf("network %s: input shape %v is empty", n.Name, n.Input)
	}
	out := make([]Shape, len(n.Nodes))
	for i, node := range n.Nodes {
		in := make([]Shape, len(node.In))
		for j, k := range node.In {
			switch {
			case k == Input:
				in[j] = n.Input
			case k >= 0 && k < i:
				in[j] = out[k]
			default:
				return nil, fmt.Errorf("network %s: layer %d (%s) reads layer %d, which is not before it", n.Name, i, node.Name, k)
			}
		}
		s, err := node.Op.OutShape(in)
		if err != nil {
			return nil, fmt.Errorf("network %s: layer %s (%s): %w", n.Name, node.Name, node.Op.Kind(), err)
		}
		out[i] = s
	}
	if n.Output < 0 || n.Output >= len(n.Nodes) {
		return nil, fmt.Errorf("network %s: output layer %d of %d", n.Name, n.Output, len(n.Nodes))
	}
	return out, nil
}
