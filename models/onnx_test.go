package models_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/models"
)

// TestONNXExports loads what tools/export_onnx.py exported with both of
// PyTorch's exporters and compares logits and input gradients: the small
// network of format/onnx/testdata, and those in the folder $SAPF_ONNX if it is set.
func TestONNXExports(t *testing.T) {
	folders := []string{"format/onnx/testdata"}
	if dir := os.Getenv("SAPF_ONNX"); dir != "" {
		folders = append(folders, dir)
	}
	for _, dir := range folders {
		files, err := filepath.Glob(filepath.Join(dir, "*.onnx"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no exports in %s: %v", dir, err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".onnx")
			t.Run(name, func(t *testing.T) {
				checkExport(t, file, filepath.Join(dir, name[:strings.LastIndex(name, "-")]+".json"))
			})
		}
	}
}

func checkExport(t *testing.T, file, golden string) {
	raw, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		X, Logits, Gradient []float64
		Float32             float64
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	m, err := models.Load(file, models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Evaluator(1, models.Linear{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	targets := make([]float64, len(want.Logits))
	for j := range targets {
		targets[j] = float64((7*j+3)%11-5) / 5
	}
	got, err := e.Gradient(want.X, targets)
	if err != nil {
		t.Fatal(err)
	}
	logits, grad := relative(got.Logits, want.Logits), relative(got.Grad, want.Gradient)
	t.Logf("logits differ by %.2g, gradient by %.2g (PyTorch's float32: %.2g)", logits, grad, want.Float32)
	limit := gradientLimit(m, want.Float32)
	if want.Float32 > 1e-4 {
		limit = 0.1 // in double precision too: folding batch norm rounded the exported weights
	}
	if !(logits <= 1e-4) || !(grad <= limit) {
		t.Errorf("logits differ by %.2g, gradient by %.2g, expected up to 1e-4 and %.2g", logits, grad, limit)
	}
}
