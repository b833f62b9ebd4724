package models

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

// Linear is the loss sum_j targets_j logits_j of each example. Its gradient is
// the targets pulled back to the image, J^T targets: one-hot rows give the
// gradient of a single logit, differences of two give that of a margin.
type Linear struct{}

// Build returns the row sums of the product.
func (Linear) Build(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	p, err := gorgonia.HadamardProd(logits, targets)
	if err != nil {
		return nil, fmt.Errorf("linear loss: %w", err)
	}
	return gorgonia.Sum(p, 1)
}

// String is "linear".
func (Linear) String() string { return "linear" }

var _ Loss = Linear{}
