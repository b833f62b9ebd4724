package data

import "encoding/binary"

// exifOrientation returns the orientation (1 to 8) that a JPEG's EXIF block
// asks for, or 1 where there is none or it can't be read.
// The layout is CIPA DC-008 (EXIF 2.32), sections 4.5.2 to 4.6.4.
func exifOrientation(jpeg []byte) int {
	const upright = 1
	for p := 2; p+4 <= len(jpeg) && jpeg[p] == 0xff; {
		marker, size := jpeg[p+1], int(binary.BigEndian.Uint16(jpeg[p+2:]))
		if marker == 0xda || size < 2 || p+2+size > len(jpeg) {
			return upright
		}
		segment := jpeg[p+4 : p+2+size]
		p += 2 + size
		if marker != 0xe1 || len(segment) < 14 || string(segment[:6]) != "Exif\x00\x00" {
			continue
		}
		return tiffOrientation(segment[6:])
	}
	return upright
}

// orient turns the image so that a picture stored with the EXIF orientation o
// stands upright.
func orient(m Image, o int) Image {
	if o <= 1 || o > 8 {
		return m
	}
	h, w := m.H, m.W
	if o >= 5 {
		h, w = w, h
	}
	out := NewImage(m.Name, m.C, h, w)
	out.Label = m.Label
	for c := range m.C {
		for y := range h {
			for x := range w {
				sy, sx := y, x
				switch o {
				case 2:
					sx = m.W - 1 - x
				case 3:
					sy, sx = m.H-1-y, m.W-1-x
				case 4:
					sy = m.H - 1 - y
				case 5:
					sy, sx = x, y
				case 6:
					sy, sx = m.H-1-x, y
				case 7:
					sy, sx = m.H-1-x, m.W-1-y
				case 8:
					sy, sx = x, m.W-1-y
				}
				out.Pix[(c*h+y)*w+x] = m.At(c, sy, sx)
			}
		}
	}
	return out
}
