package baseline

import (
	"math"
	"math/rand/v2"
	"testing"
)

func squared(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += (a[i] - b[i]) * (a[i] - b[i])
	}
	return s
}

func uniform(rng *rand.Rand, n int, lo, hi float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = lo + (hi-lo)*rng.Float64()
	}
	return v
}

// TestProjectPixels_nearest compares the projection on 2x2 images with every
// choice of k pixels, each clipped into the box.
func TestProjectPixels_nearest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const channels, pixels = 3, 4
	for trial := range 500 {
		x := uniform(rng, channels*pixels, 0, 1)
		b := imageBox(x)
		if trial%2 == 1 {
			b = cappedBox(x, func(int) float64 { return 0.2 })
		}
		d := uniform(rng, len(x), -2, 2)
		for k := 0; k <= pixels; k++ {
			got := append([]float64(nil), d...)
			projectPixels(got, b, channels, k)
			best := math.Inf(1)
			for set := range 1 << pixels {
				kept := make([]bool, pixels)
				count := 0
				for p := range kept {
					if kept[p] = set>>p&1 == 1; kept[p] {
						count++
					}
				}
				if count > k {
					continue
				}
				v := append([]float64(nil), d...)
				zeroPixels(v, channels, kept)
				b.clamp(v)
				best = min(best, squared(v, d))
			}
			if s := squared(got, d); s > best+1e-12 {
				t.Fatalf("trial %d, k %d: projection is %v away, the nearest point %v", trial, k, s, best)
			}
			again := append([]float64(nil), got...)
			projectPixels(again, b, channels, k)
			if squared(again, got) != 0 {
				t.Fatalf("trial %d, k %d: projecting twice moved the point", trial, k)
			}
		}
	}
}

// TestSigmaProjection_nearest compares lambda* with a fine scan of the
// admissible interval, and the set of pixels with every choice.
func TestSigmaProjection_nearest(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const channels, h, w, kappa = 3, 2, 2, 0.8
	const pixels = h * w
	for trial := range 50 {
		x := uniform(rng, channels*pixels, 0, 1)
		s := sigmaProjection{x, sigmaMap(x, channels, h, w), channels, kappa}
		d := uniform(rng, len(x), -0.5, 0.5)
		cost := make([]float64, pixels) // of the best admissible factor
		drop := make([]float64, pixels)
		for p := range pixels {
			cost[p] = math.Inf(1)
			for step := range 20001 {
				lambda := -kappa + 2*kappa*float64(step)/20000
				sum, inside := 0.0, true
				for c := range channels {
					i := c*pixels + p
					v := lambda * s.sigma[i] * x[i]
					inside = inside && x[i]+v >= 0 && x[i]+v <= 1
					sum += (d[i] - v) * (d[i] - v)
				}
				if inside {
					cost[p] = min(cost[p], sum)
				}
			}
			for c := range channels {
				drop[p] += d[c*pixels+p] * d[c*pixels+p]
			}
		}
		for k := range pixels + 1 {
			best := math.Inf(1)
			for set := range 1 << pixels {
				count, sum := 0, 0.0
				for p := range pixels {
					if set>>p&1 == 1 {
						count++
						sum += cost[p]
					} else {
						sum += drop[p]
					}
				}
				if count <= k {
					best = min(best, sum)
				}
			}
			got := append([]float64(nil), d...)
			s.project(got, k)
			if q := squared(got, d); math.Abs(q-best) > 1e-4 {
				t.Fatalf("trial %d, k %d: projection is %v away, scan found %v", trial, k, q, best)
			}
			for i := range got {
				if v := x[i] + got[i]; v < -1e-12 || v > 1+1e-12 {
					t.Fatalf("trial %d: entry %d left the box: %v", trial, i, v)
				}
			}
		}
	}
}

func TestSigmaMap(t *testing.T) {
	// One channel, 1x3: rows above and below are replicas, so the vertical
	// deviation is 0 everywhere and so is sigma.
	for i, v := range sigmaMap([]float64{0, 0.5, 1}, 1, 1, 3) {
		if v != 0 {
			t.Errorf("1x3 entry %d: sigma %v, expected 0", i, v)
		}
	}
	// 3x3 with a bright centre: at the centre both triples are (0,1,0) with
	// standard deviation sqrt(2)/3.
	got := sigmaMap([]float64{0, 0, 0, 0, 1, 0, 0, 0, 0}, 1, 3, 3)
	if want := math.Sqrt(math.Sqrt2 / 3); math.Abs(got[4]-want) > 1e-15 {
		t.Errorf("centre %v, expected %v", got[4], want)
	}
	if got[1] != 0 || got[0] != 0 {
		t.Errorf("edges %v, expected 0: their flat triple is the smaller", got[:2])
	}
}

func TestKeepLargest(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		n := 1 + rng.IntN(40)
		v := make([]float64, n)
		for i := range v {
			v[i] = float64(rng.IntN(6)) // many ties
		}
		for k := range n + 2 {
			keep := keepLargest(v, k)
			order := ascending(negated(v))
			for rank, i := range order {
				if keep[i] != (rank < k) {
					t.Fatalf("%v, k %d: entry %d of rank %d is %v", v, k, i, rank, keep[i])
				}
			}
		}
	}
}

func negated(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = -x
	}
	return out
}

func TestEvolution(t *testing.T) {
	for _, base := range []string{"best", "rand"} {
		var trace []float64
		run := func() []float64 {
			rng := rand.New(rand.NewPCG(7, 8))
			e := &evolution{
				population: latinHypercube(rng, 40, 3), rng: rng, base: base,
				scale: func(r *rand.Rand) float64 { return 0.5 + 0.5*r.Float64() },
				fitness: func(members [][]float64) ([]float64, error) {
					out := make([]float64, len(members))
					for i, m := range members {
						out[i] = squared(m, []float64{0.2, 0.7, 0.4})
					}
					return out, nil
				},
			}
			if err := e.start(); err != nil {
				t.Fatal(err)
			}
			trace = trace[:0]
			for range 60 {
				trace = append(trace, e.energies[0])
				if err := e.generation(); err != nil {
					t.Fatal(err)
				}
			}
			return e.population[0]
		}
		first := run()
		for i := 1; i < len(trace); i++ {
			if trace[i] > trace[i-1] {
				t.Errorf("%s: best energy rose from %v to %v at generation %d", base, trace[i-1], trace[i], i)
			}
		}
		if e := squared(first, []float64{0.2, 0.7, 0.4}); e > 1e-4 {
			t.Errorf("%s: best member is %v (energy %v), expected near the optimum", base, first, e)
		}
		if squared(first, run()) != 0 {
			t.Errorf("%s: two runs of one seed differ", base)
		}
	}
}
