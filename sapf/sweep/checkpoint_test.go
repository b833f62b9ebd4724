package sweep

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"sapf/sapf"
	"sapf/sapf/attack"
)

// TestCheckpointFileGoesOn stops an attack on cwnet with the cat half way and
// starts it again from its file: the result is that of one that never stopped,
// and the second run does only what was left.
func TestCheckpointFileGoesOn(t *testing.T) {
	job := Job{Model: "cwnet", Image: "cat", Target: "dog", Set: map[string]string{"steps": "60", "search_rounds": "2", "round": "topk", "lambda2": "0"}}
	m, task, err := job.Prepare()
	if err != nil {
		t.Skip(err)
	}
	whole, err := task.Attack.Run(context.Background(), m, task.Image, task.Goal)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "attack.checkpoint")
	run := func(stopAfter int) (attack.Result, int) {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		steps := 0
		c, err := OpenCheckpoint(file, 20)
		if err != nil {
			t.Fatal(err)
		}
		o, err := One(ctx, m, task, Options{Checkpoint: c, TraceEvery: 1, Trace: func(int, sapf.TraceRow) {
			if steps++; steps == stopAfter {
				stop()
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		return o.Result, steps
	}
	if r, _ := run(170); r.Status != attack.Cancelled {
		t.Fatalf("stopped half way: %s", r.Status)
	}
	resumed, steps := run(0)
	if !reflect.DeepEqual(resumed, whole) {
		t.Errorf("resumed %+v, uninterrupted %+v", resumed.Detail, whole.Detail)
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
	if _, err := OpenCheckpoint(file, 20); err == nil {
		t.Error("a torn checkpoint was opened")
	}
}
