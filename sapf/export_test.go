package sapf

import (
	"context"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// TestCase is a task with settings that a test goes on to change.
type TestCase struct {
	Image    data.Image
	Goal     attack.Goal
	Settings Settings
}

// RunCases runs cases in one batch.
func RunCases(ctx context.Context, m attack.Classifier, cases []TestCase) ([]attack.Result, error) {
	tasks := make([]attack.Task, len(cases))
	for i, c := range cases {
		tasks[i] = attack.Task{Image: c.Image, Goal: c.Goal, Attack: c.Settings}
	}
	return Settings{}.RunBatch(ctx, m, tasks)
}

// MaskOf and SearchOf are a result's detail.
func MaskOf(r attack.Result) []float32 { return r.Detail.(*Detail).Mask }
func SearchOf(r attack.Result) []Trial { return r.Detail.(*Detail).Search }
