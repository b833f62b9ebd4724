package onnx_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/models/format/onnx"
)

// save writes a file of a temporary folder.
func save(t *testing.T, name string, raw []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// picture has three channels of 4 x 4 whose means are 0.25, 0.5 and 0.75, each
// with one pixel higher and one lower.
func picture() data.Image {
	x := data.NewImage("test", 3, 4, 4)
	for c := range 3 {
		for i := range 16 {
			x.Pix[16*c+i] = float32(c+1) / 4
		}
		x.Pix[16*c] += 0.125
		x.Pix[16*c+5] -= 0.125
	}
	return x
}

// checkLogits loads a file and compares the logits of picture.
func checkLogits(t *testing.T, raw []byte, o models.LoadOptions, want ...float64) *models.Model {
	t.Helper()
	m, err := models.Load(save(t, "net.onnx", raw), o)
	if err != nil {
		t.Error(err)
		return nil
	}
	z, err := m.Logits(picture())
	if err != nil || len(z) != len(want) {
		t.Errorf("logits %v (%v), expected %v", z, err, want)
		return m
	}
	for i := range z {
		if math.Abs(z[i]-want[i]) > 1e-5 {
			t.Errorf("logits %v, expected %v", z, want)
			break
		}
	}
	return m
}

// relu is a network with logits mean_0 and mean_1 + mean_2/2 + 1.
func relu(p parts) []byte {
	p.nodes = append(p.nodes, head()...)
	p.weights = append(headWeights(), p.weights...)
	return file(p)
}

var xToH = node("Relu", []string{"x"}, []string{"h"})

func TestInputs(t *testing.T) {
	checkLogits(t, relu(parts{nodes: []message{xToH}}), models.LoadOptions{}, 0.25, 0.5+0.375+1)
	// N x H x W x C, with a constant a channel before the transpose; W = 5 so that
	// rows and columns cannot be mistaken.
	scaled := []message{node("Mul", []string{"x", "c"}, []string{"s"}), node("Transpose", []string{"s"}, []string{"h"}, attr("perm", []int64{0, 3, 1, 2}))}
	m, err := models.Load(save(t, "net.onnx", relu(parts{nodes: scaled, weights: []message{tensor("c", 1, floats(1, 2, 4), 3)}, inputs: []message{value("x", 1, -1, 6, 5, 3)}})), models.LoadOptions{})
	if err != nil {
		t.Error(err)
	} else {
		x := models.RandomImage(m.InputShape(), 1)
		z, err := m.Logits(x)
		mean := func(c int) (s float64) {
			for _, v := range x.Pix[30*c : 30*c+30] {
				s += float64(v) / 30
			}
			return s
		}
		if err != nil || math.Abs(z[0]-mean(0)) > 1e-6 || math.Abs(z[1]-(2*mean(1)+2*mean(2)+1)) > 1e-6 {
			t.Errorf("rows first: logits %v (%v), means %v %v %v", z, err, mean(0), mean(1), mean(2))
		}
	}
	// uint8, cast and divided.
	bytes := []message{node("Cast", []string{"x"}, []string{"f"}, attr("to", 1)), node("Div", []string{"f", "c"}, []string{"h"})}
	m = checkLogits(t, relu(parts{nodes: bytes, weights: []message{tensor("c", 1, floats(255))}, inputs: []message{value("x", 2, 1, 3, 4, 4)}}),
		models.LoadOptions{}, 0.25, 0.5+0.375+1)
	warns(t, m, "uint8", "not rounded")
	// Half and double networks.
	for dtype, says := range map[int64]string{10: "F16", 11: "F64"} {
		m = checkLogits(t, relu(parts{nodes: []message{xToH}, inputs: []message{value("x", dtype, 1, 3, 4, 4)}}), models.LoadOptions{}, 0.25, 0.5+0.375+1)
		warns(t, m, says)
	}
	// Open rows and columns.
	open := relu(parts{nodes: []message{xToH}, inputs: []message{value("x", 1, -1, 3, -1, -1)}})
	checkLogits(t, open, models.LoadOptions{Input: engine.Shape{C: 3, H: 4, W: 4}}, 0.25, 0.5+0.375+1)
	if _, err := models.Load(save(t, "net.onnx", relu(parts{nodes: []message{xToH}})), models.LoadOptions{Input: engine.Shape{C: 3, H: 8, W: 8}}); err == nil {
		t.Error("a shape that is not the file's is accepted")
	}
}

func warns(t *testing.T, m *models.Model, parts ...string) {
	t.Helper()
	if m == nil {
		return
	}
	for _, p := range parts {
		if !slices.ContainsFunc(m.Card().Warnings, func(w string) bool { return strings.Contains(w, p) }) {
			t.Errorf("warnings %q, expected one about %q", m.Card().Warnings, p)
		}
	}
}

// TestSparse: a sparse weight is the dense one that it stands for; one whose
// entries lie outside of it, or that is far larger than its values, is refused.
func TestSparse(t *testing.T) {
	scaled := []message{node("Relu", []string{"x"}, []string{"r"}), node("Mul", []string{"r", "c"}, []string{"h"})}
	sparse := func(shape []int64, at message) []byte {
		c := message{}.bytes(1, tensor("c", 1, floats(2), 1)).bytes(2, at)
		for _, d := range shape {
			c = c.number(3, d)
		}
		return relu(parts{nodes: scaled, sparse: []message{c}})
	}
	channels := []int64{1, 3, 1, 1}
	checkLogits(t, sparse(channels, tensor("", 7, int64s(1), 1)), models.LoadOptions{}, 0, 2*0.5+1)
	checkLogits(t, sparse(channels, tensor("", 7, int64s(0, 2, 0, 0), 1, 4)), models.LoadOptions{}, 0, 2*0.75/2+1)
	for want, raw := range map[string][]byte{
		"value 0 at entry 3 of 3":                    sparse(channels, tensor("", 7, int64s(3), 1)),
		"value 0 at [0 -1 0 0] of shape [1 3 1 1]":   sparse(channels, tensor("", 7, int64s(0, -1, 0, 0), 1, 4)),
		"1 values at indices of shape [2]":           sparse(channels, tensor("", 7, int64s(0, 1), 2)),
		"has more than the 4194304 entries there is": sparse([]int64{1 << 20, 1 << 20}, tensor("", 7, int64s(0), 1)),
	} {
		if _, err := models.Load(save(t, "net.onnx", raw), models.LoadOptions{}); err == nil || !strings.Contains(err.Error(), "sparse tensor c") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}

// TestOutputs: the logits among several outputs, probabilities, a single output.
func TestOutputs(t *testing.T) {
	two := relu(parts{nodes: []message{xToH}, outputs: []message{value("flat", 1, 1, 3), value("y", 1, 1, 2)}})
	warns(t, checkLogits(t, two, models.LoadOptions{Output: "y"}, 0.25, 1.875))
	warns(t, checkLogits(t, two, models.LoadOptions{Output: "flat"}, 0.25, 0.5, 0.75))
	features := relu(parts{nodes: []message{xToH}, outputs: []message{value("h", 1, 1, 3, 4, 4), value("y", 1, 1, 2)}})
	warns(t, checkLogits(t, features, models.LoadOptions{}, 0.25, 1.875), "y is taken for the logits")

	for _, op := range []string{"Softmax", "Sigmoid"} {
		probs := file(parts{nodes: append(append([]message{xToH}, head()...), node(op, []string{"y"}, []string{"p"})), weights: headWeights(), outputs: []message{value("p", 1, 1, 2)}})
		warns(t, checkLogits(t, probs, models.LoadOptions{}, 0.25, 1.875), "left out", strings.ToLower(op))
		kept := models.LoadOptions{Probabilities: true}
		sum := math.Exp(0.25) + math.Exp(1.875)
		want := []float64{math.Exp(0.25) / sum, math.Exp(1.875) / sum}
		if op == "Sigmoid" {
			want = []float64{1 / (1 + math.Exp(-0.25)), 1 / (1 + math.Exp(-1.875))}
		}
		warns(t, checkLogits(t, probs, kept, want...), "probabilities, not logits")
	}
	one := parts{nodes: append([]message{xToH}, head()[:2]...), outputs: []message{value("z", 1, 1, 1)},
		weights: []message{tensor("w", 1, floats(1, 1, 1), 1, 3)}}
	one.nodes = append(one.nodes, node("Gemm", []string{"flat", "w"}, []string{"z"}, attr("transB", 1)))
	if _, err := models.Load(save(t, "net.onnx", file(one)), models.LoadOptions{}); err == nil || !strings.Contains(err.Error(), "--binary") {
		t.Errorf("a single output, not said to be of two classes: %v", err)
	}
	m := checkLogits(t, file(one), models.LoadOptions{Binary: true}, 0, 1.5)
	warns(t, m, "log odds of class 1")
	one.nodes = append(one.nodes, node("Sigmoid", []string{"z"}, []string{"p"}))
	one.outputs = []message{value("p", 1, 1, 1)}
	m = checkLogits(t, file(one), models.LoadOptions{Binary: true}, 0, 1.5)
	warns(t, m, "log odds of class 1", "sigmoid")
	if p, err := m.Predict(picture()); err != nil || math.Abs(p.Probabilities[1]-1/(1+math.Exp(-1.5))) > 1e-6 {
		t.Errorf("probability %v (%v), expected the sigmoid's", p.Probabilities, err)
	}
}

// TestOptions: normalisation, scale of the logits and names are as asked for.
func TestOptions(t *testing.T) {
	raw := relu(parts{nodes: []message{node("Identity", []string{"x"}, []string{"h"})}, metadata: map[string]string{"names": `{0: 'it\'s', 1: "dog"}`}})
	m := checkLogits(t, raw, models.LoadOptions{}, 0.25, 1.875)
	if m.Classes()[1] != "dog" || !strings.Contains(m.Card().Normalisation, "none seen") {
		t.Errorf("classes %q, normalisation %s", m.Classes(), m.Card().Normalisation)
	}
	m = checkLogits(t, raw, models.LoadOptions{Normalisation: models.Normalisation{Mean: []float64{10, 20, 30}, Std: []float64{2}, Scale: 255}, Classes: []string{"a", "b"}},
		(0.25*255-10)/2, (0.5*255-20)/2+(0.75*255-30)/4+1)
	if m.Card().Normalisation != "(255 x - (10, 20, 30)) / (2), as asked for" || m.Classes()[0] != "a" {
		t.Errorf("card %+v", m.Card())
	}
	warns(t, checkLogits(t, raw, models.LoadOptions{LogitScale: 10}, 0.025, 0.1875), "divided by 10")
	for _, o := range []models.LoadOptions{
		{Normalisation: models.Normalisation{Mean: []float64{1, 2}}},
		{Normalisation: models.Normalisation{Std: []float64{0}}},
		{Normalisation: models.Normalisation{Std: []float64{math.NaN()}}},
		{LogitScale: -1}, {Classes: []string{"one"}}, {ClassNames: "imagenet"}, {ClassNames: "no such file"}, {Output: "w"},
	} {
		if _, err := models.Load(save(t, "net.onnx", raw), o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

// TestExternal: weights beside the file, within their folder and of the right
// size only.
func TestExternal(t *testing.T) {
	raw := func(location, offset, length string) []byte {
		far := message{}.number(1, 2).number(1, 3).number(2, 1).text(8, "w")
		for k, v := range map[string]string{"location": location, "offset": offset, "length": length} {
			if v != "" {
				far = far.bytes(13, message{}.text(1, k).text(2, v))
			}
		}
		return file(parts{nodes: append([]message{xToH}, head()...), weights: []message{far.number(14, 1), tensor("b", 1, floats(0, 1), 2)}})
	}
	dir := t.TempDir()
	inner := filepath.Join(dir, "inner")
	for _, d := range []string{inner, filepath.Join(inner, "sub"), filepath.Join(inner, "folder.data")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	weights := append(floats(9, 9), floats(1, 0, 0, 0, 1, 0.5)...)
	for _, f := range []string{"out.data", "inner/net.onnx.data", "inner/sub/x.data"} {
		if err := os.WriteFile(filepath.Join(dir, f), weights, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	os.Symlink("../out.data", filepath.Join(inner, "link.data"))
	os.Symlink("net.onnx.data", filepath.Join(inner, "good.data"))
	digests := map[string]bool{}
	for _, c := range []struct{ location, offset, length, says string }{
		{"net.onnx.data", "8", "24", ""},
		{"sub/x.data", "8", "", ""},
		{"good.data", "8", "24", ""},
		{"../out.data", "8", "24", "escapes"},
		{"link.data", "8", "24", "escapes"},
		{filepath.Join(dir, "out.data"), "8", "24", "escapes"},
		{"missing.data", "8", "24", "missing.data"},
		{"folder.data", "0", "24", "no file"},
		{"net.onnx.data", "9", "24", "expected 24 from byte 9"},
		{"net.onnx.data", "8", "20", "expected 24 bytes"},
		{"net.onnx.data", "-8", "24", "offset"},
		{"net.onnx.data", "8", "x", "length"},
		{"", "8", "24", "tensor w"},
	} {
		file := filepath.Join(inner, "net.onnx")
		if err := os.WriteFile(file, raw(c.location, c.offset, c.length), 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := models.Load(file, models.LoadOptions{})
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if z, err := m.Logits(picture()); err != nil || z[1] != 1.875 {
			t.Errorf("%+v: logits %v, %v", c, z, err)
		}
		digests[m.Card().SHA256] = true
		if _, err := models.Load(file, models.LoadOptions{SHA256: m.Card().SHA256}); err != nil {
			t.Error(err)
		}
	}
	// The digest is of the weights too.
	file := filepath.Join(inner, "net.onnx")
	os.WriteFile(file, raw("net.onnx.data", "8", "24"), 0o644)
	weights[12]++
	os.WriteFile(filepath.Join(inner, "net.onnx.data"), weights, 0o644)
	if m, err := models.Load(file, models.LoadOptions{}); err != nil || digests[m.Card().SHA256] {
		t.Errorf("other weights, the same digest (%v)", err)
	}
}

// TestQuantised: weights of 8 bits are what they stand for, activations are
// rounded to their steps.
func TestQuantised(t *testing.T) {
	nodes := []message{
		node("QuantizeLinear", []string{"x", "s", "zero"}, []string{"q"}),
		node("DequantizeLinear", []string{"q", "s", "zero"}, []string{"h"}),
		node("DequantizeLinear", []string{"w8", "ws"}, []string{"w"}, attr("axis", 0)),
	}
	raw := file(parts{nodes: append(nodes, head()...), weights: []message{
		tensor("s", 1, floats(0.005)), tensor("zero", 3, []byte{0x80}), // -128: from 0 to 1.275
		tensor("w8", 3, []byte{100, 0, 0, 0, 50, 0xff}, 2, 3), tensor("ws", 1, floats(0.01, 0.02), 2),
		tensor("b", 1, floats(0, 1), 2),
	}})
	m := checkLogits(t, raw, models.LoadOptions{}, 0.25, 0.5-0.02*0.75+1)
	warns(t, m, "straight through")
	tight := file(parts{nodes: append(nodes, head()...), weights: []message{
		tensor("s", 1, floats(0.001)), tensor("zero", 2, []byte{0}), // from 0 to 0.255
		tensor("w8", 3, []byte{100, 0, 0, 0, 100, 0}, 2, 3), tensor("ws", 1, floats(0.01, 0.01), 2),
		tensor("b", 1, floats(0, 0), 2),
	}})
	checkLogits(t, tight, models.LoadOptions{}, (14*0.25+0.255+0.125)/16, 0.255)
}

// TestOrder: nodes that stand after those that read them, as converters leave
// them, are computed first.
func TestOrder(t *testing.T) {
	raw := file(parts{nodes: append(head(), node("Relu", []string{"turned"}, []string{"h"}), node("Cast", []string{"x"}, []string{"turned"}, attr("to", 1))), weights: headWeights()})
	straight := file(parts{nodes: append([]message{node("Relu", []string{"x"}, []string{"h"})}, head()...), weights: headWeights()})
	a, err := onnx.Read("a.onnx", raw, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := onnx.Read("b.onnx", straight, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Net.Nodes) != len(b.Net.Nodes) {
		t.Errorf("%d layers, expected %d", len(a.Net.Nodes), len(b.Net.Nodes))
	}
	circle := file(parts{nodes: append(head(), node("Add", []string{"x", "k"}, []string{"h"}), node("Relu", []string{"h"}, []string{"k"})), weights: headWeights()})
	if _, err := onnx.Read("c.onnx", circle, onnx.Options{}); err == nil || !strings.Contains(err.Error(), "which no earlier node gives") {
		t.Errorf("a circle: %v", err)
	}
}
