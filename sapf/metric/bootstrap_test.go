package metric

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestBootstrapCovers: of samples drawn from a known distribution, about 95 in a
// hundred intervals hold its mean, and none leaves the range of the sample.
func TestBootstrapCovers(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	held := 0
	const trials, n = 200, 40
	for trial := range trials {
		v := make([]float64, n)
		for i := range v {
			v[i] = random.ExpFloat64()
		}
		m := Bootstrap95(v, uint64(trial))
		if m.Low <= 1 && 1 <= m.High {
			held++
		}
		if m.Low < 0 || m.Low > m.Mean || m.Mean > m.High {
			t.Fatalf("%+v", m)
		}
	}
	if held < 175 || held == trials {
		t.Errorf("%d of %d intervals hold the mean, expected about 186", held, trials)
	}
	if a, b := Bootstrap95([]float64{1, 2, 4}, 3), Bootstrap95([]float64{1, 2, 4}, 3); a != b {
		t.Errorf("one seed, two intervals: %+v and %+v", a, b)
	}
}

// TestGeometricBootstrap: the geometric mean, in whose place inverse ratios have
// the inverse interval.
func TestGeometricBootstrap(t *testing.T) {
	m := GeometricBootstrap95([]float64{0.5, 2, 0.25, 1, math.NaN(), 0}, 1)
	if m.N != 4 || math.Abs(m.Mean-math.Pow(0.25, 0.25)) > 1e-12 || m.Low < 0.25 || m.High > 2 {
		t.Errorf("%+v", m)
	}
	if one := GeometricBootstrap95([]float64{3}, 1); math.Abs(one.Low-3) > 1e-12 || math.Abs(one.High-3) > 1e-12 {
		t.Errorf("%+v", one)
	}
	if none := Bootstrap95(nil, 1); none.N != 0 || !math.IsNaN(none.Mean) {
		t.Errorf("%+v", none)
	}
}
