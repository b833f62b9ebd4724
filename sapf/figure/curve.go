package figure

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Curve is one line of a plot.
type Curve struct {
	Name string
	// X and Y have one length. A Y that is not finite is left out.
	X, Y []float64
	// Low and High, where given, bound a band around Y.
	Low, High []float64
}

// Axes names what a plot of curves shows.
type Axes struct {
	Title, X, Y string
	// LogX and LogY draw an axis in decades; values of 0 and less are left out.
	LogX, LogY bool
	// Zero makes room for y = 0, where there is a line whenever it is in sight.
	Zero bool
}

// plotWidth and plotHeight suit a notebook's column.
const (
	plotWidth  = 7.2 * vg.Inch
	plotHeight = 3.2 * vg.Inch
)

// Curves plots lines, with bands where they have them. A curve that lies on an
// earlier one is dashed, and the earlier one wider, so that both are seen; few
// points have markers. With nothing to draw it shows empty axes and says so.
func Curves(axes Axes, curves ...Curve) (*Figure, error) {
	p := NewPlot(axes.Title, axes.X, axes.Y)
	p.Add(grid())
	legend := newLegend()
	var said []string
	styles := stylesOf(axes, curves)
	for i, c := range curves { // bands below all lines
		if len(c.points(c.Y, axes)) > 0 {
			if err := c.addBand(p, axes, i); err != nil {
				return nil, err
			}
		}
	}
	for i, c := range curves {
		points := c.points(c.Y, axes)
		if len(points) == 0 {
			continue
		}
		if err := c.addLine(p, &legend, axes, styles[i]); err != nil {
			return nil, err
		}
		first, last := points[0], points[len(points)-1]
		said = append(said, strings.TrimSpace(fmt.Sprintf("%s from %s at %s to %s at %s", c.Name,
			Number(first.Y, 4), Number(first.X, 4), Number(last.Y, 4), Number(last.X, 4))))
	}
	alt := words(axes.Title, said)
	if len(said) == 0 {
		emptyAxes(p)
		return withLegend(p, legend, nil, alt).withKey(DataKey(axes, curves)), nil
	}
	if axes.Zero && !axes.LogY {
		p.Y.Min, p.Y.Max = min(p.Y.Min, 0), max(p.Y.Max, 0)
	}
	if !axes.LogY && p.Y.Min <= 0 && p.Y.Max > 0 && (axes.Zero || p.Y.Min < 0) {
		p.Add(zero{})
	}
	if axes.LogX {
		logScale(&p.X)
	}
	if axes.LogY {
		logScale(&p.Y)
	}
	var drawnPoints []plotter.XYs
	for _, c := range curves {
		drawnPoints = append(drawnPoints, c.runs(axes)...)
		drawnPoints = append(drawnPoints, c.points(c.Low, axes), c.points(c.High, axes))
	}
	return withLegend(p, legend, drawnPoints, alt).withKey(DataKey(axes, curves)), nil
}

// addLine draws the curve, with a gap wherever a value is left out.
func (c Curve) addLine(p *plot.Plot, legend *plot.Legend, axes Axes, s style) error {
	for n, run := range c.runs(axes) {
		line, err := plotter.NewLine(run)
		if err != nil {
			return fmt.Errorf("curve %s: %w", c.Name, err)
		}
		line.LineStyle = s.line
		p.Add(line)
		thumbs := []plot.Thumbnailer{line}
		if s.marked || len(run) == 1 {
			marks, err := plotter.NewScatter(run)
			if err != nil {
				return fmt.Errorf("markers of %s: %w", c.Name, err)
			}
			marks.GlyphStyle = draw.GlyphStyle{Color: s.line.Color, Radius: 2.6, Shape: s.shape}
			p.Add(marks)
			thumbs = append(thumbs, marks)
		}
		if c.Name != "" && n == 0 {
			legend.Add(c.Name, thumbs...)
		}
	}
	return nil
}

