package study

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// TestExact holds the enumeration against a grid: no point of it that reaches
// the target is nearer, and one is nearly as near.
func TestExact(t *testing.T) {
	const steps = 400
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 5))
		m := reluNet{w1: [][]float64{}, b1: widen(normal(random, 3, 0.5)), b2: widen(normal(random, 3, 0.5))}
		m.w1, m.w2 = matrix(normal(random, 6, 2), 2), matrix(normal(random, 9, 1), 3)
		x := []float64{random.Float64(), random.Float64()}
		for target := range 3 {
			exact, grid := m.leastL2(x, target, 2), math.Inf(1)
			for i := range steps + 1 {
				for j := range steps + 1 {
					p := []float64{float64(i) / steps, float64(j) / steps}
					if z := m.logits(p); z[target] >= max(z[0], z[1], z[2]) {
						grid = min(grid, math.Hypot(p[0]-x[0], p[1]-x[1]))
					}
				}
			}
			if math.IsInf(exact, 1) && math.IsInf(grid, 1) {
				continue
			}
			if grid < exact-1e-9 || grid > exact+0.01 {
				t.Errorf("seed %d, target %d: exact %v, on the grid %v", seed, target, exact, grid)
			}
			if one := m.leastL2(x, target, 1); one < exact-1e-9 {
				t.Errorf("seed %d, target %d: %v with one entry, %v with two", seed, target, one, exact)
			}
		}
	}
}

func (m reluNet) logits(x []float64) []float64 {
	z := append([]float64(nil), m.b2...)
	for j, row := range m.w1 {
		h := max(m.b1[j]+dot(row, x), 0)
		for c := range z {
			z[c] += m.w2[c][j] * h
		}
	}
	return z
}

// TestGaps: ours solve every problem, at the optimum on linear models and near
// it on small networks. SAPF_LONG prints the whole table.
func TestGaps(t *testing.T) {
	count, names := 6, []string{"best", "fewest", "sigma-zero"}
	if os.Getenv("SAPF_LONG") != "" {
		count, names = 10, nil
	}
	table, err := Gaps(context.Background(), count, names...)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d problems of a kind\n%v", count, table)
	for _, g := range table {
		if g.Problems != count || g.L2 < -1e-4 {
			t.Errorf("%+v: expected %d problems and no gap below 0", g, count)
		}
		if g.Method == "best" && (g.Solved < count || g.L2 > 0.05 || g.Kind == "linear" && g.Worst > 1e-3) {
			t.Errorf("%+v: expected all solved near the optimum", g)
		}
	}
}
