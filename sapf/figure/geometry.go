package figure

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Point is a point of the plane, or a vector of two entries.
type Point = plotter.XY

// Path is a sequence of points that BoxAndSphere joins.
type Path struct {
	Name   string
	Points []Point
}

// BoxAndSphere draws what eq. 5 of the paper says for N = 2: the box [0,1]^2,
// the sphere around (1/2, 1/2) of radius sqrt(2)/2, and where they meet, the
// four binary vectors. Paths are drawn on top: a projection is a path of two
// points, an iteration one of many. Their ends carry a dot.
func BoxAndSphere(title string, paths ...Path) (*Figure, error) {
	p := NewPlot(title, "first entry of G", "second entry of G")
	box, err := plotter.NewPolygon(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 1}, {X: 0, Y: 1}})
	if err != nil {
		return nil, err
	}
	box.Color, box.LineStyle.Width, box.LineStyle.Color = pale(Colours[5]), 1, Colours[5]
	circle := make(plotter.XYs, 241)
	for i := range circle {
		angle := 2 * math.Pi * float64(i) / float64(len(circle)-1)
		circle[i] = Point{X: 0.5 + float64(math.Sqrt2/2*math.Cos(angle)), Y: 0.5 + float64(math.Sqrt2/2*math.Sin(angle))}
	}
	sphere, err := plotter.NewLine(circle)
	if err != nil {
		return nil, err
	}
	sphere.Color, sphere.Width = Colours[3], 1.2
	corners, err := plotter.NewScatter(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 0, Y: 1}, {X: 1, Y: 1}})
	if err != nil {
		return nil, err
	}
	corners.GlyphStyle = draw.GlyphStyle{Color: ink, Radius: 3.5, Shape: draw.CircleGlyph{}}
	p.Add(grid(), box, sphere)
	p.Legend.Add("box", box)
	p.Legend.Add("sphere", sphere)
	alt := title + ": box, sphere"
	for i, path := range paths {
		if err := addPath(p.Add, path, i); err != nil {
			return nil, err
		}
		line := plotter.Line{LineStyle: draw.LineStyle{Color: pathColour(i), Width: 1.4}}
		if path.Name != "" {
			p.Legend.Add(path.Name, &line)
		}
		if n := len(path.Points); n > 0 {
			a, b := path.Points[0], path.Points[n-1]
			alt += fmt.Sprintf("; %s from (%.2f, %.2f) to (%.2f, %.2f)", path.Name, a.X, a.Y, b.X, b.Y)
		}
	}
	p.Add(corners)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.6, 1.9, -0.5, 1.5
	return FromPlot(p, 5.4*vg.Inch, 4.3*vg.Inch, alt).withKey(DataKey(title, paths)), nil
}

// pathColour passes over the colours of box and sphere.
func pathColour(i int) color.Color {
	order := []int{0, 1, 2, 4, 6}
	return Colours[order[i%len(order)]]
}

// addPath draws a path: a line, a small dot where it starts and a large one
// where it ends.
func addPath(add func(...plot.Plotter), path Path, i int) error {
	if len(path.Points) == 0 {
		return nil
	}
	for _, at := range path.Points {
		if !finite(at.X) || !finite(at.Y) {
			return fmt.Errorf("path %s: point (%g, %g) is not finite", path.Name, at.X, at.Y)
		}
	}
	line, err := plotter.NewLine(plotter.XYs(path.Points))
	if err != nil {
		return fmt.Errorf("path %s: %w", path.Name, err)
	}
	line.Color, line.Width = pathColour(i), 1.4
	ends, err := plotter.NewScatter(plotter.XYs{path.Points[0], path.Points[len(path.Points)-1]})
	if err != nil {
		return fmt.Errorf("path %s: %w", path.Name, err)
	}
	ends.GlyphStyleFunc = func(k int) draw.GlyphStyle {
		return draw.GlyphStyle{Color: pathColour(i), Radius: 1.8 + vg.Length(1.2*vg.Length(k)), Shape: draw.CircleGlyph{}}
	}
	add(line, ends)
	return nil
}
