package format

import (
	"encoding/binary"
	"math"
)

// Width is the size of an entry of the types we read.
var Width = map[string]int64{"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U64": 8, "U32": 4, "I16": 2, "U16": 2, "U8": 1, "I8": 1, "BOOL": 1}

// Decode converts little-endian numbers to float32.
func Decode(dtype string, b []byte) []float32 {
	le := binary.LittleEndian
	width := int(Width[dtype])
	out := make([]float32, len(b)/width)
	if dtype == "F32" { // nearly every weight
		for i := range out {
			out[i] = math.Float32frombits(le.Uint32(b[4*i:]))
		}
		return out
	}
	for i := range out {
		p := b[i*width:]
		switch dtype {
		case "F64":
			out[i] = float32(math.Float64frombits(le.Uint64(p)))
		case "F16":
			out[i] = HalfToFloat(le.Uint16(p))
		case "BF16":
			out[i] = math.Float32frombits(uint32(le.Uint16(p)) << 16)
		case "I64":
			out[i] = float32(int64(le.Uint64(p)))
		case "I32":
			out[i] = float32(int32(le.Uint32(p)))
		case "U64":
			out[i] = float32(le.Uint64(p))
		case "U32":
			out[i] = float32(le.Uint32(p))
		case "I16":
			out[i] = float32(int16(le.Uint16(p)))
		case "U16":
			out[i] = float32(le.Uint16(p))
		case "U8", "BOOL":
			out[i] = float32(p[0])
		case "I8":
			out[i] = float32(int8(p[0]))
		}
	}
	return out
}

// HalfToFloat converts IEEE 754 binary16.
func HalfToFloat(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch {
	case exp == 31:
		return math.Float32frombits(sign | 255<<23 | frac<<13)
	case exp == 0: // subnormal: frac * 2^-24
		v := float32(frac) / (1 << 24)
		if sign != 0 {
			return -v
		}
		return v
	}
	return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
}
