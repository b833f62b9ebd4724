package onnx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"sapf/models/format"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// tensorProto is a TensorProto: its numbers are in raw, or in the list of its
// element type.
type tensorProto struct {
	name    string
	dims    []int64
	dtype   int64
	raw     []byte
	floats  []float32
	ints    []int64
	doubles []float64
	// external is set where the numbers lie in another file, at which says where.
	external bool
	at       map[string]string
}

// smallTensor is the size of numbers that are copied: a shape that is a node's
// attribute would keep the whole file in memory.
const smallTensor = 64 << 10

func parseTensor(raw []byte) (t tensorProto, err error) {
	err = fields(raw, func(num protowire.Number, v uint64, b []byte) (err error) {
		switch num {
		case 1:
			t.dims, err = varints(t.dims, v, b)
		case 2:
			t.dtype = int64(v)
		case 4:
			t.floats, err = fixed32s(t.floats, v, b)
		case 5, 7, 11:
			t.ints, err = varints(t.ints, v, b)
		case 8:
			t.name = string(b)
		case 9:
			t.raw = b
			if len(b) < smallTensor {
				t.raw = bytes.Clone(b)
			}
		case 10:
			if b == nil {
				t.doubles = append(t.doubles, math.Float64frombits(v))
			}
			for ; len(b) >= 8; b = b[8:] {
				t.doubles = append(t.doubles, math.Float64frombits(binary.LittleEndian.Uint64(b)))
			}
		case 13:
			var key, value string
			key, value, err = parseEntry(b)
			if t.at == nil {
				t.at = map[string]string{}
			}
			t.at[key] = value
		case 14:
			t.external = v == 1
		}
		return err
	})
	return t, err
}

// parseSparse reads a SparseTensorProto as the dense tensor that it stands for:
// some entries, numbered through or by their place on each axis, and zeros.
func parseSparse(raw []byte) (tensorProto, error) {
	var values, places tensorProto
	dense := tensorProto{dtype: elementFloat32}
	err := fields(raw, func(num protowire.Number, v uint64, b []byte) (err error) {
		switch num {
		case 1:
			values, err = parseTensor(b)
		case 2:
			places, err = parseTensor(b)
		case 3:
			dense.dims, err = varints(dense.dims, v, b)
		}
		return err
	})
	if err != nil {
		return dense, err
	}
	dense.name = values.name
	fail := func(format string, args ...any) (tensorProto, error) {
		return dense, fmt.Errorf("sparse tensor %s: %w", dense.name, fmt.Errorf(format, args...))
	}
	some, err := values.value(nil)
	if err != nil {
		return fail("%w", err)
	}
	at, err := places.value(nil)
	if err != nil {
		return fail("%w", err)
	}
	dims, err := dense.shape()
	if err != nil {
		return fail("%w", err)
	}
	n, err := format.CheckShape(dims, max(maxFolded, mostZeros*some.len()))
	if err != nil {
		return fail("%w", err)
	}
	byAxis := len(at.dims) == 2
	if at.i == nil || !byAxis && len(at.dims) != 1 || byAxis && at.dims[1] != len(dims) || at.dims[0] != some.len() {
		return fail("%d values at indices of shape %v for shape %v", some.len(), at.dims, dims)
	}
	if some.i != nil {
		dense.dtype, dense.ints = some.dtype, make([]int64, n)
	} else {
		dense.floats = make([]float32, n)
	}
	for k := range some.len() {
		to := int64(0)
		if !byAxis {
			to = at.i[k]
		} else {
			for d, i := range at.i[k*len(dims):][:len(dims)] {
				if i < 0 || i >= int64(dims[d]) {
					return fail("value %d at %v of shape %v", k, at.i[k*len(dims):][:len(dims)], dims)
				}
				to = to*int64(dims[d]) + i
			}
		}
		if to < 0 || to >= int64(n) {
			return fail("value %d at entry %d of %d", k, to, n)
		}
		if some.i != nil {
			dense.ints[to] = some.i[k]
		} else {
			dense.floats[to] = some.f[k]
		}
	}
	return dense, nil
}

// mostZeros bounds how much larger than its values a sparse tensor may be.
const mostZeros = 1000

// Element types that some operators have to tell apart.
const elementFloat32, elementUint8, elementInt8, elementBool = 1, 2, 3, 9

// elementTypes maps TensorProto.DataType to the names of safetensors' types.
var elementTypes = map[int64]string{elementFloat32: "F32", elementUint8: "U8", elementInt8: "I8", 4: "U16", 5: "I16", 6: "I32", 7: "I64", elementBool: "U8", 10: "F16", 11: "F64", 12: "U32", 13: "U64", 16: "BF16"}

// elementFloat reports whether a type is of floating-point numbers.
func elementFloat(dtype int64) bool {
	name := elementTypes[dtype]
	return name == "F32" || name == "F64" || name == "F16" || name == "BF16"
}

// shape is the tensor's, nil for a scalar.
func (t *tensorProto) shape() (dims []int, err error) {
	for _, d := range t.dims {
		if d < 0 || d > math.MaxInt32 {
			return nil, fmt.Errorf("shape %v", t.dims)
		}
		dims = append(dims, int(d))
	}
	return dims, nil
}

