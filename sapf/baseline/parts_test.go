package baseline

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sapf/models"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/metric"
)

// TestSalientPair compares the pruned search with all pairs.
func TestSalientPair(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for trial := range 300 {
		n := 2 + rng.IntN(14)
		alpha, beta, domain := uniform(rng, n, -1, 1), uniform(rng, n, -1, 1), make([]bool, n)
		for i := range domain {
			domain[i] = rng.IntN(4) > 0
		}
		up := trial%2 == 0
		best, found := 0.0, false
		for p := range n {
			for q := p + 1; q < n; q++ {
				a, b := alpha[p]+alpha[q], beta[p]+beta[q]
				if !up {
					a, b = -a, -b
				}
				if domain[p] && domain[q] && a > 0 && b < 0 && -a*b > best {
					best, found = -a*b, true
				}
			}
		}
		p, q, ok := salientPair(alpha, beta, domain, up)
		if ok != found {
			t.Fatalf("trial %d: pair found: %v, expected %v", trial, ok, found)
		}
		if score := -(alpha[p] + alpha[q]) * (beta[p] + beta[q]); ok && math.Abs(score-best) > 1e-12 {
			t.Fatalf("trial %d: pair (%d, %d) scores %v, the best %v", trial, p, q, score, best)
		}
		if ok && (!domain[p] || !domain[q] || p == q) {
			t.Fatalf("trial %d: pair (%d, %d) is not of the domain", trial, p, q)
		}
	}
}

// TestLinearSolve: the solver crosses the plane inside the bounds and moves the
// fewest entries that can.
func TestLinearSolve(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	for trial := range 200 {
		const n = 12
		normal, x := uniform(rng, n, -1, 1), uniform(rng, n, 0.2, 0.8)
		beyond := append([]float64(nil), x...)
		for i := range beyond {
			beyond[i] += 0.1 * normal[i]
		}
		lb, ub := make([]float64, n), make([]float64, n)
		gain := make([]float64, n)
		need := 0.001
		for i := range ub {
			ub[i] = 1
			gain[i] = max(normal[i]*(1-x[i]), -normal[i]*x[i])
			need += 0.1 * normal[i] * normal[i]
		}
		got := linearSolve(x, normal, beyond, lb, ub)
		f, moved := 0.0, 0
		for i := range got {
			if got[i] < 0 || got[i] > 1 {
				t.Fatalf("trial %d: entry %d is %v", trial, i, got[i])
			}
			if got[i] != x[i] {
				moved++
			}
			f += normal[i] * (got[i] - beyond[i])
		}
		if f < 0 {
			t.Errorf("trial %d: the plane is not crossed, f = %v", trial, f)
		}
		// The largest |n_j| first is not the largest gain first, so a few more
		// entries than the optimum may move.
		if best := greedyCount(gain, need); moved > best+2 {
			t.Errorf("trial %d: %d entries moved where %d suffice", trial, moved, best)
		}
	}
}

// TestSparseFool_lambda: on a linear model the point beyond the boundary is
// lambda times as far as the boundary, so the default of 3 moves what reaches
// three times the gap.
func TestSparseFool_lambda(t *testing.T) {
	const lead, lambda = 2, 3
	m, x, w := linearModel(t, 2, lead, 3)
	goal := attack.Goal{Label: 0, Target: 1}
	r, err := SparseFool{}.Run(context.Background(), m, x, goal)
	if err != nil || !r.Success {
		t.Fatalf("status %s (%v)", r.Status, err)
	}
	q, err := metric.Measure(m, x, r.Adversarial, goal)
	if err != nil {
		t.Fatal(err)
	}
	once, thrice := optimumOf(x, w, lead).entries, optimumOf(x, w, lambda*lead).entries
	if q.L0 < thrice || q.L0 > thrice+2 || thrice <= once {
		t.Errorf("%d entries changed, expected about %d for %d times the gap (%d for the gap itself)", q.L0, thrice, lambda, once)
	}
}

// TestDeepFool_oneStep: on a linear model the first step is exact.
func TestDeepFool_oneStep(t *testing.T) {
	m, x, w := linearModel(t, 2, 1, 3)
	r, err := DeepFool{}.Run(context.Background(), m, x, attack.Goal{Label: 0, Target: attack.None})
	if err != nil || !r.Success || r.Gradients != 1 {
		t.Fatalf("status %s after %d gradients (%v), expected success after one", r.Status, r.Gradients, err)
	}
	norms, err := attack.NormsOf(x, r.Adversarial)
	if want := 1.02 * optimumOf(x, w, 1).l2; err != nil || math.Abs(norms.L2/want-1) > 1e-3 {
		t.Errorf("l2 %v (%v), expected %v", norms.L2, err, want)
	}
}

