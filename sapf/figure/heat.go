package figure

import (
	"fmt"
	"image"
	"math"

	"gonum.org/v1/plot/palette/moreland"

	"sapf/models/data"
)

// Heat draws one value for each pixel of like (length H*W) or for each entry
// (length C*H*W, the mean over the channels), from black at the least through
// red and yellow to white at the greatest: Moreland's extended black body
// colours, whose lightness rises evenly, so that they read in grey as well.
func Heat(like data.Image, values []float64) (image.Image, error) {
	pixels := like.H * like.W
	if len(values) != pixels && len(values) != like.Len() {
		return nil, fmt.Errorf("heat map of %d values, expected %d (one a pixel) or %d (one an entry)", len(values), pixels, like.Len())
	}
	v := make([]float64, pixels)
	for i, x := range values {
		v[i%pixels] += x * float64(pixels) / float64(len(values))
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, x := range v {
		if finite(x) {
			low, high = min(low, x), max(high, x)
		}
	}
	colours := moreland.ExtendedBlackBody()
	colours.SetMin(0)
	colours.SetMax(1)
	out := image.NewNRGBA(image.Rect(0, 0, like.W, like.H))
	for i, x := range v {
		at := 0.0
		if high > low && finite(x) {
			at = (x - low) / (high - low)
		}
		c, err := colours.At(at)
		if err != nil {
			return nil, fmt.Errorf("heat map: colour of %g: %w", x, err)
		}
		out.Set(i%like.W, i/like.W, c)
	}
	return out, nil
}
