package sapf_test

import (
	"context"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf"
	"sapf/sapf/attack"
)

// catCases are three attacks on the embedded cat.
func catCases(t *testing.T) []sapf.TestCase {
	t.Helper()
	var cases []sapf.TestCase
	for i, target := range []int{5, 0, 2} {
		s := sapf.Reference().InSteps(20)
		s.K, s.Round, s.Lambda1, s.SearchRounds, s.Lambda2 = 100+50*i, "topk", 0.3, 1, float64(i)
		cases = append(cases, sapf.TestCase{Image: cifar(t, "cat"), Goal: attack.Goal{Label: 3, Target: target}, Settings: s})
	}
	return cases
}

// TestFailure15_BatchAndThreadsOnCwnet: on the real network too, a case has
// the same bytes alone, in a batch, and at one or two threads.
func TestFailure15_BatchAndThreadsOnCwnet(t *testing.T) {
	m, cases := cwnet(t, ""), catCases(t)
	together, err := sapf.RunCases(context.Background(), m.WithThreads(2), cases)
	if err != nil {
		t.Fatal(err)
	}
	one, err := sapf.RunCases(context.Background(), m.WithThreads(1), cases)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		alone, err := sapf.Run(context.Background(), m.WithThreads(1), c.Image, c.Goal, c.Settings)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(together[i], one[i]) {
			t.Errorf("case %d differs between one and two threads", i)
		}
		if !reflect.DeepEqual(together[i], alone) {
			t.Errorf("case %d differs alone and in a batch of three", i)
		}
	}
}

// TestFailure15_BatchOf64AndSixteenThreads: alone or among 64, with one worker
// or with sixteen.
func TestFailure15_BatchOf64AndSixteenThreads(t *testing.T) {
	m := cwnet(t, "")
	var cases []sapf.TestCase
	for i := range 64 {
		c := catCases(t)[i%3]
		c.Settings = c.Settings.InSteps(4)
		c.Settings.K = 50 + i
		cases = append(cases, c)
	}
	together, err := sapf.RunCases(context.Background(), m.WithThreads(16), cases)
	if err != nil {
		t.Fatal(err)
	}
	one, err := sapf.RunCases(context.Background(), m.WithThreads(1), cases)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(together, one) {
		t.Error("64 cases differ between 1 and 16 threads")
	}
	for _, i := range []int{0, 31, 63} {
		alone, err := sapf.Run(context.Background(), m.WithThreads(16), cases[i].Image, cases[i].Goal, cases[i].Settings)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(together[i], alone) {
			t.Errorf("case %d differs alone and among 64", i)
		}
	}
}

// TestFailure23_NoGoroutineIsLeft: an attack on cwnet that is cancelled in the
// middle of a step stops within that step and leaves no worker behind.
func TestFailure23_NoGoroutineIsLeft(t *testing.T) {
	m, c := cwnet(t, "").WithThreads(4), catCases(t)[0]
	if _, err := m.Predict(c.Image); err != nil { // whatever the model keeps for good
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	ctx, stop := context.WithCancel(context.Background())
	steps := 0
	r, err := sapf.Run(sapf.WithTrace(ctx, 1, func(sapf.TraceRow) {
		if steps++; steps == 7 {
			stop()
		}
	}), m, c.Image, c.Goal, c.Settings)
	stop()
	if err != nil || r.Status != attack.Cancelled || steps != 7 || r.Gradients != 7 {
		t.Errorf("%v: status %s after %d steps and %d gradients, want cancelled after 7", err, r.Status, steps, r.Gradients)
	}
	for wait := 0; runtime.NumGoroutine() > before && wait < 100; wait++ {
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines are left, %d were there before", n, before)
	}
}

// BenchmarkAttack is a round of an attack on cwnet in a tenth of the steps, on
// one thread. In its -cpuprofile, what engine.(*Runner).Forward and Backward
// take of sapf.RunBatch is the network's share.
func BenchmarkAttack(b *testing.B) {
	m := cwnet(b, "").WithThreads(1)
	s := sapf.Reference().InSteps(500)
	s.SearchRounds, s.Lambda2 = 1, 0
	x := cifar(b, "cat")
	for b.Loop() {
		if _, err := sapf.Run(context.Background(), m, x, attack.Goal{Label: 3, Target: 5}, s); err != nil {
			b.Fatal(err)
		}
	}
}

// TestGuardOnMobileNet runs the mask stage on a network of ImageNet's size, N =
// 150528: without the guard the reference's penalties diverge, with it G stays
// finite and its sum comes to k within 1 %, and the attack reaches its target
// with exactly k entries.
func TestGuardOnMobileNet(t *testing.T) {
	long(t)
	root(t)
	m, err := models.Load("mobilenet_v2", models.LoadOptions{})
	if err != nil {
		t.Skip(err)
	}
	x, err := data.Load("imagenet:ba4b978112a20be1.png", data.Options{})
	if err != nil {
		t.Skip(err)
	}
	shape := m.InputShape()
	x, err = x.Resize(shape.H, shape.W)
	if err != nil {
		t.Fatal(err)
	}
	s := sapf.Reference().InSteps(300)
	s.K, s.Round, s.Lambda2, s.Lambda1, s.SearchRounds = 5000, "topk", 0, 10, 1
	goal := attack.Goal{Label: x.Label, Target: 100}
	off, err := sapf.Run(context.Background(), m, x, goal, s)
	if err != nil || off.Status != attack.Numeric || !strings.Contains(off.Note, "diverged") {
		t.Errorf("without the guard: %s, %q, %v; want divergence", off.Status, off.Note, err)
	}
	s.Guard = "cap"
	var last sapf.TraceRow
	ctx := sapf.WithTrace(context.Background(), 100, func(r sapf.TraceRow) {
		if r.Stage == sapf.MaskStage {
			last = r
		}
	})
	r, err := sapf.Run(ctx, m, x, goal, s)
	if err != nil {
		t.Fatal(err)
	}
	norms, _ := attack.NormsOf(x, r.Adversarial)
	t.Logf("%s: sum of G %.1f, %d above one half; %+v", r.Status, last.SumG, last.AboveHalf, norms)
	if d := last.SumG - 5000; d > 50 || d < -50 || r.Selected != 5000 || !r.Success {
		t.Errorf("%s, sum of G %.1f, selected %d; want success, 5000 within 1 %%, 5000", r.Status, last.SumG, r.Selected)
	}
}
