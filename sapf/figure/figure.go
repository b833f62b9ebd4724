// Package figure draws the pictures and plots of a study: one file per
// artefact, gonum/plot with one theme, the same bytes every time.
package figure

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// dpi of PNG files: twice a screen's 96, so that pictures stay sharp on dense
// displays; notebooks show them at half their size in pixels.
const dpi = 192

// margin of white around a plot, so that the last tick's label is not cut.
const margin vg.Length = 8

// Figure is something drawn once and shown in several formats.
type Figure struct {
	// Width and Height of the drawing.
	Width, Height vg.Length
	// Alt says in words what is to be seen, for text-only viewers.
	Alt string
	// Raster figures are offered as PNG only: their SVG would hold the same
	// pixels in a larger file.
	Raster bool
	// Keys name what is shown: digests of results, or of the numbers drawn
	// (DataKey). They are written into the figure's files.
	Keys []string
	draw func(draw.Canvas)
}

// New returns a figure of the given size that d draws.
func New(width, height vg.Length, alt string, d func(draw.Canvas)) *Figure {
	return &Figure{Width: width, Height: height, Alt: alt, draw: d}
}

// FromPlot returns a figure that shows one plot.
func FromPlot(p *plot.Plot, width, height vg.Length, alt string) *Figure {
	return New(width, height, alt, func(c draw.Canvas) {
		lay(p, draw.Crop(c, margin, -margin, margin, -margin)).draw()
	})
}

// PNG returns the figure as a PNG file of 192 dots an inch.
func (f *Figure) PNG() ([]byte, error) {
	c := vgimg.NewWith(vgimg.UseWH(f.Width, f.Height), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))
	f.draw(draw.New(c))
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&b, c.Image()); err != nil {
		return nil, fmt.Errorf("encode figure as PNG: %w", err)
	}
	return f.stampPNG(b.Bytes()), nil
}

// SVG returns the figure as an SVG document, or nothing for a Raster figure.
func (f *Figure) SVG() (string, error) {
	if f.Raster {
		return "", nil
	}
	c := outlined{vgsvg.New(f.Width, f.Height)}
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", fmt.Errorf("write figure as SVG: %w", err)
	}
	return f.stampSVG(b.String()), nil
}

// String is the figure's text form.
func (f *Figure) String() string { return "[figure: " + f.Alt + "]" }

// words are the text form of a plot: its title, and what is said of each part.
func words(title string, said []string) string {
	if len(said) == 0 {
		said = []string{"no values to draw"}
	}
	return title + ": " + strings.Join(said, "; ")
}

// DisplaySize is the size in CSS pixels (96 an inch) at which to show the PNG.
func (f *Figure) DisplaySize() (width, height int) {
	return int(float64(f.Width.Dots(96)) + 0.5), int(float64(f.Height.Dots(96)) + 0.5)
}

// Colours of the theme: Okabe and Ito's palette, told apart by people with any
// common colour blindness, in the order in which curves take them.
var Colours = []color.Color{
	color.RGBA{0, 114, 178, 255},
	color.RGBA{213, 94, 0, 255},
	color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255},
	color.RGBA{230, 159, 0, 255},
	color.RGBA{86, 180, 233, 255},
	color.RGBA{60, 60, 60, 255},
}

var (
	ink   = color.RGBA{34, 34, 34, 255}
	faint = color.RGBA{110, 110, 110, 255}
	rule  = color.RGBA{224, 224, 224, 255}
)

// face is the theme's font, Liberation Sans, which gonum/plot embeds.
func face(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

// NewPlot returns an empty plot in the theme. Axis labels carry their units.
func NewPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.TextStyle.Font, p.Title.TextStyle.Color = face(11), ink
	p.Title.Padding = 6
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font, a.Label.TextStyle.Color = face(9.5), ink
		a.Tick.Label.Font, a.Tick.Label.Color = face(8.5), faint
		a.Color, a.Tick.Color = faint, faint
		a.Padding = 4
		a.Tick.Marker = roundTicks{}
	}
	p.Legend = newLegend()
	return p
}

// newLegend returns an empty legend in the theme, to stand at the upper right.
func newLegend() plot.Legend {
	l := plot.NewLegend()
	l.TextStyle.Font, l.TextStyle.Color = face(8.5), ink
	l.Top, l.Padding, l.ThumbnailWidth = true, 2, 26
	return l
}

// label draws text with its top left corner at pt, in the theme's font.
func label(c draw.Canvas, pt vg.Point, s string, size vg.Length, col color.Color) {
	c.FillText(textStyle(size, col), pt, s)
}

// textWidth is how wide a line of text will be.
func textWidth(s string, size vg.Length) vg.Length { return textStyle(size, ink).Width(s) }

func textStyle(size vg.Length, col color.Color) draw.TextStyle {
	return draw.TextStyle{Color: col, Font: face(size), XAlign: draw.XLeft, YAlign: draw.YTop, Handler: plot.DefaultTextHandler}
}

// pale mixes a colour with three parts of white.
func pale(c color.Color) color.Color {
	r, g, b, _ := c.RGBA()
	mix := func(v uint32) uint8 { return uint8((v>>8 + 3*255) / 4) }
	return color.RGBA{mix(r), mix(g), mix(b), 255}
}
