package sapf

import (
	"math"
	"slices"
)

// ProjectBox returns the point of [0,1]^n nearest to v: eq. 11 of the paper
// with v = G + Z1/rho1.
func ProjectBox(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = clamp01(x)
	}
	return out
}

// ProjectSphere returns the point nearest to v on the sphere
// ||y - 1/2||_2 = sqrt(n)/2, which passes through all binary vectors: eq. 13
// with v = G + Z2/rho2. The centre, from which every point of the sphere is
// equally far, goes to the all-ones vector.
func ProjectSphere(v []float64) []float64 {
	out := make([]float64, len(v))
	projectSphere(out, v)
	return out
}

func projectSphere(out, v []float64) {
	scale, at := sphereScale(distanceToHalf(v), len(v))
	for i, x := range v {
		out[i] = at + float64(scale*(x-0.5))
	}
}

// sphereScale returns the factor and the offset of y = offset + factor*(v-1/2)
// for the projection of a vector at the given distance from 1/2.
func sphereScale(distance float64, n int) (scale, offset float64) {
	if distance == 0 {
		return 0, 1
	}
	return math.Sqrt(float64(n)) / 2 / distance, 0.5
}

// distanceToHalf is ||v - 1/2||_2.
func distanceToHalf(v []float64) float64 {
	var lane [4]float64
	i := 0
	for ; i+4 <= len(v); i += 4 {
		a, b, c, d := v[i]-0.5, v[i+1]-0.5, v[i+2]-0.5, v[i+3]-0.5
		lane[0] += float64(a * a)
		lane[1] += float64(b * b)
		lane[2] += float64(c * c)
		lane[3] += float64(d * d)
	}
	for ; i < len(v); i++ {
		lane[i%4] += float64((v[i] - 0.5) * (v[i] - 0.5))
	}
	return math.Sqrt(lane[0] + lane[1] + lane[2] + lane[3])
}

// sum adds v in a fixed order, in four lanes.
func sum(v []float64) float64 {
	var lane [4]float64
	i := 0
	for ; i+4 <= len(v); i += 4 {
		lane[0] += v[i]
		lane[1] += v[i+1]
		lane[2] += v[i+2]
		lane[3] += v[i+3]
	}
	for ; i < len(v); i++ {
		lane[i%4] += v[i]
	}
	return lane[0] + lane[1] + lane[2] + lane[3]
}

// ProjectTopK returns the binary vector with exactly k ones that is nearest to
// v: ones at its k largest entries, of equal ones those with the lower index.
// k is limited to [0,n].
func ProjectTopK(v []float64, k int) []float64 {
	out := make([]float64, len(v))
	for _, i := range largest(v, k) {
		out[i] = 1
	}
	return out
}

// largest returns the indices of the k largest entries of v, the largest
// first, of equal ones the lower index first.
func largest(v []float64, k int) []int {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case v[a] > v[b]:
			return -1
		case v[a] < v[b]:
			return 1
		}
		return a - b
	})
	return order[:max(0, min(k, len(v)))]
}

// clamp01 limits x to [0,1]; NaN stays NaN.
func clamp01(x float64) float64 {
	if x < 0 {
		return 0
	}
	if x > 1 {
		return 1
	}
	return x
}
