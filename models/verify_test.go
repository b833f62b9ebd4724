package models_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
)

// TestAccuracy measures the published models on CIFAR-10's test images: a
// twentieth of them, or all with SAPF_LONG=1, where the accuracy must be the
// card's within 0.05.
func TestAccuracy(t *testing.T) {
	if os.Getenv("SAPF_DATA") == "" {
		t.Skip("SAPF_DATA is not set: no CIFAR-10 to measure on")
	}
	long := os.Getenv("SAPF_LONG") != ""
	for _, l := range models.List() {
		if l.Accuracy == 0 || l.File == "" && !l.Embedded || l.Input != "3x32x32" {
			continue
		}
		m, err := models.Load(l.Name, models.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		limit, tolerance := 500, 5.5 // three standard deviations of five hundred
		if long {
			limit, tolerance = 0, 0.05
		}
		v, err := models.Verify(context.Background(), m, models.VerifyOptions{Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(v)
		if d := v.Accuracy - l.Accuracy; d > tolerance || d < -tolerance {
			t.Errorf("%v, the card says %.2f %%", v, l.Accuracy)
		}
	}
}

func TestPhotographs(t *testing.T) {
	if os.Getenv("SAPF_DATA") == "" || os.Getenv("SAPF_LONG") == "" {
		t.Skip("takes long: set SAPF_LONG=1, and SAPF_DATA")
	}
	m, err := models.Load("mobilenet_v2", models.LoadOptions{})
	if err != nil {
		t.Skip(err)
	}
	v, err := models.Verify(context.Background(), m, models.VerifyOptions{Data: "imagenet"})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(v)
	if v.Correct < 85 {
		t.Errorf("%v, expected at least 85", v)
	}
}

func TestConvert(t *testing.T) {
	if os.Getenv("SAPF_DATA") == "" {
		t.Skip("SAPF_DATA is not set: no checkpoint to convert")
	}
	from := filepath.Join(os.Getenv("SAPF_DATA"), "models", "resnet20-12fca82f.th")
	to := filepath.Join(t.TempDir(), "resnet20.safetensors")
	if _, err := models.Convert(from, to, models.LoadOptions{Arch: "resnet20"}); err != nil {
		t.Fatal(err)
	}
	a, err := models.Load(from, models.LoadOptions{Arch: "resnet20"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := models.Load(to, models.LoadOptions{}) // says itself what it is
	if err != nil {
		t.Fatal(err)
	}
	x := models.RandomImage(a.InputShape(), 3)
	za, err := a.Logits(x)
	if err != nil {
		t.Fatal(err)
	}
	zb, err := b.Logits(x)
	if err != nil {
		t.Fatal(err)
	}
	for i := range za {
		if za[i] != zb[i] {
			t.Errorf("logit %d: %v before, %v after", i, za[i], zb[i])
		}
	}
	in, err := b.Inspect()
	if err != nil {
		t.Fatal(err)
	}
	if in.Parameters != b.Card().Parameters || in.FLOPs < 80e6 || in.FLOPs > 83e6 {
		t.Errorf("%d parameters, %d FLOP; the card says %d parameters, the layers 81.6 MFLOP", in.Parameters, in.FLOPs, b.Card().Parameters)
	}
	t.Logf("\n%v", in)
}

// TestConvertNames: a model known by name is converted like a file, and what has
// no weights to write says so.
func TestConvertNames(t *testing.T) {
	to := filepath.Join(t.TempDir(), "mine.safetensors")
	if _, err := models.Convert("cwmnist", to, models.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	a, b := load(t, "cwmnist", "generic"), load(t, to, "generic")
	x := models.RandomImage(a.InputShape(), 3)
	za, err := a.Logits(x)
	if err != nil {
		t.Fatal(err)
	}
	if zb, err := b.Logits(x); err != nil || !slices.Equal(za, zb) {
		t.Errorf("logits %v before, %v after, %v", za, zb, err)
	}
	if c := b.Card(); c.Name != "cwmnist" || c.Accuracy != a.Card().Accuracy || len(c.SelfTest) != 8 || len(c.Warnings) > 0 {
		t.Errorf("card %v", c)
	}
	for name, want := range map[string]string{"random:resnet18": "in no file", "cwmnits": "did you mean cwmnist", "vit": "loaded as it is"} {
		if _, err := models.Convert(name, to, models.LoadOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// TestOptionsThatDoNotFit: what can be chosen in ONNX files only is refused
// elsewhere, not passed over.
func TestOptionsThatDoNotFit(t *testing.T) {
	for want, o := range map[string]models.LoadOptions{
		"output's name (y)":       {Output: "y"},
		"log odds":                {Binary: true},
		"shape of images (3x9x9)": {Input: engine.Shape{C: 3, H: 9, W: 9}},
	} {
		if _, err := models.Load("cwmnist", o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
	if _, err := models.Load("cwmnist", models.LoadOptions{Input: engine.Shape{C: 1, H: 28, W: 28}}); err != nil {
		t.Error(err)
	}
}

// TestVerifyHint: a network whose normalisation is outside its file is noticed,
// and one that is as it should be is not.
func TestVerifyHint(t *testing.T) {
	dir := t.TempDir()
	labels := "file,label\n"
	for i := range 60 {
		x, err := data.Load(fmt.Sprintf("fashion:%d", i), data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		picture := image.NewGray(image.Rect(0, 0, x.W, x.H))
		for k, v := range x.Pix {
			picture.Pix[k] = data.Level(v)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, picture); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%d.png", i)
		labels += fmt.Sprintf("%s,%d\n", name, x.Label)
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "labels.csv"), []byte(labels), 0o644); err != nil {
		t.Fatal(err)
	}
	m := load(t, "cwmnist", "generic")
	net := *m.Net()
	net.Nodes = slices.Clone(net.Nodes)
	// x - 0.5 is half of (x - 0.5) / 0.5.
	net.Nodes[0] = engine.Node{Name: "half", Op: &engine.Affine{Scale: []float64{0.5}, Shift: []float64{0}}, In: []int{engine.Input}}
	outside, err := models.New(&net, models.Card{Classes: m.Classes()})
	if err != nil {
		t.Fatal(err)
	}
	v, err := models.Verify(t.Context(), outside, models.VerifyOptions{Data: dir})
	if err != nil || !strings.Contains(v.Hint, "--mean 0.5 --std 0.5") || !strings.Contains(v.String(), v.Hint) {
		t.Errorf("%v (%v), expected a hint at the normalisation", v, err)
	}
	plain, err := models.New(m.Net(), models.Card{Classes: m.Classes()})
	if err != nil {
		t.Fatal(err)
	}
	if v, err = models.Verify(t.Context(), plain, models.VerifyOptions{Data: dir}); err != nil || v.Hint != "" {
		t.Errorf("%v (%v), expected no hint", v, err)
	}
}
