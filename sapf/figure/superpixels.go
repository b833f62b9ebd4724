package figure

import (
	"fmt"
	"image"
	"image/color"

	"sapf/models/data"
)

// segmentColour marks the edges of superpixels, touchedColour those that hold a
// changed entry.
var (
	segmentColour = color.RGBA{255, 255, 255, 255}
	touchedColour = color.RGBA{230, 159, 0, 255}
)

// Superpixels draws the edges of segments over an image, and those of the
// segments with at least one entry of g that is not 0 in orange (Fig. 3 of the
// paper); the other segments are darkened. labels has length H*W, g the shape
// of like or is nil.
func Superpixels(like data.Image, labels []int, g []float32) (image.Image, error) {
	pixels := like.H * like.W
	if len(labels) != pixels {
		return nil, fmt.Errorf("superpixels: %d labels, expected %d, one a pixel", len(labels), pixels)
	}
	if g != nil && len(g) != like.Len() {
		return nil, fmt.Errorf("superpixels: a mask of %d entries, expected %d", len(g), like.Len())
	}
	touched := Touched(labels, g)
	shade := like.Clone()
	for i := range shade.Pix {
		if g != nil && !touched[labels[i%pixels]] {
			shade.Pix[i] *= 0.45
		}
	}
	// Each pixel becomes a block, so that an edge can be drawn inside it.
	block := max(2, 256/max(like.W, 1))
	big := Enlarge(shade.Picture(), block*min(like.H, like.W)).(*image.NRGBA)
	for y := range like.H {
		for x := range like.W {
			l := labels[y*like.W+x]
			edge := func(dy, dx int) bool {
				yy, xx := y+dy, x+dx
				return yy >= 0 && xx >= 0 && yy < like.H && xx < like.W && labels[yy*like.W+xx] != l
			}
			paint := func(x0, y0, w, h int) {
				c := segmentColour
				if touched[l] {
					c = touchedColour
				}
				for yy := y0; yy < y0+h; yy++ {
					for xx := x0; xx < x0+w; xx++ {
						big.Set(xx, yy, c)
					}
				}
			}
			x0, y0 := x*block, y*block
			if edge(-1, 0) {
				paint(x0, y0, block, 1)
			}
			if edge(1, 0) {
				paint(x0, y0+block-1, block, 1)
			}
			if edge(0, -1) {
				paint(x0, y0, 1, block)
			}
			if edge(0, 1) {
				paint(x0+block-1, y0, 1, block)
			}
		}
	}
	return big, nil
}

// Touched reports for each label whether a pixel of it has an entry of g that
// is not 0, in any channel.
func Touched(labels []int, g []float32) map[int]bool {
	touched := map[int]bool{}
	for i, v := range g {
		if v != 0 {
			touched[labels[i%len(labels)]] = true
		}
	}
	return touched
}
