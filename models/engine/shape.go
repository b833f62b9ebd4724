package engine

import (
	"fmt"
	"math"
)

// Kind and OutShape of every operation: the one place where parameters are
// checked against shapes. All methods have pointer receivers, so a Net holds
// &Conv{...} and never Conv{...}.

// one returns the only input's shape.
func one(in []Shape) (Shape, error) {
	if len(in) != 1 {
		return Shape{}, fmt.Errorf("want 1 input, got %d: %v", len(in), in)
	}
	if in[0].C < 1 || in[0].H < 1 || in[0].W < 1 {
		return Shape{}, fmt.Errorf("input shape %v is empty", in[0])
	}
	return in[0], nil
}

func wantLen(what string, got, want int) error {
	if got != want {
		return fmt.Errorf("%s has %d numbers, want %d", what, got, want)
	}
	return nil
}

// span is the number of positions of a window of k entries (d apart) moving by
// s over n entries padded by lo and hi; ceil rounds up, as long as the last
// window begins before the padding at the far end (PyTorch's rule).
func span(n, k, s, d, lo, hi int, ceil bool) int {
	free := n + lo + hi - (d*(k-1) + 1)
	if free < 0 {
		return 0
	}
	out := free/s + 1
	if ceil && free%s != 0 && out*s < n+lo {
		out++
	}
	return out
}

func (p Padding) check() error {
	if p.Top < 0 || p.Left < 0 || p.Bottom < 0 || p.Right < 0 {
		return fmt.Errorf("padding %+v is negative", p)
	}
	return nil
}

// Kind is "Conv".
func (c *Conv) Kind() string { return "Conv" }

// OutShape is Out x rows x columns of window positions.
func (c *Conv) OutShape(in []Shape) (Shape, error) {
	s, err := one(in)
	if err != nil {
		return s, err
	}
	switch {
	case c.In < 1 || c.Out < 1 || c.Groups < 1 || c.In%c.Groups != 0 || c.Out%c.Groups != 0:
		return Shape{}, fmt.Errorf("%d channels to %d do not divide into %d groups", c.In, c.Out, c.Groups)
	case c.KernelH < 1 || c.KernelW < 1 || c.StrideH < 1 || c.StrideW < 1 || c.DilationH < 1 || c.DilationW < 1:
		return Shape{}, fmt.Errorf("kernel %dx%d, stride %dx%d, dilation %dx%d: each must be at least 1",
			c.KernelH, c.KernelW, c.StrideH, c.StrideW, c.DilationH, c.DilationW)
	case s.C != c.In:
		return Shape{}, fmt.Errorf("input %v has %d channels, the weights want %d", s, s.C, c.In)
	}
	if err := c.Pad.check(); err != nil {
		return Shape{}, err
	}
	if want := c.Out * (c.In / c.Groups) * c.KernelH * c.KernelW; len(c.W) != want {
		return Shape{}, fmt.Errorf("weight has %d numbers, want %d (%dx%dx%dx%d)",
			len(c.W), want, c.Out, c.In/c.Groups, c.KernelH, c.KernelW)
	}
	if c.B != nil {
		if err := wantLen("bias", len(c.B), c.Out); err != nil {
			return Shape{}, err
		}
	}
	out := Shape{c.Out,
		span(s.H, c.KernelH, c.StrideH, c.DilationH, c.Pad.Top, c.Pad.Bottom, false),
		span(s.W, c.KernelW, c.StrideW, c.DilationW, c.Pad.Left, c.Pad.Right, false)}
	if out.H < 1 || out.W < 1 {
		return Shape{}, fmt.Errorf("kernel %dx%d (dilation %dx%d) is larger than the padded input %dx%d",
			c.KernelH, c.KernelW, c.DilationH, c.DilationW, s.H+c.Pad.Top+c.Pad.Bottom, s.W+c.Pad.Left+c.Pad.Right)
	}
	return out, nil
}

// Kind is "Dense".
func (d *Dense) Kind() string { return "Dense" }

// OutShape is Out x 1 x 1; any input of In numbers will do.
func (d *Dense) OutShape(in []Shape) (Shape, error) {
	s, err := one(in)
	if err != nil {
		return s, err
	}
	if d.In < 1 || d.Out < 1 {
		return Shape{}, fmt.Errorf("%d to %d: each must be at least 1", d.In, d.Out)
	}
	if s.Len() != d.In {
		return Shape{}, fmt.Errorf("input %v has %d numbers, the weights want %d", s, s.Len(), d.In)
	}
	if len(d.W) != d.Out*d.In {
		return Shape{}, fmt.Errorf("weight has %d numbers, want %d (%dx%d)", len(d.W), d.Out*d.In, d.Out, d.In)
	}
	if d.B != nil {
		if err := wantLen("bias", len(d.B), d.Out); err != nil {
			return Shape{}, err
		}
	}
	return Shape{d.Out, 1, 1}, nil
}

// Kind is "BatchNorm".
func (b *BatchNorm) Kind() string { return "BatchNorm" }

