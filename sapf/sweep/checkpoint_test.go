package sweep

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"sapf/sapf"
)

// TestCheckpointFileGoesOn stops an attack on cwnet with the cat half way and
// starts it again from its file: the result is that of one that never stopped,
// and the second run does only what was left.
func TestCheckpointFileGoesOn(t *testing.T) {
	job := Job{Model: "cwnet", Image: "cat", Target: "dog", Set: map[string]string{"steps": "60", "search_rounds": "2", "round": "topk", "lambda2": "0"}}
	task, err := job.Prepare()
	if err != nil {
		t.Skip(err)
	}
	whole, err := task.Attack.Run(context.Background(), task.Model, task.Image, task.Goal)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "attack.checkpoint")
	run := func(stopAfter int) (sapf.Result, int) {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		steps := 0
		ctx = sapf.WithTrace(ctx, 1, func(sapf.TraceRow) {
			if steps++; steps == stopAfter {
				stop()
			}
		})
		ctx, err := WithCheckpointFile(ctx, file, 20)
		if err != nil {
			t.Fatal(err)
		}
		r, err := task.Attack.Run(ctx, task.Model, task.Image, task.Goal)
		if err != nil {
			t.Fatal(err)
		}
		return r, steps
	}
	if r, _ := run(170); r.Status != sapf.Cancelled {
		t.Fatalf("stopped half way: %s", r.Status)
	}
	resumed, steps := run(0)
	if !reflect.DeepEqual(resumed, whole) {
		t.Errorf("resumed %+v, uninterrupted %+v", resumed.Search, whole.Search)
	}
	if want := whole.Gradients - 170; steps != want { // it was saved where it stopped
		t.Errorf("%d steps after resuming, want %d", steps, want)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("temporary files are left: %v", left)
	}
	if err := os.WriteFile(file, []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, err := WithCheckpointFile(context.Background(), file, 20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := task.Attack.Run(ctx, task.Model, task.Image, task.Goal); err == nil {
		t.Error("a torn checkpoint was resumed")
	}
}
