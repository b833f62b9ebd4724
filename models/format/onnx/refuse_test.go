package onnx_test

import (
	"strings"
	"testing"

	"sapf/models/format/onnx"
)

// TestRefusals: what is not computed as the file means it is refused, never taken
// for something else. Each refusal names the node, what is wrong, and the line
// that exports the network anew.
func TestRefusals(t *testing.T) {
	x, h := []string{"x"}, []string{"h"}
	stats := []message{
		tensor("g", 1, floats(1, 1, 1), 3), tensor("z", 1, floats(0, 0, 0), 3), tensor("m", 1, floats(0, 0, 0), 3), tensor("v", 1, floats(1, 1, 1), 3),
	}
	norm := []string{"x", "g", "z", "m", "v"}
	for name, c := range map[string]struct {
		raw  []byte
		says []string
	}{
		"cast to int32":      {with(17, node("Cast", x, h, attr("to", 6))), []string{"Cast the_Cast", "element type 6", "no gradient"}},
		"cast to bool":       {with(17, node("Cast", x, h, attr("to", 9))), []string{"Cast the_Cast", "element type 9"}},
		"cast to uint8":      {with(13, node("Cast", x, h, attr("to", 2))), []string{"Cast the_Cast", "element type 2"}},
		"training outputs":   {with(13, node("BatchNormalization", norm, []string{"h", "mean", "var", "sm", "sv"}), stats...), []string{"BatchNormalization the_BatchNormalization", "in training", "eval()"}},
		"training attribute": {with(15, node("BatchNormalization", norm, []string{"h"}, attr("training_mode", 1)), stats...), []string{"in training", "eval()"}},
		"spatial":            {with(8, node("BatchNormalization", norm, []string{"h"}, attr("spatial", 0)), stats...), []string{"spatial 0"}},
		"dropout in training": {with(13, node("Dropout", []string{"x", "", "t"}, h), tensor("t", 9, []byte{1})),
			[]string{"Dropout the_Dropout", "at random", "eval()"}},
		"unknown operator":       {with(17, node("NonZero", x, h)), []string{"NonZero the_NonZero", "operator NonZero is not supported"}},
		"unknown attribute":      {with(17, node("Relu", x, h, attr("consumed_inputs", []int64{0}))), []string{"Relu the_Relu", "attribute consumed_inputs", "expected none"}},
		"too many inputs":        {with(17, node("Relu", []string{"x", "x"}, h)), []string{"2 inputs, expected up to 1"}},
		"domain":                 {with(17, node("FusedConv", x, h).text(7, "com.microsoft")), []string{"com.microsoft", "ONNX Runtime has optimised"}},
		"quantised otherwise":    {with(17, node("QLinearConv", x, h)), []string{"QLinearConv the_QLinearConv", "in integers", "QuantFormat.QDQ"}},
		"quantised at run time":  {with(17, node("DynamicQuantizeLinear", x, h)), []string{"DynamicQuantizeLinear", "quantize_dynamic", "QuantFormat.QDQ"}},
		"another domain":         {with(17, node("Grid", x, h).text(7, "mmcv")), []string{"domain mmcv"}},
		"softmax of no axis":     {with(13, node("Softmax", x, h, attr("axis", 4))), []string{"Softmax the_Softmax", "axis 4"}},
		"pooled indices":         {with(17, node("MaxPool", x, []string{"m", "h"}, attr("kernel_shape", []int64{2, 2}))), []string{"reads h"}},
		"value twice":            {with(17, node("Relu", x, []string{"x"})), []string{"has a value already"}},
		"no such value":          {with(17, node("Relu", []string{"nothing"}, h)), []string{"reads nothing"}},
		"another rank":           {with(17, node("Add", []string{"x", "b3"}, h), tensor("b3", 1, floats(1, 2, 3), 3)), []string{"Add the_Add", "one number or one a channel"}},
		"quantised scale":        {with(17, node("QuantizeLinear", []string{"x", "x"}, h)), []string{"QuantizeLinear", "scale"}},
		"opset":                  {with(5, node("Relu", x, h)), []string{"opset 5", "expected 7"}},
		"opset of the future":    {with(99, node("Relu", x, h)), []string{"opset 99"}},
		"complex weights":        {with(17, node("Relu", x, h), tensor("c", 14, make([]byte, 8), 1)), []string{"tensor c", "element type 14"}},
		"NaN":                    {with(17, node("Relu", x, h), tensor("nan", 1, []byte{0, 0, 0xc0, 0x7f}, 1)), []string{"tensor nan", "NaN"}},
		"external":               {with(17, node("Relu", x, h), tensor("far", 1, nil, 1).bytes(13, message{}.text(1, "location").text(2, "far.bin")).number(14, 1)), []string{"tensor far", "far.bin"}},
		"open rows":              {file(parts{nodes: append([]message{node("Relu", x, h)}, head()...), weights: headWeights(), inputs: []message{value("x", 1, -1, 3, -1, -1)}}), []string{"input x", "--input 3x224x224"}},
		"integers in":            {file(parts{nodes: append([]message{node("Relu", x, h)}, head()...), weights: headWeights(), inputs: []message{value("x", 7, 1, 3, 4, 4)}}), []string{"input x", "element type 7"}},
		"arithmetic of bytes":    {file(parts{nodes: append([]message{node("Relu", x, h)}, head()...), weights: headWeights(), inputs: []message{value("x", 2, 1, 3, 4, 4)}}), []string{"uint8"}},
		"two inputs":             {file(parts{nodes: append([]message{node("Add", []string{"x", "x2"}, h)}, head()...), weights: headWeights(), inputs: []message{value("x", 1, 1, 3, 4, 4), value("x2", 1, 1, 3, 4, 4)}}), []string{"2 inputs"}},
		"two vectors":            {file(parts{nodes: append([]message{node("Relu", x, h)}, head()...), weights: headWeights(), outputs: []message{value("y", 1, 1, 2), value("flat", 1, 1, 3)}}), []string{"y, flat", "--output"}},
		"no vector":              {file(parts{nodes: append([]message{node("Relu", x, h)}, head()...), weights: headWeights(), outputs: []message{value("h", 1, 1, 3, 4, 4)}}), []string{"expected batch x classes"}},
		"constant output":        {file(parts{nodes: append([]message{node("Relu", x, h)}, head()...), weights: headWeights(), outputs: []message{value("w", 1, 2, 3)}}), []string{"depends on the image"}},
		"rows first, no turning": {file(parts{nodes: append([]message{node("Relu", x, h)}, head()...), weights: headWeights(), inputs: []message{value("x", 1, 1, 5, 5, 3)}}), []string{"5"}},
	} {
		_, err := onnx.Read("folder/some net.onnx", c.raw, onnx.Options{})
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, s := range append(c.says, "torch.onnx.export(net.eval()", `"some net.onnx"`) {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %v, expected it to say %q", name, err, s)
			}
		}
	}
}

// TestAccepted: the relatives of what is refused that mean nothing else.
func TestAccepted(t *testing.T) {
	x, h := []string{"x"}, []string{"h"}
	for name, raw := range map[string][]byte{
		"cast to float":               with(17, node("Cast", x, h, attr("to", 1))),
		"cast to double":              with(17, node("Cast", x, h, attr("to", 11))),
		"cast to half":                with(17, node("Cast", x, h, attr("to", 10))),
		"dropout":                     with(13, node("Dropout", []string{"x", "", "t"}, h), tensor("t", 9, []byte{0})),
		"a constant for each channel": with(17, node("Mul", []string{"x", "c"}, h), tensor("c", 1, floats(1, 2, 3), 3, 1, 1)),
	} {
		c, err := onnx.Read("net.onnx", raw, onnx.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if half := name == "cast to half"; half != (len(c.Notes) > 0) {
			t.Errorf("%s: notes %q", name, c.Notes)
		}
	}
}
