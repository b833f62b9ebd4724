package baseline

import (
	"context"
	"slices"
	"strings"
	"testing"

	"sapf/sapf"
	"sapf/sapf/attack"
)

// TestMatchedTakesTheOtherCount: k is what the other attack changed.
func TestMatchedTakesTheOtherCount(t *testing.T) {
	m, x, _ := linearModel(t, 2, 4, 1)
	other := sapf.Options{K: 20, Steps: 400, Round: "topk", Set: map[string]any{"lambda2": 0}}
	a := Matched{To: other, Attack: sapf.Options{Steps: 400, Round: "topk", Loss: "ce", Set: map[string]any{"lambda2": 0}}}
	r, err := a.Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1})
	if err != nil || !r.Success || r.K != 20 || r.Selected != 20 || r.Method != "sapf-matched" {
		t.Errorf("%s, k %d, %d selected: %s (%v)", r.Status, r.K, r.Selected, r.Note, err)
	}
	alone, _ := a.Attack.Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1})
	if r.Gradients <= alone.Gradients {
		t.Errorf("%d gradients, the other attack's are not counted", r.Gradients)
	}
	far, x, _ := linearModel(t, 2, 1000, 1)
	if r, err = a.Run(context.Background(), far, x, attack.Goal{Label: 0, Target: 1}); err != nil || r.Success || !strings.Contains(r.Note, "to be matched") {
		t.Errorf("other attack failed: %s %q %v", r.Status, r.Note, err)
	}
}

// TestMatchedOptions: the other attack's options are its own behind "to.".
func TestMatchedOptions(t *testing.T) {
	a, _ := New("sapf-matched")
	for _, s := range [][2]string{{"to", "fmn-l0"}, {"to.steps", "30"}, {"steps", "60"}, {"lambda2", "0"}} {
		if err := attack.Set(a, s[0], s[1]); err != nil {
			t.Fatal(err)
		}
	}
	values, err := attack.Options(a)
	if err != nil || values["to"] != "fmn-l0" || values["to.steps"] != 30 || values["delta_steps"] != 60 || values["lambda2"] != 0.0 {
		t.Errorf("%v (%v)", values, err)
	}
	for _, c := range [][3]string{{"k", "3", "sets it"}, {"to", "fmn", "fmn-l0"}, {"to.stepz", "1", "steps"}} {
		if err := attack.Set(a, c[0], c[1]); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("set %s=%s: %v, expected an error with %q", c[0], c[1], err, c[2])
		}
	}
}

// TestMatchedOfOthers: any attack with a budget can be matched, less some, with
// the count that the run has kept.
func TestMatchedOfOthers(t *testing.T) {
	m, x, _ := linearModel(t, 2, 4, 1)
	goal := attack.Goal{Label: 0, Target: 1}
	for _, c := range []struct {
		name string
		set  [][2]string
		k    int
	}{
		{"best-matched", [][2]string{{"to", "pgd-l0"}, {"to.k", "6"}, {"less", "4"}, {"preset", "quick"}}, 14},
		{"best-matched", [][2]string{{"to", "pgd-l0"}, {"to.k", "6"}, {"share", "pixels"}}, 6},
		{"cw-l0-matched", [][2]string{{"to", "pgd-l0"}, {"to.k", "6"}, {"steps", "200"}}, 6},
	} {
		a, err := Named(c.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range c.set {
			if err := attack.Set(a, o[0], o[1]); err != nil {
				t.Fatal(err)
			}
		}
		r, err := a.Run(t.Context(), m, x, goal)
		if err != nil || r.K != c.k || r.Method != c.name {
			t.Errorf("%s %v: k %d, expected %d: %s %s (%v)", c.name, c.set, r.K, c.k, r.Status, r.Note, err)
		}
		asked := 0
		known := attack.WithKnown(t.Context(), func(task attack.Task) (attack.Result, bool) {
			asked++
			other, err := task.Attack.Run(t.Context(), m, task.Image, task.Goal)
			return other, err == nil
		})
		again, err := a.Run(known, m, x, goal)
		if err != nil || asked != 1 || again.Gradients != r.Gradients || again.Note != r.Note || !slices.Equal(again.Adversarial.Pix, r.Adversarial.Pix) {
			t.Errorf("%s: asked %d times, and with a known count another result (%v)", c.name, asked, err)
		}
	}
	if err := attack.Set(&Matched{}, "less", "-1"); err == nil {
		t.Error("less=-1 was taken")
	}
}
