package figure

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// withLegend draws a plot with its legend in a corner where it hides none of
// what is drawn, or beside the plot where there is no such corner.
func withLegend(p *plot.Plot, legend plot.Legend, drawn []plotter.XYs, alt string) *Figure {
	return New(plotWidth, plotHeight, alt, func(c draw.Canvas) {
		legend := legend // whose side the place decides
		c = draw.Crop(c, margin, -margin, margin, -margin)
		size := legend.Rectangle(c).Size()
		l := lay(p, c)
		if size.X <= 0 {
			l.draw()
			return
		}
		if box, ok := freeCorner(&l.plot, l.data(), size, drawn); ok {
			l.draw()
			legend.Left = box.Min.X < (c.Min.X+c.Max.X)/2
			c.SetColor(color.White)
			var ground vg.Path
			ground.Move(box.Min)
			ground.Line(vg.Point{X: box.Max.X, Y: box.Min.Y})
			ground.Line(box.Max)
			ground.Line(vg.Point{X: box.Min.X, Y: box.Max.Y})
			ground.Close()
			c.Fill(ground)
			legend.Draw(draw.Canvas{Canvas: c.Canvas, Rectangle: box})
			return
		}
		size.X += margin
		lay(p, draw.Crop(c, 0, -size.X, 0, 0)).draw()
		legend.Draw(draw.Crop(c, 0, 0, 0, -p.Title.TextStyle.Font.Size-p.Title.Padding))
	})
}

// room is what a legend in a corner leaves between itself and what is drawn, and
// between itself and the axes.
const room vg.Length = 5

// freeCorner is a place for a legend of a size in a corner of the data's canvas.
func freeCorner(p *plot.Plot, data draw.Canvas, size vg.Point, drawn []plotter.XYs) (vg.Rectangle, bool) {
	// More than half of the width or of the height is no corner.
	whole := data.Size()
	if len(drawn) == 0 || 2*size.X > whole.X || 2*size.Y > whole.Y {
		return vg.Rectangle{}, false
	}
	x, y := p.Transforms(&data)
	for _, corner := range []struct{ right, top bool }{{true, true}, {false, true}, {true, false}, {false, false}} {
		at := vg.Point{X: data.Min.X + room, Y: data.Min.Y + room}
		if corner.right {
			at.X = data.Max.X - room - size.X
		}
		if corner.top {
			at.Y = data.Max.Y - room - size.Y
		}
		box := vg.Rectangle{Min: at, Max: at.Add(size)}
		if !touched(vg.Rectangle{Min: vg.Point{X: box.Min.X - room, Y: box.Min.Y - room}, Max: vg.Point{X: box.Max.X + room, Y: box.Max.Y + room}}, drawn, x, y) {
			return box, true
		}
	}
	return vg.Rectangle{}, false
}

// touched reports whether a line goes through a box. Lines are followed in small
// steps.
func touched(box vg.Rectangle, drawn []plotter.XYs, x, y func(float64) vg.Length) bool {
	const steps = 32
	inside := func(p vg.Point) bool {
		return p.X >= box.Min.X && p.X <= box.Max.X && p.Y >= box.Min.Y && p.Y <= box.Max.Y
	}
	for _, line := range drawn {
		var before vg.Point
		for i, v := range line {
			p := vg.Point{X: x(v.X), Y: y(v.Y)}
			if inside(p) {
				return true
			}
			for s := 1; i > 0 && s < steps; s++ {
				part := vg.Length(s) / steps
				if inside(vg.Point{X: before.X + vg.Length(part*(p.X-before.X)), Y: before.Y + vg.Length(part*(p.Y-before.Y))}) {
					return true
				}
			}
			before = p
		}
	}
	return false
}
