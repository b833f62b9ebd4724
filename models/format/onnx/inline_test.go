package onnx_test

import (
	"strings"
	"testing"

	"sapf/models"
	"sapf/models/engine"
	"sapf/models/format/onnx"
)

// graphOf is a GraphProto of nodes, weights and the names of its outputs.
func graphOf(nodes, weights []message, outputs ...string) message {
	var g message
	for _, n := range nodes {
		g = g.bytes(1, n)
	}
	for _, w := range weights {
		g = g.bytes(5, w)
	}
	for _, name := range outputs {
		g = g.bytes(12, message{}.text(1, name))
	}
	return g
}

func branches(then, otherwise message) []message {
	branch := func(name string, g message) message { return message{}.text(1, name).bytes(6, g) }
	return []message{branch("then_branch", then), branch("else_branch", otherwise)}
}

// TestIf: the branch that a known condition chooses is evaluated in place, with
// names that the other branch has too and those of the graph around it.
func TestIf(t *testing.T) {
	double := graphOf([]message{node("Mul", []string{"x", "k"}, []string{"out"})}, []message{tensor("k", 1, floats(2), 1)}, "out")
	half := graphOf([]message{node("Mul", []string{"x", "k"}, []string{"out"})}, []message{tensor("k", 1, floats(0.5), 1)}, "out")
	condition := []message{node("Shape", []string{"x"}, []string{"s"}), node("Gather", []string{"s", "one"}, []string{"c"}), node("Equal", []string{"c", "three"}, []string{"is3"})}
	numbers := []message{tensor("one", 7, int64s(1), 1), tensor("three", 7, int64s(3), 1), tensor("four", 7, int64s(4), 1)}
	choose := node("If", []string{"is3"}, []string{"h"}, branches(double, half)...)
	checkLogits(t, relu(parts{nodes: append(condition, choose), weights: numbers}), models.LoadOptions{}, 0.5, 1+0.75+1)
	condition[2] = node("Equal", []string{"c", "four"}, []string{"is3"})
	checkLogits(t, relu(parts{nodes: append(condition, choose), weights: numbers}), models.LoadOptions{}, 0.125, 0.25+0.1875+1)

	// One within the other, each with a k of its own; the outer one is as before afterwards.
	inner := graphOf([]message{node("If", []string{"yes"}, []string{"t"}, branches(double, half)...), node("Mul", []string{"t", "k"}, []string{"out"})},
		[]message{tensor("k", 1, floats(4), 1)}, "out")
	nested := []message{node("If", []string{"yes"}, []string{"n"}, branches(inner, half)...), node("Mul", []string{"n", "k"}, []string{"h"})}
	checkLogits(t, relu(parts{nodes: nested, weights: []message{tensor("yes", 9, []byte{1}), tensor("k", 1, floats(0.125), 1)}}), models.LoadOptions{}, 0.25, 1.875)

	depends := []message{node("ReduceMean", []string{"x"}, []string{"m"}, attr("keepdims", 0)), node("Greater", []string{"m", "k"}, []string{"is3"}), choose}
	if _, err := onnx.Read("net.onnx", relu(parts{nodes: depends, weights: []message{tensor("k", 1, floats(0.5))}}), onnx.Options{}); err == nil || !strings.Contains(err.Error(), "condition depends on the image") {
		t.Errorf("a condition of the image: %v", err)
	}
}

// function is a FunctionProto of the domain mine.
func function(name string, in, out []string, nodes ...message) message {
	f := message{}.text(1, name)
	for _, v := range in {
		f = f.text(4, v)
	}
	for _, v := range out {
		f = f.text(5, v)
	}
	for _, n := range nodes {
		f = f.bytes(7, n)
	}
	return f.text(10, "mine")
}

// TestFunctions: what a file defines itself is evaluated where it is called, with
// the attributes of the call, and sees nothing of the graph around it.
func TestFunctions(t *testing.T) {
	slope := message{}.text(1, "alpha").text(21, "slope").number(20, 1)
	leaky := function("Leaky", []string{"a", "b"}, []string{"y"}, node("LeakyRelu", []string{"a"}, []string{"t"}, slope), node("Identity", []string{"t"}, []string{"y"}))
	twice := function("Twice", []string{"x"}, []string{"y"}, node("Leaky", []string{"x"}, []string{"t"}, attr("slope", 0.5)).text(7, "mine"), node("Add", []string{"t", "t"}, []string{"y"}))
	call := []message{node("Neg", []string{"x"}, []string{"minus"}), node("Twice", []string{"minus"}, []string{"t"}).text(7, "mine"), node("Neg", []string{"t"}, []string{"h"})}
	raw := message(relu(parts{nodes: call})).bytes(25, leaky).bytes(25, twice)
	checkLogits(t, raw, models.LoadOptions{}, 0.25, 1.875)

	blind := function("Twice", []string{"a"}, []string{"y"}, node("Relu", []string{"x"}, []string{"y"}))
	if _, err := onnx.Read("net.onnx", message(relu(parts{nodes: call})).bytes(25, blind), onnx.Options{}); err == nil || !strings.Contains(err.Error(), "reads x, which no earlier node gives") {
		t.Errorf("a function that reads the graph: %v", err)
	}
}

