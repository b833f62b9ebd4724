package baseline

import (
	"math"
	"math/rand/v2"
)

// box is the range of each entry of a perturbation: length C*H*W.
type box struct{ lo, hi []float64 }

// imageBox is the range of d that keeps x+d in [0,1]: [-x, 1-x].
func imageBox(x []float64) box {
	b := box{make([]float64, len(x)), make([]float64, len(x))}
	for i, v := range x {
		b.lo[i], b.hi[i] = -v, 1-v
	}
	return b
}

// cappedBox is imageBox with |d_i| <= limit_i besides.
func cappedBox(x []float64, limit func(i int) float64) box {
	b := imageBox(x)
	for i := range x {
		b.lo[i] = max(b.lo[i], -limit(i))
		b.hi[i] = min(b.hi[i], limit(i))
	}
	return b
}

// clamp moves every entry of d into the box.
func (b box) clamp(d []float64) {
	for i, v := range d {
		d[i] = min(max(v, b.lo[i]), b.hi[i])
	}
}

// around are the bounds of x+d.
func (b box) around(x []float64) (lower, upper []float64) {
	lower, upper = make([]float64, len(x)), make([]float64, len(x))
	for i, v := range x {
		lower[i], upper[i] = v+b.lo[i], v+b.hi[i]
	}
	return lower, upper
}

// draw fills d with numbers drawn uniformly from the box.
func (b box) draw(d []float64, rng *rand.Rand) {
	for i := range d {
		d[i] = b.lo[i] + float64(rng.Float64()*(b.hi[i]-b.lo[i]))
	}
}

// projectPixels moves d to the nearest perturbation inside the box with at
// most k pixels that are not zero (Croce & Hein, ICCV 2019, section 4). The
// box must contain 0. Keeping pixel p costs its squared violation of the box,
// dropping it costs its squared length, so the k pixels that save most stay.
//
// Differs: the authors keep every pixel tied with the k-th; here the lower
// index wins, so that the budget holds exactly.
func projectPixels(d []float64, b box, channels, k int) {
	pixels := len(d) / channels
	saved := make([]float64, pixels)
	for p := range saved {
		for c := range channels {
			i := c*pixels + p
			violation := min(b.hi[i]-d[i], d[i]-b.lo[i], 0)
			saved[p] += float64(d[i]*d[i]) - float64(violation*violation)
		}
	}
	zeroPixels(d, channels, keepLargest(saved, k))
	b.clamp(d)
}

// zeroPixels clears the pixels of d that keep does not mark.
func zeroPixels(d []float64, channels int, keep []bool) {
	pixels := len(d) / channels
	for i := range d {
		if !keep[i%pixels] {
			d[i] = 0
		}
	}
}

// zeroEntries clears the entries of d that keep does not mark.
func zeroEntries(d []float64, keep []bool) {
	for i := range d {
		if !keep[i] {
			d[i] = 0
		}
	}
}

// sigmaProjection is the constraint set of l0+sigma for colour images: at most
// k pixels change, and each by a common factor of its channels,
// x' = (1 + lambda*sigma)*x with |lambda| <= kappa and x' in [0,1].
type sigmaProjection struct {
	x, sigma []float64 // length C*H*W
	channels int
	kappa    float64
}

// factor returns lambda*, the admissible factor whose pixel is nearest to
// x+d at pixel p.
func (s sigmaProjection) factor(d []float64, p int) float64 {
	const floor = 1e-12 // the authors' guard where x or sigma is 0
	pixels := len(s.x) / s.channels
	lo, hi := -s.kappa, s.kappa
	dot, norm := 0.0, 0.0
	for c := range s.channels {
		i := c*pixels + p
		if s.sigma[i] > floor && s.x[i] > floor {
			lo = max(lo, -1/s.sigma[i])
			hi = min(hi, (1/s.x[i]-1)/s.sigma[i])
		}
		slope := s.sigma[i] * s.x[i]
		dot += float64(d[i] * slope)
		norm += float64(slope * slope)
	}
	if norm <= floor*floor {
		return 0
	}
	return min(max(dot/norm, lo), hi)
}

// project moves d to the nearest perturbation of the set (section 4, colour).
func (s sigmaProjection) project(d []float64, k int) {
	pixels := len(d) / s.channels
	saved, lambda := make([]float64, pixels), make([]float64, pixels)
	for p := range pixels {
		lambda[p] = s.factor(d, p)
		for c := range s.channels {
			i := c*pixels + p
			rest := d[i] - float64(float64(lambda[p]*s.sigma[i])*s.x[i])
			saved[p] += float64(d[i]*d[i]) - float64(rest*rest)
		}
	}
	keep := keepLargest(saved, k)
	for i := range d {
		p := i % pixels
		d[i] = 0
		if keep[p] {
			d[i] = float64(lambda[p]*s.sigma[i]) * s.x[i]
		}
	}
}

// sigmaMap is how much each entry of an image may change unseen (Croce & Hein,
// eq. 7): the square root of the smaller of the two standard deviations, of
// the entry with its left and right neighbours and with those above and below.
// Borders are replicated, deviations have divisor 3. x has length c*h*w.
func sigmaMap(x []float64, c, h, w int) []float64 {
	out := make([]float64, len(x))
	for ch := range c {
		plane := x[ch*h*w : (ch+1)*h*w]
		at := func(row, col int) float64 {
			return plane[min(max(row, 0), h-1)*w+min(max(col, 0), w-1)]
		}
		for row := range h {
			for col := range w {
				across := deviation(at(row, col-1), at(row, col), at(row, col+1))
				down := deviation(at(row-1, col), at(row, col), at(row+1, col))
				out[(ch*h+row)*w+col] = math.Sqrt(min(across, down))
			}
		}
	}
	return out
}

// deviation is the population standard deviation of three numbers.
func deviation(a, b, c float64) float64 {
	mean := (a + b + c) / 3
	return math.Sqrt((float64((a-mean)*(a-mean)) + float64((b-mean)*(b-mean)) + float64((c-mean)*(c-mean))) / 3)
}
