package lpbox

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func normal(rng *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	return v
}

func randomStart(rng *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = float64(rng.IntN(2))
	}
	return v
}

// TestLinearObjective: A = 0, so x_i = 1[b_i < 0] is the optimum. The default
// penalty of 5 is too stiff for coordinates with a small b, 0.1 is not.
func TestLinearObjective(t *testing.T) {
	exact := map[float64]int{}
	wrong := 0
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		b := normal(rng, 50)
		start := randomStart(rng, 50)
		for _, rho := range []float64{5, 1, 0.1} {
			o := Unconstrained()
			o.Rho, o.Start = rho, start
			s, err := Run(Problem{B: b}, o)
			if err != nil {
				t.Fatal(err)
			}
			errors := 0
			for i, x := range s.Last {
				if (x == 1) != (b[i] < 0) {
					errors++
				}
			}
			if errors == 0 {
				exact[rho]++
			}
			if rho == 5 {
				wrong += errors
			}
		}
	}
	t.Logf("exact of 20: %v; wrong coordinates at rho 5: %.1f of 50 on average", exact, float64(wrong)/20)
	if exact[0.1] != 20 || exact[1] < 18 || wrong < 20 {
		t.Errorf("exact %v, %d wrong at rho 5: expected 20 at 0.1, at least 18 at 1, and rho 5 to be too stiff", exact, wrong)
	}
}

// bruteForce returns the least and the largest value over feasible points.
func bruteForce(p Problem) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	n := len(p.B)
	x := make([]float64, n)
	for bits := range 1 << n {
		for i := range x {
			x[i] = float64(bits >> i & 1)
		}
		if p.Feasible(x, 1e-9) {
			v := p.Value(x)
			low, high = min(low, v), max(high, v)
		}
	}
	return low, high
}

// TestSmallQuadratic: an indefinite A over 12 variables against brute force.
// The gap is (value-min)/(max-min).
func TestSmallQuadratic(t *testing.T) {
	var kept, last, stiffness float64
	exactOfFive := 0
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		p := Problem{B: normal(rng, 12)}
		rows := make([][]float64, 12)
		for i := range rows {
			rows[i] = normal(rng, 12)
		}
		for i := range rows {
			for j := range i {
				v := (rows[i][j] + rows[j][i]) / 2
				rows[i][j], rows[j][i] = v, v
			}
		}
		p.A, _ = Dense(rows)
		low, high := bruteForce(p)
		gap := func(v float64) float64 { return (v - low) / (high - low) }
		best := math.Inf(1)
		for restart := range 5 {
			o := Unconstrained()
			o.Start = randomStart(rng, 12)
			s, err := Run(p, o)
			if err != nil {
				t.Fatal(err)
			}
			if restart == 0 {
				kept += gap(s.Value) / 20
				last += gap(s.LastValue) / 20
				o.Rho = 0.1
				soft, _ := Run(p, o)
				stiffness += gap(soft.LastValue) / 20
			}
			best = min(best, gap(s.LastValue))
		}
		if best < 1e-12 {
			exactOfFive++
		}
	}
	t.Logf("mean gap: best met %.3f, last %.3f, last with rho 0.1 %.3f; best of five starts exact in %d of 20", kept, last, stiffness, exactOfFive)
	if kept > 0.05 || exactOfFive < 12 {
		t.Errorf("mean gap %.3f of the best met, want below 0.05; %d of 20 exact from five starts, want 12", kept, exactOfFive)
	}
}

// TestCardinality is SAPF's constraint: A = 0, 1'x = k. The optimum takes the
// k smallest b.
func TestCardinality(t *testing.T) {
	const n, k = 60, 15
	row := make([]float64, n)
	for i := range row {
		row[i] = 1
	}
	c, _ := Dense([][]float64{row})
	for name, o := range map[string]Options{"Equality": Equality(), "Constrained": Constrained()} {
		feasible, exact := 0, 0
		for seed := range uint64(20) {
			b := normal(rand.New(rand.NewPCG(seed, 3)), n)
			s, err := Run(Problem{B: b, C: c, D: []float64{k}}, o)
			if err != nil {
				t.Fatal(err)
			}
			sorted := slices.Sorted(slices.Values(b))
			best := 0.0
			for _, v := range sorted[:k] {
				best += v
			}
			if s.Feasible {
				feasible++
			}
			if s.Feasible && math.Abs(s.Value-best) < 1e-9 {
				exact++
			}
		}
		t.Logf("%s: feasible in %d of 20, exact in %d", name, feasible, exact)
		if feasible != 20 || name == "Equality" && exact != 20 || exact < 12 {
			t.Errorf("%s: feasible in %d of 20, exact in %d", name, feasible, exact)
		}
	}
}

// TestInequality: a knapsack of 12 things against brute force.
func TestInequality(t *testing.T) {
	gaps := 0.0
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 4))
		b, weight, total := make([]float64, 12), make([]float64, 12), 0.0
		for i := range b {
			b[i], weight[i] = -rng.Float64(), rng.Float64()
			total += weight[i]
		}
		e, _ := Dense([][]float64{weight})
		p := Problem{B: b, E: e, F: []float64{total / 2}}
		o := Equality()
		s, err := Run(p, o)
		if err != nil {
			t.Fatal(err)
		}
		low, high := bruteForce(p)
		if !s.Feasible {
			t.Errorf("seed %d: no feasible point", seed)
		}
		gaps += (s.Value - low) / (high - low) / 20
	}
	t.Logf("mean gap %.3f", gaps)
	if gaps > 0.05 {
		t.Errorf("mean gap %.3f, want below 0.05", gaps)
	}
}

func TestProblemsThatDoNotFit(t *testing.T) {
	square, _ := Dense([][]float64{{1, 0}, {0, 1}})
	good := Problem{B: []float64{1, 2}}
	for name, p := range map[string]Problem{
		"no variables": {}, "A of another size": {A: square, B: []float64{1, 2, 3}}, "d without C": {B: good.B, D: []float64{1}}, "C of two rows for one d": {B: good.B, C: square, D: []float64{1}},
	} {
		if _, err := Run(p, Unconstrained()); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := Run(good, Options{}); err == nil {
		t.Error("options of zeros were accepted")
	}
	if _, err := NewSparse(2, 2, []Entry{{2, 0, 1}}); err == nil {
		t.Error("an entry outside the matrix was accepted")
	}
}

func ExampleRun() {
	// Choose two of five, the cheapest.
	c, _ := Dense([][]float64{{1, 1, 1, 1, 1}})
	s, err := Run(Problem{B: []float64{3, -1, 2, 0.5, 4}, C: c, D: []float64{2}}, Equality())
	fmt.Println(s.X, s.Value, s.Feasible, err)
	// Output: [0 1 0 1 0] -0.5 true <nil>
}
