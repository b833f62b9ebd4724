package baseline

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/metric"
)

// TestFailure15_Together: an image's result is the same bytes alone and in a
// batch with others, for every attack.
func TestFailure15_Together(t *testing.T) {
	m, x, _ := linearModel(t, 3, 4, 1)
	tasks := []attack.Task{
		{Image: x, Goal: attack.Goal{Label: 0, Target: 1}},
		{Image: x, Goal: attack.Goal{Label: 0, Target: 2}},
		{Image: x, Goal: attack.Goal{Label: 0, Target: attack.None}},
		{Image: x, Goal: attack.Goal{Label: 1, Target: 0}}, // already
	}
	other := x.Clone()
	for i := range other.Pix {
		other.Pix[i] = 1 - other.Pix[i]
	}
	other.Name = "negative"
	tasks = append(tasks, attack.Task{Image: other, Goal: attack.Goal{Label: attack.None, Target: 1}})
	for _, name := range Names() {
		a := suite[name].toy
		together, err := attack.Together(context.Background(), m, with(a, tasks))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, task := range tasks {
			alone, err := a.Run(context.Background(), m, task.Image, task.Goal)
			if err != nil {
				t.Errorf("%s, task %d: %v", name, i, err)
				continue
			}
			r := together[i]
			if !slices.Equal(alone.Adversarial.Pix, r.Adversarial.Pix) || alone.Status != r.Status ||
				alone.Forwards != r.Forwards || alone.Gradients != r.Gradients {
				t.Errorf("%s, task %d: together %s after %d passes, alone %s after %d, or other pixels",
					name, i, r.Status, r.Forwards, alone.Status, alone.Forwards)
			}
		}
	}
}

// TestTogether_onePoison: an image whose pass overflows ends alone.
func TestTogether_onePoison(t *testing.T) {
	m, x, _ := linearModel(t, 2, 4, 1)
	black := x.Clone()
	for i := range black.Pix {
		black.Pix[i] = 0
	}
	goal := attack.Goal{Label: attack.None, Target: 1}
	p := poisoned{m, float64(x.Pix[0])}
	results, err := attack.Together(context.Background(), p, with(SigmaZero{Steps: 30}, []attack.Task{{Image: x, Goal: goal}, {Image: black, Goal: goal}}))
	if err != nil {
		t.Fatal(err)
	}
	alone, err := SigmaZero{Steps: 30}.Run(context.Background(), m, black, goal)
	if err != nil {
		t.Fatal(err)
	}
	if results[0].Status != attack.Numeric {
		t.Errorf("the poisoned image ends as %s, expected %s", results[0].Status, attack.Numeric)
	}
	if results[1].Status != alone.Status || !slices.Equal(results[1].Adversarial.Pix, alone.Adversarial.Pix) {
		t.Errorf("its neighbour ends as %s, alone as %s, or with other pixels", results[1].Status, alone.Status)
	}
}

// TestTogether_sharesBatches: attacks that ask about many candidates at a time
// have one set of buffers between them, and it has a bound in entries.
func TestTogether_sharesBatches(t *testing.T) {
	m, x, _ := linearModelOf(t, engine.Shape{C: 3, H: 160, W: 160}, 2, 1, 1)
	goal := attack.Goal{Label: 0, Target: 1}
	c := &counted{Classifier: m}
	tasks := slices.Repeat([]attack.Task{{Image: x, Goal: goal}}, 5)
	if _, err := attack.Together(context.Background(), c, with(OnePixel{Population: 60, Generations: 2}, tasks)); err != nil {
		t.Fatal(err)
	}
	if c.batches > 2 { // another size for what is left over
		t.Errorf("five attacks made %d evaluators of batches, expected at most 2", c.batches)
	}
	if most := 4 * scoreBatch * 3 * 32 * 32 / x.Len(); c.largest > most {
		t.Errorf("a batch of %d images of %d entries, expected at most %d", c.largest, x.Len(), most)
	}
}

// counted is a classifier that counts the evaluators of batches.
type counted struct {
	attack.Classifier
	batches, largest int
}

func (c *counted) Evaluator(batch int, loss models.Loss) (models.Evaluator, error) {
	if batch > 1 {
		c.batches++
		c.largest = max(c.largest, batch)
	}
	return c.Classifier.Evaluator(batch, loss)
}

// poisoned is a classifier that overflows on images with a given first entry.
type poisoned struct {
	attack.Classifier
	entry float64
}

