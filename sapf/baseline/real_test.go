package baseline

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/metric"
)

// TestCWNet runs every attack on the C&W network and a photograph.
func TestCWNet(t *testing.T) {
	m, err := models.Load("cwnet", models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := data.Load("cat", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const cat, dog = 3, 5
	x.Label = cat
	goal := attack.Goal{Label: cat, Target: dog}
	for _, name := range Names() {
		row := suite[name].cwnet
		r, err := row.attack.Run(context.Background(), m, x, goal)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		q, err := metric.Measure(m, x, r.Adversarial, goal)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Logf("%-12s %-8s l0 %4d (%4d pixels) l1 %7.3f l2 %6.3f linf %.3f, %5d forwards %5d gradients %s",
			name, r.Status, q.L0, q.L0Pixels, q.L1, q.L2, q.Linf, r.Forwards, r.Gradients, r.Note)
		if q.Success != r.Success {
			t.Errorf("%s claims success %v, measured %v", name, r.Success, q.Success)
		}
		if row.hits && !q.Success {
			t.Errorf("%s does not reach the target", name)
		}
		if q.Success && q.L0 > row.most {
			t.Errorf("%s changes %d entries, expected at most %d", name, q.L0, row.most)
		}
	}
}

// TestCIFAR runs every attack untargeted on three CIFAR-10 test records in one
// batch: claims are borne out, the records stay as they were, and the first
// one's result is the same bytes without the others.
func TestCIFAR(t *testing.T) {
	if os.Getenv("SAPF_DATA") == "" {
		t.Skip("SAPF_DATA is not set: no CIFAR-10 to attack")
	}
	m, err := models.Load("cwnet", models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var tasks []attack.Task
	var clean [][]float32
	for record := 0; len(tasks) < 3; record++ {
		x, err := data.Load(fmt.Sprintf("cifar10:%d", record), data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := m.Predict(x)
		if err != nil {
			t.Fatal(err)
		}
		if p.Class == x.Label {
			tasks = append(tasks, attack.Task{Image: x, Goal: attack.Goal{Label: x.Label, Target: attack.None}})
			clean = append(clean, slices.Clone(x.Pix))
		}
	}
	for _, name := range Names() {
		row := suite[name].cwnet
		results, err := attack.Together(context.Background(), m, with(row.attack, tasks))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		hits := 0
		for i, r := range results {
			q, err := metric.Measure(m, tasks[i].Image, r.Adversarial, tasks[i].Goal)
			if err != nil {
				t.Errorf("%s, %s: %v", name, tasks[i].Image.Name, err)
				continue
			}
			if q.Success != r.Success || q.Success && q.L0 == 0 {
				t.Errorf("%s, %s: claims success %v, measured %v with %d entries changed", name, tasks[i].Image.Name, r.Success, q.Success, q.L0)
			}
			if !slices.Equal(tasks[i].Image.Pix, clean[i]) {
				t.Fatalf("%s changed %s", name, tasks[i].Image.Name)
			}
			if q.Success {
				hits++
			}
		}
		t.Logf("%-12s %d of 3", name, hits)
		if row.hits && hits < 2 {
			t.Errorf("%s succeeds on %d of 3 records", name, hits)
		}
		alone, err := row.attack.Run(context.Background(), m, tasks[0].Image, tasks[0].Goal)
		if err != nil || !slices.Equal(alone.Adversarial.Pix, results[0].Adversarial.Pix) || alone.Forwards != results[0].Forwards {
			t.Errorf("%s, %s: alone after %d passes, in a batch after %d, or other pixels (%v)", name, tasks[0].Image.Name, alone.Forwards, results[0].Forwards, err)
		}
	}
}
