package models_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
)

// golden reads a file of $SAPF_DATA/golden.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	root := os.Getenv("SAPF_DATA")
	if root == "" {
		t.Skip("SAPF_DATA is not set: no golden numbers to compare with")
	}
	raw, err := os.ReadFile(filepath.Join(root, "golden", name))
	if err != nil {
		t.Skipf("no golden numbers: %v", err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, name string, profile string) *models.Model {
	t.Helper()
	p, err := engine.ParseProfile(profile)
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.Load(name, models.LoadOptions{Profile: &p})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func decodeFloats(t *testing.T, s string) []float64 {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	v := make([]float64, len(raw)/4)
	for i := range v {
		v[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	return v
}

// relative is |got-want|_2 / |want|_2.
func relative(got, want []float64) float64 {
	var d, n float64
	for i := range want {
		d += (got[i] - want[i]) * (got[i] - want[i])
		n += want[i] * want[i]
	}
	return math.Sqrt(d / n)
}

func floats(pix []float32) []float64 {
	v := make([]float64, len(pix))
	for i, p := range pix {
		v[i] = float64(p)
	}
	return v
}

type goldenGradient struct {
	Image         string
	Label, Target int
	Loss          string
	Noise         float64
	Input         *string `json:"input_f32_chw_base64"`
	Logits        []float64
	Value         float64
	Gradient      string `json:"gradient_f32_chw_base64"`
}

// TestGoldenGradients compares logits, losses and input gradients with those
// of an independent implementation, alone and in a batch.
func TestGoldenGradients(t *testing.T) {
	var cases []goldenGradient
	golden(t, "gradients.json", &cases)
	for _, c := range []struct {
		profile   string
		tolerance float64
	}{{"float64", 1e-6}, {"", 1e-4}} {
		m := load(t, "cwnet", c.profile)
		t.Run(m.Profile().String(), func(t *testing.T) {
			losses := map[string]models.Loss{"cw": attack.Margin{}, "ce": attack.CrossEntropy{}}
			for _, name := range []string{"cw", "ce"} {
				var mine []goldenGradient
				for _, g := range cases {
					if g.Loss == name {
						mine = append(mine, g)
					}
				}
				if c.profile == "float64" && os.Getenv("SAPF_LONG") == "" {
					mine = mine[:2] // a step takes half a second there
				}
				checkGradients(t, m, losses[name], mine, c.tolerance)
			}
		})
	}
}

func checkGradients(t *testing.T, m *models.Model, loss models.Loss, cases []goldenGradient, tolerance float64) {
	n, k := m.InputShape().Len(), len(m.Classes())
	e, err := m.Evaluator(len(cases), loss)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	x, targets := make([]float64, len(cases)*n), make([]float64, len(cases)*k)
	for i, g := range cases {
		in := floatsOf(t, g)
		copy(x[i*n:], in)
		targets[i*k+g.Target] = 1
	}
	got, err := e.Gradient(x, targets)
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range cases {
		if d := relative(got.Logits[i*k:(i+1)*k], g.Logits); d > tolerance {
			t.Errorf("%s target %d: logits differ by %.2g", g.Image, g.Target, d)
		}
		if d := math.Abs(got.Loss[i]-g.Value) / max(g.Value, 1e-3); d > tolerance {
			t.Errorf("%s target %d: loss %v, want %v", g.Image, g.Target, got.Loss[i], g.Value)
		}
		d := relative(got.Grad[i*n:(i+1)*n], decodeFloats(t, g.Gradient))
		if d > tolerance {
			t.Errorf("%s target %d: gradient differs by %.2g", g.Image, g.Target, d)
		}
		t.Logf("%s target %d %v: gradient differs by %.2g", g.Image, g.Target, loss, d)
	}
}

func floatsOf(t *testing.T, g goldenGradient) []float64 {
	if g.Input != nil {
		return decodeFloats(t, *g.Input)
	}
	m, err := data.Load(g.Image, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return floats(m.Pix)
}

// TestGoldenLogits compares the logits of the first 32 test images.
func TestGoldenLogits(t *testing.T) {
	var g struct {
		Labels []int
		Logits [][]float64
	}
	golden(t, "logits.json", &g)
	m := load(t, "cwnet", "")
	for i, want := range g.Logits {
		x, err := data.Load(fmt.Sprintf("cifar10:%d", i), data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if x.Label != g.Labels[i] {
			t.Errorf("image %d: label %d, want %d", i, x.Label, g.Labels[i])
		}
		z, err := m.Logits(x)
		if err != nil {
			t.Fatal(err)
		}
		if d := relative(z, want); d > 1e-5 {
			t.Errorf("image %d: logits differ by %.2g", i, d)
		}
	}
}
