// Package npy reads and writes NumPy's array files: .npy, and the members of
// .npz. Files come from outside, so that every size in them is checked before
// memory is taken for it; arrays of Python objects (pickles) are refused.
package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// magic begins every file; two bytes of version and the header's length follow.
const magic = "\x93NUMPY"

// maxHeader is the longest header that is read: NumPy itself refuses more than
// 10,000 bytes from files that it does not trust.
const maxHeader = 10_000

// MaxEntries is the largest number of entries of an array: 1.7 GB of uint8 or
// 7 GB of float32, which are read an image at a time.
const MaxEntries = 1 << 31 * 4 / 5

// Header says what an array's bytes are.
type Header struct {
	// Type is NumPy's name of the entries' type: "uint8", "float32", "int64".
	Type string
	// Size is the bytes of an entry, Big whether they are big-endian.
	Size int
	Big  bool
	// Fortran is set where the first index changes fastest.
	Fortran bool
	// Shape is the length of each dimension; none is a single number.
	Shape []int
	// Offset is where the entries begin in the file.
	Offset int64
}

// types are the entries that can be read, by the code in a file's header.
var types = map[string]string{
	"b1": "bool", "u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64",
	"i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64", "f2": "float16", "f4": "float32", "f8": "float64",
}

var (
	descrOf   = regexp.MustCompile(`['"]descr['"]\s*:\s*['"]([<>|=])([a-zA-Z])(\d+)['"]`)
	fortranOf = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)`)
	shapeOf   = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([\d\s,L]*)\)`)
)

