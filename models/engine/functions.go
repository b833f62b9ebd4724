package engine

import (
	"math"

	"sapf/models/exact"
)

// More functions of one number, as the networks beside the convolutional ones
// have them.
const (
	Gelu            ActKind = "gelu"       // x * (1 + erf(x/sqrt 2)) / 2
	GeluTanh        ActKind = "gelu_tanh"  // the same with a tanh for the erf
	Swish           ActKind = "swish"      // x * sigmoid(Alpha*x)
	Elu             ActKind = "elu"        // Alpha*(e^x - 1) below 0
	Selu            ActKind = "selu"       // Beta*elu(x)
	Celu            ActKind = "celu"       // Alpha*(e^(x/Alpha) - 1) below 0
	Softplus        ActKind = "softplus"   // log(1 + e^x)
	Softsign        ActKind = "softsign"   // x / (1 + |x|)
	Mish            ActKind = "mish"       // x * tanh(softplus(x))
	ThresholdedReLU ActKind = "threshold"  // x above Alpha, else 0
	Shrink          ActKind = "shrink"     // x -+ Beta beyond +-Alpha, else 0
	Erf             ActKind = "erf"        // error function
	Exp             ActKind = "exp"        // e^x
	Log             ActKind = "log"        // natural logarithm
	Sqrt            ActKind = "sqrt"       // square root
	Reciprocal      ActKind = "reciprocal" // 1/x
	Abs             ActKind = "abs"        // |x|
	Square          ActKind = "square"     // x^2
	Sinh            ActKind = "sinh"       // hyperbolic sine
	Cosh            ActKind = "cosh"       // hyperbolic cosine
	Asinh           ActKind = "asinh"      // inverse of sinh
	Acosh           ActKind = "acosh"      // inverse of cosh
	Atanh           ActKind = "atanh"      // inverse of tanh
	Sin             ActKind = "sin"        // sine
	Cos             ActKind = "cos"        // cosine
	Tan             ActKind = "tan"        // tangent
	Asin            ActKind = "asin"       // inverse of sin
	Acos            ActKind = "acos"       // inverse of cos
	Atan            ActKind = "atan"       // inverse of tan
	// Steps, whose slope is 0 wherever it is defined.
	Sign  ActKind = "sign"
	Floor ActKind = "floor"
	Ceil  ActKind = "ceil"
	Round ActKind = "round" // ties to even
	Trunc ActKind = "trunc" // towards 0
	Not   ActKind = "not"   // 1 for 0, else 0
	// Quantise is a step too, but gradients pass straight through it.
	Quantise ActKind = "quantise" // nearest whole number from Alpha to Beta, ties to even
)

// function is a function of one number and its derivative.
type function struct {
	value, slope func(a *Activation, x float64) float64
}

func plain(f func(x float64) float64) func(*Activation, float64) float64 {
	return func(_ *Activation, x float64) float64 { return f(x) }
}

// stair is a function without a slope.
func stair(f func(x float64) float64) function {
	return function{plain(f), func(*Activation, float64) float64 { return 0 }}
}

// softplus is log(1 + e^x), without an overflow.
func softplus(x float64) float64 {
	return math.Max(x, 0) + exact.Log(1+exact.Exp(-math.Abs(x)))
}

// normal is the cumulative distribution function of a normal number.
func normal(x float64) float64 { return 0.5 + float64(0.5*exact.Erf(x*(math.Sqrt2/2))) }

// geluInner is the argument of GeluTanh's tanh, and its derivative.
func geluInner(x float64) (u, du float64) {
	const scale, cube = 0.7978845608028654, 0.044715 // sqrt(2/pi)
	square := float64(x * x)
	return scale * (x + float64(cube*float64(square*x))), scale * (1 + float64(3*cube*square))
}

