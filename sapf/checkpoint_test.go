package sapf

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
)

// resumeEnv makes the test binary the child of TestKilledAndResumed.
const resumeEnv = "SAPF_TEST_CHECKPOINT"

// resumable is a run that saves its state to a file every 100 passes, and
// goes on from the file if it is there.
func resumable(file string, slow bool) ([]attack.Result, error) {
	m, x := linear(7, engine.Shape{C: 3, H: 8, W: 8}, 4)
	if slow {
		m.Break = func(int, []float64) { time.Sleep(50 * time.Microsecond) }
	}
	cases := []TestCase{{x, attack.Goal{Label: 0, Target: 1}, short(30)}, {x, attack.Goal{Label: 0, Target: 2}, short(50)}}
	for i := range cases {
		cases[i].Settings.Outer, cases[i].Settings.Lambda2 = 2, 0.01
	}
	c := Checkpoints{Every: 100, Save: func(state []byte) error {
		tmp := file + ".tmp"
		if err := os.WriteFile(tmp, state, 0o600); err != nil {
			return err
		}
		return os.Rename(tmp, file)
	}}
	if state, err := os.ReadFile(file); err == nil {
		c.Resume = state
	}
	return RunCases(WithCheckpoints(context.Background(), c), m, cases)
}

// TestKilledAndResumed kills a process in the middle of an attack, again and
// again, and lets the next one go on: the result has the same bytes.
func TestKilledAndResumed(t *testing.T) {
	if file := os.Getenv(resumeEnv); file != "" {
		resumable(file, true)
		return
	}
	want, err := resumable(filepath.Join(t.TempDir(), "whole"), false)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "state")
	kills := 0
	for range 4 {
		child := exec.Command(os.Args[0], "-test.run=^TestKilledAndResumed$")
		child.Env = append(os.Environ(), resumeEnv+"="+file)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(file)
		for until := time.Now().Add(10 * time.Second); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
			if now, err := os.ReadFile(file); err == nil && !bytes.Equal(now, before) {
				break
			}
		}
		child.Process.Kill()
		if err := child.Wait(); err != nil {
			kills++
		}
	}
	if kills == 0 {
		t.Fatal("every child ended before it was killed")
	}
	if _, err := os.Stat(file); err != nil {
		t.Fatal("no checkpoint was written: ", err)
	}
	got, err := resumable(file, false)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("after %d kills: %+v\nuninterrupted: %+v", kills, SearchOf(got[0]), SearchOf(want[0]))
	}
}

// TestCancelledAndResumed: a cancelled attack saves the step it has come to, at
// any rhythm of checkpoints, and goes on to the same bytes.
func TestCancelledAndResumed(t *testing.T) {
	m, x := linear(7, engine.Shape{C: 3, H: 8, W: 8}, 4)
	cases := []TestCase{{x, attack.Goal{Label: 0, Target: 1}, short(30)}}
	cases[0].Settings.Outer = 2
	want, err := RunCases(t.Context(), m, cases)
	if err != nil {
		t.Fatal(err)
	}
	var state []byte
	stops := 0
	for passes := 0; ; passes = 0 {
		ctx, cancel := context.WithCancel(t.Context())
		m.Break = func(int, []float64) {
			if passes++; passes == 37 {
				cancel()
			}
		}
		c := Checkpoints{Every: math.MaxInt, Resume: state, Save: func(s []byte) error { state = slices.Clone(s); return nil }}
		got, err := RunCases(WithCheckpoints(ctx, c), m, cases)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if got[0].Status == attack.Cancelled {
			if stops++; state == nil || stops > 1000 {
				t.Fatalf("stopped %d times, the state has %d bytes", stops, len(state))
			}
			continue
		}
		if stops == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("after %d stops: %+v\nuninterrupted: %+v", stops, SearchOf(got[0]), SearchOf(want[0]))
		}
		return
	}
}

func TestCheckpointOfAnotherAttackIsRefused(t *testing.T) {
	m, x := linear(7, engine.Shape{C: 3, H: 8, W: 8}, 4)
	var state []byte
	save := Checkpoints{Every: 500, Save: func(b []byte) error { state = slices.Clone(b); return nil }}
	if _, err := Run(WithCheckpoints(context.Background(), save), m, x, attack.Goal{Label: 0, Target: 1}, short(30)); err != nil {
		t.Fatal(err)
	}
	resume := func(state []byte, x data.Image, g attack.Goal, s Settings) error {
		_, err := Run(WithCheckpoints(context.Background(), Checkpoints{Resume: state}), m, x, g, s)
		return err
	}
	if err := resume(state, x, attack.Goal{Label: 0, Target: 1}, short(30)); err != nil {
		t.Errorf("the same attack: %v", err)
	}
	other := x.Clone()
	other.Pix[3] = 0.125
	for name, err := range map[string]error{
		"image":     resume(state, other, attack.Goal{Label: 0, Target: 1}, short(30)),
		"goal":      resume(state, x, attack.Goal{Label: 0, Target: 2}, short(30)),
		"settings":  resume(state, x, attack.Goal{Label: 0, Target: 1}, short(31)),
		"truncated": resume(state[:len(state)/2], x, attack.Goal{Label: 0, Target: 1}, short(30)),
		"garbage":   resume([]byte("<html>"), x, attack.Goal{Label: 0, Target: 1}, short(30)),
	} {
		if err == nil {
			t.Errorf("a checkpoint with another %s was accepted", name)
		}
	}
	m.W[1][5] += 1e-9
	if err := resume(state, x, attack.Goal{Label: 0, Target: 1}, short(30)); err == nil || !strings.Contains(err.Error(), "another model") {
		t.Errorf("a checkpoint of a model with another weight: %v", err)
	}
	full := errors.New("disk full")
	_, err := Run(WithCheckpoints(context.Background(), Checkpoints{Every: 10, Save: func([]byte) error { return full }}), m, x, attack.Goal{Label: 0, Target: 1}, short(30))
	if !errors.Is(err, full) {
		t.Errorf("a save that fails: %v, want its error", err)
	}
}
