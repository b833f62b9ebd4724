package baseline

import "math"

// size orders successful images: by the first number, then by the second.
type size [2]float64

func (s size) below(t size) bool { return s[0] < t[0] || s[0] == t[0] && s[1] < t[1] }

// The orders in which successes are preferred.

func byL0(*oracle) func(x, adv []float64) size {
	return func(x, adv []float64) size { return size{float64(countEntries(x, adv)), squaredDistance(x, adv)} }
}

func byPixels(o *oracle) func(x, adv []float64) size {
	return func(x, adv []float64) size {
		return size{float64(countPixels(x, adv, o.channels)), squaredDistance(x, adv)}
	}
}

func byL1(*oracle) func(x, adv []float64) size {
	return func(x, adv []float64) size {
		sum := 0.0
		for i, v := range adv {
			sum += math.Abs(v - x[i])
		}
		return size{sum}
	}
}

func byL2(*oracle) func(x, adv []float64) size {
	return func(x, adv []float64) size { return size{squaredDistance(x, adv)} }
}

func byLinf(*oracle) func(x, adv []float64) size {
	return func(x, adv []float64) size {
		top := 0.0
		for i, v := range adv {
			top = max(top, math.Abs(v-x[i]))
		}
		return size{top, squaredDistance(x, adv)}
	}
}

func squaredDistance(x, adv []float64) float64 {
	sum := 0.0
	for i, v := range adv {
		sum += float64((v - x[i]) * (v - x[i]))
	}
	return sum
}

func countEntries(x, adv []float64) int {
	n := 0
	for i, v := range adv {
		if v != x[i] {
			n++
		}
	}
	return n
}

func countPixels(x, adv []float64, channels int) int {
	n, pixels := 0, len(x)/channels
	for p := range pixels {
		for c := range channels {
			if i := c*pixels + p; adv[i] != x[i] {
				n++
				break
			}
		}
	}
	return n
}
