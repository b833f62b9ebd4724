package sweep

import (
	"context"
	"slices"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
)

// ending is a model that ends a context at one of its predictions.
type ending struct {
	*models.Model
	left int
	end  func()
}

func (m *ending) Predict(x data.Image) (models.Prediction, error) {
	if m.left--; m.left == 0 {
		m.end()
	}
	return m.Model.Predict(x)
}

// TestInterruptedWhileImagesAreClassified: an interrupt is heeded before ten
// thousand images have been classified, and before one has been attacked.
func TestInterruptedWhileImagesAreClassified(t *testing.T) {
	m, err := models.Load("cwmnist", models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := LoadImage("fashion:0", m, false)
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewAttack("fgsm", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	tasks := make([]attack.Task, 10000)
	for i := range tasks {
		image := x
		image.Pix = slices.Clone(x.Pix)
		tasks[i] = attack.Task{Image: image, Attack: a, Goal: attack.Goal{Label: x.Label, Target: 4}}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stops := &ending{m, 100, cancel}
	outcomes, err := Run(ctx, stops, tasks, Options{})
	if err != nil || len(outcomes) != len(tasks) || slices.ContainsFunc(outcomes, func(o *Outcome) bool { return o != nil }) {
		t.Errorf("%d outcomes, %v, expected one of none for each task", len(outcomes), err)
	}
	if stops.left != 0 {
		t.Errorf("%d more images were classified", -stops.left)
	}
}
