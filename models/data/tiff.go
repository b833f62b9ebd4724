package data

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
)

// Tags of a TIFF directory (TIFF 6.0, sections 3 to 14).
const (
	tagBits        = 258
	tagCompression = 259
	tagPhotometric = 262
	tagFillOrder   = 266
	tagOrientation = 274
	tagSamples     = 277
	tagPlanar      = 284
	tagPredictor   = 317
)

// tiffTags are the first values of the tags of a TIFF file's first directory, as
// far as they are whole numbers; nil where it can't be read. An EXIF block is
// such a file too.
func tiffTags(raw []byte) map[int]int {
	if len(raw) < 8 {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(raw[:2]) {
	case "II":
	case "MM":
		order = binary.BigEndian
	default:
		return nil
	}
	at := int(order.Uint32(raw[4:]))
	if at < 8 || at > len(raw)-2 {
		return nil
	}
	tags := map[int]int{}
	for e := range int(order.Uint16(raw[at:])) {
		if at+2+12*(e+1) > len(raw) {
			break
		}
		entry := raw[at+2+12*e:][:12]
		count, value := int(order.Uint32(entry[4:])), entry[8:]
		const short, long = 3, 4
		switch kind := order.Uint16(entry[2:]); {
		case kind == short && count > 2: // further away
			far := int(order.Uint32(value))
			if far < 0 || far > len(raw)-2 {
				continue
			}
			value = raw[far:]
			fallthrough
		case kind == short:
			tags[int(order.Uint16(entry))] = int(order.Uint16(value))
		case kind == long && count == 1:
			tags[int(order.Uint16(entry))] = int(order.Uint32(value))
		}
	}
	return tags
}

// tiffOrientation is the orientation (1 to 8) that the tags ask for, 1 where they
// ask for none.
func tiffOrientation(raw []byte) int {
	if v := tiffTags(raw)[tagOrientation]; v >= 1 && v <= 8 {
		return v
	}
	return 1
}

// checkTIFF refuses what golang.org/x/image/tiff takes for something else: planes
// of their own for each channel, samples that it does not look at, and black and
// white of fax compression the wrong way round.
func checkTIFF(raw []byte) error {
	tags := tiffTags(raw)
	get := func(tag, otherwise int) int {
		if v, ok := tags[tag]; ok {
			return v
		}
		return otherwise
	}
	samples, bits := get(tagSamples, 1), get(tagBits, 1)
	expected := []int{1} // grey, palette
	if get(tagPhotometric, 0) == 2 {
		expected = []int{3, 4}
	}
	switch {
	case samples < expected[0] || samples > expected[len(expected)-1]:
		return fmt.Errorf("%d samples a pixel of photometric interpretation %d, expected %v", samples, get(tagPhotometric, 0), expected)
	case samples > 1 && get(tagPlanar, 1) != 1:
		return fmt.Errorf("its channels lie in planes of their own; save it with contiguous pixels (PlanarConfiguration 1)")
	case get(tagCompression, 1) >= 2 && get(tagCompression, 1) <= 4:
		return fmt.Errorf("fax compression is not supported; save it with deflate or as PNG")
	case get(tagFillOrder, 1) != 1:
		return fmt.Errorf("bits in reverse order are not supported; save it as PNG")
	case get(tagPredictor, 1) > 2 || get(tagPredictor, 1) == 2 && bits != 8 && bits != 16:
		return fmt.Errorf("predictor %d of %d bits is not supported; save it without", get(tagPredictor, 1), bits)
	}
	return nil
}

// tiffPalette makes the colours of a TIFF's palette what they are meant as and
// Pillow shows: 8 bits in the upper half of 16, the lower half zeros or a copy.
func tiffPalette(pic image.Image) image.Image {
	p, ok := pic.(*image.Paletted)
	if !ok {
		return pic
	}
	out := *p
	out.Palette = make(color.Palette, len(p.Palette))
	for i, c := range p.Palette {
		r, g, b, _ := c.RGBA()
		out.Palette[i] = color.NRGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}
	}
	return &out
}
