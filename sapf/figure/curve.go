package figure

import (
	"fmt"
	"math"

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
	// LogY draws the y axis in decades; values of 0 and less are left out.
	LogY bool
}

// plotWidth and plotHeight suit a notebook's column.
const (
	plotWidth  = 7.2 * vg.Inch
	plotHeight = 3.2 * vg.Inch
)

// Curves plots lines, with bands where they have them. With nothing to draw
// it shows empty axes and says so.
func Curves(axes Axes, curves ...Curve) (*Figure, error) {
	p := NewPlot(axes.Title, axes.X, axes.Y)
	p.Add(grid())
	legend := newLegend()
	alt, drawn := axes.Title+": ", 0
	for i, c := range curves {
		points := c.points(c.Y, axes.LogY)
		if len(points) == 0 {
			continue
		}
		if err := c.addBand(p, axes.LogY, i); err != nil {
			return nil, err
		}
		if err := c.addLine(p, &legend, axes.LogY, i); err != nil {
			return nil, err
		}
		first, last := points[0], points[len(points)-1]
		alt += fmt.Sprintf("%s from %.4g at %.4g to %.4g at %.4g; ", c.Name, first.Y, first.X, last.Y, last.X)
		drawn++
	}
	switch {
	case drawn == 0:
		emptyAxes(p)
		alt += "no values to draw"
	case axes.LogY:
		logAxis(p)
	}
	return withLegend(p, legend, alt).withKey(DataKey(axes, curves)), nil
}

// withLegend draws a plot with its legend beside it, where it hides nothing.
func withLegend(p *plot.Plot, legend plot.Legend, alt string) *Figure {
	return New(plotWidth, plotHeight, alt, func(c draw.Canvas) {
		c = draw.Crop(c, margin, -margin, margin, -margin)
		size := legend.Rectangle(c).Size()
		if size.X > 0 {
			size.X += margin
		}
		p.Draw(draw.Crop(c, 0, -size.X, 0, 0))
		legend.Draw(draw.Crop(c, 0, 0, 0, -p.Title.TextStyle.Font.Size-p.Title.Padding))
	})
}

// addLine draws the curve, with a gap wherever a value is left out.
func (c Curve) addLine(p *plot.Plot, legend *plot.Legend, log bool, i int) error {
	for n, run := range c.runs(log) {
		line, err := plotter.NewLine(run)
		if err != nil {
			return fmt.Errorf("curve %s: %w", c.Name, err)
		}
		line.Color, line.Width = Colours[i%len(Colours)], 1.4
		if i >= len(Colours) {
			line.Dashes = []vg.Length{4, 2}
		}
		p.Add(line)
		if c.Name != "" && n == 0 {
			legend.Add(c.Name, line)
		}
	}
	return nil
}

// runs are the stretches of neighbouring points that can be drawn.
func (c Curve) runs(log bool) []plotter.XYs {
	var out []plotter.XYs
	open := false
	for i := range min(len(c.X), len(c.Y)) {
		point := Curve{X: c.X[i : i+1]}.points(c.Y[i:i+1], log)
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

// points are the finite pairs of X and y; with log, those with a positive y.
func (c Curve) points(y []float64, log bool) plotter.XYs {
	var out plotter.XYs
	for i := range min(len(c.X), len(y)) {
		if finite(c.X[i]) && finite(y[i]) && (!log || y[i] > 0) {
			out = append(out, plotter.XY{X: c.X[i], Y: y[i]})
		}
	}
	return out
}

// addBand fills the area between Low and High in a pale form of the curve's
// colour.
func (c Curve) addBand(p *plot.Plot, log bool, i int) error {
	low, high := c.points(c.Low, log), c.points(c.High, log)
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
		logAxis(p)
	}
	p.X.Min, p.X.Max, p.Y.Min = low, high, floor
	alt := fmt.Sprintf("%s: histogram of %d values", axes.Title, n)
	return FromPlot(p, plotWidth, plotHeight, alt).withKey(DataKey(axes, values, bins, low, high)), nil
}

// logAxis draws y in decades.
func logAxis(p *plot.Plot) {
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	if p.Y.Min >= p.Y.Max {
		p.Y.Min, p.Y.Max = p.Y.Min/2, p.Y.Max*2
	}
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
