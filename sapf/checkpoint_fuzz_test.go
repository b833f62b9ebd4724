package sapf

import (
	"bytes"
	"context"
	"encoding/gob"
	"slices"
	"testing"
	"time"

	"sapf/models/engine"
	"sapf/sapf/attack"
)

// FuzzResume: an attack goes on from a state, whatever it says, to an end, or
// refuses it. The states are of the right version, so that it is looked at.
func FuzzResume(f *testing.F) {
	m, x := linear(7, engine.Shape{C: 1, H: 3, W: 3}, 3)
	s := Reference().InSteps(8)
	s.K, s.Lambda2, s.SearchRounds, s.Outer = 3, 0.01, 2, 2
	cases := []TestCase{{x, attack.Goal{Label: 0, Target: 1}, s}}
	var head bytes.Buffer
	if err := gob.NewEncoder(&head).Encode(checkpointVersion); err != nil {
		f.Fatal(err)
	}
	save := Checkpoints{Every: 5, Save: func(state []byte) error {
		f.Add(bytes.TrimPrefix(slices.Clone(state), head.Bytes()))
		return nil
	}}
	if _, err := RunCases(WithCheckpoints(context.Background(), save), m, cases); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		got, err := RunCases(WithCheckpoints(ctx, Checkpoints{Resume: append(head.Bytes()[:head.Len():head.Len()], state...)}), m, cases)
		if ctx.Err() != nil {
			t.Error("it does not end")
		}
		if err != nil {
			return
		}
		for i, v := range got[0].Adversarial.Pix {
			if !(v >= 0 && v <= 1) {
				t.Errorf("entry %d of the image is %v", i, v)
			}
		}
	})
}
