// Package exact holds elementary functions whose results have the same bits on
// every machine. Those of package math may not: they use fused multiply-adds
// where the processor has them. Here every product is rounded before it is
// added. Errors stay within a few units in the last place (of 1, for Tanh).
package exact

import "math"

// ln2 to 32 bits, so that k*ln2High is exact, and the rest.
const (
	ln2High = 6.93147180369123816490e-01
	ln2Low  = 1.90821492927058770002e-10
)

// root[j] is 2^(j/16).
var root = [16]float64{
	1, 1.04427378242741384032, 1.09050773266525765920, 1.13878863475669165370,
	1.18920711500272106671, 1.24185781207348404859, 1.29683955465100966593, 1.35425554693689272829,
	1.41421356237309504880, 1.47682614593949931138, 1.54221082540794082361, 1.61049033194925430817,
	1.68179283050742908606, 1.75625216037329948311, 1.83400808640934246348, 1.91520656139714729387,
}

// inverse[n] is 1/n.
var inverse = [...]float64{0, 1, 1.0 / 2, 1.0 / 3, 1.0 / 4, 1.0 / 5, 1.0 / 6, 1.0 / 7, 1.0 / 8}

// Exp is e^x = 2^(k/16)*e^r with |r| <= ln(2)/32, where 8 terms of the series
// suffice.
func Exp(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x > 710:
		return math.Inf(1)
	case x < -746:
		return 0
	}
	k := math.Floor(float64(x*(16/math.Ln2)) + 0.5)
	r := x - float64(k*(ln2High/16)) - float64(k*(ln2Low/16))
	sum := 1.0
	for n := len(inverse) - 1; n >= 1; n-- {
		sum = 1 + float64(float64(r*inverse[n])*sum)
	}
	n := int(k)
	sum *= root[n&15]
	if n >>= 4; n > -1022 && n < 1024 {
		return sum * math.Float64frombits(uint64(n+1023)<<52) // a power of 2: exact
	}
	return math.Ldexp(sum, n)
}

// Log is the natural logarithm. With x = m*2^k and m near 1 it sums the series
// of 2*atanh((m-1)/(m+1)).
func Log(x float64) float64 {
	switch {
	case math.IsNaN(x) || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case math.IsInf(x, 1):
		return x
	}
	m, k := math.Frexp(x) // m in [1/2, 1)
	if m < math.Sqrt2/2 {
		m, k = 2*m, k-1
	}
	return float64(float64(k)*ln2High) + (2*float64(atanhSeries((m-1)/(m+1))) + float64(float64(k)*ln2Low))
}

// atanhSeries is atanh for |s| <= 0.172.
func atanhSeries(s float64) float64 {
	const terms = 11
	square := float64(s * s)
	sum := 0.0
	for n := terms; n >= 0; n-- {
		sum = 1/float64(2*n+1) + float64(square*sum)
	}
	return s * sum
}

// Tanh is the hyperbolic tangent.
func Tanh(x float64) float64 {
	if x < 0 {
		return -Tanh(-x)
	}
	e := Exp(-2 * x)
	return (1 - e) / (1 + e)
}

// Atanh is the inverse of Tanh, for |x| < 1.
func Atanh(x float64) float64 {
	if math.Abs(x) <= 0.17 {
		return atanhSeries(x)
	}
	return Log((1+x)/(1-x)) / 2
}

// CosPi is cos(pi*x) for x in [0,1].
func CosPi(x float64) float64 {
	if x > 0.5 {
		return -CosPi(1 - x)
	}
	const terms = 12
	angle := math.Pi * x
	square := float64(angle * angle)
	sum := 1.0
	for n := terms; n >= 1; n-- {
		sum = 1 - float64(square/float64(2*n*(2*n-1))*sum)
	}
	return sum
}

// Pow is x^y for x >= 0 and y > 0. Its relative error is that of the exponent
// y*ln(x), which is good enough while that is below a few hundred.
func Pow(x, y float64) float64 {
	switch y {
	case 0.5:
		return math.Sqrt(x)
	case 1:
		return x
	case 2:
		return float64(x * x)
	}
	return Exp(float64(y * Log(x)))
}
