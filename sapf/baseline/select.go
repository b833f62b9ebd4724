package baseline

import "sort"

// keepLargest marks the k largest scores, the lower index first among equal
// ones: exactly min(k, len(scores)) entries are true. It reads scores only.
func keepLargest(scores []float64, k int) []bool {
	if k >= len(scores) {
		return all(len(scores))
	}
	keep := make([]bool, len(scores))
	if k <= 0 {
		return keep
	}
	threshold := kthLargest(append([]float64(nil), scores...), k)
	left := k
	for i, s := range scores {
		if s > threshold {
			keep[i] = true
			left--
		}
	}
	for i, s := range scores {
		if left > 0 && s == threshold {
			keep[i] = true
			left--
		}
	}
	return keep
}

// kthLargest returns the k-th largest entry of v (k from 1) and reorders v. It
// is Hoare's selection with the median of three as pivot.
func kthLargest(v []float64, k int) float64 {
	lo, hi, want := 0, len(v)-1, k-1
	for lo < hi {
		pivot := medianOfThree(v[lo], v[(lo+hi)/2], v[hi])
		i, j := lo, hi
		for i <= j {
			for v[i] > pivot {
				i++
			}
			for v[j] < pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case want <= j:
			hi = j
		case want >= i:
			lo = i
		default:
			return v[want]
		}
	}
	return v[want]
}

func medianOfThree(a, b, c float64) float64 {
	return max(min(a, b), min(max(a, b), c))
}

// ascending returns the indices of v sorted by value, ties by lower index.
func ascending(v []float64) []int {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return v[order[a]] < v[order[b]] })
	return order
}

// all marks every one of n entries.
func all(n int) []bool {
	marks := make([]bool, n)
	for i := range marks {
		marks[i] = true
	}
	return marks
}
