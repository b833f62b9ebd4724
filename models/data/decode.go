package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // registers the format with image.Decode
	_ "image/jpeg"
	_ "image/png"
	"io"
	"os"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// What Decode accepts. A picture is refused by its header, before its pixels
// are unpacked.
const (
	// MaxFileBytes is the size of a picture file.
	MaxFileBytes = 64 << 20
	// MaxSide is the number of rows or columns.
	MaxSide = 1 << 15
	// MaxPixels is rows times columns: 40 megapixels.
	MaxPixels = 40_000_000
	// MaxUnpacked is what the pixels may take before they are an Image: four
	// bytes each, so half as many of 16 bits a channel.
	MaxUnpacked = 4 * MaxPixels
)

// Decode reads a PNG, JPEG, GIF, BMP, WebP, TIFF or netpbm (PBM, PGM, PPM) picture as
// an RGB image (C = 3).
//
//   - 8-bit values become v/255, 16-bit values v/65535.
//   - Grey is repeated in all three channels; a palette is looked up.
//   - Transparency is laid over white.
//   - CMYK (JPEG) is converted without a colour profile; embedded profiles and
//     gamma are ignored everywhere, as PIL ignores them.
//   - An animation gives its first frame (GIF) or is refused (WebP); a TIFF its
//     first page.
//   - A JPEG or TIFF with an orientation is turned upright.
//
// The error names the picture and says what it looks like instead.
func Decode(name string, r io.Reader) (Image, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxFileBytes+1))
	if err != nil {
		return Image{}, fmt.Errorf("read picture %s: %w", name, err)
	}
	if len(raw) > MaxFileBytes {
		return Image{}, fmt.Errorf("picture %s: more than %d MB", name, MaxFileBytes>>20)
	}
	conf, format, err := pictureHeader(name, bytes.NewReader(raw))
	if err != nil {
		return Image{}, err
	}
	if format == "tiff" {
		if err := checkTIFF(raw); err != nil {
			return Image{}, fmt.Errorf("picture %s: %s: %w", name, format, err)
		}
	}
	pic, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return Image{}, fmt.Errorf("picture %s: %s: %w", name, format, err)
	}
	if format == "tiff" {
		pic = tiffPalette(pic)
	}
	screen := image.Rect(0, 0, conf.Width, conf.Height)
	if format != "gif" {
		screen = pic.Bounds()
	}
	m := fromPicture(name, pic, screen)
	switch format {
	case "jpeg":
		m = orient(m, exifOrientation(raw))
	case "tiff":
		m = orient(m, tiffOrientation(raw))
	}
	return m, nil
}

// pictureHeader refuses, by its first bytes, what Decode does not read.
func pictureHeader(name string, r io.Reader) (conf image.Config, format string, err error) {
	const enough = 512 // for Looks
	b := bufio.NewReaderSize(r, enough)
	head, _ := b.Peek(enough)
	looks := Looks(head)
	conf, format, err = image.DecodeConfig(b)
	if errors.Is(err, image.ErrFormat) {
		return conf, format, fmt.Errorf("picture %s: not a PNG, JPEG, GIF, BMP, WebP, TIFF or PPM file, it looks like %s", name, looks)
	}
	if err != nil {
		return conf, format, fmt.Errorf("picture %s: %s header: %w", name, format, err)
	}
	if err := checkSize(conf.Width, conf.Height); err != nil {
		return conf, format, fmt.Errorf("picture %s: %w", name, err)
	}
	if n := conf.Width * conf.Height * pixelBytes(conf.ColorModel); n > MaxUnpacked {
		return conf, format, fmt.Errorf("picture %s: %dx%d pixels take %d MB unpacked, expected up to %d: save it with 8 bits a channel",
			name, conf.Width, conf.Height, n>>20, MaxUnpacked>>20)
	}
	return conf, format, nil
}

// pixelBytes is what a pixel takes in package image.
func pixelBytes(m color.Model) int {
	switch m {
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	return 4
}

// SizeOf is the size that the header of a picture file states, and what is
// wrong with the header: a picture too large for its use need not be unpacked.
func SizeOf(ref string) (h, w int, err error) {
	file, err := Path(ref)
	if err != nil {
		return 0, 0, err
	}
	f, err := os.Open(file)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return 0, 0, fmt.Errorf("picture %s: no regular file: %w", file, errors.ErrUnsupported)
	}
	conf, _, err := pictureHeader(file, f)
	return conf.Height, conf.Width, err
}

func checkSize(w, h int) error {
	switch {
	case w < 1 || h < 1:
		return fmt.Errorf("%dx%d pixels, expected at least 1x1", w, h)
	case w > MaxSide || h > MaxSide:
		return fmt.Errorf("%dx%d pixels, expected sides up to %d", w, h, MaxSide)
	case w*h > MaxPixels:
		return fmt.Errorf("%dx%d pixels, expected up to %d in all", w, h, MaxPixels)
	}
	return nil
}

