package engine

import "math"

// Reference forms of the pools, and of the operations that only move numbers.

// windows calls f for each output entry k of a batch, with the part of its
// window inside the image: rows [h0,h1), columns [w0,w1) of the plane at p.
// area is the window's size including the padding it covers.
func (w window) windows(in, out Shape, n int, f func(k, p, h0, h1, w0, w1, area int)) {
	k := 0
	for plane := 0; plane < n*in.C; plane++ {
		for oh := 0; oh < out.H; oh++ {
			h0 := oh*w.sh - w.pad.Top
			h1 := min(h0+w.kh, in.H+w.pad.Bottom)
			for ow := 0; ow < out.W; ow++ {
				w0 := ow*w.sw - w.pad.Left
				w1 := min(w0+w.kw, in.W+w.pad.Right)
				area := (h1 - h0) * (w1 - w0)
				f(k, plane*in.H*in.W, max(h0, 0), min(h1, in.H), max(w0, 0), min(w1, in.W), area)
				k++
			}
		}
	}
}

// first is the index of the first largest entry of a window.
func first(x []float64, width, p, h0, h1, w0, w1 int) int {
	best, at := math.Inf(-1), p+h0*width+w0
	for h := h0; h < h1; h++ {
		for w := w0; w < w1; w++ {
			if i := p + h*width + w; x[i] > best || math.IsNaN(x[i]) && !math.IsNaN(best) {
				best, at = x[i], i
			}
		}
	}
	return at
}

func (p *MaxPool) forward64(in []Shape, out Shape, n int, xs [][]float64, y []float64) {
	p.window().windows(in[0], out, n, func(k, plane, h0, h1, w0, w1, _ int) {
		y[k] = xs[0][first(xs[0], in[0].W, plane, h0, h1, w0, w1)]
	})
}

func (p *MaxPool) backward64(in []Shape, out Shape, n int, xs [][]float64, _, dy []float64, dxs [][]float64) {
	p.window().windows(in[0], out, n, func(k, plane, h0, h1, w0, w1, _ int) {
		dxs[0][first(xs[0], in[0].W, plane, h0, h1, w0, w1)] += dy[k]
	})
}

// divisor is what a window's sum is divided by.
func (p *AvgPool) divisor(h0, h1, w0, w1, area int) float64 {
	if p.CountIncludePad {
		return float64(area)
	}
	return float64((h1 - h0) * (w1 - w0))
}

func (p *AvgPool) forward64(in []Shape, out Shape, n int, xs [][]float64, y []float64) {
	p.window().windows(in[0], out, n, func(k, plane, h0, h1, w0, w1, area int) {
		sum := 0.0
		for h := h0; h < h1; h++ {
			for w := w0; w < w1; w++ {
				sum += xs[0][plane+h*in[0].W+w]
			}
		}
		y[k] = sum / p.divisor(h0, h1, w0, w1, area)
	})
}

func (p *AvgPool) backward64(in []Shape, out Shape, n int, _ [][]float64, _, dy []float64, dxs [][]float64) {
	p.window().windows(in[0], out, n, func(k, plane, h0, h1, w0, w1, area int) {
		g := dy[k] / p.divisor(h0, h1, w0, w1, area)
		for h := h0; h < h1; h++ {
			for w := w0; w < w1; w++ {
				dxs[0][plane+h*in[0].W+w] += g
			}
		}
	})
}

func (*GlobalAvgPool) forward64(in []Shape, out Shape, n int, xs [][]float64, y []float64) {
	hw := in[0].H * in[0].W
	for k := range y {
		sum := 0.0
		for _, v := range xs[0][k*hw:][:hw] {
			sum += v
		}
		y[k] = sum / float64(hw)
	}
}

func (*GlobalAvgPool) backward64(in []Shape, _ Shape, _ int, _ [][]float64, _, dy []float64, dxs [][]float64) {
	hw := in[0].H * in[0].W
	for k, g := range dy {
		for i := k * hw; i < (k+1)*hw; i++ {
			dxs[0][i] += g / float64(hw)
		}
	}
}

// A mover only copies: entry j of input i goes to entry k of the output.
type mover interface {
	moves(in []Shape, out Shape, f func(i, j, k int))
}

func forwardMove(m mover, in []Shape, out Shape, n int, xs [][]float64, y []float64) {
	m.moves(in, out, func(i, j, k int) {
		for b := 0; b < n; b++ {
			y[b*out.Len()+k] = xs[i][b*in[i].Len()+j]
		}
	})
}

