package attack

import (
	"fmt"
	"math"
	"slices"

	"sapf/models"
)

// DifferenceOfLogitsRatio is the loss of Croce & Hein (ICML 2020, section 4.1),
// which does not change when all logits are multiplied or shifted, so that a
// network whose logits are large enough to saturate every probability still has
// a gradient. With z sorted, z_1 the largest, it lowers
//
//	untargeted  (Z_y - max_{j != y} Z_j) / (z_1 - z_3)
//	targeted    (max_{j != t} Z_j - Z_t) / (z_1 - (z_3 + z_4)/2)
//
// Differs: the targeted form has Z_y there; the largest other logit serves where
// the label is not known. Fewer than three (four) classes have no scale of their
// own: the loss is then the difference itself.
type DifferenceOfLogitsRatio struct {
	// Untargeted makes the row's class the one to leave.
	Untargeted bool
}

var _ models.Loss = DifferenceOfLogitsRatio{}

// String names the loss with its parameters.
func (l DifferenceOfLogitsRatio) String() string {
	return fmt.Sprintf("dlr{%s}", direction(l.Untargeted))
}

// Example returns the loss of one example and writes its gradient with respect to
// the logits to grad, unless grad is nil.
func (l DifferenceOfLogitsRatio) Example(logits, target, grad []float64) float64 {
	clear(grad)
	own := models.Argmax(target)
	up, down := models.ArgmaxBut(logits, own), own
	if l.Untargeted {
		up, down = down, up
	}
	difference := logits[up] - logits[down]
	scale, weights := l.scale(logits)
	if grad != nil {
		grad[up] += 1 / scale
		grad[down] -= 1 / scale
		for _, w := range weights {
			grad[w.class] -= float64(difference / scale / scale * w.weight)
		}
	}
	return difference / scale
}

// weighted is the part that a class's logit has in a sum.
type weighted struct {
	class  int
	weight float64
}

// scale is the divisor, and the logits that it is the weighted sum of; 1 and none
// where there are too few classes, or where the logits do not differ.
func (l DifferenceOfLogitsRatio) scale(logits []float64) (float64, []weighted) {
	order := make([]int, len(logits))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case logits[a] > logits[b]:
			return -1
		case logits[a] < logits[b]:
			return 1
		}
		return 0
	})
	var weights []weighted
	switch {
	case l.Untargeted && len(logits) >= 3:
		weights = []weighted{{order[0], 1}, {order[2], -1}}
	case !l.Untargeted && len(logits) >= 4:
		weights = []weighted{{order[0], 1}, {order[2], -0.5}, {order[3], -0.5}}
	default:
		return 1, nil
	}
	sum := 0.0
	for _, w := range weights {
		sum += float64(w.weight * logits[w.class])
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return 1, nil
	}
	return sum, weights
}
