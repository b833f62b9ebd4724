package exact

import (
	"math"
	"testing"
)

func TestErf(t *testing.T) {
	for k := -70000; k <= 70000; k++ {
		x := float64(k) / 10000
		if got, want := Erf(x), math.Erf(x); math.Abs(got-want) > 4e-16 {
			t.Fatalf("Erf(%v) is %v, want %v", x, got, want)
		}
	}
	if !math.IsNaN(Erf(math.NaN())) || Erf(math.Inf(1)) != 1 || Erf(math.Inf(-1)) != -1 {
		t.Error("erf of NaN and infinities")
	}
}
