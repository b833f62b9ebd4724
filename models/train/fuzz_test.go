package train

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"sapf/models/format"
)

// FuzzResume: a training run goes on from a checkpoint of its own, whatever it
// says of its progress, or refuses it. The digest is made to fit.
func FuzzResume(f *testing.F) {
	file := filepath.Join(f.TempDir(), "run.checkpoint")
	r := tinyRecipe()
	r.Epochs = 1
	if _, err := Fit(f.Context(), freshNet(), r, tinyImages(), Options{Checkpoint: file}); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	d, err := format.ReadSafetensors(file, good)
	if err != nil {
		f.Fatal(err)
	}
	text := d.Metadata[metadataKey]
	f.Add(text)
	f.Add(string(bytes.Replace([]byte(text), []byte(`"step":6`), []byte(`"step":-6`), 1)))
	f.Add(string(bytes.Replace([]byte(text), []byte(`"step":6`), []byte(`"step":3`), 1)))
	f.Add(`{"progress":null}`)
	f.Fuzz(func(t *testing.T, text string) {
		again := &format.StateDict{Tensors: d.Tensors}
		again.Metadata = map[string]string{metadataKey: text, digestKey: format.ContentDigest([]byte(text), d)}
		var raw bytes.Buffer
		if err := format.WriteSafetensors(&raw, again); err != nil {
			return
		}
		file := filepath.Join(t.TempDir(), "run.checkpoint")
		if err := os.WriteFile(file, raw.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		result, err := Fit(t.Context(), freshNet(), r, tinyImages(), Options{Checkpoint: file, Resume: true})
		if err == nil && (result.Steps < 0 || len(result.Curve) == 0) {
			t.Errorf("%d steps, a curve of %d epochs", result.Steps, len(result.Curve))
		}
	})
}
