package kernelspec

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
)

// The logo is what the method does: of a grid of pixels, a few are changed. One
// letter is one square of the grid.
var grid = [...]string{
	"o . o o .",
	"o o X . o",
	". o o o o",
	"X . o X o",
	"o o . o o",
}

var (
	ground = color.NRGBA{0x14, 0x2b, 0x46, 0xff}
	paint  = map[byte]color.NRGBA{
		'.': {0x3c, 0x58, 0x78, 0xff}, 'o': {0x9f, 0xb6, 0xcf, 0xff}, 'X': {0xff, 0x8c, 0x2b, 0xff},
	}
)

type logo struct {
	name    string
	content []byte
}

// logos are the pictures that Jupyter shows for a kernel.
func logos() ([]logo, error) {
	list := []logo{{"logo-svg.svg", svg()}}
	for _, size := range []int{32, 64} {
		var b bytes.Buffer
		if err := png.Encode(&b, draw(size)); err != nil {
			return nil, fmt.Errorf("draw logo: %w", err)
		}
		list = append(list, logo{fmt.Sprintf("logo-%dx%d.png", size, size), b.Bytes()})
	}
	return list, nil
}

// Of a side of 32: the border and a square's pitch and width.
const side, border, pitch, square = 32, 3, 5.4, 4.4

func squares(visit func(x, y float64, c color.NRGBA)) {
	for row, line := range grid {
		for col, letter := range strings.Fields(line) {
			visit(border+float64(float64(col)*pitch), border+float64(float64(row)*pitch), paint[letter[0]])
		}
	}
}

func svg() []byte {
	var b bytes.Buffer
	hex := func(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d"><rect width="%d" height="%d" rx="5" fill="%s"/>`, side, side, side, side, hex(ground))
	squares(func(x, y float64, c color.NRGBA) {
		fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx=".8" fill="%s"/>`, x, y, square, square, hex(c))
	})
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// draw is the same in pixels, with sixteen samples each.
func draw(size int) image.Image {
	const samples = 4
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for py := range size {
		for px := range size {
			var r, g, b, a int
			for i := range samples * samples {
				x := (float64(px) + float64((float64(i%samples)+0.5)/samples)) * side / float64(size)
				y := (float64(py) + float64((float64(i/samples)+0.5)/samples)) * side / float64(size)
				if c, ok := colourAt(x, y); ok {
					r, g, b, a = r+int(c.R), g+int(c.G), b+int(c.B), a+1
				}
			}
			if a > 0 {
				img.SetNRGBA(px, py, color.NRGBA{uint8(r / a), uint8(g / a), uint8(b / a), uint8(a * 255 / (samples * samples))})
			}
		}
	}
	return img
}

// colourAt is the logo's colour at a point, none outside its rounded corners.
func colourAt(x, y float64) (color.NRGBA, bool) {
	const radius = 5
	dx, dy := max(radius-x, x-(side-radius), 0), max(radius-y, y-(side-radius), 0)
	if float64(dx*dx)+float64(dy*dy) > radius*radius {
		return color.NRGBA{}, false
	}
	found := ground
	squares(func(sx, sy float64, c color.NRGBA) {
		if x >= sx && x < sx+square && y >= sy && y < sy+square {
			found = c
		}
	})
	return found, true
}
