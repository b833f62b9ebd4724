package metric

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Mean is the mean of a sample with its 95 % confidence interval.
type Mean struct {
	// N is the number of values that are finite; only they count.
	N               int
	Mean, Low, High float64
}

// Median is the median of a sample, of which an even one has two in the middle
// and takes their mean; 0 of no values. Values may be infinite.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// noMean is the mean of no values.
var noMean = Mean{Mean: math.NaN(), Low: math.NaN(), High: math.NaN()}

// finite are the values that are numbers.
func finite(values []float64) []float64 {
	var v []float64
	for _, x := range values {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			v = append(v, x)
		}
	}
	return v
}

// Mean95 is the mean of values with its 95 % confidence interval by Student's
// t. Values that are not finite are left out. Without any, everything is NaN;
// with one, the interval is the value itself, and says nothing.
func Mean95(values []float64) Mean {
	v := finite(values)
	if len(v) == 0 {
		return noMean
	}
	mean, deviation := stat.MeanStdDev(v, nil)
	if len(v) == 1 {
		return Mean{N: 1, Mean: mean, Low: mean, High: mean}
	}
	n := float64(len(v))
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.975) * deviation / math.Sqrt(n)
	return Mean{N: len(v), Mean: mean, Low: mean - half, High: mean + half}
}
