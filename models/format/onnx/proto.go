package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The part of ONNX's protocol buffers (onnx/onnx.proto3) that classifiers use.
// Field numbers are in the switch statements below.

type modelProto struct {
	producer string
	opset    int64
	graph    graphProto
	metadata map[string]string
	// functions are the file's own.
	functions []functionProto
}

type graphProto struct {
	nodes           []nodeProto
	initializers    []tensorProto
	inputs, outputs []valueInfo
}

type nodeProto struct {
	name, op, domain string
	in, out          []string
	attrs            map[string]attrProto
}

// String names the node for messages.
func (n *nodeProto) String() string {
	if n.name == "" && len(n.out) > 0 {
		return fmt.Sprintf("%s (output %s)", n.op, n.out[0])
	}
	return fmt.Sprintf("%s %s", n.op, n.name)
}

type attrProto struct {
	f      float32
	i      int64
	s      string
	t      *tensorProto
	floats []float32
	ints   []int64
	// g is a graph within the node (a branch), ref the attribute of the function
	// that the value is taken from.
	g   *graphProto
	ref string
}

type valueInfo struct {
	name  string
	dtype int64
	// dims has -1 for a length that is not fixed; nil where no shape is given.
	dims []int64
}

// fields calls f for each field of a message. For a varint or a fixed field v
// is the number; for a length-delimited one b is its bytes.
func fields(raw []byte, f func(num protowire.Number, v uint64, b []byte) error) error {
	for len(raw) > 0 {
		num, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return protowire.ParseError(n)
		}
		raw = raw[n:]
		var v uint64
		var b []byte
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(raw)
		case protowire.Fixed32Type:
			var w uint32
			w, n = protowire.ConsumeFixed32(raw)
			v = uint64(w)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(raw)
		case protowire.BytesType:
			b, n = protowire.ConsumeBytes(raw)
			if b == nil {
				b = []byte{}
			}
		default:
			return fmt.Errorf("field %d of wire type %d", num, kind)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		raw = raw[n:]
		if err := f(num, v, b); err != nil {
			return err
		}
	}
	return nil
}

// varints appends a repeated integer field, packed or not.
func varints(to []int64, v uint64, b []byte) ([]int64, error) {
	if b == nil {
		return append(to, int64(v)), nil
	}
	for len(b) > 0 {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		to, b = append(to, int64(v)), b[n:]
	}
	return to, nil
}

// fixed32s appends a repeated float field, packed or not.
func fixed32s(to []float32, v uint64, b []byte) ([]float32, error) {
	if b == nil {
		return append(to, math.Float32frombits(uint32(v))), nil
	}
	if len(b)%4 != 0 {
		return nil, fmt.Errorf("%d bytes of float", len(b))
	}
	for ; len(b) > 0; b = b[4:] {
		to = append(to, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return to, nil
}

func parseModel(raw []byte) (m modelProto, err error) {
	err = fields(raw, func(num protowire.Number, v uint64, b []byte) error {
		var err error
		switch num {
		case 2:
			m.producer = string(b)
		case 7:
			m.graph, err = parseGraph(b, 0)
		case 14: // StringStringEntryProto
			var key, value string
			key, value, err = parseEntry(b)
			if m.metadata == nil {
				m.metadata = map[string]string{}
			}
			m.metadata[key] = value
		case 25:
			var f functionProto
			f, err = parseFunction(b)
			m.functions = append(m.functions, f)
		case 8: // OperatorSetIdProto
			domain, version := "", int64(0)
			err = fields(b, func(num protowire.Number, v uint64, b []byte) error {
				switch num {
				case 1:
					domain = string(b)
				case 2:
					version = int64(v)
				}
				return nil
			})
			if domain == "" || domain == "ai.onnx" {
				m.opset = version
			}
		}
		return err
	})
	return m, err
}

// parseGraph reads a graph that lies depth graphs deep in others.
func parseGraph(raw []byte, depth int) (g graphProto, err error) {
	err = fields(raw, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1:
			n, err := parseNode(b, depth)
			g.nodes = append(g.nodes, n)
			return err
		case 5:
			t, err := parseTensor(b)
			g.initializers = append(g.initializers, t)
			return err
		case 11:
			v, err := parseValueInfo(b)
			g.inputs = append(g.inputs, v)
			return err
		case 12:
			v, err := parseValueInfo(b)
			g.outputs = append(g.outputs, v)
			return err
		case 15:
			t, err := parseSparse(b)
			g.initializers = append(g.initializers, t)
			return err
		}
		return nil
	})
	return g, err
}

