package exact

import "math"

// quarter is pi/2 in three parts, of which multiples up to 2^20 are exact but
// for the last.
var quarter = [3]float64{1.57079632673412561417e+00, 6.07710050630396597660e-11, 2.02226624879595063154e-21}

// turn reduces an angle to one within pi/4 of 0, and the number of quarter turns
// that were taken away.
func turn(x float64) (r float64, k int) {
	n := math.RoundToEven(x * (2 / math.Pi))
	r = x - float64(n*quarter[0]) - float64(n*quarter[1]) - float64(n*quarter[2])
	return r, int(int64(n) & 3)
}

// series sums the sine's terms from r^first on, first 1, or the cosine's, first 0.
func series(r float64, first int) float64 {
	square, sum := float64(r*r), 1.0
	for n := 20 + first; n > first; n -= 2 {
		sum = 1 - float64(square/float64(n*(n-1))*sum)
	}
	if first == 1 {
		return r * sum
	}
	return sum
}

// Sin is the sine, for angles up to a million.
func Sin(x float64) float64 {
	r, k := turn(x)
	v := series(r, 1-k&1)
	if k&2 != 0 {
		return -v
	}
	return v
}

// Cos is the cosine, for angles up to a million.
func Cos(x float64) float64 {
	r, k := turn(x)
	v := series(r, k&1)
	if k == 1 || k == 2 {
		return -v
	}
	return v
}

// Atan is the inverse of the tangent.
func Atan(x float64) float64 {
	if x < 0 {
		return -Atan(-x)
	}
	if x > 1 {
		return math.Pi/2 - Atan(1/x)
	}
	// Half the angle, twice.
	for range 2 {
		x /= 1 + math.Sqrt(1+float64(x*x))
	}
	const terms = 14
	square, sum := float64(x*x), 0.0
	for n := terms; n >= 0; n-- {
		sum = 1/float64(2*n+1) - float64(square*sum)
	}
	return 4 * float64(x*sum)
}
