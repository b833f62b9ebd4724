package engine

import "fmt"

// The double-precision reference: every operation written as its definition,
// image by image, in NCHW. It is the float64 profile, and the oracle that every
// fast kernel is held against. Products are rounded before they are added
// (float64(a*b) + c), so that no compiler fuses them and the bytes are the same
// everywhere.

// reference is what every operation of this package implements. n is the
// batch; x and dx hold one slice per input.
type reference interface {
	Op
	forward64(in []Shape, out Shape, n int, xs [][]float64, y []float64)
	// backward64 adds the vector-Jacobian product into dxs.
	backward64(in []Shape, out Shape, n int, xs [][]float64, y, dy []float64, dxs [][]float64)
}

// Forward64 computes one layer for a batch of images in double precision.
// xs[i] has length batch*in[i].Len() (NCHW), out batch times the output shape.
func Forward64(op Op, in []Shape, batch int, xs [][]float64, out []float64) error {
	ref, s, err := check64(op, in, batch, xs)
	if err != nil {
		return err
	}
	if len(out) != batch*s.Len() {
		return fmt.Errorf("%s: output has %d numbers, want %d (%d of %v)", op.Kind(), len(out), batch*s.Len(), batch, s)
	}
	ref.forward64(in, s, batch, xs, out)
	return nil
}

// Backward64 ADDS the layer's vector-Jacobian product for dout, at the inputs
// xs and their output out, into dxs. A nil dxs[i] is skipped.
func Backward64(op Op, in []Shape, batch int, xs [][]float64, out, dout []float64, dxs [][]float64) error {
	ref, s, err := check64(op, in, batch, xs)
	if err != nil {
		return err
	}
	if len(out) != batch*s.Len() || len(dout) != len(out) || len(dxs) != len(in) {
		return fmt.Errorf("%s: output, its gradient and inputs have %d, %d numbers and %d gradients, want %d, %d and %d",
			op.Kind(), len(out), len(dout), len(dxs), batch*s.Len(), batch*s.Len(), len(in))
	}
	full := make([][]float64, len(dxs))
	for i, d := range dxs {
		switch {
		case d == nil:
			full[i] = make([]float64, batch*in[i].Len())
		case len(d) != batch*in[i].Len():
			return fmt.Errorf("%s: gradient of input %d has %d numbers, want %d (%d of %v)", op.Kind(), i, len(d), batch*in[i].Len(), batch, in[i])
		default:
			full[i] = d
		}
	}
	ref.backward64(in, s, batch, xs, out, dout, full)
	return nil
}

func check64(op Op, in []Shape, batch int, xs [][]float64) (reference, Shape, error) {
	ref, ok := op.(reference)
	if !ok {
		return nil, Shape{}, fmt.Errorf("operation %s (%T) is not one of this package's", op.Kind(), op)
	}
	s, err := op.OutShape(in)
	if err != nil {
		return nil, s, fmt.Errorf("%s: %w", op.Kind(), err)
	}
	if batch < 1 || len(xs) != len(in) {
		return nil, s, fmt.Errorf("%s: batch %d with %d inputs for %d shapes", op.Kind(), batch, len(xs), len(in))
	}
	for i, x := range xs {
		if len(x) != batch*in[i].Len() {
			return nil, s, fmt.Errorf("%s: input %d has %d numbers, want %d (%d of %v)", op.Kind(), i, len(x), batch*in[i].Len(), batch, in[i])
		}
	}
	return ref, s, nil
}

// taps calls f for every row of products of the convolution: the weight w at
// (o, i, kh, kw) multiplies input entries xi, xi+StrideW, ... to reach the
// output entries yi, yi+1, ..., count of them; ci is the input channel.
func (c *Conv) taps(in, out Shape, f func(w, xi, yi, count int)) {
	cig, cog := c.In/c.Groups, c.Out/c.Groups
	for o := 0; o < c.Out; o++ {
		for i := 0; i < cig; i++ {
			ci := o/cog*cig + i
			for kh := 0; kh < c.KernelH; kh++ {
				for kw := 0; kw < c.KernelW; kw++ {
					w := ((o*cig+i)*c.KernelH+kh)*c.KernelW + kw
					// Columns ow with 0 <= ow*StrideW + shift < W.
					shift := kw*c.DilationW - c.Pad.Left
					lo, hi := 0, 0
					if shift < 0 {
						lo = (-shift + c.StrideW - 1) / c.StrideW
					}
					if in.W-shift > 0 {
						hi = min(out.W, (in.W-shift-1)/c.StrideW+1)
					}
					if hi <= lo {
						continue
					}
					for oh := 0; oh < out.H; oh++ {
						ih := oh*c.StrideH + kh*c.DilationH - c.Pad.Top
						if ih < 0 || ih >= in.H {
							continue
						}
						f(w, (ci*in.H+ih)*in.W+lo*c.StrideW+shift, (o*out.H+oh)*out.W+lo, hi-lo)
					}
				}
			}
		}
	}
}

