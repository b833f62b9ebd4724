package sapf_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf"
	"sapf/sapf/attack"
	"sapf/sapf/internal/toy"
)

// roundings runs the cases with each rounding and reports how many succeed and
// how far Selected is from k.
func roundings(t *testing.T, m attack.Classifier, cases []sapf.TestCase) {
	t.Helper()
	successes := map[string]int{}
	for _, rounding := range []string{"threshold", "topk", "topk_product"} {
		off := 0
		for i := range cases {
			cases[i].Settings.Round = rounding
		}
		results, err := sapf.RunCases(context.Background(), m, cases)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			if r.Success {
				successes[rounding]++
			}
			for _, round := range sapf.SearchOf(r) {
				d := round.Selected - cases[i].Settings.K
				if d != 0 && rounding != "threshold" {
					t.Errorf("%s, %s: a round selected %d, k is %d", cases[i].Image.Name, rounding, round.Selected, cases[i].Settings.K)
				}
				off = max(off, d, -d)
			}
			norms, err := attack.NormsOf(cases[i].Image, r.Adversarial)
			if err != nil || norms.L0 > r.Selected {
				t.Errorf("%s, %s: l0 %d, selected %d, %v", cases[i].Image.Name, rounding, norms.L0, r.Selected, err)
			}
		}
		t.Logf("%s: %d of %d succeed, selected misses k by up to %d", rounding, successes[rounding], len(cases), off)
	}
	for _, rounding := range []string{"topk", "topk_product"} {
		if successes[rounding] < successes["threshold"] {
			t.Errorf("%d succeed with %s, %d with the threshold", successes[rounding], rounding, successes["threshold"])
		}
	}
}

// TestExactCardinalityOn100Images: with top-k rounding k entries are selected
// in every round, and no fewer attacks succeed than with the threshold. On
// linear models, 100 images.
func TestExactCardinalityOn100Images(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	shape := engine.Shape{C: 3, H: 8, W: 8}
	m := &toy.Linear{Shape: shape}
	for range 5 {
		w := make([]float64, shape.Len())
		for i := range w {
			w[i] = rng.NormFloat64()
		}
		m.W = append(m.W, w)
	}
	var cases []sapf.TestCase
	for i := range 100 {
		s := sapf.Reference().InSteps(300)
		s.Lambda2, s.Lambda1, s.K, s.SearchRounds = 0, 0.1, 20+i, 2
		x := data.NewImage(fmt.Sprint("random ", i), 3, 8, 8)
		for j := range x.Pix {
			x.Pix[j] = rng.Float32()
		}
		cases = append(cases, sapf.TestCase{Image: x, Goal: attack.Goal{Label: attack.None, Target: i % 5}, Settings: s})
	}
	roundings(t, m, cases)
}

// TestExactCardinalityOnCIFAR is the same on 100 CIFAR-10 test images and the
// C&W network, with the upper half of the program's search: a round of lambda1 =
// 1, then 10 and 100 where the last step lay on the wrong side of the border.
func TestExactCardinalityOnCIFAR(t *testing.T) {
	root(t)
	long(t)
	m := cwnet(t, "")
	var cases []sapf.TestCase
	for i := 0; len(cases) < 100; i++ {
		x := cifar(t, fmt.Sprintf("cifar10:%d", i))
		p, err := m.Predict(x)
		if err != nil {
			t.Fatal(err)
		}
		if p.Class != x.Label {
			continue
		}
		s := sapf.Reference().InSteps(300)
		s.Lambda2, s.Lambda1, s.SearchRounds, s.StopAtFirstSuccess = 0, 1, 3, true
		cases = append(cases, sapf.TestCase{Image: x, Goal: attack.Goal{Label: x.Label, Target: (x.Label + 1) % 10}, Settings: s})
	}
	roundings(t, m, cases)
}