// runs are the stretches of neighbouring points that can be drawn.
func (c Curve) runs(axes Axes) []plotter.XYs {
	var out []plotter.XYs
	open := false
	for i := range min(len(c.X), len(c.Y)) {
		point := Curve{X: c.X[i : i+1]}.points(c.Y[i:i+1], axes)
		switch {
		case len(point) == 0:
			open = false
		case open:
			out[len(out)-1] = append(out[len(out)-1], point...)
		default:
			out, open = append(out, point), true
		}
	}
	return out
}

// points are the finite pairs of X and y; on an axis in decades, the positive ones.
func (c Curve) points(y []float64, axes Axes) plotter.XYs {
	var out plotter.XYs
	for i := range min(len(c.X), len(y)) {
		if finite(c.X[i]) && finite(y[i]) && (!axes.LogY || y[i] > 0) && (!axes.LogX || c.X[i] > 0) {
			out = append(out, plotter.XY{X: c.X[i], Y: y[i]})
		}
	}
	return out
}

// addBand fills the area between Low and High in a pale form of the curve's
// colour.
func (c Curve) addBand(p *plot.Plot, axes Axes, i int) error {
	low, high := c.points(c.Low, axes), c.points(c.High, axes)
	if len(low) == 0 || len(high) == 0 {
		return nil
	}
	ring := append(plotter.XYs{}, low...)
	for k := len(high) - 1; k >= 0; k-- {
		ring = append(ring, high[k])
	}
	band, err := plotter.NewPolygon(ring)
	if err != nil {
		return fmt.Errorf("band of %s: %w", c.Name, err)
	}
	band.Color = pale(Colours[i%len(Colours)])
	band.LineStyle.Width = 0
	p.Add(band)
	return nil
}

// Histogram counts values in equal bins over [low, high]; the counts are drawn
// as bars. Values outside fall into the outermost bins.
func Histogram(axes Axes, values []float64, bins int, low, high float64) (*Figure, error) {
	if bins < 1 || !(high > low) {
		return nil, fmt.Errorf("histogram of %d bins over [%g, %g]: expected at least one bin and an interval", bins, low, high)
	}
	counts := make([]float64, bins)
	n := 0
	for _, v := range values {
		if finite(v) {
			k := int(math.Floor((v - low) / (high - low) * float64(bins)))
			counts[min(max(k, 0), bins-1)]++
			n++
		}
	}
	p := NewPlot(axes.Title, axes.X, axes.Y)
	p.Add(grid())
	floor := 0.0
	if axes.LogY {
		floor = 0.5
	}
	step := (high - low) / float64(bins)
	for i, c := range counts {
		if c == 0 {
			continue
		}
		x0, x1 := low+float64(float64(i)*step), low+float64(float64(i+1)*step)
		bar, err := plotter.NewPolygon(plotter.XYs{{X: x0, Y: floor}, {X: x0, Y: c}, {X: x1, Y: c}, {X: x1, Y: floor}})
		if err != nil {
			return nil, fmt.Errorf("histogram bar %d: %w", i, err)
		}
		bar.Color = Colours[0]
		bar.LineStyle.Width = 0
		p.Add(bar)
	}
	switch {
	case n == 0:
		emptyAxes(p)
	case axes.LogY:
		logScale(&p.Y)
	}
	p.X.Min, p.X.Max, p.Y.Min = low, high, floor
	alt := fmt.Sprintf("%s: histogram of %d values", axes.Title, n)
	return FromPlot(p, plotWidth, plotHeight, alt).withKey(DataKey(axes, values, bins, low, high)), nil
}

// grid is the theme's background lines.
func grid() *plotter.Grid {
	g := plotter.NewGrid()
	g.Vertical.Color, g.Horizontal.Color = rule, rule
	g.Vertical.Width, g.Horizontal.Width = 0.4, 0.4
	return g
}

// emptyAxes makes axes from 0 to 1 with a note, so that a plot of nothing is
// still a plot.
func emptyAxes(p *plot.Plot) {
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	p.Title.Text += " (no values)"
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
