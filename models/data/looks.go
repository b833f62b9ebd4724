package data

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// signatures are the first bytes of files that people hand over by mistake.
var signatures = []struct{ prefix, what string }{
	{"\x89PNG\r\n\x1a\n", "a PNG picture"},
	{"\xff\xd8\xff", "a JPEG picture"},
	{"GIF8", "a GIF picture"},
	{"PK\x03\x04", "a zip archive (a PyTorch checkpoint is one)"},
	{"\x1f\x8b", "a gzip file"},
	{"\x80\x02", "a Python pickle (an old PyTorch checkpoint starts like this)"},
	{"\x80\x03", "a Python pickle"},
	{"\x80\x04", "a Python pickle"},
	{"\x80\x05", "a Python pickle"},
	{"\x89HDF\r\n", "an HDF5 file (Keras)"},
	{"\x08", "a protocol buffer (ONNX starts like this)"},
	{"%PDF", "a PDF"},
	{"version https://git-lfs", "a Git LFS pointer: the file itself was not fetched"},
	{"\x93NUMPY", "a NumPy array"},
	{"8BPS", "a Photoshop picture" + convert},
	{"\x00\x00\x01\x00", "an icon" + convert},
	{"\xff\x0a", "a JPEG XL picture" + convert},
	{"\x00\x00\x00\x0cJXL ", "a JPEG XL picture" + convert},
	{"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture" + convert},
	{"<svg", "an SVG drawing" + convert},
	{"II*\x00", "a TIFF picture"},
	{"MM\x00*", "a TIFF picture"},
	{"Pf", "a picture of floating-point numbers (PFM)" + convert},
	{"PF", "a picture of floating-point numbers (PFM)" + convert},
	{"P7", "a PAM picture" + convert},
}

// convert is what to do with a picture that Decode does not read.
const convert = ": convert it to PNG first"

// brands are the kinds of pictures in ISO's media containers, by bytes 8 to 12.
var brands = map[string]string{
	"avif": "an AVIF picture" + convert, "avis": "an AVIF picture" + convert,
	"heic": "a HEIC picture" + convert, "heix": "a HEIC picture" + convert, "mif1": "a HEIF picture" + convert,
}

// Looks says in words what the first bytes of a file look like, for messages.
func Looks(head []byte) string {
	if len(head) == 0 {
		return "an empty file"
	}
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.prefix)) {
			return s.what
		}
	}
	if len(head) >= 12 && bytes.HasPrefix(head, []byte("RIFF")) && string(head[8:12]) == "WEBP" {
		return "a WebP picture"
	}
	if len(head) >= 12 && string(head[4:8]) == "ftyp" {
		if what, ok := brands[string(head[8:12])]; ok {
			return what
		}
	}
	if len(head) >= 8 && string(head[4:8]) == "TFL3" {
		return "a TensorFlow Lite network"
	}
	// A header's length in front of it; a text may have a brace there too.
	if len(head) > 8 && head[8] == '{' && bytes.ContainsFunc(head[:8], func(r rune) bool { return r < '\t' || r >= 0x7f }) {
		return "a safetensors file"
	}
	text := head[:min(len(head), 512)]
	lower := bytes.ToLower(bytes.TrimSpace(text))
	if bytes.HasPrefix(lower, []byte("<!doctype html")) || bytes.HasPrefix(lower, []byte("<html")) {
		return "an HTML page"
	}
	for len(text) > 0 && len(head) > 512 && !utf8.Valid(text) && len(text) > 508 {
		text = text[:len(text)-1] // a rune may be cut at the end
	}
	if utf8.Valid(text) && !bytes.ContainsRune(text, 0) {
		return "a text file"
	}
	return fmt.Sprintf("binary data starting with % x", head[:min(len(head), 8)])
}
