package baseline

import (
	"context"
	"slices"
	"testing"

	"sapf/sapf/attack"
)

// TestSeeds: a stream is a seed's and a purpose's own, and an attack that draws
// ends elsewhere with another seed.
func TestSeeds(t *testing.T) {
	draw := func(seed uint64, purpose string) uint64 { return stream(seed, purpose).Uint64() }
	if draw(1, "a") != draw(1, "a") || draw(1, "a") == draw(2, "a") || draw(1, "a") == draw(1, "b") {
		t.Error("streams do not follow from seed and purpose")
	}
	m, x, _ := linearModel(t, 2, 4, 0)
	goal := attack.Goal{Label: 0, Target: 1}
	run := func(seed uint64) []float32 {
		r, err := SparseRS{Seed: seed}.Run(context.Background(), m, x, goal)
		if err != nil {
			t.Fatal(err)
		}
		return r.Adversarial.Pix
	}
	if first := run(1); !slices.Equal(first, run(1)) || slices.Equal(first, run(2)) {
		t.Error("sparse-rs does not follow its seed")
	}
}
