package engine

// Cost is the size of a network.
type Cost struct {
	// Parameters counts the numbers of all layers, batch norm's statistics
	// included.
	Parameters int
	// Forward counts the multiplications and additions of convolutions and
	// dense layers in one forward pass of one image, by their definition. A
	// backward pass to the input has as many again.
	Forward int64
}

// Step is the floating-point operations of one forward and backward pass of
// one image.
func (c Cost) Step() int64 { return 2 * c.Forward }

// Cost counts a network's parameters and operations.
func (n *Net) Cost() (Cost, error) {
	shapes, err := n.Shapes()
	if err != nil {
		return Cost{}, err
	}
	var c Cost
	for i, node := range n.Nodes {
		out := shapes[i]
		switch op := node.Op.(type) {
		case *Conv:
			c.Parameters += len(op.W) + len(op.B)
			c.Forward += 2 * int64(out.Len()) * int64(op.In/op.Groups*op.KernelH*op.KernelW)
		case *Dense:
			c.Parameters += len(op.W) + len(op.B)
			c.Forward += 2 * int64(op.In) * int64(op.Out)
		case *BatchNorm:
			c.Parameters += 4 * len(op.Var)
		}
	}
	return c, nil
}
