package baseline

import (
	"context"
	"math/rand/v2"

	"sapf/models/data"
	"sapf/models/exact"
	"sapf/sapf/attack"
)

// SparseRS is the l0 version of the random search of Croce et al. (AAAI 2022,
// arXiv 2006.12834, Algorithm 2; their program's rs_attacks.py):
//
//	min_d  L(x + d)   s.t.  at most k pixels of d are not 0,  x + d in [0,1],
//
// score-based, with a fixed budget of k pixels, each at a random corner of the
// colour cube. A candidate resets some pixels of the set to the clean image and
// puts as many others at random corners; it is accepted if it lowers the loss or
// reaches the goal.
//
//	untargeted  L = margin Z_y - max over others
//	targeted    L = cross entropy to t, margin = max over others - Z_t
//
//	paper      code          shape     range
//	x          o.x           N         [0,1]
//	z, z'      img, candidate  N       [0,1]
//	M          set.in        k pixels
//	U \ M      set.out       P-k pixels
//	A          in            m pixels of M
//	B          out           m pixels outside
//	k          o.k           1         0..P pixels
//	alpha^(i)  a.share       1         (0,InitialShare]
//	L*         best          1         the smallest loss so far
//
// Differs: a pixel's new colour is never its present one; theirs may be where
// several pixels are exchanged at once. Patches and frames are not offered.
type SparseRS struct {
	// Preset is "" or "targeted", the authors' setting for targeted attacks.
	Preset string `option:"-"`
	// K is the budget in pixels; 0 means 50.
	K int `def:"50" range:"[0,inf)"`
	// Queries at most in a restart; 0 means 10,000.
	Queries int `def:"10000" range:"[0,inf)"`
	// InitialShare is alpha_0, the share of the set exchanged at first; 0 means
	// 0.3.
	InitialShare float64 `def:"0.3" range:"[0,1]"`
	// ConstantShare exchanges half of InitialShare throughout.
	ConstantShare bool
	// Restarts; 0 means 1.
	Restarts int `def:"1" range:"[0,inf)"`
	// Seed of the search.
	Seed uint64
}

var _ attack.Attack = (*SparseRS)(nil)

// Name is "sparse-rs".
func (SparseRS) Name() string { return "sparse-rs" }

func (SparseRS) Presets() map[string]attack.Attack {
	return map[string]attack.Attack{"targeted": SparseRS{Queries: 100000, InitialShare: 0.1}}
}

// Run attacks one image. It needs no gradient; queries depend on one another,
// so they are not batched.
func (a SparseRS) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byPixels, SparseRS.search)
}

func (a SparseRS) WithBudget(k int, _ attack.Unit) attack.Attack { a.K = k; return a }
func (SparseRS) Counts(unit attack.Unit) bool                    { return unit == attack.Pixels }

// selection splits the pixels into the set M that is perturbed and the rest.
type selection struct{ in, out []int }

func (a SparseRS) search(o *oracle) error {
	o.k = min(a.K, o.pixels)
	rng := stream(a.Seed, "sparse-rs search")
	for range a.Restarts {
		done, err := a.restart(o, rng)
		if done || err != nil {
			return err
		}
		o.rounds++
	}
	return nil
}

func (a SparseRS) restart(o *oracle, rng *rand.Rand) (bool, error) {
	// k random pixels at random corners.
	perm := rng.Perm(o.pixels)
	set := selection{perm[:o.k], perm[o.k:]}
	img := append([]float64(nil), o.x...)
	for _, p := range set.in {
		randomCorner(o, img, p, rng)
	}
	z, err := o.logits(img)
	if err != nil || o.consider(img, z) {
		return true, err
	}
	best := a.loss(o, z)
	candidate := make([]float64, o.n)
	for query := 1; query < a.Queries; query++ {
		// Exchange m pixels of the set for as many outside, at random corners.
		copy(candidate, img)
		m := a.exchanged(o, query, set)
		in, out := pick(rng, len(set.in), m), pick(rng, len(set.out), m)
		a.exchange(o, candidate, set, in, out, rng)
		if z, err = o.logits(candidate); err != nil {
			return false, err
		}
		if o.consider(candidate, z) {
			return true, nil
		}
		// Keep what lowers the loss.
		if loss := a.loss(o, z); loss < best {
			best = loss
			img, candidate = candidate, img
			set.swap(in, out)
		}
		if query%100 == 0 {
			o.report("query", o.rounds+1, a.Restarts, o.rounds*a.Queries+query, a.Restarts*a.Queries, best)
		}
	}
	return false, nil
}

// swap exchanges the chosen pixels of the set for the chosen ones outside.
func (s selection) swap(in, out []int) {
	for i := range out {
		s.in[in[i]], s.out[out[i]] = s.out[out[i]], s.in[in[i]]
	}
}

// exchanged is how many pixels a query exchanges: alpha*k, at least 1.
func (a SparseRS) exchanged(o *oracle, query int, set selection) int {
	m := max(int(a.share(query)*float64(o.k)), 1)
	m = min(m, len(set.in), len(set.out))
	return max(m, 1) // where every pixel is in the set, only colours change
}

// exchange resets the chosen pixels of the set to the clean image and puts the
// chosen ones outside at random corners. Alone, or where nothing is outside, a
// pixel gets a colour other than its own.
func (a SparseRS) exchange(o *oracle, img []float64, set selection, in, out []int, rng *rand.Rand) {
	for _, i := range in {
		p := set.in[i]
		for c := range o.channels {
			img[c*o.pixels+p] = o.x[c*o.pixels+p]
		}
		if len(out) == 0 {
			randomCorner(o, img, p, rng)
		}
	}
	for _, i := range out {
		randomCorner(o, img, set.out[i], rng)
	}
}

// randomCorner puts pixel p at a random corner of the colour cube that is not
// the colour it has.
func randomCorner(o *oracle, img []float64, p int, rng *rand.Rand) {
	for {
		q, moved := rng.IntN(1<<o.channels), false
		for c := range o.channels {
			i := c*o.pixels + p
			v := float64(q >> c & 1)
			moved = moved || v != img[i]
			img[i] = v
		}
		if moved {
			return
		}
	}
}

// pick draws m different indices below n; none if n is 0.
func pick(rng *rand.Rand, n, m int) []int {
	if n == 0 {
		return nil
	}
	return rng.Perm(n)[:m]
}

// loss is what the search lowers.
func (a SparseRS) loss(o *oracle, z []float64) float64 {
	if !o.goal.Targeted() {
		return o.gap(z)
	}
	return -exact.Log(probability(z, o.own))
}

// share is alpha(query): a share of the set that falls in steps with the number
// of queries, written for 10,000 of them and rescaled.
func (a SparseRS) share(query int) float64 {
	if a.ConstantShare {
		return a.InitialShare / 2
	}
	at := query * 10000 / a.Queries
	steps := []struct {
		until   int
		divisor float64
	}{{0, 1}, {50, 2}, {200, 4}, {500, 5}, {1000, 6}, {2000, 8}, {4000, 10}, {6000, 12}, {8000, 15}}
	for _, s := range steps {
		if at <= s.until {
			return a.InitialShare / s.divisor
		}
	}
	return a.InitialShare / 20
}
