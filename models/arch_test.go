package models_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"sapf/models"
	"sapf/models/engine"
	"sapf/models/zoo"
)

// torchSample is a sample of a vector that tools/compare_torch.py measured.
type torchSample struct {
	Step   int
	Norm   float64
	Values []float64
}

// relative is the distance on the sampled entries over their norm.
func (s torchSample) relative(v []float64) float64 {
	var got []float64
	for i := range s.Values {
		got = append(got, v[i*s.Step])
	}
	return relative(got, s.Values)
}

// slow are the architectures that only SAPF_LONG=1 compares: more than 2 GFLOP a
// pass.
var slow = map[string]bool{"resnet18": true, "resnet34": true, "resnet50": true, "vgg16": true, "inception_v3": true,
	"resnet34_cifar": true, "resnet50_cifar": true, "wrn28_4": true, "dm_wrn28_10": true}

// alike are the architectures written by the same lines as one that is compared,
// with other numbers of layers or channels: their parameters are counted instead
// (TestParameters).
var alike = map[string]string{
	"resnet101": "resnet50", "resnet152": "resnet50", "wide_resnet50_2": "resnet50", "wide_resnet101_2": "resnet50", "resnext50_32x4d": "resnet50",
	"wrn28_10": "wrn28_4", "wrn34_10": "wrn28_4", "wrn34_15": "wrn28_4", "wrn34_20": "wrn28_4", "wrn40_2": "wrn28_4", "wrn70_16": "wrn28_4",
	"dm_wrn34_10": "dm_wrn28_10", "dm_wrn34_20": "dm_wrn28_10", "dm_wrn70_16": "dm_wrn28_10", "dm_wrn94_16": "dm_wrn28_10", "dm_wrn106_16": "dm_wrn28_10",
	"vgg11": "vgg16", "vgg13": "vgg16", "vgg19": "vgg16",
	"vgg11_bn": "vgg11_bn_cifar", "vgg13_bn": "vgg13_bn_cifar", "vgg16_bn": "vgg16_bn_cifar", "vgg19_bn": "vgg19_bn_cifar",
}

// TestTorch compares logits and input gradients of every architecture with
// PyTorch's in double precision, with the same invented weights. With
// SAPF_LONG=1 those that float32 can't decide (see gradientLimit) are compared
// in double precision too.
func TestTorch(t *testing.T) {
	raw, err := os.ReadFile("testdata/torch.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]torchNumbers
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	long := os.Getenv("SAPF_LONG") != ""
	for _, a := range zoo.Architectures() {
		t.Run(a.Name, func(t *testing.T) {
			w, ok := want[a.Name]
			if other := alike[a.Name]; !ok && other != "" {
				if _, ok := want[other]; !ok {
					t.Fatalf("no numbers of PyTorch's in testdata/torch.json, nor of %s", other)
				}
				t.Skip("the lines of " + other)
			}
			if !ok {
				t.Fatal("no numbers of PyTorch's in testdata/torch.json")
			}
			if slow[a.Name] && !long {
				t.Skip("takes long: set SAPF_LONG=1")
			}
			// Winograd's larger rounding (3e-6) meets ten times as many kinks;
			// engine's tests hold it to the reference layer by layer.
			p, err := engine.DefaultProfile()
			if err != nil {
				t.Fatal(err)
			}
			p.Algorithm = engine.Direct
			w.check(t, a.Name, p)
			if long && w.Float32 > 1e-4 {
				w.check(t, a.Name, engine.Profile{Family: engine.Float64})
			}
		})
	}
}

// torchNumbers are what tools/compare_torch.py writes of an architecture.
type torchNumbers struct {
	Logits, Gradient torchSample
	Float32          float64
}

func (w torchNumbers) check(t *testing.T, arch string, p engine.Profile) {
	m, err := models.Random(arch, 0, models.LoadOptions{Profile: &p})
	if err != nil {
		t.Fatal(err)
	}
	logits, grad := pullback(t, m)
	t.Logf("%v: logits differ by %.2g, gradient by %.2g (PyTorch's own float32: %.2g)", m.Profile(), w.Logits.relative(logits), w.Gradient.relative(grad), w.Float32)
	if d := w.Logits.relative(logits); !(d <= 1e-4) {
		t.Errorf("%v: logits differ by %.2g", m.Profile(), d)
	}
	limit := gradientLimit(m, w.Float32)
	if d := w.Gradient.relative(grad); !(d <= limit) {
		t.Errorf("%v: gradient differs by %.2g, expected up to %.2g", m.Profile(), d, limit)
	}
	if n := norm(grad); math.Abs(n-w.Gradient.Norm) > limit*w.Gradient.Norm {
		t.Errorf("%v: gradient has norm %v, want %v", m.Profile(), n, w.Gradient.Norm)
	}
}

// gradientLimit is how far a gradient may be from PyTorch's double-precision
// one: 1e-6 in double precision, 1e-4 in float32. A unit within rounding of a
// kink may fall on its other side and move the gradient by some percent; a
// network on which that happens to PyTorch's own float32 (by the distance own)
// is held to 1e-4 by its logits, and by its gradient in double precision only.
func gradientLimit(m *models.Model, own float64) float64 {
	switch {
	case m.Profile().Family == engine.Float64:
		return 1e-6
	case own > 1e-4:
		return 0.1
	}
	return 1e-4
}

func norm(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x * x
	}
	return math.Sqrt(s)
}

// pullback is the step of tools/compare_torch.py: RandomImage 1, loss
// sum_j ((7j+3) mod 11 - 5)/5 logits_j.
func pullback(t *testing.T, m *models.Model) (logits, grad []float64) {
	e, err := m.Evaluator(1, models.Linear{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	targets := make([]float64, len(m.Classes()))
	for j := range targets {
		targets[j] = float64((7*j+3)%11-5) / 5
	}
	got, err := e.Gradient(floats(models.RandomImage(m.InputShape(), 1).Pix), targets)
	if err != nil {
		t.Fatal(err)
	}
	return append([]float64(nil), got.Logits...), append([]float64(nil), got.Grad...)
}

// TestProfilesAgree holds the float32 profiles to the double-precision tape
// through a network with every kind of join.
func TestProfilesAgree(t *testing.T) {
	p := engine.Profile{Family: engine.Float64}
	m, err := models.Random("resnet4b", 1, models.LoadOptions{Profile: &p})
	if err != nil {
		t.Fatal(err)
	}
	z, g := pullback(t, m)
	fast, err := models.Random("resnet4b", 1, models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	zf, gf := pullback(t, fast)
	if d := relative(zf, z); d > 1e-5 {
		t.Errorf("logits differ by %.2g", d)
	}
	if d := relative(gf, g); d > 1e-5 {
		t.Errorf("gradient differs by %.2g", d)
	}
}

func TestLoadPublished(t *testing.T) {
	for _, l := range models.List() {
		if l.File == "" && !l.Embedded {
			t.Logf("%s: its file is not here (SAPF_DATA), skipped", l.Name)
			continue
		}
		m, err := models.Load(l.Name, models.LoadOptions{})
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if c := m.Card(); c.SHA256 == "" || c.Parameters == 0 || len(c.Classes) < 10 {
			t.Errorf("%s: card %+v lacks digest, parameters or classes", l.Name, c)
		}
	}
}