func (p poisoned) Evaluator(batch int, loss models.Loss) (models.Evaluator, error) {
	e, err := p.Classifier.Evaluator(batch, loss)
	return poisonedEvaluator{e, p.entry, p.InputShape().Len()}, err
}

type poisonedEvaluator struct {
	models.Evaluator
	entry float64
	n     int
}

func (e poisonedEvaluator) Gradient(x, targets []float64) (models.Evaluation, error) {
	for i := 0; i < len(x); i += e.n {
		if x[i] == e.entry {
			return models.Evaluation{}, &models.NumericError{Where: "logits", Example: i / e.n}
		}
	}
	return e.Evaluator.Gradient(x, targets)
}

// TestBudgeted: within any budget no attack changes more, and one that can
// succeed there still reports only what the image shows.
func TestBudgeted(t *testing.T) {
	const lead = 4
	m, x, w := linearModel(t, 2, lead, 1)
	goal := attack.Goal{Label: 0, Target: 1}
	best := optimumOf(x, w, lead)
	for _, name := range Names() {
		for _, unit := range []attack.Unit{attack.Entries, attack.Pixels} {
			for _, k := range []int{1, 12} {
				b := Budgeted{Attack: suite[name].toy, K: k, Unit: unit}
				r, err := b.Run(context.Background(), m, x, goal)
				if err != nil {
					t.Errorf("%s, %d %s: %v", name, k, unit, err)
					continue
				}
				q, err := metric.Measure(m, x, r.Adversarial, goal)
				if err != nil {
					t.Errorf("%s, %d %s: %v", name, k, unit, err)
					continue
				}
				used := q.L0
				if unit == attack.Pixels {
					used = q.L0Pixels
				}
				if used > k || r.K != k {
					t.Errorf("%s: %d %s changed of a budget of %d (reported as %d)", name, used, unit, k, r.K)
				}
				if q.Success != r.Success || r.Success != (r.Status == attack.Succeeded) {
					t.Errorf("%s, %d %s: claims %v, status %s, measured %v", name, k, unit, r.Success, r.Status, q.Success)
				}
				enough := unit == attack.Entries && k >= best.entries || unit == attack.Pixels && k >= best.pixels
				if q.Success && !enough {
					t.Errorf("%s: succeeds with %d %s, the optimum is %+v", name, k, unit, best)
				}
				// 12 of 48 entries are four times the optimum: the largest
				// changes of every gradient attack hold it, a fixed patch or
				// random corners need not.
				gradient := name != "lavan" && name != "fgsm" && name != "pgd-linf" && name != "one-pixel" && name != "sparse-rs" && name != "cornersearch"
				if k == 12 && gradient && !q.Success {
					t.Errorf("%s fails within %d %s, the optimum is %+v", name, k, unit, best)
				}
			}
		}
	}
	for _, b := range []Budgeted{{Attack: JSMA{}}, {Attack: JSMA{}, K: -1}, {Attack: JSMA{}, K: 3, Unit: "bytes"}} {
		if _, err := b.Run(context.Background(), m, x, goal); err == nil {
			t.Errorf("a budget of %d %q is accepted", b.K, b.Unit)
		}
	}
}

// ExampleTogether attacks one image towards three classes in one batch.
func Example_together() {
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
	const cat, bird, dog, frog = 3, 2, 5, 6
	var tasks []attack.Task
	for _, target := range []int{bird, dog, frog} {
		tasks = append(tasks, attack.Task{Image: x, Goal: attack.Goal{Label: cat, Target: target}})
	}
	results, err := attack.Together(context.Background(), m, with(FMNL0{Steps: 100}, tasks))
	if err != nil {
		fmt.Println(err)
		return
	}
	reached := 0
	for _, r := range results {
		if r.Success {
			reached++
		}
	}
	fmt.Printf("%d of %d targets reached, %d passes each\n", reached, len(results), results[0].Gradients)
	// Output: 3 of 3 targets reached, 100 passes each
}

// ExampleBudgeted holds a dense attack to 30 entries.
func ExampleBudgeted() {
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
	b := Budgeted{Attack: DeepFool{}, K: 30}
	r, err := b.Run(context.Background(), m, x, attack.Goal{Label: 3, Target: 5})
	fmt.Println(r.Success, r.Selected <= 30, r.Note, err)
	// Output: true true 3072 entries cut to 30, magnitudes found anew on that support <nil>
}

// with gives the tasks their attack.
func with(a attack.Attack, tasks []attack.Task) []attack.Task {
	out := slices.Clone(tasks)
	for i := range out {
		out[i].Attack = a
	}
	return out
}
