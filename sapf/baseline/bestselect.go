package baseline

import "math"

// selector is T_k: it keeps the k largest entries of a vector, or the k pixels
// (or none but those of the best groups) with the largest sum of squares, ties
// to the lower index.
type selector struct {
	// units is how many there are to select from: entries or pixels.
	units int
	// groupOf is the group of each pixel, nil without groups.
	groupOf []int
	groups  int

	scores, scratch, energy []float64
	kept                    []bool
}

func newSelector(n, pixels int, share string, groupOf []int, groups int) selector {
	units := n
	if share == "pixels" {
		units = pixels
	}
	return selector{
		units: units, groupOf: groupOf, groups: groups,
		scores: make([]float64, units), scratch: make([]float64, units), energy: make([]float64, groups), kept: make([]bool, units),
	}
}

// largest sets all of v to 0 but the k largest units, within the most
// energetic groups (0: all).
func (s *selector) largest(v []float64, k, groups int) {
	if k >= s.units && (groups == 0 || groups >= s.groups) {
		return
	}
	s.sel(v, k, groups)
	for ; len(v) > 0; v = v[s.units:] { // a channel after the other, where they share G
		for i, in := range s.kept {
			if !in {
				v[i] = 0
			}
		}
	}
}

// norm is the length of what largest leaves of v, which it only reads.
func (s *selector) norm(v []float64, k, groups int) float64 {
	if k >= s.units && (groups == 0 || groups >= s.groups) {
		return norm2(v)
	}
	s.sel(v, k, groups)
	sum := 0.0
	for ; len(v) > 0; v = v[s.units:] {
		for i, in := range s.kept {
			if in {
				sum += float64(v[i] * v[i])
			}
		}
	}
	return math.Sqrt(sum)
}

// sel marks the units to keep.
func (s *selector) sel(v []float64, k, groups int) {
	clear(s.scores)
	for ; len(v) > 0; v = v[s.units:] {
		for i, x := range v[:s.units] {
			s.scores[i] += float64(x * x)
		}
	}
	if groups > 0 && groups < s.groups {
		s.closeGroups(groups)
	}
	if k >= s.units {
		for i, x := range s.scores {
			s.kept[i] = x >= 0
		}
		return
	}
	copy(s.scratch, s.scores)
	threshold := kthLargest(s.scratch, k)
	left := k
	for i, x := range s.scores {
		s.kept[i] = x > threshold
		if s.kept[i] {
			left--
		}
	}
	for i, x := range s.scores {
		if left == 0 {
			break
		}
		if x == threshold && x >= 0 {
			s.kept[i] = true
			left--
		}
	}
}

// closeGroups gives every unit outside the groups with the largest sums of
// scores a score below all others.
func (s *selector) closeGroups(groups int) {
	clear(s.energy)
	pixels := len(s.groupOf)
	for i, x := range s.scores {
		s.energy[s.groupOf[i%pixels]] += x
	}
	open := keepLargest(s.energy, groups)
	for i := range s.scores {
		if !open[s.groupOf[i%pixels]] {
			s.scores[i] = -1
		}
	}
}
