package attack_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/internal/toy"
)

// counted is a classifier that keeps the size of each batch of gradients.
type counted struct {
	attack.Classifier
	batches *[]int
}

func (c counted) Evaluator(batch int, loss models.Loss) (models.Evaluator, error) {
	e, err := c.Classifier.Evaluator(batch, loss)
	return countedEvaluator{e, c.batches}, err
}

type countedEvaluator struct {
	models.Evaluator
	batches *[]int
}

func (e countedEvaluator) Gradient(x, targets []float64) (models.Evaluation, error) {
	*e.batches = append(*e.batches, e.Batch())
	return e.Evaluator.Gradient(x, targets)
}

// forking asks for gradients in three waves of parts parts each.
type forking struct{ parts int }

func (forking) Name() string { return "forking" }

func (a forking) Run(_ context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	r := attack.Result{Goal: goal, Adversarial: x}
	sums := make([]float64, a.parts)
	for wave := range 3 {
		err := attack.Fork(m, a.parts, func(i int, m attack.Classifier) error {
			e, err := m.Evaluator(1, attack.Margin{Confidence: 100})
			if err != nil {
				return err
			}
			point := make([]float64, x.Len())
			point[0] = float64(i+wave) / 10
			v, err := e.Gradient(point, []float64{0, 1})
			if err == nil {
				sums[i] += v.Loss[0] + v.Grad[0]
			}
			return err
		})
		if err != nil {
			return r, err
		}
	}
	r.Note = fmt.Sprint(sums)
	return r, nil
}

// TestFork: parts of one attack share passes, parts of several attacks do, too,
// and every one has the answers that it would have alone.
func TestFork(t *testing.T) {
	var batches []int
	m := counted{&toy.Linear{Shape: engine.Shape{C: 1, H: 1, W: 2}, W: [][]float64{{1, 2}, {3, -1}}}, &batches}
	x := data.NewImage("x", 1, 1, 2)
	goal := attack.Goal{Label: 0, Target: 1}
	alone, err := forking{4}.Run(context.Background(), m, x, goal)
	if err != nil || !slices.Equal(batches, []int{4, 4, 4}) {
		t.Errorf("batches %v (%v), expected three of 4", batches, err)
	}
	batches = nil
	tasks := []attack.Task{{Image: x, Goal: goal, Attack: forking{4}}, {Image: x, Goal: goal, Attack: forking{4}}}
	together, err := attack.Together(context.Background(), m, tasks)
	if err != nil {
		t.Fatal(err)
	}
	passes := 0
	for _, b := range batches {
		passes += b
	}
	if passes != 24 || len(batches) > 6 {
		t.Errorf("batches %v, expected 24 gradients in at most 6", batches)
	}
	for i, r := range together {
		if r.Note != alone.Note {
			t.Errorf("task %d: %s, alone %s", i, r.Note, alone.Note)
		}
	}
}

// TestFork_error: the first error in the order of the parts comes back, after
// all have ended.
func TestFork_error(t *testing.T) {
	m := &toy.Linear{Shape: engine.Shape{C: 1, H: 1, W: 2}, W: [][]float64{{1, 2}, {3, -1}}}
	first, second := errors.New("first"), errors.New("second")
	ended := make([]bool, 3)
	err := attack.Fork(m, 3, func(i int, m attack.Classifier) error {
		ended[i] = true
		return []error{nil, first, second}[i]
	})
	if err != first || slices.Contains(ended, false) {
		t.Errorf("error %v, ended %v; expected the first of all", err, ended)
	}
	if err := attack.Fork(m, 0, nil); err != nil {
		t.Error(err)
	}
}
