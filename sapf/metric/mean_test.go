package metric

import (
	"math"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		v    []float64
		want float64
	}{
		{nil, 0},
		{[]float64{7}, 7},
		{[]float64{3, 1, 2}, 2},
		{[]float64{4, 1, 3, 2}, 2.5},
		{[]float64{math.Inf(1), 1, math.Inf(1), math.Inf(1)}, math.Inf(1)},
	} {
		before := slices.Clone(c.v)
		if got := Median(c.v); got != c.want {
			t.Errorf("median of %v is %v, expected %v", c.v, got, c.want)
		}
		if !slices.Equal(c.v, before) {
			t.Errorf("%v was reordered to %v", before, c.v)
		}
	}
}
