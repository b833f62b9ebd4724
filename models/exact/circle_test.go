package exact

import (
	"math"
	"testing"
)

func TestCircle(t *testing.T) {
	for k := -30000; k <= 30000; k++ {
		x := float64(k) / 700
		for name, f := range map[string][2]func(float64) float64{"Sin": {Sin, math.Sin}, "Cos": {Cos, math.Cos}, "Atan": {Atan, math.Atan}} {
			if got, want := f[0](x), f[1](x); math.Abs(got-want) > 1e-15 {
				t.Fatalf("%s(%v) is %v, want %v", name, x, got, want)
			}
		}
	}
	if math.Abs(Atan(math.Inf(-1))+math.Pi/2) > 1e-15 || !math.IsNaN(Sin(math.NaN())) {
		t.Error("infinity and NaN")
	}
}
