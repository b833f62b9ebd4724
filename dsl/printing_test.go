package dsl

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/baseline"
)

// TestPrintedValuesAreShort prints with package fmt what holds images, arrays
// and tables: a line or a few, not every number.
func TestPrintedValuesAreShort(t *testing.T) {
	bind(t, context.Background())
	m := LoadModel("cwnet")
	x := LoadImage("cat")
	quick := Options{K: 200, Outer: 1, DeltaSteps: 2, MaskSteps: 2, TuneSteps: 2, SearchRounds: 1}
	r := Attack(m, x, Target("dog"), quick)
	p := Factorize(m, x, Target("dog"), quick)
	e, err := m.Evaluator(1, attack.Margin{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	input := make([]float64, x.Len())
	step, err := e.Gradient(input, make([]float64, 10))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		value any
		limit int // bytes
		says  string
	}{
		{"an image", x, 100, "cat 3x32x32, label 3, values 0"},
		{"a pointer to one", &x, 100, "cat 3x32x32"},
		{"images", []Image{x, x}, 200, "cat 3x32x32"},
		{"an image in a struct", struct{ X Image }{x}, 100, "cat 3x32x32"},
		{"images in a map", map[string]Image{"a": x}, 100, "cat 3x32x32"},
		{"a case", Case{x, Target("dog"), baseline.FGSM{}}, 300, "target dog"},
		{"a task", attack.Task{Image: x, Goal: attack.Goal{Label: 3, Target: attack.None}, Attack: baseline.FGSM{}}, 300, "class 3 to become any other"},
		{"an attack's result", r.Result, 300, "class 3 to become 5, k 200"},
		{"an outcome", r, 600, "sapf on cat"},
		{"outcomes", Outcomes{r, r}, 1200, "sapf on cat"},
		{"a problem", p, 300, "cat: choose 200 of 3072"},
		{"a factorization", p.Factorization, 300, "choose 200 of 3072"},
		{"a vector", p.DeltaVec(), 100, "3072 entries"},
		{"a table by method", Outcomes{r}.By("method").Table, 1000, "| sapf"},
		{"a step of an evaluator", step, 100, "gradient of 3072 entries"},
		{"a figure", r.Panel(), 1000, "[figure: "},
		{"a model", m, 100, "cwnet"},
	} {
		for _, format := range []string{"%v", "%+v", "%s"} {
			got := fmt.Sprintf(format, c.value)
			if len(got) > c.limit && format != "%s" || !strings.Contains(got, c.says) {
				t.Errorf("%s with %s: %d bytes, expected at most %d with %q in it: %.300s", c.name, format, len(got), c.limit, c.says, got)
			}
		}
	}
	for _, v := range []any{x, &x, r.Result} {
		if got := fmt.Sprintf("%#v", v); len(got) > 6000 || !strings.Contains(got, `Name:"cat`) {
			t.Errorf("%%#v of a %T: %d bytes: %.200s", v, len(got), got)
		}
	}
	odd := data.Image{Name: "odd", C: 1, H: 2, W: 2, Pix: []float32{0, float32(math.NaN()), 1}, Label: data.NoLabel}
	if got, want := odd.String(), "odd 1x2x2, no label, values 0 to 1 (3 of them, expected 4), 1 not a number"; got != want {
		t.Errorf("%s, expected %s", got, want)
	}
	if got, want := (data.Image{}).String(), "image 0x0x0, label 0, no values"; got != want {
		t.Errorf("%s, expected %s", got, want)
	}
}
