package baseline

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf"
	"sapf/sapf/metric"
)

// onCWNet is how each attack fares on the embedded C&W network and photograph:
// a quick setting, whether it reaches the target "dog" from "cat", and the most
// entries it may change.
var onCWNet = map[string]struct {
	attack sapf.Attack
	hits   bool
	most   int
}{
	"cw-l0":        {CWL0{Steps: 60, LargestConst: 1, InitialConst: 0.5}, true, 900},
	"one-pixel":    {OnePixel{K: 1, Population: 50, Generations: 3}, false, 3},
	"sparsefool":   {SparseFool{}, true, 300},
	"cornersearch": {CornerSearch{K: 12, Top: 30, Draws: 64, Increment: 5}, false, 36},
	"pgd-l0":       {PGDL0{K: 60, Steps: 60, Restarts: 1}, true, 180},
	"strattack":    {StrAttack{SearchSteps: 2, Steps: 40, StepsGrowth: 1, InitialConst: 25, Refine: 1, RefineSteps: 30}, true, 2000},
	"jsma":         {JSMA{}, true, 300},
	"lavan":        {LaVAN{Side: 10, Row: 8, Col: 8, Steps: 100}, true, 300},
	"l0-admm":      {L0ADMM{Iterations: 4, InnerSteps: 50, StepSize: 0.02}, false, 3072},
	"cw-l2":        {CWL2{SearchSteps: 2, Steps: 60, InitialConst: 1}, true, 3072},
	"deepfool":     {DeepFool{}, true, 3072},
	"fgsm":         {FGSM{}, false, 3072},
	"pgd-linf":     {PGDLinf{}, true, 3072},
	"sigma-zero":   {SigmaZero{}, true, 60},
	"fmn-l0":       {FMNL0{Steps: 100}, true, 60},
	"sparse-rs":    {SparseRS{K: 24, Queries: 200}, false, 72},
	"greedyfool":   {GreedyFool{ReduceSteps: 20}, true, 300},
	"ead-l1":       {EADL1{SearchSteps: 2, Steps: 60, InitialConst: 1}, true, 1500},
}

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
	goal := sapf.Goal{Label: cat, Target: dog}
	for _, name := range Names() {
		row := onCWNet[name]
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
	var tasks []Task
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
			tasks = append(tasks, Task{Image: x, Goal: sapf.Goal{Label: x.Label, Target: sapf.None}})
			clean = append(clean, slices.Clone(x.Pix))
		}
	}
	for _, name := range Names() {
		row := onCWNet[name]
		results, err := Together(context.Background(), m, row.attack, tasks)
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
