package data

import "testing"

// TestSamples loads every embedded picture at both sizes and at one between.
func TestSamples(t *testing.T) {
	for _, s := range Samples() {
		for _, side := range []int{0, 32, 224, 299} {
			x, err := Load(s.Name, Options{H: side, W: side})
			if err != nil {
				t.Fatalf("%s at %d: %v", s.Name, side, err)
			}
			want := max(side, 32)
			if x.C != 3 || x.H != want || x.W != want {
				t.Errorf("%s at %d is %dx%dx%d", s.Name, side, x.C, x.H, x.W)
			}
			if err := x.Validate(); err != nil {
				t.Error(err)
			}
			label := s.ImageNet
			if want == 32 {
				label = s.CIFAR
			}
			if x.Label != label {
				t.Errorf("%s at %d has label %d, expected %d", s.Name, side, x.Label, label)
			}
		}
	}
	x, err := Load("fashion:99", Options{})
	if err != nil || x.C != 1 || x.H != 28 || x.Label < 0 {
		t.Errorf("fashion:99: %v, %dx%dx%d label %d", err, x.C, x.H, x.W, x.Label)
	}
}
