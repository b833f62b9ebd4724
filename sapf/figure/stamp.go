package figure

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"image"
	"slices"
	"strings"
)

// A figure's file says what it shows: its description in words, and the keys of
// the results behind it. A PNG has them in iTXt chunks named Description and
// sapf:key, an SVG in its <desc> and <metadata>.

// keyName is the keyword of the chunk, and the name of the element, that hold a
// figure's keys.
const keyName = "sapf:key"

// DataKey is the key of a figure that shows numbers: a digest of them, and of
// the words around them.
func DataKey(values ...any) string {
	h := sha256.New()
	for _, v := range values {
		fmt.Fprintf(h, "%v\n", v)
	}
	return "data:" + hex.EncodeToString(h.Sum(nil))
}

// pictureKey is the key of a picture that shows no result.
func pictureKey(m image.Image) string {
	b := m.Bounds()
	pixels := make([]uint32, 0, 4*b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			red, green, blue, alpha := m.At(x, y).RGBA()
			pixels = append(pixels, red, green, blue, alpha)
		}
	}
	return DataKey(b.Dx(), b.Dy(), pixels)
}

// withKey adds keys that the figure does not have yet.
func (f *Figure) withKey(keys ...string) *Figure {
	for _, k := range keys {
		if k != "" && !slices.Contains(f.Keys, k) {
			f.Keys = append(f.Keys, k)
		}
	}
	return f
}

// pngHead is the length of a PNG's signature and its first chunk, IHDR.
const pngHead = 8 + 25

// stampPNG puts the figure's words behind the first chunk of a PNG.
func (f *Figure) stampPNG(png []byte) []byte {
	var b bytes.Buffer
	b.Write(png[:pngHead])
	b.Write(textChunk("Description", f.Alt))
	b.Write(textChunk(keyName, strings.Join(f.Keys, " ")))
	b.Write(png[pngHead:])
	return b.Bytes()
}

// textChunk is an iTXt chunk (PNG specification, 11.3.3.4): keyword, not
// compressed, no language, UTF-8 text.
func textChunk(keyword, text string) []byte {
	body := []byte("iTXt" + keyword + "\x00\x00\x00\x00\x00" + text)
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)-len("iTXt")))
	chunk = append(chunk, body...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(body))
}

// stampSVG puts the figure's words, and a white ground as a PNG has it, in front
// of an SVG's first group: on a dark page ink would be dark on dark.
func (f *Figure) stampSVG(svg string) string {
	var b strings.Builder
	b.WriteString("<desc>")
	xml.EscapeText(&b, []byte(f.Alt))
	b.WriteString("</desc>\n<metadata><sapf:key xmlns:sapf=\"urn:sapf\">")
	xml.EscapeText(&b, []byte(strings.Join(f.Keys, " ")))
	b.WriteString("</sapf:key></metadata>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n")
	return strings.Replace(svg, "<g ", b.String()+"<g ", 1)
}
