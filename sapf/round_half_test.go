package sapf

import (
	"slices"
	"testing"
)

// TestThresholdIsAboveOneHalf: exactly one half is no one, as in the program.
func TestThresholdIsAboveOneHalf(t *testing.T) {
	f := &Factorization{G: []float64{0.5, 0.5000001, 0.4999999, -3, 7}, Delta: make([]float64, 5), Settings: Settings{Round: "threshold"}}
	f.Round()
	if want := []float64{0, 1, 0, 0, 1}; !slices.Equal(f.G, want) {
		t.Errorf("G is %v, want %v", f.G, want)
	}
}
