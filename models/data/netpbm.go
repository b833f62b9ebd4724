package data

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
)

// Portable pixmaps (netpbm's PBM, PGM and PPM, P1 to P6): a header in ASCII, then
// rows of samples from 0 to a maximum, as text or, in P4 to P6, as bytes. A file of
// several pictures gives its first. See https://netpbm.sourceforge.net/doc/ppm.html

func init() {
	for _, kind := range "123456" {
		image.RegisterFormat("netpbm", "P"+string(kind), decodeNetpbm, func(r io.Reader) (image.Config, error) {
			h, err := netpbmHeader(bufio.NewReader(r))
			return image.Config{Width: h.w, Height: h.h, ColorModel: h.model()}, err
		})
	}
}

// netpbm is a header: kind '1' to '6', the size, and the largest sample.
type netpbm struct {
	kind      byte
	w, h, max int
}

func (h netpbm) text() bool  { return h.kind <= '3' }
func (h netpbm) bits() bool  { return h.kind == '1' || h.kind == '4' }
func (h netpbm) color() bool { return h.kind == '3' || h.kind == '6' }

func (h netpbm) model() color.Model {
	if h.max == 255 || h.bits() {
		return color.NRGBAModel
	}
	return color.NRGBA64Model
}

var errNetpbm = errors.New("malformed")

// netpbmHeader reads the header and the one white space after it.
func netpbmHeader(r *bufio.Reader) (h netpbm, err error) {
	var magic [2]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return h, err
	}
	h.kind, h.max = magic[1], 1
	fields := []*int{&h.w, &h.h, &h.max}
	if h.bits() {
		fields = fields[:2]
	}
	for _, f := range fields {
		if *f, err = netpbmNumber(r, 1<<24); err != nil {
			return h, err
		}
	}
	if h.max < 1 || h.max > 0xffff {
		return h, fmt.Errorf("largest sample %d, expected 1 to 65535", h.max)
	}
	return h, nil
}

// netpbmNumber reads a decimal number up to limit and the byte after it; before it
// may be white space and comments, which go from # to the end of their line.
func netpbmNumber(r *bufio.Reader, limit int) (int, error) {
	n, digits := 0, 0
	for {
		c, err := r.ReadByte()
		switch {
		case err == io.EOF && digits > 0:
			return n, nil
		case err == io.EOF:
			return 0, io.ErrUnexpectedEOF
		case err != nil:
			return 0, err
		case c >= '0' && c <= '9':
			n = n*10 + int(c-'0')
			if digits++; n > limit {
				return 0, fmt.Errorf("number %d, expected up to %d", n, limit)
			}
		case c == '#' && digits == 0:
			if _, err := r.ReadString('\n'); err != nil {
				return 0, io.ErrUnexpectedEOF
			}
		case c != ' ' && (c < '\t' || c > '\r'):
			return 0, errNetpbm
		case digits > 0:
			return n, nil
		}
	}
}

// decodeNetpbm gives an image of 8 bits a channel where the largest sample is
// 255, and of 16 otherwise. A set bit of a bitmap is black.
func decodeNetpbm(source io.Reader) (image.Image, error) {
	r := bufio.NewReader(source)
	h, err := netpbmHeader(r)
	if err != nil {
		return nil, err
	}
	if err := checkSize(h.w, h.h); err != nil {
		return nil, err
	}
	bounds := image.Rect(0, 0, h.w, h.h)
	narrow, wide := image.NewNRGBA(image.Rectangle{}), image.NewNRGBA64(image.Rectangle{})
	var pic image.Image
	if h.model() == color.NRGBAModel {
		narrow = image.NewNRGBA(bounds)
		pic = narrow
	} else {
		wide = image.NewNRGBA64(bounds)
		pic = wide
	}
	channels := 1
	if h.color() {
		channels = 3
	}
	for y := range h.h {
		next := h.row(r)
		for x := range h.w {
			var v [3]int
			for c := range channels {
				if v[c], err = next(); err != nil {
					return nil, fmt.Errorf("row %d: %w", y, err)
				}
				if v[c] > h.max {
					return nil, fmt.Errorf("row %d: sample %d, expected up to %d", y, v[c], h.max)
				}
				if h.bits() {
					v[c] = 255 * (1 - v[c])
				}
			}
			if channels == 1 {
				v[1], v[2] = v[0], v[0]
			}
			if pic == narrow {
				narrow.SetNRGBA(x, y, color.NRGBA{uint8(v[0]), uint8(v[1]), uint8(v[2]), 255})
				continue
			}
			level := func(v int) uint16 { return uint16((v*0xffff + h.max/2) / h.max) }
			wide.SetNRGBA64(x, y, color.NRGBA64{level(v[0]), level(v[1]), level(v[2]), 0xffff})
		}
	}
	return pic, nil
}

// row returns what reads the samples of one row: bytes have the highest bit or
// byte first, and each row of a bitmap begins with a new byte.
func (h netpbm) row(r *bufio.Reader) func() (int, error) {
	read := func() (int, error) {
		c, err := r.ReadByte()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return int(c), err
	}
	switch {
	case h.text() && h.bits(): // digits need no space between them
		return func() (int, error) {
			for {
				c, err := read()
				switch {
				case err != nil:
					return 0, err
				case c == '0' || c == '1':
					return c - '0', nil
				case c == '#':
					if _, err := r.ReadString('\n'); err != nil {
						return 0, io.ErrUnexpectedEOF
					}
				case c != ' ' && (c < '\t' || c > '\r'):
					return 0, errNetpbm
				}
			}
		}
	case h.text():
		return func() (int, error) { return netpbmNumber(r, 0xffff) }
	case h.bits():
		bits, left := 0, 0
		return func() (int, error) {
			if left == 0 {
				var err error
				if bits, err = read(); err != nil {
					return 0, err
				}
				left = 8
			}
			left--
			return bits >> left & 1, nil
		}
	case h.max > 0xff:
		return func() (int, error) {
			high, err := read()
			if err != nil {
				return 0, err
			}
			low, err := read()
			return high<<8 | low, err
		}
	}
	return read
}
