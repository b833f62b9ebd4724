package figure

import (
	"bytes"
	"encoding/binary"
	"flag"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"

	"sapf/models/data"
)

var update = flag.Bool("update", false, "rewrite the golden figures in testdata")

// gallery has a figure of every kind, by the name of its file.
func gallery(t *testing.T) map[string]*Figure {
	t.Helper()
	must := func(f *Figure, err error) *Figure {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	var band, gap Curve
	band.Name, gap.Name = "with a band", "with a gap, and ×"
	for i := range 12 {
		x, y := float64(i), 2+math.Sqrt(float64(i))
		band.X, band.Y = append(band.X, x), append(band.Y, y)
		band.Low, band.High = append(band.Low, y-0.5), append(band.High, y+0.5)
		if i == 6 {
			y = math.NaN()
		}
		gap.X, gap.Y = append(gap.X, x), append(gap.Y, y/3)
	}
	axes := Axes{Title: "Curves", X: "step", Y: "loss (logits)"}
	curves := must(Curves(axes, band, gap))
	axes.LogY = true
	logarithmic := must(Curves(axes, band, gap))
	var together []Curve
	for k, name := range []string{"first", "the same", "the same again", "apart"} {
		c := Curve{Name: name}
		for i := range 9 {
			x := math.Pow(10, float64(i)/2)
			c.X, c.Y = append(c.X, x), append(c.Y, math.Sin(float64(i)/2)+float64(k/3)/2)
		}
		together = append(together, c)
	}
	coincident := must(Curves(Axes{Title: "Curves that coincide, about 0", X: "images", Y: "margin (logits)", LogX: true}, together...))
	bars := must(Bars(Axes{Title: "Bars", X: "method", Y: "l2 norm (1 = full scale)"},
		Bar{Name: "sapf", Value: 0.52, Low: 0.4, High: 0.7}, Bar{Name: "failed", Value: math.NaN()}, Bar{Name: "a long name of a method", Value: 1.25}))
	histogram := must(Histogram(Axes{Title: "Entries of G", X: "G", Y: "entries", LogY: true}, []float64{0, 0, 0, 0.02, 0.5, 1, 1, 7}, 20, 0, 1.1))
	plane := must(BoxAndSphere("A projection", Path{Name: "to the box", Points: []Point{{X: 1.5, Y: 0.7}, {X: 1, Y: 0.7}}}))
	x := gradientImage()
	d := make([]float32, x.Len())
	d[5], d[70] = 0.02, -0.03
	m := Magnification(d)
	panel := Panel([]Tile{
		{Picture: x.Picture(), Title: "benign", Caption: []string{"cat 73.0 %"}},
		{Picture: Perturbation(x, d, m), Title: "perturbation " + Times(m), Key: "one"},
		{Picture: Mask(x, d), Title: "mask", Caption: []string{"2 entries in 2 pixels"}, Key: "one"},
	}, 2)
	values := make([]float64, x.H*x.W)
	labels := make([]int, x.H*x.W)
	for i := range values {
		values[i] = float64(i % 7)
		labels[i] = i%x.W/4 + 2*(i/x.W/3)
	}
	hot, err := Heat(x, values)
	if err != nil {
		t.Fatal(err)
	}
	segments, err := Superpixels(x, labels, d)
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := Overlay(x, d)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*Figure{
		"overlay.png": Panel([]Tile{{Picture: overlay, Title: "overlay"}}, 1),
		"curves.svg":  curves, "curves-log.svg": logarithmic, "bars.svg": bars, "histogram.svg": histogram, "plane.svg": plane,
		"coincident.svg": coincident,
		"beside.svg":     Beside(curves, bars), "curves.png": curves, "panel.png": panel,
		"heat.png":        Panel([]Tile{{Picture: hot, Title: "heat"}}, 1),
		"superpixels.png": Panel([]Tile{{Picture: segments, Title: "superpixels"}}, 1),
	}
}

// TestFiguresAreTheSameBytes compares figures of every kind with the files of
// testdata, byte for byte. Run it with -update after a wanted change, and look
// at them.
func TestFiguresAreTheSameBytes(t *testing.T) {
	for name, f := range gallery(t) {
		got := fileOf(t, name, f)
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes differ from the %d of testdata", name, len(got), len(want))
		}
	}
}

