package exact

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestNormal: the draws are package rand's, to the last bits of the few that
// need a logarithm.
func TestNormal(t *testing.T) {
	ours, theirs := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(1, 2))
	tails := 0
	for k := range 1_000_000 {
		got, want := Normal(ours), theirs.NormFloat64()
		if math.Abs(want) > tail {
			tails++
			if math.Abs(got-want) > 1e-14 {
				t.Fatalf("draw %d is %v, package rand has %v", k, got, want)
			}
		} else if got != want {
			t.Fatalf("draw %d is %v, package rand has %v", k, got, want)
		}
	}
	if tails < 400 {
		t.Fatalf("only %d draws of a million are in the tail", tails)
	}
}
