package baseline

import (
	"context"
	"math"
	"math/rand/v2"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
)

// CornerSearch is the score-based attack of Croce & Hein (ICCV 2019, section 3,
// Algorithm 1; checked against their program's cornersearch_attacks.py):
//
//	min_d  number of pixels changed   s.t.  x+d reaches the goal,
//	                                        every changed pixel at a corner.
//
// It tries every pixel at every corner of its admissible set, ranks these
// one-pixel changes by what they do to the logits, then combines random draws of
// the best ranked ones, first few pixels, then more.
//
//	l0     a corner of {0,1}^C
//	linf   clip(x +/- eps) in each channel
//	sigma  x*(1 +/- kappa*sigma), two corners; grey: clip(x +/- kappa*sigma)
//
// Untargeted, there is one ordering for each rival class, by Z_y - Z_c, and one
// by Z_y - max over others. The targeted form is ours: success is the target,
// and the only ordering is by max over others - Z_t.
//
//	theirs          code        shape               range
//	x               o.x         N                   [0,1]
//	one-pixel bank  bank.value  P*corners*C         [0,1]
//	orderings       orders      a list of Top a class, ranks of changes
//	N               Top         1                   0..P*corners changes
//	N_iter          Draws       1                   [0,inf) combinations
//	k_max           K           1                   [0,inf) pixels
//	k               n           1                   2..k_max pixels
//	eps, kappa      Epsilon, Kappa  1               [0,1], [0,inf)
//	sigma           sigmaMap    N                   [0,inf)
//
// Differs: under sigma the authors' program builds the "plus" corner from the
// already modified "minus" pixel and combines additively; here both places are
// multiplicative, as in the paper.
type CornerSearch struct {
	// Preset is "", "sigma" or "table1".
	Preset string `option:"-"`
	// Constraint is "l0", "linf" or "sigma"; "" means l0.
	Constraint string `oneof:"l0 linf sigma"`
	// K is the largest number of pixels combined; 0 means 10.
	K int `def:"10" range:"[0,inf)"`
	// Top is how many of the best ranked changes are drawn from, the authors'
	// N; 0 means 100.
	Top int `def:"100" range:"[0,inf)"`
	// Draws is how many combinations are tried for each number of pixels and
	// each ordering; 0 means 1000.
	Draws int `def:"1000" range:"[0,inf)"`
	// Increment is by how many pixels the combinations grow; 0 means 1.
	Increment int `def:"1" range:"[0,inf)"`
	// Epsilon of linf, of full scale 1; 0 means 32/255.
	Epsilon float64 `def:"0.12549019607843137" range:"[0,1]"`
	// Kappa of sigma; 0 means 0.8.
	Kappa float64 `def:"0.8" range:"[0,inf)"`
	// Seed of the draws.
	Seed uint64
}

var _ attack.Attack = (*CornerSearch)(nil)

// Name is "cornersearch".
func (CornerSearch) Name() string { return "cornersearch" }

// Presets: sigma is the authors' second script; table1 is inferred from l0 and
// linf in the paper's Table 1, which fit sigma with many pixels.
func (CornerSearch) Presets() map[string]attack.Attack {
	return map[string]attack.Attack{
		"sigma":  CornerSearch{Constraint: "sigma", K: 100, Top: 150, Increment: 5},
		"table1": CornerSearch{Constraint: "sigma", K: 190, Top: 285, Increment: 5},
	}
}

// Run attacks one image. It needs no gradient.
func (a CornerSearch) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byPixels, CornerSearch.search)
}

func (a CornerSearch) WithBudget(k int, _ attack.Unit) attack.Attack {
	a.K, a.Top = k, max(a.Top, k+k/2)
	return a
}
func (CornerSearch) Counts(unit attack.Unit) bool { return unit == attack.Pixels }

func (a CornerSearch) search(o *oracle) error {
	o.k = a.K
	// Every one-pixel change, ranked for each class.
	bank := a.bank(o)
	orders, found, err := a.rank(o, bank)
	if err != nil || found {
		return err
	}
	// Random combinations of the best, of more and more pixels.
	rng := stream(a.Seed, "cornersearch draws")
	for n := 1 + a.Increment; n <= a.K; n += a.Increment {
		for _, order := range orders {
			found, err := a.combine(o, bank, order, n, len(orders), rng)
			if err != nil || found {
				return err
			}
		}
	}
	return nil
}

