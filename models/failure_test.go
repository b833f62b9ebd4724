package models_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/models/format"
	"sapf/models/zoo"
)

// refused fails unless err is there and its message has every part.
func refused(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("accepted, expected an error about %q", parts)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%v: expected it to say %q", err, p)
		}
	}
}

func encode(t testing.TB, d *format.StateDict) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := format.WriteSafetensors(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// weights writes cwnet's weights, changed by change, to a file.
func weights(t *testing.T, change func(d *format.StateDict)) string {
	t.Helper()
	raw, err := os.ReadFile("weights/cwnet.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	d, err := format.ReadSafetensors("cwnet", raw)
	if err != nil {
		t.Fatal(err)
	}
	change(d)
	file := filepath.Join(t.TempDir(), "net.safetensors")
	if err := os.WriteFile(file, encode(t, d), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFailure01_NaNWeight(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		file := weights(t, func(d *format.StateDict) { d.Tensors[2].Data[17] = float32(bad) })
		_, err := models.Load(file, models.LoadOptions{Arch: "cwnet"})
		refused(t, err, "conv2.weight", "entry 17", fmt.Sprint(bad))
	}
	// A variance that no data has is the layer's own error, not the next one's.
	_, err := zoo.NewNet("resnet20", func(name string, shape []int) []float32 {
		n := 1
		for _, d := range shape {
			n *= d
		}
		w := make([]float32, n)
		if name == "layer1.0.bn1.running_var" {
			w[3] = -1
		}
		return w
	})
	refused(t, err, "layer1.0.bn1", "variance -1", "channel 3")
}

func TestFailure25_Pixels(t *testing.T) {
	m := load(t, "cwnet", "")
	for _, c := range []struct {
		value float64
		says  string
	}{{math.NaN(), "NaN"}, {-0.01, "-0.01"}, {1.2, "1.2"}, {255, "divided by 255"}} {
		x := models.RandomImage(m.InputShape(), 1)
		x.Pix[100] = float32(c.value)
		_, err := m.Predict(x)
		refused(t, err, "pixel 100", c.says)
	}
}

func TestFailure26_Labels(t *testing.T) {
	dir := t.TempDir()
	record := make([]byte, 3073)
	record[0] = 9
	bad := append(append([]byte(nil), record...), record...)
	bad[3073] = 10
	if err := os.WriteFile(filepath.Join(dir, "x.bin"), bad, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := models.Verify(t.Context(), load(t, "cwnet", ""), models.VerifyOptions{Data: filepath.Join(dir, "x.bin")})
	refused(t, err, "record 1", "label 10", "0 to 9")
}

func TestFailure27_WrongSize(t *testing.T) {
	m := load(t, "cwnet", "")
	_, err := m.Predict(models.RandomImage(engine.Shape{C: 3, H: 32, W: 31}, 1))
	refused(t, err, "3x32x31", "3x32x32")
}

func TestFailure28_UnknownName(t *testing.T) {
	_, err := models.Load("cwnte", models.LoadOptions{})
	refused(t, err, "cwnte", "did you mean cwnet")
	_, err = models.Random("resnet21", 0, models.LoadOptions{})
	refused(t, err, "resnet21", "did you mean resnet20")
}

func TestFailure30_OtherTensors(t *testing.T) {
	extra := weights(t, func(d *format.StateDict) {
		d.Tensors = append(d.Tensors, format.Tensor{Name: "conv9.weight", Shape: []int{1}, Data: []float32{1}})
	})
	_, err := models.Load(extra, models.LoadOptions{Arch: "cwnet"})
	refused(t, err, "conv9.weight", "no layer")
	missing := weights(t, func(d *format.StateDict) { d.Tensors = d.Tensors[1:] })
	_, err = models.Load(missing, models.LoadOptions{Arch: "cwnet"})
	refused(t, err, "no tensor conv1.weight")
	turned := weights(t, func(d *format.StateDict) { d.Tensors[0].Shape = []int{3, 64, 3, 3} })
	_, err = models.Load(turned, models.LoadOptions{Arch: "cwnet"})
	refused(t, err, "conv1.weight", "[3 64 3 3]", "[64 3 3 3]")
}

func TestFailure32_FlippedBit(t *testing.T) {
	raw, err := os.ReadFile("weights/cwnet.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	file := filepath.Join(t.TempDir(), "net.safetensors")
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	card := load(t, "cwnet", "").Card()
	_, err = models.Load(file, models.LoadOptions{Arch: "cwnet", SHA256: card.SHA256})
	refused(t, err, "SHA-256", card.SHA256)
}

func TestFailure33_SelfTest(t *testing.T) {
	card := load(t, "cwnet", "").Card()
	card.SHA256, card.SelfTest = "", append([][]float64(nil), card.SelfTest...)
	file := weights(t, func(d *format.StateDict) {
		text, err := json.Marshal(card)
		if err != nil {
			t.Fatal(err)
		}
		d.Metadata = map[string]string{"sapf.card": string(text)}
	})
	if _, err := models.Load(file, models.LoadOptions{}); err != nil {
		t.Fatalf("a file with its card: %v", err)
	}
	// Logits that another normalisation gives.
	wrong := append([]float64(nil), card.SelfTest[5]...)
	wrong[2] += 0.01
	card.SelfTest[5] = wrong
	file = weights(t, func(d *format.StateDict) {
		text, _ := json.Marshal(card)
		d.Metadata = map[string]string{"sapf.card": string(text)}
	})
	_, err := models.Load(file, models.LoadOptions{})
	refused(t, err, "self-test", "pattern 5", "logit 2", "normalisation")
}

func TestFailure34_Probabilities(t *testing.T) {
	net := &engine.Net{Name: "softmax", Input: engine.Shape{C: 2, H: 1, W: 1}, Nodes: []engine.Node{
		{Name: "fc", Op: &engine.Dense{In: 2, Out: 2, W: []float32{1, 0, 0, 1}}, In: []int{engine.Input}},
		{Name: "prob", Op: &engine.Softmax{}, In: []int{0}},
	}, Output: 1}
	m, err := models.New(net, models.Card{})
	if err != nil {
		t.Fatal(err)
	}
	if w := m.Card().Warnings; len(w) != 1 || !strings.Contains(w[0], "probabilities") {
		t.Errorf("warnings %q, expected one about probabilities", w)
	}
	p, err := m.Predict(data.Image{C: 2, H: 1, W: 1, Pix: []float32{0.1, 0.9}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.Warning, "look like probabilities") {
		t.Errorf("prediction's warning %q", p.Warning)
	}
	if p, err := load(t, "cwnet", "").Predict(models.RandomImage(engine.Shape{C: 3, H: 32, W: 32}, 1)); err != nil || p.Warning != "" {
		t.Errorf("cwnet: %v, warning %q", err, p.Warning)
	}
}

func TestFailure02_Overflow(t *testing.T) {
	huge := &engine.Net{Name: "huge", Input: engine.Shape{C: 1, H: 1, W: 1}, Nodes: []engine.Node{
		{Name: "first", Op: &engine.Dense{In: 1, Out: 2, W: []float32{1e30, 1}}, In: []int{engine.Input}},
		{Name: "second", Op: &engine.Dense{In: 2, Out: 2, W: []float32{1e30, 0, 0, 1}}, In: []int{0}},
	}, Output: 1}
	m, err := models.New(huge, models.Card{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Logits(data.Image{C: 1, H: 1, W: 1, Pix: []float32{1}})
	refused(t, err, "logits", "entry 0", "layer second")
}

// TestVerifyOverflow: logits that are not numbers are an error of the model, not
// a wrong class.
func TestVerifyOverflow(t *testing.T) {
	net := &engine.Net{Name: "huge", Input: engine.Shape{C: 1, H: 28, W: 28}, Nodes: []engine.Node{
		{Name: "scale", Op: &engine.Affine{Scale: []float64{1e30}, Shift: []float64{0}}, In: []int{engine.Input}},
		{Name: "fc", Op: &engine.Dense{In: 784, Out: 10, W: slices.Repeat([]float32{1e30}, 7840)}, In: []int{0}},
	}, Output: 1}
	m, err := models.New(net, models.Card{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = models.Verify(t.Context(), m, models.VerifyOptions{Data: "fashion", Limit: 20})
	refused(t, err, "record ", "logits", "layer fc")
}

// TestArchitectureUnknown: a file that does not say what it is gets the only
// architecture that it fits, and that is said; else their names.
func TestArchitectureUnknown(t *testing.T) {
	file := weights(t, func(*format.StateDict) {})
	m, err := models.Load(file, models.LoadOptions{})
	if err != nil || m.Card().Architecture != "cwnet" || !strings.Contains(strings.Join(m.Card().Warnings, " "), "fit cwnet and no other") {
		t.Errorf("%v, %+v", err, m)
	}
	file = weights(t, func(d *format.StateDict) { d.Tensors = d.Tensors[1:] })
	_, err = models.Load(file, models.LoadOptions{})
	refused(t, err, "one of cnn_a", "vgg16")
	// A normalisation in the file is taken in place of the architecture's.
	file = weights(t, func(d *format.StateDict) {
		for i := range d.Tensors {
			d.Tensors[i].Name = "net." + d.Tensors[i].Name
		}
		d.Tensors = append(d.Tensors, format.Tensor{Name: "mean", Shape: []int{3}, Data: []float32{0.5, 0.5, 0.5}},
			format.Tensor{Name: "std", Shape: []int{3}, Data: []float32{1, 1, 1}}, format.Tensor{Name: "loss.w", Shape: []int{1}, Data: []float32{1}})
	})
	m, err = models.Load(file, models.LoadOptions{Arch: "CWNET"})
	if err != nil || m.Card().Normalisation != "(x - (0.5, 0.5, 0.5)) / (1, 1, 1), from the file" || !strings.Contains(strings.Join(m.Card().Warnings, " "), "loss.w") {
		t.Fatalf("%v, %+v", err, m)
	}
	x := models.TestPattern(m.InputShape(), 2)
	want, _ := load(t, "cwnet", "").Logits(x)
	if z, err := m.Logits(x); err != nil || relative(z, want) > 1e-5 {
		t.Errorf("logits %v (%v), expected %v", z, err, want)
	}
}

func TestFailure14_Tie(t *testing.T) {
	if got := models.Argmax([]float64{1, 3, 3, 2}); got != 1 {
		t.Errorf("of two equal logits number %d was taken, expected the lower index 1", got)
	}
}

func TestFailure31_WrongFile(t *testing.T) {
	for _, c := range []struct{ content, says string }{
		{"<!DOCTYPE html><html><body>Not found</body></html>", "an HTML page"},
		{"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"},
		{"\x89PNG\r\n\x1a\n0000000000000000", "a PNG picture"},
		{"\x80\x02}q\x00.", "magic number missing"},
		{"\x80\x02cos\nsystem\nq\x00X\x02\x00\x00\x00idq\x01\x85q\x02Rq\x03.", "os.system"},
		{"", "empty"},
	} {
		file := filepath.Join(t.TempDir(), "net.safetensors")
		if err := os.WriteFile(file, []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := models.Load(file, models.LoadOptions{Arch: "cwnet"})
		refused(t, err, "net.safetensors", c.says)
	}
}

// TestSaturatedLogits: logits whose softmax is 0 and 1 are noticed, and a scale
// that helps is named.
func TestSaturatedLogits(t *testing.T) {
	large := &engine.Net{Name: "large", Input: engine.Shape{C: 2, H: 1, W: 1}, Nodes: []engine.Node{
		{Name: "fc", Op: &engine.Dense{In: 2, Out: 2, W: []float32{1000, 0, 0, 1000}}, In: []int{engine.Input}},
	}}
	m, err := models.New(large, models.Card{})
	if err != nil {
		t.Fatal(err)
	}
	for pixel, want := range map[float32]bool{0.75: true, 0.05: false} {
		p, err := m.Predict(data.Image{C: 2, H: 1, W: 1, Pix: []float32{0, pixel}})
		if err != nil || strings.Contains(p.Warning, "--logit-scale") != want {
			t.Errorf("logits %v (%v): warning %q", p.Logits, err, p.Warning)
		}
	}
}
