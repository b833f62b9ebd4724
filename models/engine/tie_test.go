package engine

import (
	"slices"
	"testing"
)

// TestPoolTies: of equal entries of a window the first has the gradient, as in
// PyTorch.
func TestPoolTies(t *testing.T) {
	op, in := &MaxPool{2, 2, 2, 2, Padding{}, false}, []Shape{{C: 1, H: 2, W: 2}}
	dx := make([]float64, 4)
	if err := Backward64(op, in, 1, [][]float64{{3, 3, 1, 3}}, []float64{3}, []float64{5}, [][]float64{dx}); err != nil {
		t.Fatal(err)
	}
	if want := []float64{5, 0, 0, 0}; !slices.Equal(dx, want) {
		t.Errorf("gradient %v, want %v", dx, want)
	}
}
