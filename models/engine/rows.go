package engine

import (
	"math"
	"unsafe"
)

// The kernels of rows: what norms, softmax and activations do with runs of
// floats, in blocks of 16. Nothing is fused and the sums of a row are sixteen,
// one a place in the block, so that plain Go and every vector length give the
// same bytes. What is in this file defines them.

// block is the number of floats of a block.
const block = 16

// rowArgs is what a kernel of rows gets; the assembly knows these offsets.
type rowArgs struct {
	x, z, u, v unsafe.Pointer // read; a kernel's comment says which
	y          unsafe.Pointer // written; may be one of them
	consts     unsafe.Pointer // rowConsts
	n          int            // blocks, at least 1
	a, b, c, d float32
	s, t       [block]float32 // sums so far, added to
}

// rowKernels are the kernels of rows, each for n blocks.
type rowKernels struct {
	top         func(*rowArgs) // s = max(s, x)
	exp         func(*rowArgs) // y = e^(x-a), 0 where that is below e^expLow; s += y
	scale       func(*rowArgs) // y = x*a
	dot         func(*rowArgs) // s += x*z
	softmaxGrad func(*rowArgs) // y = x*(z-a)
	sum         func(*rowArgs) // s += x
	squares     func(*rowArgs) // s += (x-a)^2
	norm        func(*rowArgs) // y = (x-a)*b*u + v
	normSums    func(*rowArgs) // g = z*u; s += g, t += g*((x-a)*b)
	normGrad    func(*rowArgs) // y = b*((z*u-c) - ((x-a)*b)*d)
	normGradAdd func(*rowArgs) // y = v + that
	// functions of x, and z times their slopes at x
	gelu, geluGrad         func(*rowArgs)
	geluTanh, geluTanhGrad func(*rowArgs)
	silu, siluGrad         func(*rowArgs)
	sigmoid, sigmoidGrad   func(*rowArgs)
	// y = v + x*z for a run of blocks, and y = x*z
	mul, mulAdd func(*rowArgs)
}

var plainRows = rowKernels{
	top: plainTop, exp: plainExp, scale: plainScale, dot: plainDot, softmaxGrad: plainSoftmaxGrad,
	sum: plainSum, squares: plainSquares, norm: plainNorm, normSums: plainNormSums,
	normGrad: plainNormGrad, normGradAdd: plainNormGradAdd,
	gelu: plainOf(gelu32), geluGrad: plainSlope(geluSlope32),
	geluTanh: plainOf(geluTanh32), geluTanhGrad: plainSlope(geluTanhSlope32),
	silu: plainOf(silu32), siluGrad: plainSlope(siluSlope32),
	sigmoid: plainOf(sigmoid32), sigmoidGrad: plainSlope(sigmoidSlope32),
	mul: plainMul, mulAdd: plainMulAdd,
}

// Numbers of the kernels' constants; the generator of the assembly has them too.
const (
	constOne = iota
	constHalf
	constLow   // below it e^x counts as 0
	constHigh  // above it e^x is e^constHigh
	constLog2e // 1/ln 2
	constMagic // 1.5*2^23: a float plus and minus it is rounded to a whole number
	constLn2High
	constLn2Low
	constExp5 // of the polynomial of e^r, |r| <= ln(2)/2
	constExp4
	constExp3
	constExp2
	constExp1
	constAbs       // all bits but the sign
	constMinusHalf // -1/2
	constTail      // t = 1/(1 + constTail*|x|)
	constTail1     // coefficients of t, t^2, ... of normal(-|x|)*e^(x^2/2)
	constTail2
	constTail3
	constTail4
	constTail5
	constTail6
	constTail7
	constTail8
	constTail9
	constDensity  // 1/sqrt(2*pi)
	constGeluA    // 2*sqrt(2/pi)
	constGeluB    // 2*sqrt(2/pi)*0.044715
	constGeluB3   // three times that
	constMinusOne // -1
	rowConstants
)

// expLow is where e^x counts as 0: the last whole power of two that the
// arithmetic on exponents can make is 2^-125.
const expLow = -86.6

