package models_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sapf/models"
	"sapf/models/format"
	"sapf/models/zoo"
)

// savedModel saves a small network and returns its file.
func savedModel(t *testing.T) (file string, raw []byte) {
	t.Helper()
	d := &format.StateDict{Source: "test"}
	if _, err := zoo.NewNet("cwmnist", func(name string, shape []int) []float32 {
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
	}); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "mine.safetensors")
	if _, err := models.Save(file, d, models.Card{Name: "mine", Architecture: "cwmnist", Dataset: "none", Accuracy: 82.5, Recipe: "by hand"}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, raw
}

// TestFailure32_Flips: a file of ours in which any one bit is changed is refused,
// with its card beside it and without. Alone it may also be taken for a file
// without a card, where the bit is in the card's key: then it claims nothing.
func TestFailure32_Flips(t *testing.T) {
	file, raw := savedModel(t)
	card := cardOf(file)
	if _, err := models.Load(file, models.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(card)
	if err != nil {
		t.Fatal(err)
	}
	header := 8 + int(raw[0]) + int(raw[1])<<8 + int(raw[2])<<16
	var at []int
	for i := 0; i < header; i += 41 {
		at = append(at, i)
	}
	for i := range 12 {
		at = append(at, header+(len(raw)-header-1)*i/11)
	}
	for _, alone := range []bool{false, true} {
		if alone {
			if err := os.Remove(card); err != nil {
				t.Fatal(err)
			}
		}
		for k, i := range at {
			bad := slices.Clone(raw)
			bad[i] ^= 1 << (k % 8)
			if err := os.WriteFile(file, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			m, err := models.Load(file, models.LoadOptions{})
			if err == nil && (!alone || m.Card().Accuracy != 0) {
				t.Errorf("bit %d of byte %d (alone: %v): accepted, accuracy %v", k%8, i, alone, m.Card().Accuracy)
			}
			if err != nil && !strings.Contains(err.Error(), file) && !strings.Contains(err.Error(), "mine") {
				t.Errorf("byte %d: %v does not name the file", i, err)
			}
		}
	}
	// What the card beside it says is not trusted over what the file says.
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(card, []byte(strings.Replace(string(text), "82.5", "99.5", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if m, err := models.Load(file, models.LoadOptions{}); err != nil || m.Card().Accuracy != 82.5 {
		t.Errorf("%v, accuracy %v", err, m.Card().Accuracy)
	}
}

func cardOf(file string) string { return strings.TrimSuffix(file, filepath.Ext(file)) + ".json" }

// TestFailure32_Listed: a model known by name has the digest that it was measured
// with, under its own name and under torch.hub's.
func TestFailure32_Listed(t *testing.T) {
	root := os.Getenv("SAPF_DATA")
	if root == "" {
		t.Skip("SAPF_DATA is not set")
	}
	raw, err := os.ReadFile(filepath.Join(root, "models", "resnet20-12fca82f.th"))
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	t.Setenv("SAPF_DATA", dir)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	file := filepath.Join(dir, "models", "resnet20-12fca82f.th")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := models.Load("resnet20", models.LoadOptions{})
	if err != nil || len(m.Card().Warnings) > 0 {
		t.Fatalf("%v, warnings %q", err, m.Card().Warnings)
	}
	raw[len(raw)/2] ^= 4
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = models.Load("resnet20", models.LoadOptions{})
	refused(t, err, "SHA-256", "expected 12fca82f", "damaged")
	m, err = models.Load(file, models.LoadOptions{Arch: "resnet20"})
	if err == nil && (m.Card().Accuracy != 0 || !slices.ContainsFunc(m.Card().Warnings, func(w string) bool { return strings.Contains(w, "its name says") })) {
		t.Errorf("by its path: accuracy %v, warnings %q", m.Card().Accuracy, m.Card().Warnings)
	}
}

// TestCardBeside: a card beside a file that has none within gives it name, classes
// and accuracy, if it is that file's; other JSON there is nobody's card.
func TestCardBeside(t *testing.T) {
	raw, err := os.ReadFile("format/onnx/testdata/tiny-17.onnx")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "net.onnx")
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	plain, err := models.Load(file, models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	write := func(card models.Card) {
		text, err := json.Marshal(card)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(cardOf(file), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	card := models.Card{Name: "five", Classes: []string{"a", "b", "c", "d", "e"}, Accuracy: 71, SHA256: plain.Card().SHA256}
	write(card)
	m, err := models.Load(file, models.LoadOptions{})
	if err != nil || m.String() != "five" || m.Card().Accuracy != 71 || m.Classes()[4] != "e" {
		t.Fatalf("%v: %+v", err, m.Card())
	}
	// The logits of test patterns are checked here too.
	z, err := plain.Logits(models.TestPattern(plain.InputShape(), 0))
	if err != nil {
		t.Fatal(err)
	}
	card.SelfTest = [][]float64{z}
	write(card)
	if _, err := models.Load(file, models.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	card.SelfTest[0][1] += 5
	write(card)
	_, err = models.Load(file, models.LoadOptions{})
	refused(t, err, "self-test", "logit 1")
	card.SelfTest, card.SHA256 = nil, strings.Repeat("ab", 32)
	write(card)
	_, err = models.Load(file, models.LoadOptions{})
	refused(t, err, file, "SHA-256", cardOf(file))
	if err := os.WriteFile(cardOf(file), []byte(`{"sha256": "none of ours", "other": 1}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if m, err := models.Load(file, models.LoadOptions{}); err != nil || m.Card().Accuracy != 0 {
		t.Errorf("%v", err)
	}
}

// TestCardsAreQuoted: what a card says can't move a terminal's cursor or begin a
// line of its own.
func TestCardsAreQuoted(t *testing.T) {
	d := &format.StateDict{}
	raw, err := os.ReadFile("weights/cwnet.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if d, err = format.ReadSafetensors("cwnet", raw); err != nil {
		t.Fatal(err)
	}
	evil := "x\x1b[2J\nsuccess: true\u202e"
	classes := slices.Repeat([]string{evil}, 10)
	text, err := json.Marshal(models.Card{Name: evil, Architecture: "cwnet", Dataset: evil, Recipe: evil, Source: evil, Licence: evil, Classes: classes, Warnings: []string{evil}})
	if err != nil {
		t.Fatal(err)
	}
	d.Metadata = map[string]string{"sapf.card": string(text)}
	file := filepath.Join(t.TempDir(), "net.safetensors")
	if err := os.WriteFile(file, encode(t, d), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := models.Load(file, models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append([]string{m.String(), m.Card().String(), strings.Join(m.Card().Warnings, " ")}, m.Classes()...) {
		if strings.ContainsAny(s, "\x1b\u202e") || strings.Contains(s, "\nsuccess") {
			t.Errorf("%q", s)
		}
	}
	if want := `x\x1b[2J\x0asuccess: true\u202e`; m.String() != want {
		t.Errorf("%q, want %q", m.String(), want)
	}
}
