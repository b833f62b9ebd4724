package baseline

import (
	"context"
	"math/rand/v2"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/exact"
	"sapf/sapf/attack"
)

// OnePixel is the score-based attack of Su, Vargas & Sakurai (IEEE TEVC 2019;
// checked against two programs for it):
//
//	min_d  P_y(x+d)   or, targeted,   max_d  P_t(x+d)
//	s.t.   at most p pixels of d are not 0,  x+d in [0,1],
//
// by differential evolution over the places and colours of p pixels. A member is
// (row, col, colour) p times; its fitness, to be minimised, is the softmax
// probability P_y of the label, or 1 - P_t of the target.
//
// The zero value is the widely used vectorised program (best/1/bin, dithered F,
// population 400 for p = 1); preset "paper" is the paper's own variant.
//
//	paper       code          shape        range
//	x           o.x           N            [0,1]
//	d           K             1            [0,inf) pixels, p here
//	x_i(g)      e.population  members*dim  [0,1], dim = p*(2+C)
//	x_i(g+1)    e.trial       dim          [0,1]
//	F           a.scale       1            0.5, or [0.5,1)
//	f           a.fitness     members      [0,1], to be minimised
//	g           g             1            0..Generations-1
//
// Differs: that program counts any misclassification as a targeted success;
// here only the target counts.
type OnePixel struct {
	// Preset is "", "torch" or "paper".
	Preset string `option:"-"`
	// K is p, the number of pixels; 0 means 1.
	K int `def:"1" range:"[0,inf)"`
	// Population, rounded down to a multiple of the member's length, but at
	// least that; 0 means 400.
	Population int `def:"400" range:"[0,100000]"`
	// Generations at most; 0 means 75.
	Generations int `def:"75" range:"[0,inf)"`
	// Strategy is "best" (best/1/bin, F drawn from [0.5,1) each generation) or
	// "rand" (rand/1, F = 0.5); "" means best.
	Strategy string `oneof:"best rand"`
	// Init draws the first members by "latin" hypercube or colours from a
	// "gauss" N(128,127); "" means latin.
	Init string `oneof:"latin gauss"`
	// SureTarget, if positive, ends a targeted attack only when P_t exceeds it.
	SureTarget float64 `range:"[0,1]"`
	// Seed of the evolution.
	Seed uint64
}

var _ attack.Attack = (*OnePixel)(nil)

// Name is "one-pixel".
func (OnePixel) Name() string { return "one-pixel" }

func (OnePixel) Presets() map[string]attack.Attack {
	return map[string]attack.Attack{
		"torch": OnePixel{Generations: 100, Init: "gauss"},
		"paper": OnePixel{Generations: 100, Init: "gauss", Strategy: "rand", SureTarget: 0.9},
	}
}

// Run attacks one image. It needs no gradient.
func (a OnePixel) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byPixels, OnePixel.search)
}

func (a OnePixel) WithBudget(k int, _ attack.Unit) attack.Attack { a.K = k; return a }
func (OnePixel) Counts(unit attack.Unit) bool                    { return unit == attack.Pixels }

func (a OnePixel) search(o *oracle) error {
	o.k = a.K
	rng := stream(a.Seed, "one-pixel evolution")
	dim := a.K * (2 + o.channels)
	e := &evolution{
		population: a.population(rng, a.members(dim), dim, o.channels),
		rng:        rng, base: a.Strategy, scale: a.scale,
		fitness: func(m [][]float64) ([]float64, error) { return a.fitness(o, m) },
	}
	// The first generation, then mutation and selection until one is good enough.
	if err := e.start(); err != nil {
		return err
	}
	for g := range a.Generations {
		if a.done(o, e.energies[0]) {
			return nil
		}
		if err := e.generation(); err != nil {
			return err
		}
		o.report("generation", 1, 1, g+1, a.Generations, e.energies[0])
		if e.converged(-1, 0.01) { // SciPy's atol and tol as the program sets them
			return nil
		}
	}
	return nil
}

// members is the population's size for members of dim coordinates.
func (a OnePixel) members(dim int) int {
	const least = 5 // what best/1/bin draws from
	return max(max(a.Population/dim, 1)*dim, least)
}

// done is the stop after a generation: a success in hand and, where SureTarget
// asks for it, a sure one.
func (a OnePixel) done(o *oracle, energy float64) bool {
	if a.SureTarget > 0 && o.goal.Targeted() {
		return 1-energy > a.SureTarget
	}
	return o.best != nil
}

// scale is F of a generation.
func (a OnePixel) scale(rng *rand.Rand) float64 {
	if a.Strategy == "rand" {
		return 0.5
	}
	return 0.5 + float64(rng.Float64()/2)
}

// population draws the first members.
func (a OnePixel) population(rng *rand.Rand, members, dim, channels int) [][]float64 {
	population := latinHypercube(rng, members, dim)
	if a.Init == "gauss" {
		for _, m := range population {
			for j := range m {
				if m[j] = rng.Float64(); j%(2+channels) >= 2 {
					m[j] = gaussColour(rng)
				}
			}
		}
	}
	return population
}

// gaussColour draws a colour from N(128,127), clipped, of 256.
func gaussColour(rng *rand.Rand) float64 {
	return min(max((128+float64(127*exact.Normal(rng)))/256, 0), 1)
}

// paint puts a member's pixels into a copy of the clean image: coordinates are
// truncated to whole pixels and to whole colours of 0..255.
func (a OnePixel) paint(o *oracle, member, img []float64) {
	copy(img, o.x)
	size := 2 + o.channels
	for p := range a.K {
		g := member[p*size : (p+1)*size]
		row := min(int(g[0]*float64(o.shape.H)), o.shape.H-1)
		col := min(int(g[1]*float64(o.shape.W)), o.shape.W-1)
		for c := range o.channels {
			colour := min(int(g[2+c]*256), 255)
			img[c*o.pixels+row*o.shape.W+col] = pixel(float64(colour) / 255)
		}
	}
}

// fitness evaluates members as one batch and considers every one of them.
func (a OnePixel) fitness(o *oracle, members [][]float64) ([]float64, error) {
	energies := make([]float64, len(members))
	img := make([]float64, o.n)
	err := o.logitsOf(len(members), func(i int, img []float64) {
		a.paint(o, members[i], img)
	}, func(i int, z []float64) bool {
		energies[i] = probability(z, o.own)
		if o.goal.Targeted() {
			energies[i] = 1 - energies[i]
		}
		if o.goal.Reached(models.Argmax(z)) {
			a.paint(o, members[i], img)
			o.consider(img, z)
		}
		return true
	})
	return energies, err
}

// probability is the softmax of logits at one class.
func probability(z []float64, class int) float64 {
	sum := 0.0
	for _, v := range z {
		sum += exact.Exp(v - z[class])
	}
	return 1 / sum
}
