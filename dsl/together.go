package dsl

import (
	"context"

	"sapf/sapf"
	"sapf/sapf/baseline"
	"sapf/sapf/sweep"
)

// runTogether runs tasks of one kind so that they share their passes: SAPF in
// lockstep, other methods as baseline.Together does.
func runTogether(ctx context.Context, tasks []*sweep.Task) ([]sapf.Result, error) {
	m := tasks[0].Model
	if _, ok := tasks[0].Attack.(sapf.Options); !ok {
		return baseline.Together(ctx, m, tasks[0].Attack, baselineTasks(tasks))
	}
	cases := make([]sapf.Case, len(tasks))
	for i, t := range tasks {
		s, err := t.Attack.(sapf.Options).Resolve()
		if err != nil {
			return nil, err
		}
		cases[i] = sapf.Case{Image: t.Image, Goal: t.Goal, Settings: s}
	}
	return sapf.RunBatch(ctx, m, cases)
}

// baselineTasks are tasks as baseline.Together takes them.
func baselineTasks(tasks []*sweep.Task) []baseline.Task {
	out := make([]baseline.Task, len(tasks))
	for i, t := range tasks {
		out[i] = baseline.Task{Image: t.Image, Goal: t.Goal}
	}
	return out
}
