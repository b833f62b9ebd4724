package baseline

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/metric"
)

// cat loads the embedded network and the cat, to become a dog.
func cat(t testing.TB) (*models.Model, data.Image, attack.Goal) {
	t.Helper()
	m, err := models.Load("cwnet", models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := data.Load("cat", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x.Label = 3
	return m, x, attack.Goal{Label: 3, Target: 5}
}

// runBest runs an attack on the cat and measures what comes back.
func runBest(t *testing.T, a attack.Attack, goal attack.Goal) (attack.Result, metric.Measurement, data.Image) {
	t.Helper()
	m, x, _ := cat(t)
	r, err := a.Run(context.Background(), m, x, goal)
	if err != nil {
		t.Fatal(err)
	}
	q, err := metric.Measure(m, x, r.Adversarial, goal)
	if err != nil {
		t.Fatal(err)
	}
	if !q.Success || !r.Success {
		t.Fatalf("%+v: status %s, measured success %v", a, r.Status, q.Success)
	}
	return r, q, x
}

// TestBest_optimum: on linear models the l2 is the closed form's, at any k and
// with any weights, also where the box binds and a margin is asked for.
func TestBest_optimum(t *testing.T) {
	for _, c := range []struct {
		k                int
		lead, confidence float64
	}{{3, 0.5, 0}, {7, 2, 0}, {24, 4, 0}, {48, 4, 0}, {12, 5, 0}, {20, 8, 0}, {7, 1, 1}, {24, 1, 3}} {
		for seed := range uint64(3) {
			m, x, w := linearModel(t, 2, c.lead, seed)
			goal := attack.Goal{Label: 0, Target: 1}
			best := leastL2(x, w, c.lead+c.confidence, c.k)
			r, err := Best{K: c.k, Confidence: c.confidence}.Run(context.Background(), m, x, goal)
			if err != nil {
				t.Fatal(err)
			}
			q, err := metric.Measure(m, x, r.Adversarial, goal)
			if err != nil {
				t.Fatal(err)
			}
			if !q.Success || q.L0 > c.k || q.L2 > best*1.002 {
				t.Errorf("k %d, lead %v, confidence %v, seed %d: success %v, %d entries, l2 %.5f, expected at most %.5f", c.k, c.lead, c.confidence, seed, q.Success, q.L0, q.L2, best)
			}
		}
	}
}

// leastL2 is a bound from above on min ||d|| s.t. w'd >= gap with k entries in
// the box: for each threshold of the multiplier, the entries that then
// contribute most.
func leastL2(x data.Image, weights []float64, gap float64, k int) float64 {
	n := len(x.Pix)
	at := func(c float64) (gain, squares float64) {
		moved, score := make([]float64, n), make([]float64, n)
		for i := range n {
			w := weights[n+i] - weights[i]
			room := 1 - float64(x.Pix[i])
			if w < 0 {
				room = float64(x.Pix[i])
			}
			moved[i] = min(c*math.Abs(w), room)
			// what choosing i saves in the Lagrangian
			score[i] = 2*c*math.Abs(w)*moved[i] - moved[i]*moved[i]
		}
		for i, in := range keepLargest(score, k) {
			if in {
				gain += moved[i] * math.Abs(weights[n+i]-weights[i])
				squares += moved[i] * moved[i]
			}
		}
		return gain, squares
	}
	low, high := 0.0, 100.0
	for range 100 {
		if mid := (low + high) / 2; mid == low || mid == high {
			break
		} else if gain, _ := at(mid); gain >= gap {
			high = mid
		} else {
			low = mid
		}
	}
	_, squares := at(high)
	return math.Sqrt(squares)
}

// TestBest_asked: pixels, weights, superpixels, confidence and 8 bits are kept
// as asked.
func TestBest_asked(t *testing.T) {
	m, x, goal := cat(t)
	quick := Best{Preset: "quick", K: 100}
	_, plain, _ := runBest(t, quick, goal)

	pixels := quick
	pixels.Share, pixels.K = "pixels", 40
	if _, q, _ := runBest(t, pixels, goal); q.L0Pixels > 40 || q.L0 <= 40 {
		t.Errorf("%d pixels with %d entries, expected at most 40 with more", q.L0Pixels, q.L0)
	}

	groups := quick
	groups.Superpixels = 5
	r, _, _ := runBest(t, groups, goal)
	labels, err := data.Superpixels(x, data.SuperpixelOptions{Segments: 150})
	if err != nil {
		t.Fatal(err)
	}
	touched := map[int]bool{}
	for i, v := range r.Adversarial.Pix {
		if v != x.Pix[i] {
			touched[labels[i%len(labels)]] = true
		}
	}
	if len(touched) > 5 || r.Selected > 100 {
		t.Errorf("%d superpixels and %d entries, expected at most 5 and 100", len(touched), r.Selected)
	}

	sure := quick
	sure.Confidence = 5
	r, q, _ := runBest(t, sure, goal)
	z, err := metric.Logits(m, r.Adversarial)
	if err != nil {
		t.Fatal(err)
	}
	if gap := z[5] - z[models.ArgmaxBut(z, 5)]; gap < 5 || gap > 5.1 {
		t.Errorf("a margin of %v, expected 5 and little more", gap)
	}
	if q.L2 <= plain.L2 {
		t.Errorf("l2 %v with confidence 5, %v without", q.L2, plain.L2)
	}

	rounded := quick
	rounded.Judge = "8bit"
	r, q, _ = runBest(t, rounded, goal)
	if !q.Success8Bit || !slices.Equal(attack.EightBit(r.Adversarial).Pix, r.Adversarial.Pix) || q.L0 > 100 || q.L2 > 1.03*plain.L2 {
		t.Errorf("8 bits: success %v, %d entries, l2 %v (%v without)", q.Success8Bit, q.L0, q.L2, plain.L2)
	}

	weighted := quick
	weighted.Weight = "variance"
	w := weighted.weights(x)
	length := func(adv data.Image) float64 {
		return byWeightedL2(weighted, x)(nil)(widen(x), widen(adv))[0]
	}
	unweighted, err := quick.Run(context.Background(), m, x, goal)
	if err != nil {
		t.Fatal(err)
	}
	r, _, _ = runBest(t, weighted, goal)
	if len(w) != x.Len() || length(r.Adversarial) > 0.5*length(unweighted.Adversarial) {
		t.Errorf("||w*delta||^2 is %v, that of the unweighted answer %v", length(r.Adversarial), length(unweighted.Adversarial))
	}
}

// TestBest_untargeted: the answer is no longer than those to every class.
func TestBest_untargeted(t *testing.T) {
	a := Best{K: 100, Gradients: 600}
	_, q, _ := runBest(t, a, attack.Goal{Label: 3, Target: attack.None})
	for _, target := range []int{2, 5, 6} {
		if _, p, _ := runBest(t, a, attack.Goal{Label: 3, Target: target}); p.L2 < 0.99*q.L2 {
			t.Errorf("l2 %v to class %d, untargeted %v", p.L2, target, q.L2)
		}
	}
}

// TestBest_presets: each stays within its budget, and more of it is not worse.
func TestBest_presets(t *testing.T) {
	_, _, goal := cat(t)
	last := math.Inf(1)
	for _, c := range []struct {
		preset string
		most   int
	}{{"quick", 300}, {"", 1000}} {
		r, q, _ := runBest(t, Best{Preset: c.preset, K: 60}, goal)
		if r.Gradients > c.most || r.Gradients < c.most*3/4 {
			t.Errorf("preset %q: %d gradients, expected up to %d", c.preset, r.Gradients, c.most)
		}
		if q.L2 > last {
			t.Errorf("preset %q: l2 %v, a smaller budget %v", c.preset, q.L2, last)
		}
		last = q.L2
	}
}

// TestBest_budget: no budget is exceeded, whatever the parts are asked to be.
func TestBest_budget(t *testing.T) {
	m, x, goal := cat(t)
	untargeted := attack.Goal{Label: goal.Label, Target: attack.None}
	for _, most := range []int{1, 5, 30, 100, 150, 301} {
		for _, a := range []Best{{K: 60}, {K: 1}, {K: 200, Starts: 1}, {K: 60, Unions: 4, Refined: 9, Cycles: 9}, {K: 60, Cycles: -1}} {
			a.Gradients = most
			for _, g := range []attack.Goal{goal, untargeted} {
				r, err := a.Run(t.Context(), m, x, g)
				if err != nil || r.Gradients > max(most, countOf(g)) || most >= 150 && a.K > 1 && !r.Success {
					t.Errorf("%+v towards %d: %d gradients, success %v, %v", a, g.Target, r.Gradients, r.Success, err)
				}
			}
		}
	}
}

// countOf is what an untargeted attack cannot do without: the gradient of each
// other class at the image, and one step.
func countOf(g attack.Goal) int {
	if g.Targeted() {
		return 0
	}
	return 10
}

// TestBest_together: nine targets and a neighbour in one batch, at one and two
// threads, are the bytes of each alone, also where a start fails.
func TestBest_together(t *testing.T) {
	m, x, _ := cat(t)
	a := Best{Preset: "quick", K: 30}
	var tasks []attack.Task
	for target := range 10 {
		if target != x.Label && target%2 == 0 {
			tasks = append(tasks, attack.Task{Image: x, Goal: attack.Goal{Label: x.Label, Target: target}, Attack: a})
		}
	}
	m.Threads = 2
	together, err := attack.RunBatch(context.Background(), m, tasks)
	if err != nil {
		t.Fatal(err)
	}
	m.Threads = 1
	for i, task := range tasks[:2] {
		alone, err := a.Run(context.Background(), m, task.Image, task.Goal)
		if err != nil || !slices.Equal(alone.Adversarial.Pix, together[i].Adversarial.Pix) || alone.Gradients != together[i].Gradients {
			t.Errorf("target %d: %d gradients alone and %d together, or other pixels (%v)", task.Goal.Target, alone.Gradients, together[i].Gradients, err)
		}
	}
}

// TestBest_cancel: what was found before the context ended is kept.
func TestBest_cancel(t *testing.T) {
	m, x, goal := cat(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := &cancelling{Classifier: m, after: 70, cancel: cancel} // passes of a batch: beyond the starts
	r, err := Best{Preset: "quick", K: 200}.Run(ctx, c, x, goal)
	if err != nil || r.Status != attack.Cancelled || !r.Success || c.passes > 70 {
		t.Errorf("status %s, success %v after %d passes (%v), expected a success kept after 70", r.Status, r.Success, c.passes, err)
	}
}

// ExampleBest changes 100 entries as little as possible.
func ExampleBest() {
	m, err := models.Load("cwnet", models.LoadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	x, err := data.Load("cat", data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := Best{Preset: "quick", K: 100}.Run(context.Background(), m, x, attack.Goal{Label: 3, Target: 5})
	fmt.Println(r.Success, r.Selected, r.Gradients <= 300, err)
	// Output: true 100 true <nil>
}

// TestFewest_oneEntry: where one entry suffices, and before that is known, the
// search neither runs out of entries nor stops short of it.
func TestFewest_oneEntry(t *testing.T) {
	for seed := range uint64(6) {
		for _, lead := range []float64{0.3, 0.9, 1.5} {
			m, x, w := linearModel(t, 2, lead, seed)
			r, err := Fewest{Steps: 200, First: 0.02, Seed: seed}.Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1})
			if best := optimumOf(x, w, lead).entries; err != nil || !r.Success || r.Selected != best {
				t.Errorf("seed %d, lead %v: status %s with %d entries (%v), expected %d", seed, lead, r.Status, r.Selected, err, best)
			}
		}
	}
}
