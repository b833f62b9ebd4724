package baseline

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSelector holds T_k against sorting, over vectors of many ties: exactly k
// entries, or k pixels with the largest sums of squares, ties to the lower index,
// within the groups with the largest sums.
func TestSelector(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 400 {
		pixels := 4 + rng.IntN(12)
		const channels = 3
		share, units := "entries", channels*pixels
		if rng.IntN(2) == 0 {
			share, units = "pixels", pixels
		}
		groupOf := make([]int, pixels)
		groups := 1 + rng.IntN(4)
		for i := range groupOf {
			groupOf[i] = i % groups
		}
		v := make([]float64, channels*pixels)
		for i := range v {
			v[i] = float64(rng.IntN(7) - 3)
		}
		k, most := 1+rng.IntN(units), rng.IntN(groups+1)
		s := newSelector(len(v), pixels, share, groupOf, groups)
		got := slices.Clone(v)
		s.largest(got, k, most)

		scores, energy := make([]float64, units), make([]float64, groups)
		for i, x := range v {
			scores[i%units] += x * x
			energy[groupOf[i%pixels]] += x * x
		}
		open := keepLargest(energy, groups)
		if most > 0 {
			open = keepLargest(energy, most)
		}
		var order []int
		for i := range scores {
			if open[groupOf[i%pixels]] {
				order = append(order, i)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return int(scores[b] - scores[a]) })
		want := make([]float64, len(v))
		for _, u := range order[:min(k, len(order))] {
			for i := u; i < len(v); i += units {
				want[i] = v[i]
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s of %v, k %d, %d of %d groups: %v, expected %v", share, v, k, most, groups, got, want)
		}
		if n := s.norm(v, k, most); math.Abs(n-norm2(want)) > 1e-12 {
			t.Fatalf("%s of %v, k %d: norm %v, expected %v", share, v, k, n, norm2(want))
		}
	}
}

// TestBest_countsGroups: an image that touches more superpixels than asked is over
// any budget, however few entries differ.
func TestBest_countsGroups(t *testing.T) {
	s := &solver{a: Best{Superpixels: 2}, o: &oracle{x: make([]float64, 12), pixels: 4, channels: 3}, groupOf: []int{0, 1, 2, 2}, groups: 3}
	for _, c := range []struct {
		changed []int
		want    int
	}{{nil, 0}, {[]int{0, 4, 8}, 3}, {[]int{0, 1}, 2}, {[]int{2, 3, 7}, 3}, {[]int{0, 1, 2}, math.MaxInt}, {[]int{0, 5, 11}, math.MaxInt}} {
		img := make([]float64, 12)
		for _, i := range c.changed {
			img[i] = 0.5
		}
		if got := s.used(img); got != c.want {
			t.Errorf("entries %v: %d of the budget, expected %d", c.changed, got, c.want)
		}
	}
}