var rowConsts = func() (c [rowConstants][block]float32) {
	for k, v := range [rowConstants]float32{
		constOne: 1, constHalf: 0.5, constMinusHalf: -0.5, constMinusOne: -1,
		constLow: expLow, constHigh: 88, constLog2e: math.Log2E, constMagic: 12582912,
		constLn2High: 0.693359375, constLn2Low: -2.12194440e-4,
		// Cephes' expf (Moshier).
		constExp5: 1.9875691500e-4, constExp4: 1.3981999507e-3, constExp3: 8.3334519073e-3,
		constExp2: 4.1665795894e-2, constExp1: 1.6666665459e-1,
		constAbs: math.Float32frombits(0x7fffffff),
		// Fitted to half of erfcx(|x|/sqrt 2) for |x| < 14: relative error 1.6e-8.
		constTail: 0.21, constTail1: 0.08371157421512054, constTail2: 0.0850688812588819, constTail3: 0.06919201164555923,
		constTail4: 0.12487331804267493, constTail5: -0.09392652677928053, constTail6: 0.34940281747518465,
		constTail7: -0.3302548625526747, constTail8: 0.2835892225430478, constTail9: -0.07165642894532011,
		constDensity: 0.3989422804014327,
		constGeluA:   1.5957691216057308, constGeluB: 0.07135481282705209, constGeluB3: 0.21406443848115628,
	} {
		for i := range c[k] {
			c[k][i] = v
		}
	}
	return c
}()

func konst(k int) float32 { return rowConsts[k][0] }

// exp32 is e^x between e^expLow and e^88; a few 1e-8 off, relatively.
func exp32(x float32) float32 {
	if x < konst(constLow) {
		x = konst(constLow)
	}
	if x > konst(constHigh) {
		x = konst(constHigh)
	}
	n := float32(float32(x*konst(constLog2e))+konst(constMagic)) - konst(constMagic)
	r := x - float32(n*konst(constLn2High))
	r -= float32(n * konst(constLn2Low))
	p := konst(constExp5)
	for k := constExp4; k <= constExp1; k++ {
		p = float32(p*r) + konst(k)
	}
	p = float32(p*r) + konst(constHalf)
	y := float32(float32(p*r)*r) + r
	y += konst(constOne)
	if n != n {
		return y
	}
	return math.Float32frombits(math.Float32bits(y) + uint32(int32(n))<<23)
}

// normal32 is the distribution function of a normal number, and e^(-x^2/2).
func normal32(x float32) (p, e float32) {
	z := math.Float32frombits(math.Float32bits(x) & 0x7fffffff)
	e = exp32(float32(float32(z*z) * konst(constMinusHalf)))
	t := konst(constOne) / (float32(z*konst(constTail)) + konst(constOne))
	q := konst(constTail9)
	for k := constTail8; k >= constTail1; k-- {
		q = float32(q*t) + konst(k)
	}
	q = float32(float32(q*t) * e)
	if x < 0 {
		return q, e
	}
	return konst(constOne) - q, e
}

func gelu32(x float32) float32 { p, _ := normal32(x); return x * p }
func geluSlope32(x float32) float32 {
	p, e := normal32(x)
	return p + float32(x*float32(e*konst(constDensity)))
}

func sigmoid32(x float32) float32 {
	return konst(constOne) / (exp32(float32(x*konst(constMinusOne))) + konst(constOne))
}

func sigmoidSlope32(x float32) float32 {
	s := sigmoid32(x)
	return s * (konst(constOne) - s)
}

func silu32(x float32) float32 { return x * sigmoid32(x) }

func siluSlope32(x float32) float32 {
	s := sigmoid32(x)
	return s + float32(x*float32(s*(konst(constOne)-s)))
}

// geluTanh32 is x*sigmoid(w), as 1 + tanh(w/2) is 2*sigmoid(w).
func geluTanh32(x float32) float32 {
	w := x * (float32(float32(x*x)*konst(constGeluB)) + konst(constGeluA))
	return x * sigmoid32(w)
}

func geluTanhSlope32(x float32) float32 {
	q := float32(x * x)
	s := sigmoid32(x * (float32(q*konst(constGeluB)) + konst(constGeluA)))
	dw := float32(q*konst(constGeluB3)) + konst(constGeluA)
	return s + float32(float32(x*float32(s*(konst(constOne)-s)))*dw)
}

func rowOf(p unsafe.Pointer, a *rowArgs) []float32 { return floats(p, block*a.n) }