// parseFunction reads a FunctionProto.
func parseFunction(raw []byte) (f functionProto, err error) {
	f.defaults = map[string]attrProto{}
	err = fields(raw, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1:
			f.name = string(b)
		case 4:
			f.in = append(f.in, string(b))
		case 5:
			f.out = append(f.out, string(b))
		case 7:
			n, err := parseNode(b, 0)
			f.nodes = append(f.nodes, n)
			return err
		case 10:
			f.domain = string(b)
		case 11:
			return parseAttr(b, f.defaults, 0)
		}
		return nil
	})
	return f, err
}

func parseNode(raw []byte, depth int) (n nodeProto, err error) {
	n.attrs = map[string]attrProto{}
	err = fields(raw, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1:
			n.in = append(n.in, string(b))
		case 2:
			n.out = append(n.out, string(b))
		case 3:
			n.name = string(b)
		case 4:
			n.op = string(b)
		case 5:
			return parseAttr(b, n.attrs, depth)
		case 7:
			n.domain = string(b)
		}
		return nil
	})
	return n, err
}

func parseAttr(raw []byte, into map[string]attrProto, depth int) error {
	var name string
	var a attrProto
	err := fields(raw, func(num protowire.Number, v uint64, b []byte) (err error) {
		switch num {
		case 1:
			name = string(b)
		case 2:
			a.f = math.Float32frombits(uint32(v))
		case 3:
			a.i = int64(v)
		case 4:
			a.s = string(b)
		case 5:
			var t tensorProto
			t, err = parseTensor(b)
			a.t = &t
		case 6:
			if depth >= maxDepth {
				return fmt.Errorf("graphs within graphs, more than %d deep", maxDepth)
			}
			var g graphProto
			g, err = parseGraph(b, depth+1)
			a.g = &g
		case 7:
			a.floats, err = fixed32s(a.floats, v, b)
		case 8:
			a.ints, err = varints(a.ints, v, b)
		case 21:
			a.ref = string(b)
		}
		return err
	})
	into[name] = a
	return err
}

func parseValueInfo(raw []byte) (v valueInfo, err error) {
	err = fields(raw, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1:
			v.name = string(b)
		case 2: // TypeProto
			return fields(b, func(num protowire.Number, _ uint64, b []byte) error {
				if num != 1 {
					return nil
				}
				return fields(b, func(num protowire.Number, n uint64, b []byte) error { // Tensor
					switch num {
					case 1:
						v.dtype = int64(n)
					case 2:
						return parseShape(b, &v.dims)
					}
					return nil
				})
			})
		}
		return nil
	})
	return v, err
}

func parseShape(raw []byte, dims *[]int64) error {
	*dims = []int64{}
	return fields(raw, func(num protowire.Number, _ uint64, b []byte) error {
		if num != 1 {
			return nil
		}
		d := int64(-1)
		err := fields(b, func(num protowire.Number, v uint64, _ []byte) error {
			if num == 1 {
				d = int64(v)
			}
			return nil
		})
		*dims = append(*dims, d)
		return err
	})
}

// parseEntry reads a StringStringEntryProto.
func parseEntry(raw []byte) (key, value string, err error) {
	err = fields(raw, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1:
			key = string(b)
		case 2:
			value = string(b)
		}
		return nil
	})
	return key, value, err
}
