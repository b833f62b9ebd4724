package models_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/models"
	"sapf/models/engine"
	"sapf/models/format/onnx"
)

// TestONNXParametersAreFinite: an infinite weight is refused, by its layer's
// name and place.
func TestONNXParametersAreFinite(t *testing.T) {
	raw, err := os.ReadFile("format/onnx/testdata/tiny-13.onnx")
	if err != nil {
		t.Fatal(err)
	}
	net, err := onnx.Read("tiny", raw, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var w []float32
	for _, node := range net.Net.Nodes {
		if c, ok := node.Op.(*engine.Conv); ok && w == nil {
			w = c.W
		}
	}
	if len(w) < 8 {
		t.Fatalf("no convolution in the file")
	}
	var stored []byte // as the file has them
	for _, v := range w[:8] {
		stored = binary.LittleEndian.AppendUint32(stored, math.Float32bits(v))
	}
	at := bytes.Index(raw, stored)
	if at < 0 {
		t.Fatal("the weights are not stored as they are")
	}
	file := filepath.Join(t.TempDir(), "infinite.onnx")
	for _, bad := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
		damaged := bytes.Clone(raw)
		binary.LittleEndian.PutUint32(damaged[at+4*5:], math.Float32bits(float32(bad)))
		if err := os.WriteFile(file, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := models.Load(file, models.LoadOptions{}); err == nil || !strings.Contains(err.Error(), "entry 5") {
			t.Errorf("a weight of %v: %v", bad, err)
		}
	}
}