// FromPicture converts a decoded picture by the rules of Decode.
func FromPicture(name string, pic image.Image) Image { return fromPicture(name, pic, pic.Bounds()) }

// fromPicture lays pic on a white screen and takes its colours.
func fromPicture(name string, pic image.Image, screen image.Rectangle) Image {
	w, h := screen.Dx(), screen.Dy()
	m := NewImage(name, 3, h, w)
	red, green, blue := m.Pix[:h*w], m.Pix[h*w:2*h*w], m.Pix[2*h*w:]
	set := func(i int, r, g, b uint32, full float32) {
		red[i], green[i], blue[i] = float32(r)/full, float32(g)/full, float32(b)/full
	}
	for y := range h {
		for x := range w {
			i := y*w + x
			p := image.Pt(screen.Min.X+x, screen.Min.Y+y)
			if !p.In(pic.Bounds()) {
				set(i, 1, 1, 1, 1)
				continue
			}
			switch c := pic.At(p.X, p.Y).(type) {
			case color.Gray:
				set(i, uint32(c.Y), uint32(c.Y), uint32(c.Y), 255)
			case color.YCbCr:
				r, g, b := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
				set(i, uint32(r), uint32(g), uint32(b), 255)
			case color.CMYK:
				r, g, b := color.CMYKToRGB(c.C, c.M, c.Y, c.K)
				set(i, uint32(r), uint32(g), uint32(b), 255)
			default:
				if r, g, b, ok := opaque8(c); ok {
					set(i, r, g, b, 255)
					continue
				}
				// Alpha-premultiplied 16-bit values: what white adds is 65535-a.
				r, g, b, a := c.RGBA()
				white := 0xffff - a
				set(i, r+white, g+white, b+white, 0xffff)
			}
		}
	}
	return m
}

// opaque8 returns an opaque colour of 8 bits a channel exactly.
func opaque8(c color.Color) (r, g, b uint32, ok bool) {
	switch c := c.(type) {
	case color.RGBA:
		return uint32(c.R), uint32(c.G), uint32(c.B), c.A == 255
	case color.NRGBA:
		return uint32(c.R), uint32(c.G), uint32(c.B), c.A == 255
	}
	return 0, 0, 0, false
}

// Picture returns the image as an 8-bit picture, each entry rounded to the
// nearest of 256 levels, as saving it as a PNG does.
func (m Image) Picture() *image.NRGBA {
	pic := image.NewNRGBA(image.Rect(0, 0, m.W, m.H))
	plane := m.H * m.W
	for i := range plane {
		r := Level(m.Pix[i])
		g, b := r, r
		if m.C == 3 {
			g, b = Level(m.Pix[plane+i]), Level(m.Pix[2*plane+i])
		}
		copy(pic.Pix[4*i:], []uint8{r, g, b, 255})
	}
	return pic
}

// Level is the 8-bit level nearest to v, which is clamped to [0,1] first. In
// float64 the product is exact, and so is the sum.
func Level(v float32) uint8 {
	switch {
	case !(v > 0):
		return 0
	case v >= 1:
		return 255
	}
	return uint8(float64(float64(v)*255) + 0.5)
}

// Grey returns a one-channel copy: luma 0.299 R + 0.587 G + 0.114 B, as PIL's
// convert("L") weighs it.
func (m Image) Grey() Image {
	if m.C == 1 {
		return m.Clone()
	}
	g := NewImage(m.Name, 1, m.H, m.W)
	g.Label = m.Label
	plane := m.H * m.W
	for i := range plane {
		r, green, b := m.Pix[i], m.Pix[plane+i], m.Pix[2*plane+i]
		if r == green && r == b { // grey already: no rounding of the sum
			g.Pix[i] = r
			continue
		}
		y := float64(0.299*float64(r)) + float64(0.587*float64(green))
		y += float64(0.114 * float64(b))
		g.Pix[i] = float32(min(y, 1))
	}
	return g
}

// IsGrey reports whether all channels are the same, so that Grey loses nothing.
func (m Image) IsGrey() bool {
	plane := m.H * m.W
	for i, v := range m.Pix {
		if v != m.Pix[i%plane] {
			return false
		}
	}
	return true
}

// RGB returns a three-channel copy; grey is repeated.
func (m Image) RGB() Image {
	if m.C == 3 {
		return m.Clone()
	}
	c := NewImage(m.Name, 3, m.H, m.W)
	c.Label = m.Label
	for k := range 3 {
		copy(c.Pix[k*len(m.Pix):], m.Pix)
	}
	return c
}