// value reads a tensor as a constant. open reads a file that its numbers may lie
// in.
func (t *tensorProto) value(open func(name string) ([]byte, error)) (*constant, error) {
	dtype, ok := elementTypes[t.dtype]
	if !ok {
		return nil, fmt.Errorf("tensor %s: element type %d, expected float, double, half, bfloat16 or an integer", t.name, t.dtype)
	}
	dims, err := t.shape()
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", t.name, err)
	}
	c := &constant{dtype: t.dtype, dims: dims}
	width := int(format.Width[dtype])
	if t.external {
		raw, err := t.outside(open, width)
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", t.name, err)
		}
		t.raw = raw
	}
	n, err := format.CheckShape(c.dims, max(len(t.raw)/width, len(t.floats), len(t.ints), len(t.doubles)))
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", t.name, err)
	}
	isInt := dtype[0] == 'I' || dtype[0] == 'U'
	switch {
	case t.raw != nil && isInt:
		for b := t.raw; len(b) >= width; b = b[width:] {
			switch dtype {
			case "I64", "U64":
				c.i = append(c.i, int64(binary.LittleEndian.Uint64(b)))
			case "U32":
				c.i = append(c.i, int64(binary.LittleEndian.Uint32(b)))
			case "I16":
				c.i = append(c.i, int64(int16(binary.LittleEndian.Uint16(b))))
			case "U16":
				c.i = append(c.i, int64(binary.LittleEndian.Uint16(b)))
			case "I32":
				c.i = append(c.i, int64(int32(binary.LittleEndian.Uint32(b))))
			case "I8":
				c.i = append(c.i, int64(int8(b[0])))
			default:
				c.i = append(c.i, int64(b[0]))
			}
		}
	case t.raw != nil:
		c.f = format.Decode(dtype, t.raw)
	case isInt:
		c.i = t.ints
	case dtype == "F64":
		for _, v := range t.doubles {
			c.f = append(c.f, float32(v))
		}
	case dtype == "F32":
		c.f = t.floats
	default: // halves are kept as integers in int32_data
		for _, v := range t.ints {
			if dtype == "F16" {
				c.f = append(c.f, format.HalfToFloat(uint16(v)))
			} else {
				c.f = append(c.f, math.Float32frombits(uint32(uint16(v))<<16))
			}
		}
	}
	if have := max(len(c.f), len(c.i)); have != n {
		return nil, fmt.Errorf("tensor %s: %d numbers, expected %d for shape %v", t.name, have, n, c.dims)
	}
	for i, v := range c.f {
		if math.IsNaN(float64(v)) {
			return nil, fmt.Errorf("tensor %s: entry %d of %d is NaN, expected a number", t.name, i, n)
		}
	}
	if c.f == nil && !isInt {
		c.f = []float32{}
	}
	if c.i == nil && isInt {
		c.i = []int64{}
	}
	return c, nil
}

// outside reads the bytes of a tensor that lies in another file: location is its
// name, offset and length the part of it.
func (t *tensorProto) outside(open func(name string) ([]byte, error), width int) ([]byte, error) {
	name := t.at["location"]
	if open == nil {
		return nil, fmt.Errorf("it lies in another file, %q (external data)", name)
	}
	raw, err := open(name)
	if slashes := strings.ReplaceAll(name, "\\", "/"); err != nil && slashes != name { // written on Windows
		if there, again := open(slashes); again == nil {
			raw, err = there, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("its file: %w", err)
	}
	length := int64(width)
	for _, d := range t.dims {
		if d > 0 && length > int64(len(raw))/d {
			return nil, fmt.Errorf("its file %s has %d bytes, too few for shape %v", name, len(raw), t.dims)
		}
		length *= d
	}
	offset := int64(0)
	for key, to := range map[string]*int64{"offset": &offset, "length": &length} {
		if text, ok := t.at[key]; ok {
			v, err := strconv.ParseInt(text, 10, 64)
			if err != nil || v < 0 || key == "length" && v != length {
				return nil, fmt.Errorf("its %s in %s is %q, expected %d bytes", key, name, text, length)
			}
			*to = v
		}
	}
	if offset > int64(len(raw)) || length > int64(len(raw))-offset {
		return nil, fmt.Errorf("its file %s has %d bytes, expected %d from byte %d", name, len(raw), length, offset)
	}
	return raw[offset : offset+length], nil
}

// cutTensor names the initializer in which a file that is cut off ends, "" where
// it ends elsewhere.
func cutTensor(raw []byte) string {
	const graph, initializer = 7, 5
	t, _ := parseTensor(cutField(cutField(raw, graph), initializer)) // what there is of it
	return t.name
}

// cutField is the beginning of the field that a message breaks off in, if that
// is the given one.
func cutField(raw []byte, field protowire.Number) []byte {
	for len(raw) > 0 {
		num, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return nil
		}
		raw = raw[n:]
		if n = protowire.ConsumeFieldValue(num, kind, raw); n >= 0 {
			raw = raw[n:]
			continue
		}
		_, head := protowire.ConsumeVarint(raw)
		if num != field || kind != protowire.BytesType || head < 0 {
			return nil
		}
		return raw[head:]
	}
	return nil
}
