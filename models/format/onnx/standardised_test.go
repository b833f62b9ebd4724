package onnx_test

import (
	"fmt"
	"testing"

	"sapf/models"
)

// TestStandardisedWeights: a batch norm in training mode of weights alone, as
// PyTorch exports weight standardisation, is computed when the file is read.
func TestStandardisedWeights(t *testing.T) {
	weights := []message{tensor("raw", 1, floats(0, 2, 1, 5, -1, -1), 1, 3, 2), tensor("gain", 1, floats(1, 2, 3), 3), tensor("shift", 1, floats(0, 0, 0.5), 3),
		tensor("zero", 1, floats(0, 0, 0), 3), tensor("one", 1, floats(1, 1, 1), 3), tensor("s", 7, int64s(3, 2), 2)}
	norm := []string{"raw", "gain", "shift", "zero", "one"}
	mean := node("ReduceMean", []string{"x"}, []string{"m"}, attr("axes", []int64{2, 3}), attr("keepdims", 0))
	rest := []message{node("Reshape", []string{"n", "s"}, []string{"v"}), mean, node("MatMul", []string{"m", "v"}, []string{"y"})}
	for opset, n := range map[int64]message{
		13: node("BatchNormalization", norm, []string{"n", "a", "b", "c", "d"}),
		17: node("BatchNormalization", norm, []string{"n", "a", "b"}, attr("training_mode", 1)),
	} {
		// The rows are -1 1, -2 2 and 0.5 0.5, their factors 0.25, 0.5 and 0.75.
		checkLogits(t, file(parts{opset: opset, nodes: append([]message{n}, rest...), weights: weights}), models.LoadOptions{}, -0.875, 1.625)
	}
}

// TestConcatOfSeveral: any number of arrays, along an axis that is not the
// channels.
func TestConcatOfSeveral(t *testing.T) {
	flat, back := tensor("row", 7, int64s(1, 1, 48), 3), tensor("back", 7, int64s(1, 3, 4, 4), 4)
	for n := 2; n <= 5; n++ {
		names := make([]string, n)
		for i := range names {
			names[i] = "r"
		}
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			nodes := []message{node("Reshape", []string{"x", "row"}, []string{"r"}), node("Concat", names, []string{"c"}, attr("axis", 1)),
				node("ReduceMax", []string{"c"}, []string{"m"}, attr("axes", []int64{1})), node("Reshape", []string{"m", "back"}, []string{"h"})}
			checkLogits(t, relu(parts{nodes: nodes, weights: []message{flat, back}}), models.LoadOptions{}, 0.25, 1.875)
		})
	}
}

// TestLargeConstants: arithmetic of weights may be as large as they are.
func TestLargeConstants(t *testing.T) {
	const side = 2049 // more than 2^22 entries
	weights := []message{tensor("large", 1, make([]byte, 4*side*side), side, side), tensor("less", 1, floats(-0.5), 1)}
	nodes := []message{node("Sub", []string{"large", "less"}, []string{"d"}), node("ReduceMean", []string{"d"}, []string{"m"}, attr("keepdims", 0)),
		node("Add", []string{"x", "m"}, []string{"h"})}
	checkLogits(t, relu(parts{nodes: nodes, weights: weights}), models.LoadOptions{}, 0.75, 2.625)
}