// TestCWL0_k: with a budget the search ends within it, sooner and, having
// frozen less, nearer than without.
func TestCWL0_k(t *testing.T) {
	m, x, _ := linearModel(t, 2, 4, 1)
	goal := attack.Goal{Label: 0, Target: 1}
	a := CWL0{Steps: 200, LargestConst: 100, InitialConst: 0.05}
	all, err := a.Run(context.Background(), m, x, goal)
	if err != nil || !all.Success {
		t.Fatalf("status %s (%v)", all.Status, err)
	}
	a.K = 8
	some, err := a.Run(context.Background(), m, x, goal)
	if err != nil || !some.Success || some.Gradients >= all.Gradients {
		t.Fatalf("within 8 pixels: status %s (%v), %d gradients, without %d", some.Status, err, some.Gradients, all.Gradients)
	}
	p, errP := attack.NormsOf(x, all.Adversarial)
	q, errQ := attack.NormsOf(x, some.Adversarial)
	if errP != nil || errQ != nil || q.L0Pixels > 8 || q.L0Pixels <= p.L0Pixels || q.L2 >= p.L2 {
		t.Errorf("%d pixels with l2 %v within 8, %d with %v without (%v, %v)", q.L0Pixels, q.L2, p.L0Pixels, p.L2, errP, errQ)
	}
}

// TestCWL2_support: on a fixed support S of a linear model the least l2 is
// margin/||w_S||.
func TestCWL2_support(t *testing.T) {
	m, x, w := linearModel(t, 2, 1, 3)
	support := make([]bool, x.Len())
	squares := 0.0
	for i := range 10 {
		support[i] = true
		squares += (w[x.Len()+i] - w[i]) * (w[x.Len()+i] - w[i])
	}
	r, err := CWL2{Steps: 500, InitialConst: 0.01, support: support}.Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1})
	if err != nil || !r.Success {
		t.Fatalf("status %s (%v)", r.Status, err)
	}
	norms, err := attack.NormsOf(x, r.Adversarial)
	if want := 1 / math.Sqrt(squares); err != nil || math.Abs(norms.L2/want-1) > 0.02 || norms.L0 > 10 {
		t.Errorf("l2 %v over %d entries (%v), expected %v over at most 10", norms.L2, norms.L0, err, want)
	}
}

// TestEADL1_earlyAbort: a search step that makes no progress ends at a tenth of
// its steps, unless told not to.
func TestEADL1_earlyAbort(t *testing.T) {
	m, x, _ := linearModel(t, 2, 4, 1)
	goal := attack.Goal{Label: 0, Target: 1}
	const searches, steps = 3, 100
	// With c this small the loss falls by no more than rounding.
	a := EADL1{SearchSteps: searches, Steps: steps, InitialConst: 1e-9}
	for _, c := range []struct {
		never bool
		want  int
	}{{false, searches * (steps/10 + 1)}, {true, searches * steps}} {
		a.NoEarlyAbort = c.never
		r, err := a.Run(context.Background(), m, x, goal)
		if err != nil || r.Gradients != c.want {
			t.Errorf("%d gradients (%v) with NoEarlyAbort %v, expected %d", r.Gradients, err, c.never, c.want)
		}
	}
}

// TestPGDLinf_noEarlyStop: all steps are taken, and the answer, the last
// iterate, is farther away than the first success.
func TestPGDLinf_noEarlyStop(t *testing.T) {
	m, x, _ := linearModel(t, 2, 1, 1)
	goal := attack.Goal{Label: 0, Target: attack.None}
	early, err := PGDLinf{}.Run(context.Background(), m, x, goal)
	if err != nil || !early.Success {
		t.Fatalf("status %s (%v)", early.Status, err)
	}
	last, err := PGDLinf{NoEarlyStop: true}.Run(context.Background(), m, x, goal)
	if err != nil || !last.Success || last.Gradients != 20 || early.Gradients >= 20 {
		t.Errorf("status %s (%v) after %d gradients, early after %d; expected success after 20 and fewer", last.Status, err, last.Gradients, early.Gradients)
	}
	a, errA := attack.NormsOf(x, early.Adversarial)
	b, errB := attack.NormsOf(x, last.Adversarial)
	if errA != nil || errB != nil || b.L2 <= a.L2 {
		t.Errorf("l2 %v without early stop, %v with it (%v, %v)", b.L2, a.L2, errA, errB)
	}
}

func TestConstSearch(t *testing.T) {
	for _, c := range []struct {
		name    string
		success []bool
		want    []float64
	}{
		{"never", []bool{false, false, false}, []float64{1, 10, 100, 1000}},
		{"always", []bool{true, true, true}, []float64{1, 0.5, 0.25, 0.125}},
		{"the second", []bool{false, true, false, true}, []float64{1, 10, 5.5, 7.75, 6.625}},
	} {
		s := newConstSearch(1, 10)
		got := []float64{s.c}
		for _, ok := range c.success {
			s.next(ok)
			got = append(got, s.c)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s succeeds: %v, expected %v", c.name, got, c.want)
		}
	}
}

