package figure

import (
	"fmt"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// Bar is one bar of a chart.
type Bar struct {
	Name  string
	Value float64
	// Low and High, where they differ, are the ends of a whisker.
	Low, High float64
}

// barHeight is the height of a chart for each bar.
const barHeight vg.Length = 19

// Bars draws horizontal bars, the first on top, with their values beside them.
// Axes.Y names the values; a bar whose value is not finite is left out, its
// name stays. Values are drawn from 0.
func Bars(axes Axes, bars ...Bar) (*Figure, error) {
	p := NewPlot(axes.Title, axes.Y, axes.X)
	p.Add(grid())
	var said []string
	names := make([]string, len(bars))
	for i, b := range bars {
		y := float64(len(bars) - 1 - i)
		names[len(bars)-1-i] = b.Name
		if !finite(b.Value) {
			continue
		}
		body, err := plotter.NewPolygon(plotter.XYs{{X: 0, Y: y - 0.32}, {X: b.Value, Y: y - 0.32}, {X: b.Value, Y: y + 0.32}, {X: 0, Y: y + 0.32}})
		if err != nil {
			return nil, fmt.Errorf("bar %s: %w", b.Name, err)
		}
		body.Color, body.LineStyle.Width = Colours[0], 0
		p.Add(body)
		end := b.Value
		if b.High > b.Low && finite(b.Low) && finite(b.High) {
			whisker, err := plotter.NewLine(plotter.XYs{{X: b.Low, Y: y}, {X: b.High, Y: y}})
			if err != nil {
				return nil, fmt.Errorf("whisker of %s: %w", b.Name, err)
			}
			whisker.Color, whisker.Width = ink, 1.2
			p.Add(whisker)
			end = max(end, b.High)
		}
		text, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: max(end, 0), Y: y}}, Labels: []string{" " + Number(b.Value, 4)}})
		if err != nil {
			return nil, fmt.Errorf("label of %s: %w", b.Name, err)
		}
		text.TextStyle[0] = textStyle(8.5, ink)
		text.TextStyle[0].YAlign = -0.5
		p.Add(text)
		said = append(said, b.Name+" "+Number(b.Value, 4))
	}
	if len(said) == 0 {
		emptyAxes(p)
	} else if p.X.Min < 0 {
		p.Add(zero{vertical: true})
	}
	if len(names) > 0 {
		p.NominalY(names...)
	}
	p.Y.Tick.Label.Font, p.Y.Tick.Label.Color = face(8.5), ink
	p.Y.Min, p.Y.Max = -0.6, float64(max(len(bars), 1))-0.4
	p.X.Min = min(p.X.Min, 0)
	p.X.Max += float64(0.14 * (p.X.Max - p.X.Min)) // room for the last label
	p.X.Tick.Marker = roundTicks{}
	return FromPlot(p, plotWidth, 58+vg.Length(barHeight*vg.Length(max(len(bars), 2))), words(axes.Title, said)).withKey(DataKey(axes, bars)), nil
}
