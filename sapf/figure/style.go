package figure

import (
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// style is how a curve is drawn.
type style struct {
	line   draw.LineStyle
	marked bool // each point has a marker
	shape  draw.GlyphDrawer
}

// lineWidth is that of a curve on its own; one below another is wider by
// widerBy.
const lineWidth, widerBy vg.Length = 1.4, 2.2

// mostMarked is the number of points up to which each has a marker.
const mostMarked = 16

// dashes of the curves that lie on another one.
var dashes = [][]vg.Length{{7, 7}, {2, 5}, {10, 4, 2, 4}, {3, 9}}

// shapes of markers, in the order of the curves.
var shapes = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.BoxGlyph{}, draw.TriangleGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.PlusGlyph{}, draw.CrossGlyph{},
}

// stylesOf gives each curve its colour, and dashes where it lies on an earlier
// one for a fifth of its points or more.
func stylesOf(axes Axes, curves []Curve) []style {
	out := make([]style, len(curves))
	near := nearness(axes, curves)
	for i, c := range curves {
		s := &out[i]
		s.line = draw.LineStyle{Color: Colours[i%len(Colours)], Width: lineWidth}
		s.shape = shapes[i%len(shapes)]
		n := len(c.points(c.Y, axes))
		s.marked = n <= mostMarked
		if i >= len(Colours) {
			s.line.Dashes = []vg.Length{4, 2}
		}
		above := 0
		for k := range i {
			if c.on(curves[k], axes, near) {
				above++
				if out[k].line.Dashes == nil {
					out[k].line.Width = lineWidth + widerBy
				}
			}
		}
		if above > 0 {
			s.line.Dashes = dashes[(above-1)%len(dashes)]
		}
	}
	return out
}

// height is where a value is on the y axis.
func (a Axes) height(y float64) float64 {
	if a.LogY {
		return math.Log(y)
	}
	return y
}

// nearness is the distance below which two curves cannot be told apart: a
// hundredth of the plot's height.
func nearness(axes Axes, curves []Curve) float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range curves {
		for _, p := range c.points(c.Y, axes) {
			low, high = min(low, axes.height(p.Y)), max(high, axes.height(p.Y))
		}
	}
	return float64(0.01 * (high - low))
}

// on reports whether c lies on d.
func (c Curve) on(d Curve, axes Axes, near float64) bool {
	there := map[float64]float64{}
	for _, p := range d.points(d.Y, axes) {
		there[p.X] = axes.height(p.Y)
	}
	points := c.points(c.Y, axes)
	same := 0
	for _, p := range points {
		if y, ok := there[p.X]; ok && math.Abs(axes.height(p.Y)-y) <= near {
			same++
		}
	}
	const part = 5
	return same > 0 && part*same >= len(points)
}
