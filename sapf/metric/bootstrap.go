package metric

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// resamples is how many samples a bootstrap draws.
const resamples = 4000

// Bootstrap95 is the mean of values with its 95 % confidence interval by the
// percentile bootstrap (Efron, 1979): it never leaves the range of the values, so
// that of norms or of ratios never reaches below zero. The resamples are drawn
// from the seed. Values that are not finite are left out; without any, everything
// is NaN; with one, the interval is the value itself, and says nothing.
func Bootstrap95(values []float64, seed uint64) Mean {
	v := finite(values)
	if len(v) == 0 {
		return noMean
	}
	random := rand.New(rand.NewPCG(seed, 0))
	means := make([]float64, resamples)
	for i := range means {
		for range v {
			means[i] += v[random.IntN(len(v))]
		}
		means[i] /= float64(len(v))
	}
	slices.Sort(means)
	return Mean{
		N: len(v), Mean: stat.Mean(v, nil),
		Low: stat.Quantile(0.025, stat.LinInterp, means, nil), High: stat.Quantile(0.975, stat.LinInterp, means, nil),
	}
}

// GeometricBootstrap95 is Bootstrap95 of the geometric mean of positive values: of
// ratios, where twice and half are to be equally far from 1. Values that are not
// positive are left out.
func GeometricBootstrap95(values []float64, seed uint64) Mean {
	logs := make([]float64, len(values))
	for i, x := range values {
		logs[i] = math.Log(x) // of 0 and less it is not finite
	}
	m := Bootstrap95(logs, seed)
	m.Mean, m.Low, m.High = math.Exp(m.Mean), math.Exp(m.Low), math.Exp(m.High)
	return m
}