// functions are the functions by name.
var functions = map[ActKind]function{
	Gelu: {plain(func(x float64) float64 { return x * normal(x) }),
		plain(func(x float64) float64 {
			const density = 0.3989422804014327 // 1/sqrt(2*pi)
			return normal(x) + float64(x*float64(density*exact.Exp(-0.5*float64(x*x))))
		})},
	GeluTanh: {plain(func(x float64) float64 {
		u, _ := geluInner(x)
		return 0.5 * x * (1 + exact.Tanh(u))
	}), plain(func(x float64) float64 {
		u, du := geluInner(x)
		t := exact.Tanh(u)
		return float64(0.5*(1+t)) + float64(0.5*x*float64(1-float64(t*t))*du)
	})},
	Swish: {func(a *Activation, x float64) float64 { return x * sigmoid(float64(a.Alpha*x)) },
		func(a *Activation, x float64) float64 {
			s := sigmoid(float64(a.Alpha * x))
			return s + float64(float64(a.Alpha*x)*float64(s*(1-s)))
		}},
	Elu: {func(a *Activation, x float64) float64 { return elu(x, a.Alpha, 1) },
		func(a *Activation, x float64) float64 { return eluSlope(x, a.Alpha, 1) }},
	Selu: {func(a *Activation, x float64) float64 { return a.Beta * elu(x, a.Alpha, 1) },
		func(a *Activation, x float64) float64 { return a.Beta * eluSlope(x, a.Alpha, 1) }},
	Celu: {func(a *Activation, x float64) float64 { return elu(x, a.Alpha, a.Alpha) },
		func(a *Activation, x float64) float64 { return eluSlope(x, a.Alpha, a.Alpha) }},
	Softplus: {plain(softplus), plain(sigmoid)},
	Softsign: {plain(func(x float64) float64 { return x / (1 + math.Abs(x)) }),
		plain(func(x float64) float64 { d := 1 + math.Abs(x); return 1 / float64(d*d) })},
	Mish: {plain(func(x float64) float64 { return x * exact.Tanh(softplus(x)) }),
		plain(func(x float64) float64 {
			t := exact.Tanh(softplus(x))
			return t + float64(x*float64(float64(1-float64(t*t))*sigmoid(x)))
		})},
	ThresholdedReLU: {func(a *Activation, x float64) float64 {
		if x > a.Alpha {
			return x
		}
		return 0
	}, func(a *Activation, x float64) float64 {
		if x > a.Alpha {
			return 1
		}
		return 0
	}},
	Shrink: {func(a *Activation, x float64) float64 {
		switch {
		case x < -a.Alpha:
			return x + a.Beta
		case x > a.Alpha:
			return x - a.Beta
		}
		return 0
	}, func(a *Activation, x float64) float64 {
		if math.Abs(x) > a.Alpha {
			return 1
		}
		return 0
	}},
	Erf:  {plain(exact.Erf), plain(func(x float64) float64 { return 2 / math.SqrtPi * exact.Exp(-float64(x*x)) })},
	Exp:  {plain(exact.Exp), plain(exact.Exp)},
	Log:  {plain(exact.Log), plain(func(x float64) float64 { return 1 / x })},
	Sqrt: {plain(math.Sqrt), plain(func(x float64) float64 { return 0.5 / math.Sqrt(x) })},
	Reciprocal: {plain(func(x float64) float64 { return 1 / x }),
		plain(func(x float64) float64 { return -1 / float64(x*x) })},
	Abs: {plain(math.Abs), plain(func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return 0
	})},
	Square: {plain(func(x float64) float64 { return x * x }), plain(func(x float64) float64 { return 2 * x })},
	Sinh:   {plain(sinh), plain(cosh)},
	Cosh:   {plain(cosh), plain(sinh)},
	Asinh: {plain(func(x float64) float64 {
		a := math.Abs(x)
		return math.Copysign(exact.Log(a+math.Sqrt(float64(a*a)+1)), x)
	}), plain(func(x float64) float64 { return 1 / math.Sqrt(float64(x*x)+1) })},
	Acosh: {plain(func(x float64) float64 { return exact.Log(x + math.Sqrt(float64(x*x)-1)) }),
		plain(func(x float64) float64 { return 1 / math.Sqrt(float64(x*x)-1) })},
	Atanh: {plain(exact.Atanh), plain(func(x float64) float64 { return 1 / (1 - float64(x*x)) })},
	Sin:   {plain(exact.Sin), plain(exact.Cos)},
	Cos:   {plain(exact.Cos), plain(func(x float64) float64 { return -exact.Sin(x) })},
	Tan: {plain(func(x float64) float64 { return exact.Sin(x) / exact.Cos(x) }),
		plain(func(x float64) float64 { c := exact.Cos(x); return 1 / float64(c*c) })},
	Asin: {plain(asin), plain(func(x float64) float64 { return 1 / math.Sqrt(1-float64(x*x)) })},
	Acos: {plain(func(x float64) float64 { return math.Pi/2 - asin(x) }),
		plain(func(x float64) float64 { return -1 / math.Sqrt(1-float64(x*x)) })},
	Atan: {plain(exact.Atan), plain(func(x float64) float64 { return 1 / (1 + float64(x*x)) })},
	Sign: stair(func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return x
	}),
	Floor: stair(math.Floor), Ceil: stair(math.Ceil), Round: stair(math.RoundToEven), Trunc: stair(math.Trunc),
	Quantise: {func(a *Activation, x float64) float64 {
		return math.Min(math.Max(math.RoundToEven(x), a.Alpha), a.Beta)
	},
		func(a *Activation, x float64) float64 {
			if x < a.Alpha || x > a.Beta {
				return 0
			}
			return 1
		}},
	Not: stair(func(x float64) float64 {
		if x == 0 {
			return 1
		}
		return 0
	}),
}

func elu(x, alpha, width float64) float64 {
	if x > 0 {
		return x
	}
	return alpha * (exact.Exp(x/width) - 1)
}

func eluSlope(x, alpha, width float64) float64 {
	if x > 0 {
		return 1
	}
	return alpha / width * exact.Exp(x/width)
}

func asin(x float64) float64 { return exact.Atan(x / math.Sqrt(1-float64(x*x))) }

func sinh(x float64) float64 { return float64(0.5*exact.Exp(x)) - float64(0.5*exact.Exp(-x)) }
func cosh(x float64) float64 { return float64(0.5*exact.Exp(x)) + float64(0.5*exact.Exp(-x)) }

// Value is the function at x.
func (a *Activation) Value(x float64) float64 { return a.value(x) }
