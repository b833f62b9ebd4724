package attack

import (
	"fmt"

	"sapf/models"
	"sapf/models/exact"
)

// Margin is the hinge on logits of Carlini and Wagner (S&P 2017, f_6), the
// loss of the authors' program:
//
//	targeted    max(0, max_{j != t} Z_j - Z_t + kappa)
//	untargeted  max(0, Z_y - max_{j != y} Z_j + kappa)
//
// Targets are one-hot rows: t for a targeted attack, the label y for an
// untargeted one. Of equal logits the lowest index counts as the largest, and
// at a hinge of exactly 0 the gradient passes, as through PyTorch's clamp.
type Margin struct {
	// Confidence is kappa >= 0, in logits.
	Confidence float64
	// Untargeted makes the row's class the one to leave.
	Untargeted bool
}

// CrossEntropy is the loss of the paper (section 3.2): for a targeted attack
// the cross entropy -sum_j t_j log softmax(Z)_j, for an untargeted one its
// negative. Targets are one-hot rows, or weights that sum to 1.
type CrossEntropy struct {
	// Untargeted negates the loss.
	Untargeted bool
}

var (
	_ models.Loss = Margin{}
	_ models.Loss = CrossEntropy{}
)

// String names the loss with its parameters.
func (l Margin) String() string {
	return fmt.Sprintf("margin{confidence %v, %s}", l.Confidence, direction(l.Untargeted))
}

// String names the loss with its parameters.
func (l CrossEntropy) String() string { return fmt.Sprintf("ce{%s}", direction(l.Untargeted)) }

func direction(untargeted bool) string {
	if untargeted {
		return "untargeted"
	}
	return "targeted"
}

// Example returns the hinge of one example and writes its gradient with
// respect to the logits to grad, unless grad is nil. All slices have one entry
// a class.
func (l Margin) Example(logits, target, grad []float64) float64 {
	clear(grad)
	own := models.Argmax(target)
	other := models.ArgmaxBut(logits, own)
	up, down := other, own
	if l.Untargeted {
		up, down = own, other
	}
	hinge := logits[up] - logits[down] + l.Confidence
	if hinge < 0 {
		return 0
	}
	if grad != nil {
		grad[up], grad[down] = 1, -1
	}
	return hinge
}

// Example returns the cross entropy of one example and writes its gradient
// with respect to the logits, softmax(Z) - t, to grad, unless grad is nil.
func (l CrossEntropy) Example(logits, target, grad []float64) float64 {
	sign := 1.0
	if l.Untargeted {
		sign = -1
	}
	top := logits[models.Argmax(logits)]
	sum := 0.0
	for _, z := range logits {
		sum += exact.Exp(z - top)
	}
	logSum := exact.Log(sum)
	loss := 0.0
	for j, t := range target {
		if t != 0 {
			loss += float64(t * (logSum - (logits[j] - top)))
		}
	}
	if grad != nil {
		for j, z := range logits {
			grad[j] = sign * (exact.Exp(z-top)/sum - target[j])
		}
	}
	return sign * loss
}