func backwardMove(m mover, in []Shape, out Shape, n int, dy []float64, dxs [][]float64) {
	m.moves(in, out, func(i, j, k int) {
		for b := 0; b < n; b++ {
			dxs[i][b*in[i].Len()+j] += dy[b*out.Len()+k]
		}
	})
}

func (*Concat) moves(in []Shape, _ Shape, f func(i, j, k int)) {
	k := 0
	for i, s := range in {
		for j := 0; j < s.Len(); j++ {
			f(i, j, k)
			k++
		}
	}
}

func (*Flatten) moves(in []Shape, _ Shape, f func(i, j, k int)) {
	for j := 0; j < in[0].Len(); j++ {
		f(0, j, j)
	}
}

func (p *Pad2D) moves(in []Shape, out Shape, f func(i, j, k int)) {
	s := in[0]
	for j := 0; j < s.Len(); j++ {
		c, h, w := j/(s.H*s.W), j/s.W%s.H, j%s.W
		f(0, j, (c*out.H+h+p.Pad.Top)*out.W+w+p.Pad.Left)
	}
}

func (s *Slice) moves(in []Shape, out Shape, f func(i, j, k int)) {
	c0, _ := s.channels(in[0])
	for k := 0; k < out.Len(); k++ {
		c, h, w := k/(out.H*out.W), k/out.W%out.H, k%out.W
		f(0, ((c+c0)*in[0].H+h*s.StrideH)*in[0].W+w*s.StrideW, k)
	}
}

func (p *PadChannels) moves(in []Shape, out Shape, f func(i, j, k int)) {
	for j := 0; j < in[0].Len(); j++ {
		f(0, j, p.Before*out.H*out.W+j)
	}
}

// Channel g*(C/Groups)+i goes to i*Groups+g.
func (c *ChannelShuffle) moves(in []Shape, out Shape, f func(i, j, k int)) {
	hw, per := out.H*out.W, out.C/c.Groups
	for j := 0; j < in[0].Len(); j++ {
		ch := j / hw
		f(0, j, (ch%per*c.Groups+ch/per)*hw+j%hw)
	}
}

func (c *Concat) forward64(in []Shape, out Shape, n int, xs [][]float64, y []float64) {
	forwardMove(c, in, out, n, xs, y)
}
func (c *Concat) backward64(in []Shape, out Shape, n int, _ [][]float64, _, dy []float64, dxs [][]float64) {
	backwardMove(c, in, out, n, dy, dxs)
}
func (c *Flatten) forward64(in []Shape, out Shape, n int, xs [][]float64, y []float64) {
	forwardMove(c, in, out, n, xs, y)
}
func (c *Flatten) backward64(in []Shape, out Shape, n int, _ [][]float64, _, dy []float64, dxs [][]float64) {
	backwardMove(c, in, out, n, dy, dxs)
}
func (p *Pad2D) forward64(in []Shape, out Shape, n int, xs [][]float64, y []float64) {
	fill(y, p.Value)
	forwardMove(p, in, out, n, xs, y)
}
func (p *Pad2D) backward64(in []Shape, out Shape, n int, _ [][]float64, _, dy []float64, dxs [][]float64) {
	backwardMove(p, in, out, n, dy, dxs)
}
func (s *Slice) forward64(in []Shape, out Shape, n int, xs [][]float64, y []float64) {
	forwardMove(s, in, out, n, xs, y)
}
func (s *Slice) backward64(in []Shape, out Shape, n int, _ [][]float64, _, dy []float64, dxs [][]float64) {
	backwardMove(s, in, out, n, dy, dxs)
}
func (p *PadChannels) forward64(in []Shape, out Shape, n int, xs [][]float64, y []float64) {
	fill(y, 0)
	forwardMove(p, in, out, n, xs, y)
}
func (p *PadChannels) backward64(in []Shape, out Shape, n int, _ [][]float64, _, dy []float64, dxs [][]float64) {
	backwardMove(p, in, out, n, dy, dxs)
}
func (c *ChannelShuffle) forward64(in []Shape, out Shape, n int, xs [][]float64, y []float64) {
	forwardMove(c, in, out, n, xs, y)
}
func (c *ChannelShuffle) backward64(in []Shape, out Shape, n int, _ [][]float64, _, dy []float64, dxs [][]float64) {
	backwardMove(c, in, out, n, dy, dxs)
}
