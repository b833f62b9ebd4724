package metric

import (
	"fmt"
	"math/rand/v2"
)

// Moved is what sets that lie elsewhere share.
type Moved struct {
	// Mean is the mean number of positions in so many moved sets or more.
	Mean float64
	// P is the probability that there are as many as in the sets at hand.
	P float64
}

// Shifted compares what sets of pixels share with what they would share if
// each lay somewhere else: all but the first are moved around the picture,
// which is width pixels wide, by distances drawn at random, and what leaves on
// one side comes in on the other. Unlike sets drawn from all positions alike,
// moved sets stay as clumped as they are, and clumps overlap more often.
//
// It looks at the positions in j sets or more. P comes of a permutation test that
// counts the sets at hand as one of the draws, so it is never 0. The same seed
// gives the same numbers.
func Shifted(j, width, draws int, seed uint64, sets ...[]bool) (Moved, error) {
	if j < 1 || j > len(sets) || draws < 1 {
		return Moved{}, fmt.Errorf("at least %d of %d moved sets in %d draws: expected 1 to %d sets and a draw", j, len(sets), draws, len(sets))
	}
	o, err := Common(sets...)
	if err != nil {
		return Moved{}, err
	}
	if width < 1 || o.Of%width != 0 {
		return Moved{}, fmt.Errorf("%d positions in rows of %d: expected whole rows", o.Of, width)
	}
	var moved Moved
	random := rand.New(rand.NewPCG(seed, 0))
	counts, as, height := make([]int, o.Of), 1, o.Of/width
	for range draws {
		clear(counts)
		for i, set := range sets {
			dy, dx := 0, 0
			if i > 0 {
				dy, dx = random.IntN(height), random.IntN(width)
			}
			for at, in := range set {
				if in {
					counts[(at/width+dy)%height*width+(at%width+dx)%width]++
				}
			}
		}
		n := atLeast(counts, len(sets))[j]
		moved.Mean += float64(n) / float64(draws)
		if n >= o.AtLeast[j] {
			as++
		}
	}
	moved.P = float64(as) / float64(draws+1)
	return moved, nil
}
