package figure

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"sapf/models/data"
)

// gradientImage is a small picture with a different ramp in each channel.
func gradientImage() data.Image {
	x := data.NewImage("ramp", 3, 8, 8)
	for i := range x.Pix {
		x.Pix[i] = float32(i%64) / 63
	}
	for i := 64; i < 128; i++ {
		x.Pix[i] = 1 - x.Pix[i]
	}
	return x
}

func TestFailure77_EmptyFigures(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]Curve{
		"no curve":  {},
		"no finite": {Name: "a", X: []float64{1, 2}, Y: []float64{nan, math.Inf(1)}},
		"one point": {Name: "a", X: []float64{1}, Y: []float64{2}},
		"zeros":     {Name: "a", X: []float64{1, 2}, Y: []float64{0, 0}},
	} {
		for _, logY := range []bool{false, true} {
			f, err := Curves(Axes{Title: "t", X: "x", Y: "y", LogY: logY}, c)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			s, err := f.SVG()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if strings.Contains(s, "NaN") || strings.Contains(s, "Inf") {
				t.Errorf("%s: SVG has coordinates that are not finite", name)
			}
			if _, err := f.PNG(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestFailure78_SameBytesTwice(t *testing.T) {
	build := func() *Figure {
		x := gradientImage()
		d := make([]float32, x.Len())
		d[5], d[70] = 0.02, -0.03
		m := Magnification(d)
		return Panel([]Tile{
			{Picture: x.Picture(), Title: "benign", Caption: []string{"cat 73.0 %"}},
			{Picture: Perturbation(x, d, m), Title: "perturbation " + Times(m)},
			{Picture: Mask(x, d), Title: "mask G"},
		}, 2)
	}
	a, err := build().PNG()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TZ", "Pacific/Auckland")
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	b, err := build().PNG()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("the same panel has other bytes when drawn again")
	}
	if dir := os.Getenv("SAPF_FIGURES"); dir != "" {
		os.WriteFile(filepath.Join(dir, "panel.png"), a, 0o644)
	}
	if _, err := png.Decode(bytes.NewReader(a)); err != nil {
		t.Errorf("the panel is no PNG: %v", err)
	}
}

func TestCurvesAreLookedAt(t *testing.T) {
	dir := os.Getenv("SAPF_FIGURES")
	if dir == "" {
		t.Skip("SAPF_FIGURES names no folder to draw into")
	}
	var curves []Curve
	for i := range 6 {
		c := Curve{Name: "round " + strings.Repeat("1", i+1)}
		for x := range 50 {
			y := math.Sin(float64(x)/5) + float64(i)/4
			c.X, c.Y = append(c.X, float64(x)), append(c.Y, y)
			if i == 0 {
				c.Low, c.High = append(c.Low, y-0.2), append(c.High, y+0.2)
			}
		}
		curves = append(curves, c)
	}
	f, err := Curves(Axes{Title: "Curves", X: "step", Y: "value"}, curves...)
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.PNG()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "curves.png"), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDecadesFillTheirPlot: an axis in decades, with a label as long as the
// plot is high, leaves as much room for the values as one that is not.
func TestDecadesFillTheirPlot(t *testing.T) {
	c := draw.New(vgimg.New(plotWidth, plotHeight))
	size := func(log bool) vg.Point {
		p := NewPlot("A title", "k, entries that may change", "l2 norm of delta*G (1 = full scale)")
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 1, 1000, 1, 1000
		if log {
			logScale(&p.X)
			logScale(&p.Y)
		}
		return lay(p, c).data().Size()
	}
	plain, decades := size(false), size(true)
	const most = 12 // points by which the widths of ticks' labels differ
	if math.Abs(float64(plain.X-decades.X)) > most || math.Abs(float64(plain.Y-decades.Y)) > most {
		t.Errorf("values have %v, in decades %v", plain, decades)
	}
}

func TestNumbersInFull(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.02314: "0.02314", 2: "2", 2866.7: "2867", 11384.6: "11385", -99999.5: "-100000", 8.371e11: "8.371e+11", 12.345: "12.35", 1234.56: "1235"} {
		if got := Number(v, 4); got != want {
			t.Errorf("%v: %s, expected %s", v, got, want)
		}
	}
	if nan := Number(math.NaN(), 4); nan != "NaN" {
		t.Error(nan)
	}
}

func TestMagnification(t *testing.T) {
	for _, c := range []struct {
		peak float32
		want float64
	}{{0, 1}, {0.6, 1}, {0.25, 2}, {0.03, 10}, {0.0004, 1000}} {
		if got := Magnification([]float32{0, -c.peak}); got != c.want {
			t.Errorf("peak %g: magnification %g, want %g", c.peak, got, c.want)
		}
	}
}

func TestPictures(t *testing.T) {
	x := data.NewImage("dot", 3, 2, 2)
	x.Pix[0] = 1     // red of the top left pixel
	x.Pix[4+1] = 0.5 // green of the top right one
	m := x.Picture()
	if r, g, b, _ := m.At(0, 0).RGBA(); r>>8 != 255 || g != 0 || b != 0 {
		t.Errorf("top left is %d %d %d, want red", r>>8, g>>8, b>>8)
	}
	if _, g, _, _ := m.At(1, 0).RGBA(); g>>8 != 128 {
		t.Errorf("0.5 becomes %d, want 128", g>>8)
	}
	d := make([]float32, 12)
	d[8+3] = -0.1 // blue of the bottom right pixel
	p := Perturbation(x, d, 5)
	if r, _, b, _ := p.At(1, 1).RGBA(); r>>8 != 128 || b != 0 {
		t.Errorf("bottom right of the perturbation is red %d, blue %d, want 128 and 0", r>>8, b>>8)
	}
	if _, _, b, _ := Mask(x, d).At(1, 1).RGBA(); b>>8 != 255 {
		t.Errorf("the selected blue entry is drawn as %d", b>>8)
	}
	if e := Enlarge(m, 100).Bounds(); e.Dx() != 100 || e.Dy() != 100 {
		t.Errorf("2x2 enlarged to %v, want 100x100", e)
	}
}

func TestOverlay(t *testing.T) {
	x := data.NewImage("white", 3, 2, 2)
	for i := range x.Pix {
		x.Pix[i] = 1
	}
	g := make([]float32, 12)
	g[8+1] = 0.1 // blue of the top right pixel
	m, err := Overlay(x, g)
	if err != nil {
		t.Fatal(err)
	}
	if m.At(1, 0) != m.(*image.NRGBA).ColorModel().Convert(touchedColour) {
		t.Errorf("the selected pixel is %v, want %v", m.At(1, 0), touchedColour)
	}
	if r, _, _, _ := m.At(0, 0).RGBA(); r>>8 != 255 {
		t.Errorf("white becomes %d", r>>8)
	}
	if _, err := Overlay(x, g[:4]); err == nil {
		t.Error("a selection of another shape was accepted")
	}
}

func TestHistogramRefusesNoInterval(t *testing.T) {
	if _, err := Histogram(Axes{}, nil, 10, 1, 1); err == nil {
		t.Error("an interval of length 0 was accepted")
	}
	f, err := Histogram(Axes{Title: "G", X: "G", Y: "entries", LogY: true}, []float64{0, 0, 0.5, 1, 7}, 20, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.PNG()
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("SAPF_FIGURES"); dir != "" {
		os.WriteFile(filepath.Join(dir, "hist.png"), b, 0o644)
	}
}
