package study

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf"
	"sapf/sapf/attack"
	"sapf/sapf/internal/toy"
)

// images are correctly classified CIFAR-10 test images, each to the class after
// its own.
func images(t *testing.T, m *models.Model, n int) []attack.Task {
	t.Helper()
	if os.Getenv("SAPF_DATA") == "" {
		t.Skip("SAPF_DATA is not set: CIFAR-10 is not at hand")
	}
	var tasks []attack.Task
	for i := 0; len(tasks) < n; i++ {
		x, err := data.Load(fmt.Sprintf("cifar10:%d", i), data.Options{})
		if err != nil {
			t.Skip(err)
		}
		p, err := m.Predict(x)
		if err != nil {
			t.Fatal(err)
		}
		if p.Class == x.Label {
			tasks = append(tasks, attack.Task{Image: x, Goal: attack.Goal{Label: x.Label, Target: (x.Label + 1) % 10}})
		}
	}
	return tasks
}

// settings are the reference's in a shorter schedule, with exactly k entries
// and a search that begins where these attacks begin to succeed.
func settings(t *testing.T) (s sapf.Settings, n int) {
	s, n = sapf.Reference().InSteps(200), 2
	if os.Getenv("SAPF_LONG") != "" {
		s, n = sapf.Reference().InSteps(500), 10
	} else if os.Getenv("SAPF_DATA") == "" {
		t.Skip("SAPF_DATA is not set: CIFAR-10 is not at hand")
	}
	s.K, s.Round, s.Lambda2, s.Lambda1, s.SearchRounds = 200, "topk", 0, 1, 3
	s.StopAtFirstSuccess = true
	return s, n
}

func cwnet(t *testing.T) *models.Model {
	t.Helper()
	m, err := models.Load("cwnet", models.LoadOptions{})
	if err != nil {
		t.Skip(err)
	}
	return m
}

// TestGroupsGatherInFewerSuperpixels is Figure 3: at equal k and full success,
// lambda2 = 10 leaves the perturbation in fewer superpixels than 0.
func TestGroupsGatherInFewerSuperpixels(t *testing.T) {
	s, n := settings(t)
	m := cwnet(t)
	modes := []string{"admm"}
	if os.Getenv("SAPF_LONG") != "" {
		modes = append(modes, "gradient")
	}
	for _, mode := range modes {
		s.GroupMode = mode
		table, err := Groups(context.Background(), m, images(t, m, n), s, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("group_mode = %s, k = %d, %d steps\n%v", mode, s.K, s.DeltaSteps, table)
		plain, grouped := table.Rows[0], table.Rows[1]
		if plain.Successes() != n || grouped.Successes() != n {
			t.Errorf("%s: %d and %d of %d succeed, want all", mode, plain.Successes(), grouped.Successes(), n)
		}
		count := func(o Effect) float64 { return float64(o.Superpixels) }
		if g, p := grouped.Mean(count), plain.Mean(count); !(g < p) {
			t.Errorf("%s: %.1f superpixels with groups, %.1f without", mode, g, p)
		}
		for i, o := range grouped.Effects {
			if o.Selected != s.K || plain.Effects[i].Selected != s.K {
				t.Errorf("%s: %d and %d selected, want %d", o.Image, o.Selected, plain.Effects[i].Selected, s.K)
			}
		}
	}
}

// TestWeightsLeaveFlatNeighbourhoods is Figure 5: the variance weight takes
// perturbation out of the flattest third.
func TestWeightsLeaveFlatNeighbourhoods(t *testing.T) {
	s, n := settings(t)
	m := cwnet(t)
	weights, presets := []string{"none", "variance"}, []string{"reference"}
	if os.Getenv("SAPF_LONG") != "" {
		presets = sapf.Presets()
		weights = append(weights, "variance_mean", "contrast", "contrast_mean", "gradient")
	}
	for _, preset := range presets {
		p, err := sapf.Preset(preset)
		if err != nil {
			t.Fatal(err)
		}
		s.WeightStat, s.WeightScale = p.WeightStat, p.WeightScale
		table, err := Weights(context.Background(), m, images(t, m, n), s, weights...)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("weights of the %s (%s, %s), k = %d, %d steps\n%v", preset, s.WeightStat, s.WeightScale, s.K, s.DeltaSteps, table)
		for _, r := range table.Rows[:2] {
			if r.Successes() != n {
				t.Errorf("%s, %s: %d of %d succeed, want all", preset, r.Name, r.Successes(), n)
			}
		}
		share := func(o Effect) float64 { return o.FlatShare }
		if plain, variance := table.Rows[0].Mean(share), table.Rows[1].Mean(share); !(variance < plain) {
			t.Errorf("%s: flat share %.3f with weights, %.3f without", preset, variance, plain)
		}
	}
}

func TestFlatShareOfAPlainPerturbation(t *testing.T) {
	x := data.NewImage("half", 1, 6, 6) // columns 0 to 2 flat, the rest striped
	for i := range x.Pix {
		if c := i % 6; c > 2 {
			x.Pix[i] = float32(c%2) / 2
		}
	}
	adv := x.Clone()
	adv.Pix[0], adv.Pix[5] = 0.25, 0.25 // 0.25 in the flat part, 0.25 in the other
	if got := flatShare(x, adv); got != 0.5 {
		t.Errorf("flat share %g, want 0.5", got)
	}
	if got := flatShare(x, x); got != 0 {
		t.Errorf("flat share of nothing is %g", got)
	}
}

// TestTableOfDivergences prints what each choice costs: long on the C&W
// network, and on a linear model always, where every variant must succeed.
func TestTableOfDivergences(t *testing.T) {
	s := sapf.Reference().InSteps(400)
	s.Lambda2, s.SearchRounds, s.StopAtFirstSuccess, s.Segments = 0, 4, true, 9
	s.K, s.Lambda1 = 80, 0.1
	if os.Getenv("SAPF_LONG") != "" {
		m := cwnet(t)
		s := s
		s.K, s.Lambda1, s.Segments = 200, 1, 150
		table, err := Divergences(context.Background(), m, images(t, m, 5), s, TableOfDivergences...)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("cwnet, k = %d, %d steps, lambda1 from %g\n%v", s.K, s.DeltaSteps, s.Lambda1, table)
	}
	m, tasks := linear()
	table, err := Divergences(context.Background(), m, tasks, s, TableOfDivergences...)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("linear model\n%v", table)
	for _, r := range table.Rows {
		if r.Successes() != len(r.Effects) {
			t.Errorf("%s: %d of %d succeed", r.Name, r.Successes(), len(r.Effects))
		}
	}
	if _, err := Divergences(context.Background(), m, tasks, s, "lamda1=3"); err == nil {
		t.Error("an unknown setting was accepted")
	}
}

// linear is a linear classifier of 5 classes and three images in its class 0.
func linear() (*toy.Linear, []attack.Task) {
	rng := rand.New(rand.NewPCG(21, 22))
	m := &toy.Linear{Shape: engine.Shape{C: 3, H: 8, W: 8}, B: []float64{60, 0, 0, 0, 0}}
	for range 5 {
		w := make([]float64, m.Shape.Len())
		for i := range w {
			w[i] = rng.NormFloat64()
		}
		m.W = append(m.W, w)
	}
	var tasks []attack.Task
	for i := range 3 {
		x := data.NewImage(fmt.Sprint("random ", i), 3, 8, 8)
		for j := range x.Pix {
			x.Pix[j] = 0.25 + rng.Float32()/2
		}
		tasks = append(tasks, attack.Task{Image: x, Goal: attack.Goal{Label: 0, Target: i + 1}})
	}
	return m, tasks
}