// OutShape is the input's.
func (b *BatchNorm) OutShape(in []Shape) (Shape, error) {
	s, err := one(in)
	if err != nil {
		return s, err
	}
	for _, p := range []struct {
		name string
		v    []float32
	}{{"gamma", b.Gamma}, {"beta", b.Beta}, {"mean", b.Mean}, {"variance", b.Var}} {
		if len(p.v) != s.C {
			return Shape{}, fmt.Errorf("%s has %d numbers, the input %v wants %d", p.name, len(p.v), s, s.C)
		}
	}
	for i, v := range b.Var {
		if !(float64(v)+b.Eps > 0) {
			return Shape{}, fmt.Errorf("variance %g plus epsilon %g of channel %d is not positive", v, b.Eps, i)
		}
	}
	return s, nil
}

// scaleShift gives y = x*scale + shift per channel.
func (b *BatchNorm) scaleShift() (scale, shift []float64) {
	scale, shift = make([]float64, len(b.Var)), make([]float64, len(b.Var))
	for i := range scale {
		scale[i] = float64(b.Gamma[i]) / math.Sqrt(float64(b.Var[i])+b.Eps)
		shift[i] = float64(b.Beta[i]) - float64(float64(b.Mean[i])*scale[i])
	}
	return scale, shift
}

// Kind is "Affine".
func (a *Affine) Kind() string { return "Affine" }

// OutShape is the input's.
func (a *Affine) OutShape(in []Shape) (Shape, error) {
	s, err := one(in)
	if err != nil {
		return s, err
	}
	for _, p := range []struct {
		name string
		n    int
	}{{"scale", len(a.Scale)}, {"shift", len(a.Shift)}} {
		if p.n != 1 && p.n != s.C {
			return Shape{}, fmt.Errorf("%s has %d numbers, the input %v wants 1 or %d", p.name, p.n, s, s.C)
		}
	}
	return s, nil
}

// scaleShift gives y = x*scale + shift per channel.
func (a *Affine) scaleShift(channels int) (scale, shift []float64) {
	spread := func(v []float64) []float64 {
		out := make([]float64, channels)
		for i := range out {
			out[i] = v[i%len(v)]
		}
		return out
	}
	return spread(a.Scale), spread(a.Shift)
}

// Kind is "Activation".
func (a *Activation) Kind() string { return "Activation" }

// OutShape is the input's.
func (a *Activation) OutShape(in []Shape) (Shape, error) {
	s, err := one(in)
	if err != nil {
		return s, err
	}
	switch a.Func {
	case ReLU, ReLU6, LeakyReLU, Sigmoid, SiLU, HardSigmoid, HardSwish, Tanh:
	case Clip:
		if !(a.Alpha <= a.Beta) {
			return Shape{}, fmt.Errorf("clip to [%g, %g] is empty", a.Alpha, a.Beta)
		}
	default:
		if _, ok := functions[a.Func]; !ok {
			return Shape{}, fmt.Errorf("unknown activation function %q", a.Func)
		}
	}
	return s, nil
}

// window describes the common part of both pools.
type window struct {
	kh, kw, sh, sw int
	pad            Padding
	ceil           bool
}

func (w window) outShape(in []Shape) (Shape, error) {
	s, err := one(in)
	if err != nil {
		return s, err
	}
	if w.kh < 1 || w.kw < 1 || w.sh < 1 || w.sw < 1 {
		return Shape{}, fmt.Errorf("kernel %dx%d, stride %dx%d: each must be at least 1", w.kh, w.kw, w.sh, w.sw)
	}
	if err := w.pad.check(); err != nil {
		return Shape{}, err
	}
	if max(w.pad.Top, w.pad.Bottom) >= w.kh || max(w.pad.Left, w.pad.Right) >= w.kw {
		return Shape{}, fmt.Errorf("padding %+v is not smaller than the kernel %dx%d", w.pad, w.kh, w.kw)
	}
	out := Shape{s.C, span(s.H, w.kh, w.sh, 1, w.pad.Top, w.pad.Bottom, w.ceil), span(s.W, w.kw, w.sw, 1, w.pad.Left, w.pad.Right, w.ceil)}
	if out.H < 1 || out.W < 1 {
		return Shape{}, fmt.Errorf("kernel %dx%d is larger than the padded input %v", w.kh, w.kw, s)
	}
	return out, nil
}

func (p *MaxPool) window() window {
	return window{p.KernelH, p.KernelW, p.StrideH, p.StrideW, p.Pad, p.CeilMode}
}

func (p *AvgPool) window() window {
	return window{p.KernelH, p.KernelW, p.StrideH, p.StrideW, p.Pad, p.CeilMode}
}

// Kind is "MaxPool".
func (p *MaxPool) Kind() string { return "MaxPool" }

// OutShape is C x rows x columns of window positions.
func (p *MaxPool) OutShape(in []Shape) (Shape, error) { return p.window().outShape(in) }

// Kind is "AvgPool".
func (p *AvgPool) Kind() string { return "AvgPool" }

// OutShape is C x rows x columns of window positions.
func (p *AvgPool) OutShape(in []Shape) (Shape, error) { return p.window().outShape(in) }

// Kind is "GlobalAvgPool".
func (*GlobalAvgPool) Kind() string { return "GlobalAvgPool" }

// OutShape is C x 1 x 1.
func (*GlobalAvgPool) OutShape(in []Shape) (Shape, error) {
	s, err := one(in)
	return Shape{s.C, 1, 1}, err
}
