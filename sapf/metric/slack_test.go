package metric

import (
	"testing"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// TestOutsideByMoreThanRounding: an entry outside [0,1] by rounding is moved
// onto the bound and counted; by more, the image is no image.
func TestOutsideByMoreThanRounding(t *testing.T) {
	x := data.NewImage("black", 3, 1, 2)
	goal := attack.Goal{Label: 0, Target: 1}
	measure := func(v float32) (Measurement, error) {
		adv := x.Clone()
		adv.Pix[0], adv.Pix[3] = 0.75, v
		return Measure(twoClasses(), x, adv, goal)
	}
	for _, v := range []float32{1 + 5e-7, -5e-7} {
		if q, err := measure(v); err != nil || q.Clamped != 1 {
			t.Errorf("%v: %d clamped, %v", v, q.Clamped, err)
		}
	}
	for _, v := range []float32{1 + 5e-6, -5e-6, 1.05, -0.05} {
		if _, err := measure(v); err == nil {
			t.Errorf("%v was taken", v)
		}
	}
}
