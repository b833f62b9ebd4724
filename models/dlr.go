package models

import (
	"math"
	"slices"
)

// DLR is the difference of logits ratio of Croce and Hein (ICML 2020, eqs. 6 and
// 8), to be minimised: a margin over the spread of the largest logits, so that
// logits that are all scaled or shifted give the same. With pi their order from
// the largest down,
//
//	untargeted  (z_y - max_{j != y} z_j) / (z_pi1 - z_pi3)
//	targeted    (max_{j != t} z_j - z_t) / (z_pi1 - (z_pi3 + z_pi4)/2)
//
// Targets are one-hot rows: t for a targeted attack, the label y for an
// untargeted one. It takes at least 3 classes, 4 targeted.
type DLR struct {
	// Untargeted makes the row's class the one to leave.
	Untargeted bool
}

// String names the loss with its direction.
func (l DLR) String() string {
	if l.Untargeted {
		return "dlr{untargeted}"
	}
	return "dlr{targeted}"
}

// Example returns the loss of one example and its gradient; NaN for too few
// classes. Where the spread is 0 the loss and its gradient are 0.
func (l DLR) Example(logits, target, grad []float64) float64 {
	clear(grad)
	own := Argmax(target)
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
	least := 4
	if l.Untargeted {
		least = 3
	}
	if len(order) < least {
		return math.NaN()
	}
	other := order[0]
	if other == own {
		other = order[1]
	}
	// The ratio (z_up - z_down) / (z_first - mean of the rest).
	up, down, rest := other, own, order[2:4]
	if l.Untargeted {
		up, down, rest = own, other, order[2:3]
	}
	spread := logits[order[0]]
	for _, k := range rest {
		spread -= logits[k] / float64(len(rest))
	}
	if spread == 0 {
		return 0
	}
	ratio := (logits[up] - logits[down]) / spread
	if grad != nil {
		grad[up] += 1 / spread
		grad[down] -= 1 / spread
		grad[order[0]] -= ratio / spread
		for _, k := range rest {
			grad[k] += ratio / spread / float64(len(rest))
		}
	}
	return ratio
}

var _ Loss = DLR{}
