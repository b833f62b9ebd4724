package sapf

import (
	"math"
	"slices"

	"sapf/models/data"
)

// squaredWeights is w*w of eq. 3, length N: all ones, or the visual
// sensitivity of SAPF-VI (section 3.4): entries in a flat neighbourhood get
// large weights, since changes show there.
func squaredWeights(x data.Image, s Settings) []float64 {
	w := make([]float64, x.Len())
	for i, v := range Weights(x, s) {
		w[i] = v * v
	}
	return w
}

// Weights returns the weight w of each entry of the image, length C*H*W:
// w = 1/(statistic + floor) of the entry's neighbourhood in its own channel,
// cut at the image's border, then scaled.
//
//	variance       standard deviation
//	variance_mean  standard deviation times mean
//	contrast       (max - min) / (max + min)
//	contrast_mean  contrast times mean
//	gradient       magnitude of the two Prewitt responses
//
// Scaled by "max" the weights lie in (0,1]. Scaled by "minmax" each channel
// covers [0,1] (the least sensitive entry then costs nothing), and a channel
// of equal weights gets 1. A statistic that is 0/0, as the contrast of black,
// counts as the floor. Settings.Weights are taken as they are.
//
// Differs: the paper divides by the population's deviation with neither floor
// nor scale; its program by the sample's, plus 1e-4, then min-max. Both are
// options (15).
func Weights(x data.Image, s Settings) []float64 {
	if s.Weights != nil {
		return slices.Clone(s.Weights)
	}
	w := make([]float64, x.Len())
	if s.Weight == "none" || s.Weight == "" {
		fill(w, 1)
		return w
	}
	var gradient []float64
	if s.Weight == "gradient" {
		gradient = prewitt(x)
	}
	i := 0
	for c := range x.C {
		for y := range x.H {
			for col := range x.W {
				var stat float64
				if gradient != nil {
					stat = gradient[i]
				} else {
					stat = neighbourhood(x, c, y, col, s.WeightWindow/2).statistic(s)
				}
				if math.IsNaN(stat) {
					stat = s.WeightFloor
				}
				w[i] = 1 / (stat + s.WeightFloor)
				i++
			}
		}
	}
	if s.WeightScale == "max" {
		scaleToMax(w)
		return w
	}
	for c := range x.C {
		scaleMinMax(w[c*x.H*x.W : (c+1)*x.H*x.W])
	}
	return w
}

// window is what the statistics need of a neighbourhood.
type window struct{ n, mean, squares, low, high float64 }

// neighbourhood summarises the entries of channel c within radius rows and
// columns of (y,x). squares is the sum of squared deviations from the mean.
func neighbourhood(img data.Image, c, y, x, radius int) window {
	s := window{low: math.Inf(1), high: math.Inf(-1)}
	each := func(f func(v float64)) {
		for yy := max(0, y-radius); yy <= min(img.H-1, y+radius); yy++ {
			for xx := max(0, x-radius); xx <= min(img.W-1, x+radius); xx++ {
				f(float64(img.At(c, yy, xx)))
			}
		}
	}
	each(func(v float64) {
		s.n++
		s.mean += v
		s.low, s.high = min(s.low, v), max(s.high, v)
	})
	s.mean /= s.n
	each(func(v float64) { s.squares += float64((v - s.mean) * (v - s.mean)) })
	return s
}

func (n window) statistic(s Settings) float64 {
	divisor := n.n
	if s.WeightStat == "sample" {
		divisor--
	}
	deviation := math.Sqrt(n.squares / divisor)
	contrast := (n.high - n.low) / (n.high + n.low)
	switch s.Weight {
	case "variance":
		return deviation
	case "variance_mean":
		return deviation * n.mean
	case "contrast":
		return contrast
	default: // contrast_mean
		return contrast * n.mean
	}
}

func scaleToMax(w []float64) {
	high := 0.0
	for _, v := range w {
		high = max(high, v)
	}
	for i := range w {
		w[i] /= high
	}
}

func scaleMinMax(w []float64) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range w {
		low, high = min(low, v), max(high, v)
	}
	for i, v := range w {
		w[i] = 1
		if high > low {
			w[i] = (v - low) / (high - low)
		}
	}
}

// prewitt is the magnitude of the vertical and the horizontal Prewitt response
// of the image as a volume of rows, columns and channels: differences along
// one axis, sums of three along both others, the channels too, borders
// mirrored (scipy.ndimage.prewitt).
func prewitt(x data.Image) []float64 {
	size := [3]int{x.C, x.H, x.W}
	image := make([]float64, x.Len())
	for i, v := range x.Pix {
		image[i] = float64(v)
	}
	difference, smooth := [3]float64{-1, 0, 1}, [3]float64{1, 1, 1}
	response := func(axis int) []float64 {
		v := image
		for a := range size {
			kernel := smooth
			if a == axis {
				kernel = difference
			}
			v = correlate(v, size, a, kernel)
		}
		return v
	}
	vertical, horizontal := response(1), response(2)
	for i, v := range vertical {
		vertical[i] = math.Sqrt(float64(v*v) + float64(horizontal[i]*horizontal[i]))
	}
	return vertical
}

// correlate applies a kernel of three along an axis of a volume whose last
// axis is the fastest; beyond the border the volume is mirrored.
func correlate(v []float64, size [3]int, axis int, kernel [3]float64) []float64 {
	stride := 1
	for a := axis + 1; a < 3; a++ {
		stride *= size[a]
	}
	out := make([]float64, len(v))
	for i := range v {
		at := i / stride % size[axis]
		for k, weight := range kernel {
			j := min(max(at+k-1, 0), size[axis]-1)
			out[i] += float64(weight * v[i+(j-at)*stride])
		}
	}
	return out
}
