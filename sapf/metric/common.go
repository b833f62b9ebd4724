package metric

import (
	"fmt"
	"math"
	"math/rand/v2"

	"sapf/models/exact"
)

// Positions returns for each pixel whether any channel of v, of the given
// number of channels, is not 0: length len(v)/channels.
func Positions(v []float32, channels int) []bool {
	pixels := len(v) / channels
	out := make([]bool, pixels)
	for i, x := range v {
		if x != 0 {
			out[i%pixels] = true
		}
	}
	return out
}

// Overlap says how many positions several sets share, and how many they would
// share by chance.
type Overlap struct {
	// Of is the number of positions there are, Sizes those of the sets.
	Of    int
	Sizes []int
	// Counts has for each position the number of sets that hold it.
	Counts []int
	// Common is the number of positions in all sets, Expected its mean if each
	// set were drawn from all positions alike and independently of the others,
	// and P the probability that it would then be at least Common.
	Common   int
	Expected float64
	P        float64
	// AtLeast[j] is the number of positions in j sets or more, Chance[j] its
	// mean for such random sets; both for j from 0 to the number of sets.
	AtLeast []int
	Chance  []float64
}

// Common compares the sets, which must have one length, with chance. The
// distribution of the number of common positions of random sets is computed
// exactly: given a positions common to the first sets, the next one, of n
// positions, holds a hypergeometric number of them.
func Common(sets ...[]bool) (Overlap, error) {
	if len(sets) < 2 {
		return Overlap{}, fmt.Errorf("common positions of %d sets, expected at least 2", len(sets))
	}
	o := Overlap{Of: len(sets[0]), Counts: make([]int, len(sets[0]))}
	for i, s := range sets {
		if len(s) != o.Of {
			return Overlap{}, fmt.Errorf("set %d has %d positions, set 0 has %d", i, len(s), o.Of)
		}
		size := 0
		for j, in := range s {
			if in {
				o.Counts[j]++
				size++
			}
		}
		o.Sizes = append(o.Sizes, size)
	}
	for _, c := range o.Counts {
		if c == len(sets) {
			o.Common++
		}
	}
	for a, p := range commonByChance(o.Of, o.Sizes) {
		o.Expected += float64(float64(a) * p)
		if a >= o.Common {
			o.P += p
		}
	}
	o.P = min(o.P, 1)
	o.AtLeast = atLeast(o.Counts, len(sets))
	o.Chance = chanceOf(o.Of, o.Sizes)
	return o, nil
}

// atLeast counts the positions held by j sets or more.
func atLeast(counts []int, sets int) []int {
	out := make([]int, sets+1)
	for _, c := range counts {
		for j := 0; j <= c; j++ {
			out[j]++
		}
	}
	return out
}

// chanceOf is the mean number of positions that j or more random sets hold:
// the number of sets at one position is a sum of independent yes-or-noes (a
// Poisson binomial variable), and means add.
func chanceOf(of int, sizes []int) []float64 {
	p := []float64{1}
	for _, n := range sizes {
		q := float64(n) / float64(of)
		next := make([]float64, len(p)+1)
		for i, v := range p {
			next[i] += float64(v * (1 - q))
			next[i+1] += float64(v * q)
		}
		p = next
	}
	out := make([]float64, len(p))
	tail := 0.0
	for j := len(p) - 1; j >= 0; j-- {
		tail += p[j]
		out[j] = tail * float64(of)
	}
	return out
}

// PAtLeast estimates the probability that random sets of these sizes have as
// many positions in j of them or more as the sets at hand: a permutation test
// with the given number of draws. It counts the sets at hand as one of the
// draws, so it is never 0. The same seed gives the same number.
func (o Overlap) PAtLeast(j, draws int, seed uint64) (float64, error) {
	if j < 0 || j >= len(o.AtLeast) || draws < 1 {
		return 0, fmt.Errorf("at least %d of %d sets in %d draws: expected 0 to %d sets and a draw", j, len(o.Sizes), draws, len(o.Sizes))
	}
	random := rand.New(rand.NewPCG(seed, 0))
	order, counts, as := make([]int, o.Of), make([]int, o.Of), 1
	for i := range order {
		order[i] = i
	}
	for range draws {
		clear(counts)
		for _, n := range o.Sizes {
			for i := range n { // the first n places of a shuffle
				k := i + random.IntN(o.Of-i)
				order[i], order[k] = order[k], order[i]
				counts[order[i]]++
			}
		}
		if atLeast(counts, len(o.Sizes))[j] >= o.AtLeast[j] {
			as++
		}
	}
	return float64(as) / float64(draws+1), nil
}

// commonByChance returns the probability of each number of common positions of
// random sets of the given sizes.
func commonByChance(of int, sizes []int) []float64 {
	p := make([]float64, sizes[0]+1)
	p[sizes[0]] = 1
	for _, n := range sizes[1:] {
		next := make([]float64, len(p))
		for a, pa := range p {
			if pa == 0 {
				continue
			}
			for b := max(0, a+n-of); b <= min(a, n); b++ {
				next[b] += float64(pa * hypergeometric(of, a, n, b))
			}
		}
		p = next
	}
	return p
}

// hypergeometric is the probability that n of N positions, drawn without
// replacement, hold b of a marked ones.
func hypergeometric(of, a, n, b int) float64 {
	return exact.Exp(logChoose(a, b) + logChoose(of-a, n-b) - logChoose(of, n))
}

func logChoose(n, k int) float64 {
	log := func(v int) float64 { l, _ := math.Lgamma(float64(v + 1)); return l }
	return log(n) - log(k) - log(n-k)
}
