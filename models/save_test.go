package models_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sapf/models"
	"sapf/models/format"
	"sapf/models/zoo"
)

// TestSave: a saved model loads without being told what it is, gives the same
// logits, and the same bytes when it is saved again; what does not fit the
// architecture is refused and leaves no file.
func TestSave(t *testing.T) {
	d := &format.StateDict{Source: "test"}
	net, err := zoo.NewNet("cwmnist", func(name string, shape []int) []float32 {
		n := 1
		for _, k := range shape {
			n *= k
		}
		w := make([]float32, n)
		for i := range w {
			w[i] = float32((i*7919+len(d.Tensors))%101-50) / 500
		}
		d.Tensors = append(d.Tensors, format.Tensor{Name: name, Shape: slices.Clone(shape), Data: w})
		return w
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, again := filepath.Join(dir, "a.safetensors"), filepath.Join(dir, "b.safetensors")
	card, err := models.Save(file, d, models.Card{Name: "mine", Architecture: "cwmnist", Dataset: "none", Accuracy: 12.5})
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.Load(file, models.LoadOptions{SHA256: card.SHA256})
	if err != nil {
		t.Fatal(err)
	}
	got := m.Card()
	if got.Name != "mine" || got.Accuracy != 12.5 || got.SHA256 != card.SHA256 || got.Parameters != card.Parameters || len(got.SelfTest) != 8 {
		t.Errorf("card %+v, saved %+v", got, card)
	}
	direct, err := models.New(net, models.Card{})
	if err != nil {
		t.Fatal(err)
	}
	x := models.TestPattern(net.Input, 3)
	want, _ := direct.Logits(x)
	if z, err := m.Logits(x); err != nil || !slices.Equal(z, want) {
		t.Errorf("logits %v (%v), want %v", z, err, want)
	}
	if _, err := models.Save(again, d, models.Card{Name: "mine", Architecture: "cwmnist", Dataset: "none", Accuracy: 12.5}); err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{".safetensors", ".json"} {
		one, _ := os.ReadFile(filepath.Join(dir, "a"+ext))
		two, _ := os.ReadFile(filepath.Join(dir, "b"+ext))
		if len(one) == 0 || !slices.Equal(one, two) {
			t.Errorf("%s: saved twice, other bytes", ext)
		}
	}

	d.Tensors = d.Tensors[1:]
	bad := filepath.Join(dir, "bad.safetensors")
	if _, err := models.Save(bad, d, models.Card{Architecture: "cwmnist"}); err == nil || !strings.Contains(err.Error(), "conv1.weight") {
		t.Errorf("error %v, want one about conv1.weight", err)
	}
	if _, err := os.Stat(bad); err == nil {
		t.Error("a model that was refused was written")
	}
	if _, err := zoo.NewNet("vgg17", nil); err == nil || !strings.Contains(err.Error(), "vgg16") {
		t.Errorf("error %v", err)
	}
}
