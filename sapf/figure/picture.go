package figure

import (
	"fmt"
	"image"
	"math"
	"slices"

	"sapf/models/data"
)

// magnified is the part of the changed entries that Magnification keeps within
// half of full scale. The rest is clamped: were the largest to decide, one of them
// would leave a large picture blank.
const magnified = 0.9

// Magnification is the factor by which Perturbation multiplies d by default: the
// largest of 1, 2, 5, 10, 20, 50, ... that leaves nine in ten of the changed
// entries within half of full scale.
func Magnification(d []float32) float64 {
	var changes []float64
	for _, v := range d {
		if v != 0 {
			changes = append(changes, math.Abs(float64(v)))
		}
	}
	best := 1.0
	if len(changes) == 0 {
		return best
	}
	slices.Sort(changes)
	high := changes[int(math.Ceil(float64(magnified*float64(len(changes)))))-1]
	for _, m := range []float64{2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		if m*high <= 0.5 {
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
		out.Pix[i] = float32(min(max(0.5+float64(magnify*float64(v)), 0), 1))
	}
	return out.Picture()
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
	return out.Picture()
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
