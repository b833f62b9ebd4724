package onnx_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/models/format/onnx"
)

// TestFailure31_CutOff: a file that was not fetched to its end is refused,
// whatever is left, and within the numbers of a tensor the message names it.
func TestFailure31_CutOff(t *testing.T) {
	for file, tensors := range map[string][]string{
		"tiny-13.onnx":       {"tensor fc1.weight", "tensor c2.weight"},
		"tiny-18dynamo.onnx": {"tensor fc1.weight", "tensor c2.weight"},
	} {
		raw, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		named := map[string]bool{}
		for n := 0; n < len(raw); n += 13 {
			_, err := onnx.Read("x", raw[:n], onnx.Options{})
			if err == nil {
				t.Fatalf("%s: accepted with %d of %d bytes", file, n, len(raw))
			}
			for _, tensor := range tensors {
				named[tensor] = named[tensor] || strings.Contains(err.Error(), tensor)
			}
		}
		for _, tensor := range tensors {
			if !named[tensor] {
				t.Errorf("%s: cut off at any length, %s is never named", file, tensor)
			}
		}
	}
}

// The parser must refuse or read any bytes, without a panic and without
// allocating more than the bytes justify.

func FuzzONNX(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.onnx")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := onnx.Read("fuzz", raw, onnx.Options{})
		if err != nil {
			return
		}
		if _, err := c.Net.Shapes(); err != nil {
			t.Fatalf("accepted, but %v", err)
		}
	})
}
