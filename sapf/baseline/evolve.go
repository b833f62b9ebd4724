package baseline

import (
	"math"
	"math/rand/v2"
)

// evolution is differential evolution (Storn & Price, J. Global Optimization
// 1997) over the unit cube with a whole generation evaluated as one batch, as
// the programs for the one-pixel attack run it.
type evolution struct {
	// population holds one member a row, each coordinate in [0,1]. Member 0
	// is the best one once start has run.
	population [][]float64
	// energies are the members' fitness, to be minimised.
	energies []float64
	rng      *rand.Rand
	// base is "best" (best/1/bin) or "rand" (rand/1).
	base string
	// scale returns F for a generation.
	scale func(*rand.Rand) float64
	// fitness evaluates members.
	fitness func(members [][]float64) ([]float64, error)
}

// start evaluates the first population and moves its best member to slot 0.
func (e *evolution) start() error {
	energies, err := e.fitness(e.population)
	if err != nil {
		return err
	}
	e.energies = append([]float64(nil), energies...)
	best := 0
	for i, v := range e.energies {
		if v < e.energies[best] {
			best = i
		}
	}
	e.swap(0, best)
	return nil
}

func (e *evolution) swap(i, j int) {
	e.population[i], e.population[j] = e.population[j], e.population[i]
	e.energies[i], e.energies[j] = e.energies[j], e.energies[i]
}

// generation makes one trial for each member, evaluates them as a batch, and
// lets each replace its parent if it is better. A trial better than the best
// takes slot 0 as well.
func (e *evolution) generation() error {
	f := e.scale(e.rng)
	trials := make([][]float64, len(e.population))
	for i := range trials {
		trials[i] = e.trial(i, f)
	}
	energies, err := e.fitness(trials)
	if err != nil {
		return err
	}
	for i, energy := range energies {
		if energy < e.energies[i] {
			e.population[i], e.energies[i] = trials[i], energy
			if energy < e.energies[0] {
				e.population[0], e.energies[0] = trials[i], energy
			}
		}
	}
	return nil
}

// trial is base + F*(r1 - r2) with crossover rate 1, so every coordinate is the
// mutant's; coordinates that leave the cube are drawn anew.
func (e *evolution) trial(parent int, f float64) []float64 {
	r := e.others(parent, 3)
	base := e.population[0]
	if e.base == "rand" {
		base = e.population[r[2]]
	}
	a, b := e.population[r[0]], e.population[r[1]]
	t := make([]float64, len(base))
	for j := range t {
		t[j] = base[j] + float64(f*(a[j]-b[j]))
		if t[j] < 0 || t[j] > 1 {
			t[j] = e.rng.Float64()
		}
	}
	return t
}

// others draws n different members other than parent.
func (e *evolution) others(parent, n int) []int {
	var drawn []int
	for len(drawn) < n {
		c := e.rng.IntN(len(e.population))
		fresh := c != parent
		for _, d := range drawn {
			fresh = fresh && c != d
		}
		if fresh {
			drawn = append(drawn, c)
		}
	}
	return drawn
}

// converged is SciPy's test: the energies' spread is within atol + tol*|mean|.
func (e *evolution) converged(atol, tol float64) bool {
	mean := 0.0
	for _, v := range e.energies {
		mean += v
	}
	mean /= float64(len(e.energies))
	variance := 0.0
	for _, v := range e.energies {
		variance += float64((v - mean) * (v - mean))
	}
	return math.Sqrt(variance/float64(len(e.energies))) <= atol+float64(tol*math.Abs(mean))
}

// latinHypercube draws n points of dim coordinates so that each of the n equal
// slices of every axis holds one point.
func latinHypercube(rng *rand.Rand, n, dim int) [][]float64 {
	points := make([][]float64, n)
	for i := range points {
		points[i] = make([]float64, dim)
	}
	for j := range dim {
		for i, slice := range rng.Perm(n) {
			points[i][j] = (float64(slice) + float64(rng.Float64())) / float64(n)
		}
	}
	return points
}
