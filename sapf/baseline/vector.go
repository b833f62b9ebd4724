package baseline

import (
	"math"
	"sort"
)

// norm2 is ||v||_2, summed in order.
func norm2(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x * x)
	}
	return math.Sqrt(sum)
}

// scaled is factor*v.
func scaled(v []float64, factor float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = factor * x
	}
	return out
}

// absolute is |v|, entry by entry.
func absolute(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = math.Abs(x)
	}
	return out
}

// difference is a - b.
func difference(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range d {
		d[i] = a[i] - b[i]
	}
	return d
}

// sign is -1, 0 or 1.
func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// largestAt is the largest |v_i| of the entries i that in selects, 0 of none.
func largestAt(v []float64, in func(i int) bool) float64 {
	top := 0.0
	for i, x := range v {
		if in(i) {
			top = max(top, math.Abs(x))
		}
	}
	return top
}

// quantile is the q-th quantile of v, q in [0,1], interpolated linearly; 0 of
// no numbers.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	sorted := append([]float64(nil), v...)
	sort.Float64s(sorted)
	at := float64(q * float64(len(sorted)-1))
	i := min(int(at), len(sorted)-1)
	j := min(i+1, len(sorted)-1)
	return sorted[i] + float64((at-float64(i))*(sorted[j]-sorted[i]))
}
