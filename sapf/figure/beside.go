package figure

import (
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// besideWidth is what figures side by side share.
const besideWidth = 9.6 * vg.Inch

// Beside puts figures side by side, each with an equal part of the width and all
// of one height; the pictures of panels keep their size.
func Beside(figures ...*Figure) *Figure {
	var height, width vg.Length
	raster := false
	alts := make([]string, len(figures))
	widths := make([]vg.Length, len(figures))
	for i, f := range figures {
		widths[i] = f.Width
		if !f.Raster {
			widths[i] = min(f.Width, besideWidth/vg.Length(len(figures)))
		}
		height, width = max(height, f.Height), width+widths[i]
		raster = raster || f.Raster
		alts[i] = f.Alt
	}
	out := New(max(width, 1), max(height, 1), strings.Join(alts, " | "), func(c draw.Canvas) {
		left := c.Min.X
		for i, f := range figures {
			high := height
			if f.Raster {
				high = f.Height
			}
			f.draw(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: left, Y: c.Max.Y - high},
				Max: vg.Point{X: left + widths[i], Y: c.Max.Y},
			}})
			left += widths[i]
		}
	})
	out.Raster = raster
	for _, f := range figures {
		out.withKey(f.Keys...)
	}
	return out
}