// TestGraphsWithinGraphs: however they lie in each other, reading ends with a
// message, soon.
func TestGraphsWithinGraphs(t *testing.T) {
	self := function("Twice", []string{"x"}, []string{"y"}, node("Twice", []string{"x"}, []string{"y"}).text(7, "mine"))
	call := []message{node("Twice", []string{"x"}, []string{"h"}).text(7, "mine")}
	raw := message(relu(parts{nodes: call})).bytes(25, self)
	if _, err := onnx.Read("net.onnx", raw, onnx.Options{}); err == nil || !strings.Contains(err.Error(), "deep") {
		t.Errorf("a function that calls itself: %v", err)
	}
	// Each function calls the next a hundred times.
	raw = message(relu(parts{nodes: call}))
	for i, name := range []string{"Twice", "B", "C", "D", "E"} {
		next := []string{"B", "C", "D", "E", "Relu"}[i]
		var nodes []message
		for k := range 100 {
			in, out := "v"+strings.Repeat("i", k), "v"+strings.Repeat("i", k+1)
			n := node(next, []string{in}, []string{out})
			if next != "Relu" {
				n = n.text(7, "mine")
			}
			nodes = append(nodes, n)
		}
		raw = raw.bytes(25, function(name, []string{"v"}, []string{"v" + strings.Repeat("i", 100)}, nodes...))
	}
	if _, err := onnx.Read("net.onnx", raw, onnx.Options{}); err == nil || !strings.Contains(err.Error(), "nodes") {
		t.Errorf("functions of 10^10 nodes: %v", err)
	}
	// A branch in a branch in a branch, 2000 times: parsing it must not recurse so deep.
	var deep message
	for range 2000 {
		deep = graphOf([]message{node("If", []string{"yes"}, []string{"o"}, message{}.text(1, "then_branch").bytes(6, deep))}, nil, "o")
	}
	raw = relu(parts{nodes: []message{node("If", []string{"yes"}, []string{"h"}, message{}.text(1, "then_branch").bytes(6, deep))}})
	if _, err := onnx.Read("net.onnx", raw, onnx.Options{}); err == nil || !strings.Contains(err.Error(), "deep") {
		t.Errorf("branches in branches: %v", err)
	}
}

// TestOutputsThatAreNotNeeded: what the logits are not made of may be anything.
func TestOutputsThatAreNotNeeded(t *testing.T) {
	label := append([]message{xToH}, node("ArgMax", []string{"y"}, []string{"label"}, attr("axis", 1)))
	checkLogits(t, relu(parts{nodes: label, outputs: []message{value("label", 7, 1, 1), value("y", 1, 1, 2)}}), models.LoadOptions{}, 0.25, 1.875)
	scores := parts{nodes: append([]message{xToH}, node("NonZero", []string{"y"}, []string{"z"})), outputs: []message{value("z", 1, 2, 2), value("y", 1, 1, 2)}}
	checkLogits(t, relu(scores), models.LoadOptions{Output: "y"}, 0.25, 1.875)
	if _, err := onnx.Read("net.onnx", relu(scores), onnx.Options{}); err == nil || !strings.Contains(err.Error(), "its output y can do without that node: --output") {
		t.Errorf("an output of an operator that is not there: %v", err)
	}
}

