package baseline

import (
	"context"
	"strings"
	"testing"

	"sapf/sapf"
	"sapf/sapf/attack"
)

// TestMatchedTakesTheOtherCount: k is what the other attack changed.
func TestMatchedTakesTheOtherCount(t *testing.T) {
	m, x, _ := linearModel(t, 2, 4, 1)
	other := sapf.Options{K: 20, Steps: 400, Round: "topk", Set: map[string]any{"lambda2": 0}}
	a := Matched{To: other, Options: sapf.Options{Steps: 400, Round: "topk", Loss: "ce", Set: map[string]any{"lambda2": 0}}}
	r, err := a.Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1})
	if err != nil || !r.Success || r.K != 20 || r.Selected != 20 || r.Method != "sapf-matched" {
		t.Errorf("%s, k %d, %d selected: %s (%v)", r.Status, r.K, r.Selected, r.Note, err)
	}
	alone, _ := a.Options.Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1})
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
