package metric

import (
	"fmt"
	"math"
	"slices"
)

// Optimality is AttackBench's local optimality of an attack on one model (Cina
// et al., AAAI 2025): how close its robustness curve comes to the curve of the
// best attack known for each sample, 1 being equal. distances and best hold
// one smallest adversarial distance a sample: 0 for an image misclassified
// before the attack, +Inf for a failure. best is the lower envelope over a pool
// of attacks (see BestKnown); the value depends on that pool, so publish the
// pool with it.
//
// The curves are joined linearly, as in AttackBench's program. That flatters
// failure: an attack that never succeeds keeps the straight line from the
// first point down to (largest best distance, 0), which on few samples is close
// to the best curve. StepOptimality has no such slack; read the success rate
// beside this one.
//
// It is an error if the slices' lengths differ, a distance is negative or NaN
// or below the best known, or no sample has a positive finite best distance.
func Optimality(distances, best []float64) (float64, error) {
	return optimality(distances, best, func(d []float64, budget float64) float64 {
		return CurveArea(Curve(d), budget)
	})
}

// StepOptimality is Optimality with the exact area under the step curve, which
// is the mean of the distances, each counted as at most the largest best one:
// 1 for the best attack, 0 for one that never succeeds. Errors are those of
// Optimality.
func StepOptimality(distances, best []float64) (float64, error) {
	return optimality(distances, best, func(d []float64, budget float64) float64 {
		sum := 0.0
		for _, v := range d {
			sum += min(v, budget)
		}
		return sum / float64(len(d))
	})
}

// optimality is 1 - (A - A*)/(acc*eps_max - A*), A and A* being areas up to
// eps_max, the largest best distance, and acc the clean accuracy.
func optimality(distances, best []float64, area func(d []float64, budget float64) float64) (float64, error) {
	if len(distances) != len(best) || len(best) == 0 {
		return 0, fmt.Errorf("optimality of %d distances against %d best ones, expected as many and at least one", len(distances), len(best))
	}
	largest, robust := 0.0, 0
	for i := range best {
		if !(distances[i] >= 0) || !(best[i] >= 0) {
			return 0, fmt.Errorf("optimality: sample %d has distances %v and %v, expected numbers of at least 0", i, distances[i], best[i])
		}
		if distances[i] < best[i] {
			return 0, fmt.Errorf("optimality: sample %d has distance %v below the best known %v; the attack belongs in the pool", i, distances[i], best[i])
		}
		if best[i] > 0 {
			robust++
		}
		if !math.IsInf(best[i], 1) {
			largest = max(largest, best[i])
		}
	}
	if largest == 0 {
		return 0, fmt.Errorf("optimality: no sample has a positive finite best distance")
	}
	bestArea := area(best, largest)
	accuracy := float64(robust) / float64(len(best))
	worst := float64(accuracy*largest) - bestArea
	if worst == 0 {
		return 0, fmt.Errorf("optimality is undefined: every sample's best distance is 0 or %v", largest)
	}
	return 1 - (area(distances, largest)-bestArea)/worst, nil
}

// CurvePoint is one point of a robustness curve.
type CurvePoint struct {
	// Budget is a distance.
	Budget float64
	// Robust is the fraction of samples whose distance is larger.
	Robust float64
}

// Curve is the robustness (security) curve of a set of distances: the fraction
// of samples that survive each budget, at every distinct finite distance in
// rising order. Failures (+Inf) survive every budget. With no finite distance
// the curve is empty.
func Curve(distances []float64) []CurvePoint {
	sorted := slices.Clone(distances)
	slices.Sort(sorted)
	var curve []CurvePoint
	for i, d := range sorted {
		last := i+1 == len(sorted) || sorted[i+1] != d
		if last && !math.IsInf(d, 1) {
			curve = append(curve, CurvePoint{d, float64(len(sorted)-i-1) / float64(len(sorted))})
		}
	}
	return curve
}

// CurveArea is the area under a robustness curve from 0 to a budget, by the
// trapezoid rule between neighbouring points. As in AttackBench's program,
// distances above the budget count as the budget, where nothing survives.
//
// Differs: the program starts at the smallest distance, so where no sample has
// distance 0 a failed attack would get the area 0, the best of all. Here the
// curve starts at budget 0. Both agree where a sample has distance 0.
func CurveArea(curve []CurvePoint, budget float64) float64 {
	prev := CurvePoint{Budget: 0, Robust: 1}
	area := 0.0
	add := func(p CurvePoint) {
		area += float64((p.Budget - prev.Budget) * (p.Robust + prev.Robust) / 2)
		prev = p
	}
	for _, p := range curve {
		if p.Budget >= budget {
			break
		}
		add(p)
	}
	add(CurvePoint{Budget: budget, Robust: 0})
	return area
}

// BestKnown is the lower envelope of a pool of attacks: for each sample the
// smallest distance that any of them reached. Every attack of the pool has one
// distance a sample.
func BestKnown(pool ...[]float64) ([]float64, error) {
	if len(pool) == 0 {
		return nil, fmt.Errorf("best known distances of no attacks")
	}
	best := slices.Clone(pool[0])
	for a, distances := range pool[1:] {
		if len(distances) != len(best) {
			return nil, fmt.Errorf("attack %d of the pool has %d distances, the first has %d", a+1, len(distances), len(best))
		}
		for i, d := range distances {
			best[i] = min(best[i], d)
		}
	}
	return best, nil
}