// cornerBank holds the pixels that a one-pixel change may take: corner q of
// pixel p is value[(p*corners+q)*channels : +channels].
type cornerBank struct {
	corners, channels, pixels int
	value                     []float64
}

// put writes change i, of pixel i/corners, into an image.
func (b cornerBank) put(i int, img []float64) {
	for c := range b.channels {
		img[c*b.pixels+i/b.corners] = b.value[i*b.channels+c]
	}
}

// size is the number of one-pixel changes.
func (b cornerBank) size() int { return b.pixels * b.corners }

func (a CornerSearch) bank(o *oracle) cornerBank {
	corners := 1 << o.channels
	if a.Constraint == "sigma" {
		corners = 2
	}
	b := cornerBank{corners, o.channels, o.pixels, make([]float64, o.n*corners)}
	sigma := sigmaMap(o.x, o.channels, o.shape.H, o.shape.W)
	for p := range o.pixels {
		for q := range corners {
			for c := range o.channels {
				i := c*o.pixels + p
				b.value[(p*corners+q)*o.channels+c] = pixel(a.corner(o.x[i], sigma[i], q, c, o.channels))
			}
		}
	}
	return b
}

// corner is the value of channel c at corner q of a pixel with value x.
func (a CornerSearch) corner(x, sigma float64, q, c, channels int) float64 {
	bit := float64(q >> c & 1)
	switch {
	case a.Constraint == "linf":
		return x + float64(a.Epsilon*(2*bit-1))
	case a.Constraint == "sigma" && channels == 1:
		return x + float64(float64(a.Kappa*sigma)*float64(2*q-1))
	case a.Constraint == "sigma":
		return x * (1 + float64(float64(a.Kappa*sigma)*float64(2*q-1)))
	}
	return bit
}

// rank evaluates every one-pixel change. It returns the orderings, best change
// first, each cut to the Top best, or that one change alone reached the goal.
func (a CornerSearch) rank(o *oracle, bank cornerBank) (orders [][]int, found bool, err error) {
	scores := make([][]float64, 1)
	if !o.goal.Targeted() {
		scores = make([][]float64, o.classes) // slot own: against all others
	}
	for i := range scores {
		scores[i] = make([]float64, bank.size())
	}
	img := append([]float64(nil), o.x...)
	err = o.logitsOf(bank.size(), func(i int, img []float64) {
		copy(img, o.x)
		bank.put(i, img)
	}, func(i int, z []float64) bool {
		for c := range scores {
			if o.goal.Targeted() || c == o.own {
				scores[c][i] = o.gap(z)
			} else {
				scores[c][i] = z[o.own] - z[c]
			}
		}
		if i%scoreBatch == 0 {
			o.report("rank", 1, 2, i+1, a.work(bank.size(), len(scores)), o.gap(z))
		}
		if o.goal.Reached(models.Argmax(z)) {
			bank.put(i, img)
			found = o.consider(img, z)
		}
		return !found
	})
	for _, s := range scores {
		order := ascending(s)
		orders = append(orders, order[:min(a.Top, len(order))])
	}
	return orders, found, err
}

// combine tries Draws random combinations of n changes, better ranks more
// often. A pixel drawn twice takes the later change.
func (a CornerSearch) combine(o *oracle, bank cornerBank, order []int, n, orders int, rng *rand.Rand) (bool, error) {
	draws := make([][]int, a.Draws)
	for i := range draws {
		draws[i] = make([]int, n)
		for j := range draws[i] {
			draws[i][j] = order[drawRank(rng, len(order))]
		}
	}
	found := false
	before, img := o.forwards, append([]float64(nil), o.x...)
	write := func(i int, img []float64) {
		copy(img, o.x)
		for _, change := range draws[i] {
			bank.put(change, img)
		}
	}
	err := o.logitsOf(len(draws), write, func(i int, z []float64) bool {
		if i%scoreBatch == 0 {
			o.report("combine", 2, 2, before+i, a.work(bank.size(), orders), o.gap(z))
		}
		if o.goal.Reached(models.Argmax(z)) {
			write(i, img)
			found = o.consider(img, z)
		}
		return !found
	})
	return found, err
}

// work is the number of queries of the whole attack if it fails.
func (a CornerSearch) work(bank, orders int) int {
	return bank + max((a.K-1)/a.Increment, 0)*orders*a.Draws
}

// drawRank draws rank r in [0,n) with probability (2(n-r)-1)/n^2.
func drawRank(rng *rand.Rand, n int) int {
	return n - int(math.Sqrt(float64(rng.IntN(n*n)))) - 1
}