// fileOf is a figure in the format that the file's name says.
func fileOf(t *testing.T, name string, f *Figure) []byte {
	t.Helper()
	if strings.HasSuffix(name, ".svg") {
		s, err := f.SVG()
		if err != nil {
			t.Fatal(err)
		}
		return []byte(s)
	}
	b, err := f.PNG()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFilesCarryTheKey reads keys and description back from the files.
func TestFilesCarryTheKey(t *testing.T) {
	f := Panel([]Tile{
		{Picture: gradientImage().Picture(), Title: "cat & dog, ×2"},
		{Picture: gradientImage().Picture(), Title: "mask", Key: "abc"},
		{Picture: gradientImage().Picture(), Title: "adversarial", Key: "abc"},
	}, 3)
	if len(f.Keys) != 2 || !strings.HasPrefix(f.Keys[0], "data:") || f.Keys[1] != "abc" {
		t.Fatalf("keys of the panel: %q", f.Keys)
	}
	b := fileOf(t, "panel.png", f)
	if _, err := png.Decode(bytes.NewReader(b)); err != nil {
		t.Fatalf("with its words the file is no PNG: %v", err)
	}
	texts := map[string]string{}
	for at := 8; at < len(b); {
		n, kind := int(binary.BigEndian.Uint32(b[at:])), string(b[at+4:at+8])
		if body := string(b[at+8 : at+8+n]); kind == "iTXt" {
			keyword, rest, _ := strings.Cut(body, "\x00")
			texts[keyword] = rest[4:] // two flags, no language, no translated keyword
		}
		at += 12 + n
	}
	if texts["Description"] != f.Alt || texts["sapf:key"] != strings.Join(f.Keys, " ") {
		t.Errorf("texts in the PNG: %q", texts)
	}
	curve, err := Curves(Axes{Title: "a < b"}, Curve{Name: "c", X: []float64{1, 2}, Y: []float64{3, 4}})
	if err != nil {
		t.Fatal(err)
	}
	s := string(fileOf(t, "curve.svg", curve))
	if !strings.Contains(s, "<desc>a &lt; b: ") || !strings.Contains(s, curve.Keys[0]+"</sapf:key>") {
		t.Errorf("no words in the SVG: %.400s", s)
	}
	other, err := Curves(Axes{Title: "a < b"}, Curve{Name: "c", X: []float64{1, 2}, Y: []float64{3, 5}})
	if err != nil {
		t.Fatal(err)
	}
	if other.Keys[0] == curve.Keys[0] {
		t.Error("other numbers have the same key")
	}
}

// TestTextIsOutlined: an SVG needs no font, and its text is as wide as the
// theme measures it.
func TestTextIsOutlined(t *testing.T) {
	for name, f := range gallery(t) {
		if strings.HasSuffix(name, ".svg") {
			if s := string(fileOf(t, name, f)); strings.Contains(s, "<text") || strings.Contains(s, "font-family") {
				t.Errorf("%s asks the viewer for a font", name)
			}
		}
	}
	style := textStyle(10, ink)
	face := font.DefaultCache.Lookup(style.Font, style.Font.Size)
	path := outline(&face, vg.Point{}, "AVA kilo")
	widest := 0.0
	for _, c := range path {
		widest = max(widest, c.Pos.X.Points())
	}
	if width := style.Width("AVA kilo").Points(); widest > width || widest < 0.95*width {
		t.Errorf("outlines reach to %.2f points, the text is %.2f wide", widest, width)
	}
}

// TestPanelShowsLargePicturesLarger: at two dots a pixel.
func TestPanelShowsLargePicturesLarger(t *testing.T) {
	small, large := data.NewImage("s", 3, 32, 32), data.NewImage("l", 3, 224, 224)
	if s := tileSide([]Tile{{Picture: small.Picture()}, {Picture: large.Picture()}}); s != smallTile {
		t.Errorf("a panel with a small picture has tiles of %v", s)
	}
	if s := tileSide([]Tile{{Picture: large.Picture()}}); s.Dots(dpi) != 448 {
		t.Errorf("224 pixels are shown on %v dots, want 448", s.Dots(dpi))
	}
}
