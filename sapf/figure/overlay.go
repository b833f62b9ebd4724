package figure

import (
	"fmt"
	"image"

	"sapf/models/data"
)

// Overlay draws an image in pale grey and, on top, the pixels of which g has
// an entry that is not 0, in orange: where in the picture is it? g has the
// shape of like.
func Overlay(like data.Image, g []float32) (image.Image, error) {
	if len(g) != like.Len() {
		return nil, fmt.Errorf("overlay of %d entries, expected %d", len(g), like.Len())
	}
	grey := like.Grey()
	for i, v := range grey.Pix {
		grey.Pix[i] = 0.35 + float32(0.65*v)
	}
	picture := grey.RGB().Picture()
	pixels := like.H * like.W
	for i, v := range g {
		if at := i % pixels; v != 0 {
			picture.Set(at%like.W, at/like.W, touchedColour)
		}
	}
	return picture, nil
}
