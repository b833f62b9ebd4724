package figure

import (
	"math"
	"testing"
)

// TestFailure77_EmptyCharts: nothing to draw is a figure too.
func TestFailure77_EmptyCharts(t *testing.T) {
	for name, build := range map[string]func() (*Figure, error){
		"no bars":       func() (*Figure, error) { return Bars(Axes{}) },
		"no finite bar": func() (*Figure, error) { return Bars(Axes{Title: "t"}, Bar{Name: "a", Value: math.NaN()}) },
		"no values":     func() (*Figure, error) { return Histogram(Axes{}, nil, 10, 0, 1) },
		"no paths":      func() (*Figure, error) { return BoxAndSphere("") },
		"no tiles":      func() (*Figure, error) { return Panel(nil, 3), nil },
		"no figures":    func() (*Figure, error) { return Beside(), nil },
	} {
		t.Run(name, func(t *testing.T) {
			f, err := build()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.PNG(); err != nil {
				t.Error(err)
			}
			if _, err := f.SVG(); err != nil {
				t.Error(err)
			}
		})
	}
}