func (c *Conv) forward64(in []Shape, out Shape, n int, xs [][]float64, y []float64) {
	hw := out.H * out.W
	for b := 0; b < n; b++ {
		x, y := xs[0][b*in[0].Len():][:in[0].Len()], y[b*out.Len():][:out.Len()]
		for o := 0; o < c.Out; o++ {
			bias := 0.0
			if c.B != nil {
				bias = float64(c.B[o])
			}
			fill(y[o*hw:][:hw], bias)
		}
		c.taps(in[0], out, func(w, xi, yi, count int) {
			wv := float64(c.W[w])
			for k := 0; k < count; k++ {
				y[yi+k] += float64(wv * x[xi+k*c.StrideW])
			}
		})
	}
}

func (c *Conv) backward64(in []Shape, out Shape, n int, _ [][]float64, _, dy []float64, dxs [][]float64) {
	for b := 0; b < n; b++ {
		dx, dy := dxs[0][b*in[0].Len():][:in[0].Len()], dy[b*out.Len():][:out.Len()]
		c.taps(in[0], out, func(w, xi, yi, count int) {
			wv := float64(c.W[w])
			for k := 0; k < count; k++ {
				dx[xi+k*c.StrideW] += float64(wv * dy[yi+k])
			}
		})
	}
}

func (d *Dense) forward64(_ []Shape, _ Shape, n int, xs [][]float64, y []float64) {
	for b := 0; b < n; b++ {
		x := xs[0][b*d.In:][:d.In]
		for o := 0; o < d.Out; o++ {
			sum := 0.0
			if d.B != nil {
				sum = float64(d.B[o])
			}
			for i, w := range d.W[o*d.In:][:d.In] {
				sum += float64(float64(w) * x[i])
			}
			y[b*d.Out+o] = sum
		}
	}
}

func (d *Dense) backward64(_ []Shape, _ Shape, n int, _ [][]float64, _, dy []float64, dxs [][]float64) {
	for b := 0; b < n; b++ {
		dx := dxs[0][b*d.In:][:d.In]
		for o := 0; o < d.Out; o++ {
			g := dy[b*d.Out+o]
			for i, w := range d.W[o*d.In:][:d.In] {
				dx[i] += float64(float64(w) * g)
			}
		}
	}
}

// WeightGrad64 ADDS the gradient of the parameters for dout into dw and db
// (either may be nil), summed over the batch in order. Only Conv and Dense
// have one.
func WeightGrad64(op Op, in []Shape, batch int, xs [][]float64, dout, dw, db []float64) error {
	_, out, err := check64(op, in, batch, xs)
	if err != nil {
		return err
	}
	if len(dout) != batch*out.Len() {
		return fmt.Errorf("%s: output gradient has %d numbers, want %d (%d of %v)", op.Kind(), len(dout), batch*out.Len(), batch, out)
	}
	var weights int
	switch op := op.(type) {
	case *Conv:
		weights = len(op.W)
	case *Dense:
		weights = len(op.W)
	default:
		return fmt.Errorf("%s has no weight gradient: want Conv or Dense", op.Kind())
	}
	if dw != nil && len(dw) != weights || db != nil && len(db) != out.C {
		return fmt.Errorf("%s: gradients of weight and bias have %d and %d numbers, want %d and %d", op.Kind(), len(dw), len(db), weights, out.C)
	}
	hw := out.H * out.W
	for b := 0; b < batch; b++ {
		x, dy := xs[0][b*in[0].Len():][:in[0].Len()], dout[b*out.Len():][:out.Len()]
		if db != nil {
			for o := range db {
				for _, g := range dy[o*hw:][:hw] {
					db[o] += g
				}
			}
		}
		if dw == nil {
			continue
		}
		switch op := op.(type) {
		case *Conv:
			op.taps(in[0], out, func(w, xi, yi, count int) {
				for k := 0; k < count; k++ {
					dw[w] += float64(x[xi+k*op.StrideW] * dy[yi+k])
				}
			})
		case *Dense:
			for o, g := range dy {
				for i, v := range x {
					dw[o*op.In+i] += float64(v * g)
				}
			}
		}
	}
	return nil
}

func fill(v []float64, a float64) {
	for i := range v {
		v[i] = a
	}
}
