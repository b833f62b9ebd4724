package models

import (
	"fmt"
	"sapf/models/graph"

	"gorgonia.org/gorgonia"
)

// Linear is the loss sum_j targets_j logits_j of each example. Its gradient is
// the targets pulled back to the image, J^T targets: one-hot rows give the
// gradient of a single logit, differences of two give that of a margin. It is
// written in gorgonia's nodes, as an example of it.
type Linear struct{}

// Build returns the row sums of the product.
func (Linear) Build(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	p, err := gorgonia.HadamardProd(logits, targets)
	if err != nil {
		return nil, fmt.Errorf("linear loss: %w", err)
	}
	return gorgonia.Sum(p, 1)
}

// Example returns the sum; the gradient is the targets.
func (Linear) Example(logits, target, grad []float64) float64 {
	sum := 0.0
	for j, t := range target {
		sum += float64(t * logits[j])
	}
	if grad != nil {
		copy(grad, target)
	}
	return sum
}

// String is "linear".
func (Linear) String() string { return "linear" }

var _ graph.NodeLoss = Linear{}
