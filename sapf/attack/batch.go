package attack

import (
	"context"
	"fmt"
	"reflect"

	"sapf/models/data"
)

// Task is one attack to be run: an image, what it is to become, and the method
// with its options.
type Task struct {
	Image  data.Image
	Goal   Goal
	Attack Attack
}

// Batcher is an attack that runs several tasks in lockstep by itself.
type Batcher interface {
	Attack
	// BatchKey is equal for tasks that can go in one batch.
	BatchKey(goal Goal) string
	// RunBatch runs tasks of one key, whose attacks are of the receiver's kind,
	// and returns one result a task, in order: the same bytes as those of Run on
	// each alone.
	RunBatch(ctx context.Context, m Classifier, tasks []Task) ([]Result, error)
}

// LargestBatch is the number of tasks that share a pass. More would not make a
// pass per image cheaper, and would outgrow the processor's caches.
const LargestBatch = 9

// Batches puts the indices of tasks together that can share passes, at most
// limit in one (0: LargestBatch), in the order of the first of each.
func Batches(tasks []Task, limit int) [][]int {
	if limit <= 0 {
		limit = LargestBatch
	}
	var out [][]int
	open := map[string]int{} // the batch that still takes tasks of this key
	for i, t := range tasks {
		key := batchKey(t)
		at, ok := open[key]
		if !ok || len(out[at]) == limit {
			at = len(out)
			out, open[key] = append(out, nil), at
		}
		out[at] = append(out[at], i)
	}
	return out
}

// batchKey is equal for tasks that can share passes: what a Batcher says, or
// the same method with the same options.
func batchKey(t Task) string {
	if b, ok := t.Attack.(Batcher); ok {
		return b.BatchKey(t.Goal)
	}
	return fmt.Sprintf("%s %v %+v", t.Attack.Name(), t.Goal.Targeted(), reflect.Indirect(reflect.ValueOf(t.Attack)))
}

// RunBatch runs the tasks of one batch so that they share their passes through
// the network: a Batcher in its own way, others by Together. The results are the
// same bytes as those of Run on each task.
func RunBatch(ctx context.Context, m Classifier, tasks []Task) ([]Result, error) {
	switch len(tasks) {
	case 0:
		return nil, nil
	case 1:
		r, err := tasks[0].Attack.Run(ctx, m, tasks[0].Image, tasks[0].Goal)
		return []Result{r}, err
	}
	if b, ok := tasks[0].Attack.(Batcher); ok {
		return b.RunBatch(ctx, m, tasks)
	}
	return Together(ctx, m, tasks)
}
