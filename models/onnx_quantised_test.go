package models_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"sapf/models"
)

// TestQuantisedFiles compares networks that onnxruntime.quantization made (QDQ) with
// ONNX Runtime's logits of them (tools/quantised.py): the same steps of the last
// quantiser, but for ties that rounding decides otherwise. Gradients pass: they
// point where those of the network before do.
func TestQuantisedFiles(t *testing.T) {
	raw, err := os.ReadFile("format/onnx/testdata/quantised/logits.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][][]float64
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	const folder = "format/onnx/testdata/quantised/"
	gradient := func(file string) []float64 {
		m, err := models.Load(file, models.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		e, err := m.Evaluator(1, models.Linear{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		var x []float64
		for _, v := range models.TestPattern(m.InputShape(), 0).Pix {
			x = append(x, float64(v))
		}
		got, err := e.Gradient(x, []float64{1, -1, 0.5, 0, 0})
		if err != nil {
			t.Fatal(err)
		}
		return got.Grad
	}
	before := gradient("format/onnx/testdata/tiny-17.onnx")
	for name, rows := range want {
		m, err := models.Load(folder+name+".onnx", models.LoadOptions{})
		if err != nil {
			t.Error(err)
			continue
		}
		if !slices.ContainsFunc(m.Card().Warnings, func(w string) bool { return strings.Contains(w, "straight through the rounding") }) {
			t.Errorf("%s: warnings %q", name, m.Card().Warnings)
		}
		// The distance of neighbouring values of the output.
		step := math.Inf(1)
		var all []float64
		for _, r := range rows {
			all = append(all, r...)
		}
		slices.Sort(all)
		for i := range all[1:] {
			if d := all[i+1] - all[i]; d > 1e-6 {
				step = min(step, d)
			}
		}
		off := 0
		for i, row := range rows {
			z, err := m.Logits(models.TestPattern(m.InputShape(), i))
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range row {
				d := math.Abs(z[k] - v)
				if d > 0.1*step {
					off++
				}
				if d > 1.1*step+1e-6 {
					t.Errorf("%s: pattern %d: logit %d is %v, ONNX Runtime's %v (a step is %v)", name, i, k, z[k], v, step)
				}
			}
		}
		if off > len(all)/5 {
			t.Errorf("%s: %d of %d logits are a step off", name, off, len(all))
		}
		if c := cosine(gradient(folder+name+".onnx"), before); c < 0.8 {
			t.Errorf("%s: the gradient's cosine to the one before quantisation is %.3f", name, c)
		}
		t.Logf("%s: %d of %d logits a step off", name, off, len(all))
	}
}

func cosine(a, b []float64) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab, aa, bb = ab+a[i]*b[i], aa+a[i]*a[i], bb+b[i]*b[i]
	}
	return ab / math.Sqrt(aa*bb)
}
