package figure

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// roundTicks puts labels at multiples of 1, 2 or 5 times a power of ten, about
// six of them, and marks halfway where there is room.
type roundTicks struct{}

// Ticks are those of an axis from low to high.
func (roundTicks) Ticks(low, high float64) []plot.Tick {
	const most = 6
	if !(high > low) {
		return []plot.Tick{{Value: low, Label: short(low)}}
	}
	step := math.Pow(10, math.Floor(math.Log10((high-low)/most)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if (high-low)/float64(factor*step) <= most {
			step *= factor
			break
		}
	}
	var out []plot.Tick
	for i := math.Ceil(low/step - 1e-9); float64(i*step) <= high+float64(1e-9*step); i++ {
		v := float64(i * step)
		out = append(out, plot.Tick{Value: v, Label: short(v)})
	}
	return out
}

// short is a number of an axis: 0.001 and 20000 in full, 1e-07 and 5e+06 not.
func short(v float64) string {
	if v == 0 { // or -0
		return "0"
	}
	if math.Abs(v) >= 1e-4 && math.Abs(v) < 1e6 {
		rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 9, 64), 64) // of a float's text
		return strconv.FormatFloat(rounded, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// Number is a value with so many significant digits: 11380 and 0.0231 in full,
// 8.4e+11 not.
func Number(v float64, digits int) string {
	if size := math.Abs(v); size >= 1e3 && size < 1e6 {
		return strconv.FormatFloat(v, 'f', max(0, digits-len(strconv.Itoa(int(size)))), 64)
	}
	return strconv.FormatFloat(v, 'g', digits, 64)
}

// logTicks puts labels at powers of ten and, over less than three decades, at
// twice and five times those.
type logTicks struct{}

// Ticks are those of an axis from low to high, both above 0.
func (logTicks) Ticks(low, high float64) []plot.Tick {
	const few, many = 3, 8 // decades
	decades := math.Log10(high / low)
	every := max(1, int(math.Ceil(decades/many)))
	var out []plot.Tick
	for e := int(math.Floor(math.Log10(low))); float64(e) <= math.Ceil(math.Log10(high)); e++ {
		for m := 1; m < 10; m++ {
			v := float64(m) * math.Pow(10, float64(e))
			if v < low*(1-1e-9) || v > high*(1+1e-9) {
				continue
			}
			t := plot.Tick{Value: v}
			if m == 1 && e%every == 0 || decades < few && (m == 2 || m == 5) {
				t.Label = short(v)
			}
			out = append(out, t)
		}
	}
	return out
}

// logScale makes an axis one of decades.
func logScale(a *plot.Axis) {
	a.Scale, a.Tick.Marker = plot.LogScale{}, logTicks{}
	if a.Min >= a.Max {
		a.Min, a.Max = a.Min/2, a.Max*2
	}
}

// layout is a plot on a canvas. gonum reserves room for an axis's label at the
// mean of its ends, which on an axis of decades is near its upper end, and so
// leaves a part of the plot empty: labels of such axes are taken from it, and
// drawn at the middle.
type layout struct {
	whole, inner draw.Canvas
	plot         plot.Plot
	x, y         plot.Axis // those whose labels are taken, if they have a label
}

// lay puts a plot on a canvas.
func lay(p *plot.Plot, c draw.Canvas) *layout {
	l := &layout{whole: c, inner: c, plot: *p}
	if _, log := p.X.Scale.(plot.LogScale); log && p.X.Label.Text != "" {
		l.x, l.plot.X.Label.Text = p.X, ""
		l.inner.Min.Y += p.X.Label.TextStyle.Height(p.X.Label.Text) + p.X.Label.Padding
	}
	if _, log := p.Y.Scale.(plot.LogScale); log && p.Y.Label.Text != "" {
		l.y, l.plot.Y.Label.Text = p.Y, ""
		style := p.Y.Label.TextStyle
		l.inner.Min.X += style.Height(p.Y.Label.Text) + style.FontExtents().Descent + p.Y.Label.Padding
	}
	return l
}

// data is where the plot's values are drawn.
func (l *layout) data() draw.Canvas { return l.plot.DataCanvas(l.inner) }

// draw draws the plot.
func (l *layout) draw() {
	l.plot.Draw(l.inner)
	at := l.data()
	middle := vg.Point{X: (at.Min.X + at.Max.X) / 2, Y: (at.Min.Y + at.Max.Y) / 2}
	if text := l.x.Label.Text; text != "" {
		style := l.x.Label.TextStyle
		l.whole.FillText(style, vg.Point{X: middle.X, Y: l.whole.Min.Y + style.FontExtents().Descent}, text)
	}
	if text := l.y.Label.Text; text != "" {
		style := l.y.Label.TextStyle
		right := l.whole.Min.X + style.Height(text) - style.FontExtents().Descent
		style.Rotation += math.Pi / 2
		l.whole.FillText(style, vg.Point{X: right, Y: middle.Y}, text)
	}
}

// zero is a line at y = 0, or at x = 0.
type zero struct{ vertical bool }

// Plot draws it.
func (z zero) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	ends := []vg.Point{{X: c.Min.X, Y: y(0)}, {X: c.Max.X, Y: y(0)}}
	if z.vertical {
		ends = []vg.Point{{X: x(0), Y: c.Min.Y}, {X: x(0), Y: c.Max.Y}}
	}
	c.StrokeLines(draw.LineStyle{Color: faint, Width: 0.9}, ends)
}
