package nd

import (
	"fmt"
	"math"

	"sapf/models/exact"
)

// Softmax is e^x over its sum along Axes, or the logarithm of that.
type Softmax struct {
	Axes []int
	Log  bool
}

// Kind is "Softmax" or "LogSoftmax".
func (f *Softmax) Kind() string {
	if f.Log {
		return "LogSoftmax"
	}
	return "Softmax"
}

// Shape is the argument's.
func (f *Softmax) Shape(in [][]int) ([]int, error) { return same(in, f.Axes) }

func same(in [][]int, axes []int) ([]int, error) {
	if err := arguments(in, 1); err != nil {
		return nil, err
	}
	return in[0], checkAxes(axes, len(in[0]))
}

// Forward subtracts the largest before it exponentiates.
func (f *Softmax) Forward(in []Array, out Array) {
	x, y := in[0].Data, out.Data
	groups(in[0].Dims, f.Axes, func(_ int, at []int) {
		top, sum := math.Inf(-1), 0.0
		for _, i := range at {
			top = math.Max(top, x[i])
		}
		for _, i := range at {
			y[i] = exact.Exp(x[i] - top)
			sum += y[i]
		}
		log := exact.Log(sum)
		for _, i := range at {
			if f.Log {
				y[i] = x[i] - top - log
			} else {
				y[i] /= sum
			}
		}
	})
}

// Backward is y*(dy - y.dy), or dy - e^y*sum(dy).
func (f *Softmax) Backward(in []Array, out, dout Array, din []Array) {
	y, dy, dx := out.Data, dout.Data, din[0].Data
	if dx == nil {
		return
	}
	groups(in[0].Dims, f.Axes, func(_ int, at []int) {
		sum, any := 0.0, false
		for _, i := range at {
			any = any || dy[i] != 0
			if f.Log {
				sum += dy[i]
			} else {
				sum += float64(y[i] * dy[i])
			}
		}
		if !any { // a row that nobody reads may be all masked, and NaN
			return
		}
		for _, i := range at {
			if f.Log {
				dx[i] += dy[i] - float64(exact.Exp(y[i])*sum)
			} else {
				dx[i] += float64(y[i] * (dy[i] - sum))
			}
		}
	})
}

// Norm subtracts the mean along Axes and divides by sqrt(variance + Eps): the
// heart of layer, group and instance normalisation.
type Norm struct {
	Axes []int
	Eps  float64
	// Root leaves the mean where it is and divides by sqrt(mean of squares + Eps).
	Root bool
}

// Kind is "Norm".
func (f *Norm) Kind() string { return "Norm" }

// Shape is the argument's.
func (f *Norm) Shape(in [][]int) ([]int, error) {
	if !(f.Eps >= 0) {
		return nil, fmt.Errorf("epsilon %v, expected at least 0", f.Eps)
	}
	return same(in, f.Axes)
}

// Forward normalises.
func (f *Norm) Forward(in []Array, out Array) {
	x, y := in[0].Data, out.Data
	groups(in[0].Dims, f.Axes, func(_ int, at []int) {
		mean, scale := f.moments(x, at)
		for _, i := range at {
			y[i] = (x[i] - mean) * scale
		}
	})
}

// moments are the mean and 1/sqrt(variance + Eps).
func (f *Norm) moments(x []float64, at []int) (mean, scale float64) {
	n := float64(len(at))
	if !f.Root {
		for _, i := range at {
			mean += x[i]
		}
		mean /= n
	}
	sum := 0.0
	for _, i := range at {
		d := x[i] - mean
		sum += float64(d * d)
	}
	return mean, 1 / math.Sqrt(sum/n+f.Eps)
}

// Backward is scale*(dy - mean(dy) - y*mean(y*dy)), without the first mean for
// Root.
func (f *Norm) Backward(in []Array, out, dout Array, din []Array) {
	x, y, dy, dx := in[0].Data, out.Data, dout.Data, din[0].Data
	if dx == nil {
		return
	}
	groups(in[0].Dims, f.Axes, func(_ int, at []int) {
		_, scale := f.moments(x, at)
		n, mean, dot := float64(len(at)), 0.0, 0.0
		for _, i := range at {
			mean += dy[i]
			dot += float64(y[i] * dy[i])
		}
		mean, dot = mean/n, dot/n
		if f.Root {
			mean = 0
		}
		for _, i := range at {
			dx[i] += float64(scale * (dy[i] - mean - float64(y[i]*dot)))
		}
	})
}
