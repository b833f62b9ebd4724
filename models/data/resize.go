package data

import (
	"fmt"
	"math"
)

// resizePrecision is the number of fractional bits of PIL's fixed-point
// weights: 32 bits less 8 of the pixel and 2 of headroom.
const resizePrecision = 32 - 8 - 2

// Resize scales the image to h rows and w columns as PIL's
// Image.resize((w, h), BILINEAR) does, whose filter widens when it shrinks
// (antialias): entries are rounded to 8 bits first, filtered along the rows,
// rounded, filtered along the columns, rounded. Every accuracy published for
// ImageNet was measured on images scaled this way. It returns an error for a
// size that Decode would refuse.
func (m Image) Resize(h, w int) (Image, error) {
	if err := checkSize(w, h); err != nil {
		return Image{}, fmt.Errorf("resize %s: %w", m.Name, err)
	}
	out := NewImage(m.Name, m.C, h, w)
	out.Label = m.Label
	across, down := bilinear(m.W, w), bilinear(m.H, h)
	src := make([]uint8, m.H*m.W)
	mid := make([]uint8, m.H*w)
	for c := range m.C {
		for i := range src {
			src[i] = Level(m.Pix[c*len(src)+i])
		}
		for y := range m.H {
			for x, f := range across {
				mid[y*w+x] = f.apply(src[y*m.W:], 1)
			}
		}
		for y, f := range down {
			for x := range w {
				out.Pix[(c*h+y)*w+x] = float32(f.apply(mid[x:], w)) / 255
			}
		}
	}
	return out, nil
}

// Crop returns the rectangle of rows [y0,y1) and columns [x0,x1).
func (m Image) Crop(y0, x0, y1, x1 int) (Image, error) {
	if y0 < 0 || x0 < 0 || y1 > m.H || x1 > m.W || y0 >= y1 || x0 >= x1 {
		return Image{}, fmt.Errorf("crop %s: rows %d to %d, columns %d to %d of %dx%d", m.Name, y0, y1, x0, x1, m.H, m.W)
	}
	out := NewImage(m.Name, m.C, y1-y0, x1-x0)
	out.Label = m.Label
	for c := range m.C {
		for y := y0; y < y1; y++ {
			row := (c*m.H + y) * m.W
			copy(out.Pix[(c*out.H+y-y0)*out.W:][:out.W], m.Pix[row+x0:row+x1])
		}
	}
	return out, nil
}

// taps are the weights of one output pixel, fixed point with resizePrecision
// fractional bits, for source pixels from first on.
type taps struct {
	first  int
	weight []int32
}

// bilinear returns the taps of a triangle filter from n to m pixels, whose
// support is one output pixel when shrinking and one input pixel otherwise.
func bilinear(n, m int) []taps {
	scale := float64(n) / float64(m)
	support := max(scale, 1)
	out := make([]taps, m)
	for i := range out {
		center := float64((float64(i) + 0.5) * scale)
		lo := max(int(center-support+0.5), 0)
		hi := min(int(center+support+0.5), n)
		w := make([]float64, hi-lo)
		sum := 0.0
		for j := range w {
			w[j] = max(0, 1-math.Abs((float64(lo+j)-center+0.5)/support))
			sum += w[j]
		}
		out[i] = taps{lo, make([]int32, len(w))}
		for j := range w {
			out[i].weight[j] = int32(float64(w[j]/sum*(1<<resizePrecision)) + 0.5)
		}
	}
	return out
}

// apply filters src, whose neighbours lie step apart.
func (t taps) apply(src []uint8, step int) uint8 {
	sum := int32(1 << (resizePrecision - 1))
	for j, w := range t.weight {
		sum += int32(src[(t.first+j)*step]) * w
	}
	return uint8(min(max(sum>>resizePrecision, 0), 255))
}