// TestFlatInputs: images as lists of entries, and without an axis of channels.
func TestFlatInputs(t *testing.T) {
	from := []message{node("Reshape", []string{"x", "s"}, []string{"r"}), node("Relu", []string{"r"}, []string{"h"})}
	shape := []message{tensor("s", 7, int64s(0, 3, 4, 4), 4)}
	list := relu(parts{nodes: from, weights: shape, inputs: []message{value("x", 1, -1, 48)}})
	checkLogits(t, list, models.LoadOptions{Input: engine.Shape{C: 3, H: 4, W: 4}}, 0.25, 1.875)
	for want, o := range map[string]engine.Shape{"--input 1x28x28": {}, "not 3x5x5": {C: 3, H: 5, W: 5}} {
		if _, err := onnx.Read("net.onnx", list, onnx.Options{Input: o}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("entries of an image of %v: %v, want %q", o, err, want)
		}
	}
	grey := parts{nodes: []message{node("Flatten", []string{"x"}, []string{"f"}), node("Gemm", []string{"f", "g"}, []string{"y"})},
		weights: []message{tensor("g", 1, floats(1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1), 6, 2)}, inputs: []message{value("x", 1, -1, 2, 3)}}
	c, err := onnx.Read("net.onnx", file(grey), onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Net.Input != (engine.Shape{C: 1, H: 2, W: 3}) {
		t.Errorf("images of %v, expected 1x2x3", c.Net.Input)
	}
}

// TestSoftmaxAsArray: a softmax that is computed on arrays, as after attention, is
// left out like the engine's own.
func TestSoftmaxAsArray(t *testing.T) {
	nodes := []message{node("Transpose", []string{"x"}, []string{"t"}, attr("perm", []int64{0, 2, 3, 1})), node("ReduceMean", []string{"t"}, []string{"m"}, attr("axes", []int64{1, 2}), attr("keepdims", 0)),
		node("MatMul", []string{"m", "v"}, []string{"z"}), node("Softmax", []string{"z"}, []string{"p"}, attr("axis", 1)), node("Reshape", []string{"p", "s"}, []string{"y"})}
	weights := []message{tensor("v", 1, floats(1, 0, 0, 1, 0, 0.5), 3, 2), tensor("s", 7, int64s(0, 2), 2)}
	m := checkLogits(t, file(parts{nodes: nodes, weights: weights}), models.LoadOptions{}, 0.25, 0.875)
	warns(t, m, "left out")
	warns(t, checkLogits(t, file(parts{nodes: nodes, weights: weights}), models.LoadOptions{Probabilities: true}, 0.3486451, 0.6513549), "probabilities, not logits")
}

// TestAttention: the operator is what its parts are, with heads beside each other
// in the rows and with a mask.
func TestAttention(t *testing.T) {
	rows := node("Reshape", []string{"x", "s"}, []string{"r"}) // 1 x 4 tokens x 12
	numbers := []message{tensor("s", 7, int64s(1, 4, 12), 3), tensor("back", 7, int64s(1, 3, 4, 4), 4), tensor("heads", 7, int64s(1, 4, 2, 6), 4),
		tensor("scale", 1, floats(0.5), 1), tensor("mask", 1, floats(0, -9, 0.5, 0, 0, 0, -9, 1, 0, 0, 0, 0, 1, 0, 0, 0), 4, 4)}
	one := []message{rows, node("Attention", []string{"r", "r", "r", "mask"}, []string{"a"}, attr("q_num_heads", 2), attr("kv_num_heads", 2), attr("scale", 0.5)), node("Reshape", []string{"a", "back"}, []string{"h"})}
	parted := []message{rows, node("Reshape", []string{"r", "heads"}, []string{"rh"}), node("Transpose", []string{"rh"}, []string{"q"}, attr("perm", []int64{0, 2, 1, 3})),
		node("Transpose", []string{"rh"}, []string{"k"}, attr("perm", []int64{0, 2, 3, 1})), node("MatMul", []string{"q", "k"}, []string{"m"}), node("Mul", []string{"m", "scale"}, []string{"ms"}),
		node("Add", []string{"ms", "mask"}, []string{"mm"}), node("Softmax", []string{"mm"}, []string{"p"}, attr("axis", -1)), node("MatMul", []string{"p", "q"}, []string{"o"}),
		node("Transpose", []string{"o"}, []string{"ot"}, attr("perm", []int64{0, 2, 1, 3})), node("Reshape", []string{"ot", "back"}, []string{"h"})}
	m, err := models.Load(save(t, "net.onnx", relu(parts{opset: 23, nodes: parted, weights: numbers})), models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := m.Logits(picture())
	if err != nil {
		t.Fatal(err)
	}
	checkLogits(t, relu(parts{opset: 23, nodes: one, weights: numbers}), models.LoadOptions{}, want...)
	blind := append([]message{tensor("mask", 9, []byte{1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1}, 4, 4)}, numbers[:4]...)
	if _, err := onnx.Read("net.onnx", relu(parts{opset: 23, nodes: one, weights: blind}), onnx.Options{}); err == nil || !strings.Contains(err.Error(), "token 1 sees nothing") {
		t.Errorf("a token without a key: %v", err)
	}
}