// ReadHeader reads what stands before the entries.
func ReadHeader(r io.Reader) (Header, error) {
	var start [8]byte
	switch n, err := io.ReadFull(r, start[:]); {
	case n == 0:
		return Header{}, errors.New("not a NumPy array: it is empty")
	case err != nil || string(start[:6]) != magic:
		return Header{}, fmt.Errorf("not a NumPy array: it begins with % x", start[:min(n, 6)])
	}
	size := 2
	if start[6] >= 2 {
		size = 4
	}
	var length [4]byte
	if _, err := io.ReadFull(r, length[:size]); err != nil || start[6] < 1 || start[6] > 3 {
		return Header{}, fmt.Errorf("NumPy array of version %d.%d, expected 1 to 3", start[6], start[7])
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n > maxHeader {
		return Header{}, fmt.Errorf("a header of %d bytes, expected up to %d", n, maxHeader)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return Header{}, fmt.Errorf("the file ends within its header")
	}
	h, err := parse(string(text))
	h.Offset = int64(len(start) + size + len(text))
	return h, err
}

func parse(text string) (Header, error) {
	descr, fortran, shape := descrOf.FindStringSubmatch(text), fortranOf.FindStringSubmatch(text), shapeOf.FindStringSubmatch(text)
	if descr == nil {
		return Header{}, fmt.Errorf("an array of records or objects, expected one of numbers: %.80q", strings.TrimSpace(text))
	}
	h := Header{Type: types[descr[2]+descr[3]], Big: descr[1] == ">"}
	if h.Type == "" {
		return Header{}, fmt.Errorf("entries of type %q, expected numbers", descr[2]+descr[3])
	}
	if fortran == nil || shape == nil {
		return Header{}, fmt.Errorf("header %.80q, expected fortran_order and shape", strings.TrimSpace(text))
	}
	h.Size, _ = strconv.Atoi(descr[3]) // a digit, by the table of types
	h.Fortran = fortran[1] == "True"
	entries := 1
	for _, word := range strings.Split(shape[1], ",") {
		word = strings.TrimSuffix(strings.TrimSpace(word), "L")
		if word == "" {
			continue
		}
		n, err := strconv.Atoi(word)
		if err != nil || n < 0 || n > 0 && entries > MaxEntries/n {
			return Header{}, fmt.Errorf("shape (%s), expected up to %d entries", shape[1], MaxEntries)
		}
		entries *= n
		h.Shape = append(h.Shape, n)
	}
	return h, nil
}

// Entries is the number of entries.
func (h Header) Entries() int {
	n := 1
	for _, d := range h.Shape {
		n *= d
	}
	return n
}

// ShapeText is the shape as Python writes it: "(3, 32, 32)".
func (h Header) ShapeText() string { return ShapeText(h.Shape) }

// ShapeText writes a shape as Python does.
func ShapeText(shape []int) string {
	words := make([]string, len(shape))
	for i, d := range shape {
		words[i] = strconv.Itoa(d)
	}
	if len(words) == 1 {
		return "(" + words[0] + ",)"
	}
	return "(" + strings.Join(words, ", ") + ")"
}

// Float reports whether entries are floating-point numbers.
func (h Header) Float() bool { return strings.HasPrefix(h.Type, "float") }

// Whole reports whether entries are whole numbers.
func (h Header) Whole() bool { return strings.HasPrefix(strings.TrimPrefix(h.Type, "u"), "int") }

// Values are entries as numbers, from their bytes. Integers beyond 2^53 are
// rounded.
func (h Header) Values(raw []byte) []float64 {
	var order binary.ByteOrder = binary.LittleEndian
	if h.Big {
		order = binary.BigEndian
	}
	one := map[string]func(b []byte) float64{
		"bool": func(b []byte) float64 { return float64(b[0]) }, "uint8": func(b []byte) float64 { return float64(b[0]) },
		"int8":    func(b []byte) float64 { return float64(int8(b[0])) },
		"uint16":  func(b []byte) float64 { return float64(order.Uint16(b)) },
		"int16":   func(b []byte) float64 { return float64(int16(order.Uint16(b))) },
		"uint32":  func(b []byte) float64 { return float64(order.Uint32(b)) },
		"int32":   func(b []byte) float64 { return float64(int32(order.Uint32(b))) },
		"uint64":  func(b []byte) float64 { return float64(order.Uint64(b)) },
		"int64":   func(b []byte) float64 { return float64(int64(order.Uint64(b))) },
		"float16": func(b []byte) float64 { return half(order.Uint16(b)) },
		"float32": func(b []byte) float64 { return float64(math.Float32frombits(order.Uint32(b))) },
		"float64": func(b []byte) float64 { return math.Float64frombits(order.Uint64(b)) },
	}[h.Type]
	out := make([]float64, len(raw)/h.Size)
	for i := range out {
		out[i] = one(raw[i*h.Size:])
	}
	return out
}

// half is a float16: a sign, five bits of exponent, ten of fraction.
func half(bits uint16) float64 {
	sign := 1.0
	if bits>>15 == 1 {
		sign = -1
	}
	exponent, fraction := int(bits>>10&31), float64(bits&1023)
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

// COrder is the bytes of all entries with the last index changing fastest, from
// those of a file that has the first one fastest.
func (h Header) COrder(raw []byte) []byte {
	if !h.Fortran {
		return raw
	}
	out := make([]byte, 0, len(raw))
	at := make([]int, len(h.Shape))
	for range len(raw) / h.Size {
		from, stride := 0, 1
		for d, i := range at {
			from += i * stride
			stride *= h.Shape[d]
		}
		out = append(out, raw[from*h.Size:(from+1)*h.Size]...)
		for d := len(at) - 1; d >= 0; d-- {
			if at[d]++; at[d] < h.Shape[d] {
				break
			}
			at[d] = 0
		}
	}
	return out
}

// Write writes an array of float32 in C order.
func Write(w io.Writer, shape []int, values []float32) error {
	n := 1
	for _, d := range shape {
		n *= d
	}
	if n != len(values) {
		return fmt.Errorf("npy: %d values, expected those of %s", len(values), ShapeText(shape))
	}
	if err := WriteHeader(w, shape); err != nil {
		return err
	}
	return WriteValues(w, values)
}

// WriteHeader writes what stands before an array of float32 in C order, whose
// entries WriteValues then writes, in as many calls as is convenient.
func WriteHeader(w io.Writer, shape []int) error {
	text := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': %s, }", ShapeText(shape))
	const before, align = 10, 64 // entries begin at a multiple of 64 bytes
	text += strings.Repeat(" ", align-1-(before+len(text))%align) + "\n"
	var b bytes.Buffer
	b.WriteString(magic + "\x01\x00")
	b.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(text))))
	b.WriteString(text)
	_, err := w.Write(b.Bytes())
	return err
}

// WriteValues writes entries.
func WriteValues(w io.Writer, values []float32) error {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	_, err := w.Write(raw)
	return err
}
