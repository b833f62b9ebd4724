package engine

import (
	"math"

	"sapf/models/exact"
)

// Reference forms of the operations that work on each entry or channel alone.

// perChannel calls f(c, k) for every entry k of channel c in a batch.
func perChannel(s Shape, n int, f func(c, k int)) {
	hw := s.H * s.W
	for k := 0; k < n*s.Len(); k++ {
		f(k/hw%s.C, k)
	}
}

func (b *BatchNorm) forward64(in []Shape, _ Shape, n int, xs [][]float64, y []float64) {
	scale, shift := b.scaleShift()
	perChannel(in[0], n, func(c, k int) { y[k] = float64(xs[0][k]*scale[c]) + shift[c] })
}

func (b *BatchNorm) backward64(in []Shape, _ Shape, n int, _ [][]float64, _, dy []float64, dxs [][]float64) {
	scale, _ := b.scaleShift()
	perChannel(in[0], n, func(c, k int) { dxs[0][k] += float64(dy[k] * scale[c]) })
}

func (a *Affine) forward64(in []Shape, _ Shape, n int, xs [][]float64, y []float64) {
	scale, shift := a.scaleShift(in[0].C)
	perChannel(in[0], n, func(c, k int) { y[k] = float64(xs[0][k]*scale[c]) + shift[c] })
}

func (a *Affine) backward64(in []Shape, _ Shape, n int, _ [][]float64, _, dy []float64, dxs [][]float64) {
	scale, _ := a.scaleShift(in[0].C)
	perChannel(in[0], n, func(c, k int) { dxs[0][k] += float64(dy[k] * scale[c]) })
}

// value is the function at x.
func (a *Activation) value(x float64) float64 {
	switch a.Func {
	case ReLU:
		return math.Max(x, 0)
	case ReLU6:
		return math.Min(math.Max(x, 0), 6)
	case LeakyReLU:
		if x > 0 {
			return x
		}
		return a.Alpha * x
	case Sigmoid:
		return sigmoid(x)
	case SiLU:
		return x * sigmoid(x)
	case HardSigmoid:
		return math.Max(0, math.Min(1, float64(a.Alpha*x)+a.Beta))
	case HardSwish:
		return x * math.Max(0, math.Min(1, x/6+0.5))
	case Clip:
		return math.Min(math.Max(x, a.Alpha), a.Beta)
	case Tanh:
		return exact.Tanh(x)
	}
	return functions[a.Func].value(a, x)
}

// slope is the derivative at x; at a kink, the flat side's (0 for ReLU at 0).
func (a *Activation) slope(x float64) float64 {
	inside := func(in bool, v float64) float64 {
		if in {
			return v
		}
		return 0
	}
	switch a.Func {
	case ReLU:
		return inside(x > 0, 1)
	case ReLU6:
		return inside(x > 0 && x < 6, 1)
	case LeakyReLU:
		if x > 0 {
			return 1
		}
		return a.Alpha
	case Sigmoid:
		s := sigmoid(x)
		return s * (1 - s)
	case SiLU:
		s := sigmoid(x)
		return s + float64(x*s*(1-s))
	case HardSigmoid:
		t := float64(a.Alpha*x) + a.Beta
		return inside(t > 0 && t < 1, a.Alpha)
	case HardSwish:
		if x >= 3 {
			return 1
		}
		return inside(x > -3, x/3+0.5)
	case Clip:
		return inside(x > a.Alpha && x < a.Beta, 1)
	case Tanh:
		t := exact.Tanh(x)
		return 1 - float64(t*t)
	}
	return functions[a.Func].slope(a, x)
}

func sigmoid(x float64) float64 { return 1 / (1 + exact.Exp(-x)) }

func (a *Activation) forward64(_ []Shape, _ Shape, _ int, xs [][]float64, y []float64) {
	for k, x := range xs[0] {
		y[k] = a.value(x)
	}
}

func (a *Activation) backward64(_ []Shape, _ Shape, _ int, xs [][]float64, _, dy []float64, dxs [][]float64) {
	for k, x := range xs[0] {
		dxs[0][k] += float64(dy[k] * a.slope(x))
	}
}

// spread calls f(k, j) for every output entry k and the entry j of an input of
// shape s that is broadcast to it.
func spread(s, out Shape, n int, f func(k, j int)) {
	hw := out.H * out.W
	for k := 0; k < n*out.Len(); k++ {
		if s == out {
			f(k, k)
		} else {
			f(k, k/hw)
		}
	}
}

func (*Add) forward64(in []Shape, out Shape, n int, xs [][]float64, y []float64) {
	fill(y, 0)
	for i, s := range in {
		x := xs[i]
		spread(s, out, n, func(k, j int) { y[k] += x[j] })
	}
}

func (*Add) backward64(in []Shape, out Shape, n int, _ [][]float64, _, dy []float64, dxs [][]float64) {
	for i, s := range in {
		dx := dxs[i]
		spread(s, out, n, func(k, j int) { dx[j] += dy[k] })
	}
}

func (*Mul) forward64(in []Shape, out Shape, n int, xs [][]float64, y []float64) {
	fill(y, 1)
	for i, s := range in {
		x := xs[i]
		spread(s, out, n, func(k, j int) { y[k] *= x[j] })
	}
}

func (*Mul) backward64(in []Shape, out Shape, n int, xs [][]float64, _, dy []float64, dxs [][]float64) {
	g := make([]float64, len(dy))
	for i, s := range in {
		other, dx := xs[1-i], dxs[i]
		spread(in[1-i], out, n, func(k, j int) { g[k] = dy[k] * other[j] })
		spread(s, out, n, func(k, j int) { dx[j] += g[k] })
	}
}

func (*Softmax) forward64(_ []Shape, out Shape, n int, xs [][]float64, y []float64) {
	for b := 0; b < n; b++ {
		x, y := xs[0][b*out.C:][:out.C], y[b*out.C:][:out.C]
		top := math.Inf(-1)
		for _, v := range x {
			top = math.Max(top, v)
		}
		sum := 0.0
		for i, v := range x {
			y[i] = exact.Exp(v - top)
			sum += y[i]
		}
		for i := range y {
			y[i] /= sum
		}
	}
}

func (*Softmax) backward64(_ []Shape, out Shape, n int, _ [][]float64, y, dy []float64, dxs [][]float64) {
	for b := 0; b < n; b++ {
		y, dy, dx := y[b*out.C:][:out.C], dy[b*out.C:][:out.C], dxs[0][b*out.C:][:out.C]
		dot := 0.0
		for i := range y {
			dot += float64(y[i] * dy[i])
		}
		for i := range y {
			dx[i] += float64(y[i] * (dy[i] - dot))
		}
	}
}
