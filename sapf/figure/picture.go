package figure

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"sapf/models/data"
)

// Picture converts an image in [0,1] to 8 bits, rounding to nearest.
func Picture(x data.Image) image.Image {
	out := image.NewNRGBA(image.Rect(0, 0, x.W, x.H))
	for row := range x.H {
		for col := range x.W {
			out.SetNRGBA(col, row, pixel(x, row, col))
		}
	}
	return out
}

func pixel(x data.Image, row, col int) color.NRGBA {
	at := func(c int) uint8 {
		if x.C == 1 {
			c = 0
		}
		return to8(float64(x.At(c, row, col)))
	}
	return color.NRGBA{at(0), at(1), at(2), 255}
}

// to8 maps [0,1] to 0..255, rounding half up and clamping.
func to8(v float64) uint8 {
	return uint8(math.Floor(min(max(v, 0), 1)*255 + 0.5))
}

// Magnification is the factor by which Perturbation multiplies d by default:
// the largest of 1, 2, 5, 10, 20, 50, ... that leaves every entry within half
// of full scale.
func Magnification(d []float32) float64 {
	peak := 0.0
	for _, v := range d {
		peak = max(peak, math.Abs(float64(v)))
	}
	best := 1.0
	if peak == 0 {
		return best
	}
	for _, m := range []float64{2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		if m*peak <= 0.5 {
			best = m
		}
	}
	return best
}

// Perturbation draws signed changes on mid-grey: 1/2 + magnify*d. d has the
// shape of like.
func Perturbation(like data.Image, d []float32, magnify float64) image.Image {
	out := like.Clone()
	for i, v := range d {
		out.Pix[i] = float32(min(max(0.5+magnify*float64(v), 0), 1))
	}
	return Picture(out)
}

// Mask draws which entries are changed: white pixels have all channels
// selected, red, green and blue ones that channel alone, black ones none. g has
// the shape of like; an entry counts as selected when it is not 0.
func Mask(like data.Image, g []float32) image.Image {
	out := like.Clone()
	for i, v := range g {
		out.Pix[i] = 0
		if v != 0 {
			out.Pix[i] = 1
		}
	}
	return Picture(out)
}

// Enlarge repeats each pixel so that the shorter side has at least side
// pixels; it never shrinks and never blurs.
func Enlarge(m image.Image, side int) image.Image {
	b := m.Bounds()
	factor := 1
	for factor*min(b.Dx(), b.Dy()) < side {
		factor++
	}
	if factor == 1 {
		return m
	}
	out := image.NewNRGBA(image.Rect(0, 0, factor*b.Dx(), factor*b.Dy()))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.Set(x, y, m.At(b.Min.X+x/factor, b.Min.Y+y/factor))
		}
	}
	return out
}

// Times is the way a magnification is written in captions: "×20".
func Times(m float64) string { return fmt.Sprintf("×%g", m) }
