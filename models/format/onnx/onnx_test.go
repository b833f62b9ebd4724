package onnx_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/models/format/onnx"
)

// TestFailure31_CutOff: a file that was not fetched to its end is refused,
// whatever is left, and within the numbers of a tensor the message names it.
func TestFailure31_CutOff(t *testing.T) {
	for file, tensors := range map[string][]string{
		"tiny-13.onnx":       {"tensor fc1.weight", "tensor c2.weight"},
		"tiny-18dynamo.onnx": {"tensor fc1.weight", "tensor c2.weight"},
	} {
		raw, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		named := map[string]bool{}
		for n := 0; n < len(raw); n += 13 {
			_, err := onnx.Read("x", raw[:n], onnx.Options{})
			if err == nil {
				t.Fatalf("%s: accepted with %d of %d bytes", file, n, len(raw))
			}
			for _, tensor := range tensors {
				named[tensor] = named[tensor] || strings.Contains(err.Error(), tensor)
			}
		}
		for _, tensor := range tensors {
			if !named[tensor] {
				t.Errorf("%s: cut off at any length, %s is never named", file, tensor)
			}
		}
	}
}

// The parser must refuse or read any bytes, without a panic and without
// allocating more than the bytes justify.

func FuzzONNX(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.onnx")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	// Operators on arrays: what most of them need is one image and one list.
	lists := []message{tensor("two", 7, int64s(2, 2, 1, 1), 4), tensor("w", 1, floats(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), 3, 1, 2, 2), tensor("v", 1, floats(1, 2, 3), 3), tensor("m", 1, make([]byte, 64), 4, 4)}
	for _, n := range []message{
		node("Transpose", []string{"x"}, []string{"y"}, attr("perm", []int64{0, 2, 3, 1})), node("Tile", []string{"x", "two"}, []string{"y"}),
		node("Conv", []string{"x", "w"}, []string{"y"}, attr("group", 3), attr("dilations", []int64{2, 2})), node("ConvTranspose", []string{"x", "w"}, []string{"y"}, attr("strides", []int64{2, 2})),
		node("MaxPool", []string{"x"}, []string{"y"}, attr("kernel_shape", []int64{2, 2}), attr("dilations", []int64{2, 2}), attr("ceil_mode", 1)),
		node("Resize", []string{"x", "", "", "two"}, []string{"y"}, attr("mode", "cubic")), node("Pad", []string{"x"}, []string{"y"}, attr("pads", []int64{0, 1, 0, 1, 0, 0, 1, 1}), attr("mode", "reflect")),
		node("Einsum", []string{"x", "x"}, []string{"y"}, attr("equation", "abcd,abed->ace")), node("MatMul", []string{"x", "m"}, []string{"y"}), node("LRN", []string{"x"}, []string{"y"}, attr("size", 3)),
		node("InstanceNormalization", []string{"x", "v", "v"}, []string{"y"}), node("Softmax", []string{"x"}, []string{"y"}, attr("axis", 2)), node("ReduceMax", []string{"x"}, []string{"y"}, attr("axes", []int64{1, 3})),
		node("DepthToSpace", []string{"x"}, []string{"y"}, attr("blocksize", 1)), node("GatherND", []string{"x", "two"}, []string{"y"}), node("CumSum", []string{"x", "two"}, []string{"y"}),
	} {
		f.Add(file(parts{nodes: []message{n, node("ReduceMean", []string{"y"}, []string{"z"}, attr("axes", []int64{2}))}, weights: lists, outputs: []message{value("z", 1, 1, 2)}}))
	}
	f.Add(relu(parts{nodes: []message{node("Mul", []string{"x", "c"}, []string{"h"})}, sparse: []message{message{}.bytes(1, tensor("c", 1, floats(2), 1)).bytes(2, tensor("", 7, int64s(1), 1)).number(3, 1).number(3, 3).number(3, 1).number(3, 1)}}))
	// Graphs within the graph.
	double := graphOf([]message{node("Add", []string{"x", "x"}, []string{"o"})}, []message{tensor("k", 1, floats(2), 1)}, "o")
	f.Add(relu(parts{nodes: []message{node("If", []string{"yes"}, []string{"h"}, branches(double, double)...)}, weights: []message{tensor("yes", 9, []byte{1})}}))
	f.Add([]byte(message(relu(parts{nodes: []message{node("Twice", []string{"x"}, []string{"h"}).text(7, "mine")}})).bytes(25, function("Twice", []string{"x"}, []string{"y"}, node("Relu", []string{"x"}, []string{"y"})))))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := onnx.Read("fuzz", raw, onnx.Options{})
		if err != nil {
			return
		}
		if _, err := c.Net.Shapes(); err != nil {
			t.Fatalf("accepted, but %v", err)
		}
	})
}