func plainOf(f func(float32) float32) func(*rowArgs) {
	return func(a *rowArgs) {
		y := rowOf(a.y, a)
		for i, x := range rowOf(a.x, a) {
			y[i] = f(x)
		}
	}
}

func plainSlope(f func(float32) float32) func(*rowArgs) {
	return func(a *rowArgs) {
		y, z := rowOf(a.y, a), rowOf(a.z, a)
		for i, x := range rowOf(a.x, a) {
			y[i] = z[i] * f(x)
		}
	}
}

func plainTop(a *rowArgs) {
	for i, x := range rowOf(a.x, a) {
		if s := &a.s[i%block]; !(*s > x) {
			*s = x
		}
	}
}

func plainExp(a *rowArgs) {
	y := rowOf(a.y, a)
	for i, x := range rowOf(a.x, a) {
		x -= a.a
		v := exp32(x)
		if x < konst(constLow) {
			v = 0
		}
		y[i] = v
		a.s[i%block] += v
	}
}

func plainScale(a *rowArgs) {
	y := rowOf(a.y, a)
	for i, x := range rowOf(a.x, a) {
		y[i] = x * a.a
	}
}

func plainDot(a *rowArgs) {
	z := rowOf(a.z, a)
	for i, x := range rowOf(a.x, a) {
		a.s[i%block] += float32(x * z[i])
	}
}

func plainSoftmaxGrad(a *rowArgs) {
	y, z := rowOf(a.y, a), rowOf(a.z, a)
	for i, x := range rowOf(a.x, a) {
		y[i] = x * (z[i] - a.a)
	}
}

func plainSum(a *rowArgs) {
	for i, x := range rowOf(a.x, a) {
		a.s[i%block] += x
	}
}

func plainSquares(a *rowArgs) {
	for i, x := range rowOf(a.x, a) {
		d := x - a.a
		a.s[i%block] += float32(d * d)
	}
}

func plainNorm(a *rowArgs) {
	y, u, v := rowOf(a.y, a), rowOf(a.u, a), rowOf(a.v, a)
	for i, x := range rowOf(a.x, a) {
		y[i] = float32(float32((x-a.a)*a.b)*u[i]) + v[i]
	}
}

func plainNormSums(a *rowArgs) {
	z, u := rowOf(a.z, a), rowOf(a.u, a)
	for i, x := range rowOf(a.x, a) {
		g := float32(z[i] * u[i])
		a.s[i%block] += g
		a.t[i%block] += float32(g * float32((x-a.a)*a.b))
	}
}

func (a *rowArgs) normGrad(x, z, u float32) float32 {
	return a.b * ((float32(z*u) - a.c) - float32(float32((x-a.a)*a.b)*a.d))
}

func plainNormGrad(a *rowArgs) {
	y, z, u := rowOf(a.y, a), rowOf(a.z, a), rowOf(a.u, a)
	for i, x := range rowOf(a.x, a) {
		y[i] = a.normGrad(x, z[i], u[i])
	}
}

func plainNormGradAdd(a *rowArgs) {
	y, z, u, v := rowOf(a.y, a), rowOf(a.z, a), rowOf(a.u, a), rowOf(a.v, a)
	for i, x := range rowOf(a.x, a) {
		y[i] = v[i] + float32(a.normGrad(x, z[i], u[i]))
	}
}

func plainMul(a *rowArgs) {
	y, z := rowOf(a.y, a), rowOf(a.z, a)
	for i, x := range rowOf(a.x, a) {
		y[i] = x * z[i]
	}
}

func plainMulAdd(a *rowArgs) {
	y, z, v := rowOf(a.y, a), rowOf(a.z, a), rowOf(a.v, a)
	for i, x := range rowOf(a.x, a) {
		y[i] = v[i] + float32(x*z[i])
	}
}

// total adds a block's sums up, halves onto halves.
func total(s *[block]float32) float32 {
	for n := block / 2; n > 0; n /= 2 {
		for i := range n {
			s[i] += s[i+n]
		}
	}
	return s[0]
}

// largest is the largest of a block.
func largest(s *[block]float32) float32 {
	best := s[0]
	for _, v := range s[1:] {
		if !(best > v) {
			best = v
		}
	}
	return best
}
