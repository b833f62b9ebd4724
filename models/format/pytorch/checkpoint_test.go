package pytorch_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/models/format"
	"sapf/models/format/pytorch"
)

// TestCheckpoints reads the same tensors from checkpoints that PyTorch saved
// in several ways (../../tools/checkpoints.py).
func TestCheckpoints(t *testing.T) {
	files, err := filepath.Glob("testdata/checkpoint_*.pt")
	if err != nil || len(files) != 10 {
		t.Fatalf("%d checkpoints, %v", len(files), err)
	}
	want := map[string]format.Tensor{
		"w": {Shape: []int{3, 4}}, "v": {Shape: []int{2}, Data: []float32{1.5, -2}}, "n": {Data: []float32{7}},
	}
	w := want["w"]
	for i := range 12 {
		w.Data = append(w.Data, float32(i)/4)
	}
	want["w"] = w
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := pytorch.Read(file, raw)
		if strings.Contains(file, "module") { // a whole network is code
			refused(t, err, "torch.nn.modules.linear.Linear", "state_dict")
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		for _, got := range d.Tensors {
			w, ok := want[strings.TrimPrefix(got.Name, "module.")]
			same := ok && len(w.Shape) == len(got.Shape) && len(w.Data) == len(got.Data)
			for i := range w.Shape {
				same = same && w.Shape[i] == got.Shape[i]
			}
			for i := range w.Data {
				same = same && w.Data[i] == got.Data[i]
			}
			if !same {
				t.Errorf("%s: tensor %s is %v %v, expected %v %v", file, got.Name, got.Shape, got.Data, w.Shape, w.Data)
			}
		}
		if len(d.Tensors) != 3 {
			t.Errorf("%s: %d tensors, expected 3", file, len(d.Tensors))
		}
	}
}
