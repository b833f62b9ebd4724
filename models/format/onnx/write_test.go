package onnx_test

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The tests write their ONNX files themselves: the fields of onnx.proto3 that
// they need.

// message is a protocol buffer in the making.
type message []byte

func (m message) bytes(num protowire.Number, b []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, num, protowire.BytesType), b)
}

func (m message) text(num protowire.Number, s string) message { return m.bytes(num, []byte(s)) }

func (m message) number(num protowire.Number, v int64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, num, protowire.VarintType), uint64(v))
}

// tensor is a TensorProto of raw numbers.
func tensor(name string, dtype int64, raw []byte, dims ...int64) message {
	var t message
	for _, d := range dims {
		t = t.number(1, d)
	}
	return t.number(2, dtype).text(8, name).bytes(9, raw)
}

func floats(v ...float32) []byte {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return raw
}

func int64s(v ...int64) []byte {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(x))
	}
	return raw
}

// attr is an AttributeProto: an int64, float32, string or []int64.
func attr(name string, value any) message {
	a := message{}.text(1, name)
	switch v := value.(type) {
	case int:
		a = a.number(3, int64(v)).number(20, 2)
	case float64:
		a = protowire.AppendFixed32(protowire.AppendTag(a, 2, protowire.Fixed32Type), math.Float32bits(float32(v)))
	case string:
		a = a.text(4, v)
	case []int64:
		for _, x := range v {
			a = a.number(8, x)
		}
	case message:
		a = a.bytes(5, v)
	}
	return a
}

// node is a NodeProto; an empty name stands for an input or output left out.
func node(op string, in, out []string, attrs ...message) message {
	var n message
	for _, name := range in {
		n = n.text(1, name)
	}
	for _, name := range out {
		n = n.text(2, name)
	}
	n = n.text(3, "the_"+op).text(4, op)
	for _, a := range attrs {
		n = n.bytes(5, a)
	}
	return n
}

// value is a ValueInfoProto; a dimension of -1 is left open.
func value(name string, dtype int64, dims ...int64) message {
	var shape message
	for _, d := range dims {
		one := message{}
		if d >= 0 {
			one = one.number(1, d)
		} else {
			one = one.text(2, "n")
		}
		shape = shape.bytes(1, one)
	}
	return message{}.text(1, name).bytes(2, message{}.bytes(1, message{}.number(1, dtype).bytes(2, shape)))
}

// parts of a ModelProto.
type parts struct {
	opset           int64
	nodes           []message
	weights, sparse []message
	inputs, outputs []message
	metadata        map[string]string
}

// file is a network of an image x of 1 x 3 x 4 x 4 and the logits y, unless the
// parts say otherwise.
func file(p parts) []byte {
	var g message
	for _, n := range p.nodes {
		g = g.bytes(1, n)
	}
	for _, t := range p.weights {
		g = g.bytes(5, t)
	}
	for _, t := range p.sparse {
		g = g.bytes(15, t)
	}
	if p.inputs == nil {
		p.inputs = []message{value("x", 1, 1, 3, 4, 4)}
	}
	for _, v := range p.inputs {
		g = g.bytes(11, v)
	}
	if p.outputs == nil {
		p.outputs = []message{value("y", 1, 1, 2)}
	}
	for _, v := range p.outputs {
		g = g.bytes(12, v)
	}
	if p.opset == 0 {
		p.opset = 17
	}
	m := message{}.number(1, 8).bytes(7, g).bytes(8, message{}.number(2, p.opset))
	for k, v := range p.metadata {
		m = m.bytes(14, message{}.text(1, k).text(2, v))
	}
	return m
}

// head are the nodes that make two logits of h, an image of 3 channels.
func head() []message {
	return []message{
		node("GlobalAveragePool", []string{"h"}, []string{"pooled"}),
		node("Flatten", []string{"pooled"}, []string{"flat"}),
		node("Gemm", []string{"flat", "w", "b"}, []string{"y"}, attr("transB", 1)),
	}
}

// headWeights are those of head.
func headWeights() []message {
	return []message{tensor("w", 1, floats(1, 0, 0, 0, 1, 0.5), 2, 3), tensor("b", 1, floats(0, 1), 2)}
}

// with is a network of one node between x and the head.
func with(opset int64, n message, weights ...message) []byte {
	return file(parts{opset: opset, nodes: append([]message{n}, head()...), weights: append(headWeights(), weights...)})
}