// TestOnePixel_population: 400, 390 and 400 members for 1, 3 and 5 pixels.
func TestOnePixel_population(t *testing.T) {
	for pixels, want := range map[int]int{1: 400, 3: 390, 5: 400} {
		a, err := attack.Resolve(OnePixel{K: pixels})
		if err != nil {
			t.Fatal(err)
		}
		if got := a.members(5 * pixels); got != want {
			t.Errorf("%d pixels: %d members, expected %d", pixels, got, want)
		}
	}
}

// TestSparseRS_share: the schedule at the first query, at its steps and at the
// end, for any number of queries.
func TestSparseRS_share(t *testing.T) {
	for _, queries := range []int{10000, 1000} {
		a := SparseRS{InitialShare: 0.6, Queries: queries}
		for _, c := range []struct {
			at   float64 // of 10,000
			want float64
		}{{0, 0.6}, {50, 0.3}, {200, 0.15}, {500, 0.12}, {1000, 0.1}, {2000, 0.075}, {4000, 0.06}, {6000, 0.05}, {8000, 0.04}, {9990, 0.03}} {
			if got := a.share(int(c.at * float64(queries) / 10000)); math.Abs(got-c.want) > 1e-12 {
				t.Errorf("share at query %v of 10,000 (%d queries): %v, expected %v", c.at, queries, got, c.want)
			}
		}
	}
}

// TestDrawRank: rank r comes up with probability (2(n-r)-1)/n^2.
func TestDrawRank(t *testing.T) {
	const n, draws = 5, 200000
	rng := rand.New(rand.NewPCG(15, 16))
	var count [n]int
	for range draws {
		count[drawRank(rng, n)]++
	}
	for r, c := range count {
		want := float64(2*(n-r)-1) / (n * n)
		if got := float64(c) / draws; math.Abs(got-want) > 0.005 {
			t.Errorf("rank %d: frequency %v, expected %v", r, got, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		v       []float64
		q, want float64
	}{
		{[]float64{1, 2, 3, 4, 5}, 0.25, 2},
		{[]float64{5, 1, 4, 2, 3}, 0, 1},
		{[]float64{5, 1, 4, 2, 3}, 1, 5},
		{[]float64{2, 1}, 0.5, 1.5},
		{nil, 0.03, 0},
	} {
		if got := quantile(c.v, c.q); got != c.want {
			t.Errorf("quantile %v of %v is %v, expected %v", c.q, c.v, got, c.want)
		}
	}
}

// TestLargest: StrAttack drops what is at or below the percentile of the
// changes, those of 0 not counted.
func TestLargest(t *testing.T) {
	a := StrAttack{Percentile: 25}
	got := a.largest([]float64{0, -1, 2, 0, -3, 4, 5})
	if want := []bool{false, false, false, false, true, true, true}; !slices.Equal(got, want) {
		t.Errorf("above the 25th percentile: %v, expected %v", got, want)
	}
	if got := a.largest(make([]float64, 3)); slices.Contains(got, true) {
		t.Errorf("of no changes: %v, expected none", got)
	}
}

// TestLargeLogits: on a network whose probabilities are all 0 or 1 the cross
// entropy leads nowhere, and the result says so; the ratio of differences leads to
// the same success as on the network with small logits.
func TestLargeLogits(t *testing.T) {
	_, x, w := linearModel(t, 4, 0, 3)
	const lead, scale = 4, 1e5
	weights, bias := make([]float32, len(w)), make([]float32, 4)
	for i, v := range w {
		weights[i] = float32(v * scale)
	}
	for c := range bias {
		z := 0.0
		for i, v := range x.Pix {
			z += float64(weights[c*len(x.Pix)+i]) * float64(v)
		}
		if bias[c] = float32(-z); c == 0 {
			bias[c] += lead * scale
		}
	}
	m, err := models.New(&engine.Net{
		Name: "large", Input: engine.Shape{C: 3, H: 4, W: 4},
		Nodes: []engine.Node{
			{Name: "flatten", Op: &engine.Flatten{}, In: []int{engine.Input}},
			{Name: "fc", Op: &engine.Dense{In: 48, Out: 4, W: weights, B: bias}, In: []int{0}},
		},
		Output: 1,
	}, models.Card{Name: "large"})
	if err != nil {
		t.Fatal(err)
	}
	goal := attack.Goal{Label: 0, Target: attack.None}
	for _, name := range []string{"fgsm", "pgd-linf", "pgd-l0"} {
		for _, loss := range []string{"ce", "dlr"} {
			a, _ := New(name)
			for _, set := range [][2]string{{"loss", loss}, {"epsilon", "0.2"}} {
				if err := attack.Set(a, set[0], set[1]); err != nil {
					t.Fatal(err)
				}
			}
			r, err := a.Run(context.Background(), m, x, goal)
			if err != nil {
				t.Fatal(err)
			}
			if name == "fgsm" && strings.Contains(r.Note, attack.FlatNote) != (loss == "ce") {
				t.Errorf("%s with %s: note %q", name, loss, r.Note)
			}
			if loss == "dlr" && !r.Success {
				t.Errorf("%s with %s: %s (%s)", name, loss, r.Status, r.Note)
			}
		}
	}
}
