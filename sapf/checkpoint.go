package sapf

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"slices"

	"sapf/models/data"
	"sapf/models/engine"
)

// Checkpoints let an attack of hours outlive its process. The attack never
// touches a file: whoever asks for checkpoints writes what Save is given, in
// one piece (temporary file, sync, rename), and gives it back as Resume.
type Checkpoints struct {
	// Every is the number of passes through the network between two saves.
	Every int
	// Save is given the whole state. Its error ends the attack.
	Save func(state []byte) error
	// Resume is a state to go on from, or nil. The attack must be the same one:
	// same model and kernels, images, goals and settings.
	Resume []byte
}

type checkpointKey struct{}

// WithCheckpoints returns a context whose SAPF attacks save their state now
// and then. A run that was resumed ends in the same bytes as one that never
// stopped.
func WithCheckpoints(ctx context.Context, c Checkpoints) context.Context {
	return context.WithValue(ctx, checkpointKey{}, c)
}

// checkpointVersion changes with the meaning of state.
const checkpointVersion = 3

// checkpoint saves the state if it is time.
func (s *solver) checkpoint() error {
	c := s.watch.checkpoints
	if c == nil || c.Every < 1 || s.Passes-s.saved < c.Every {
		return nil
	}
	return s.save()
}

// save saves the state as it is between two steps, unless that was done.
func (s *solver) save() error {
	c := s.watch.checkpoints
	if c == nil || c.Save == nil || s.Passes == s.saved {
		return nil
	}
	s.saved = s.Passes
	var b bytes.Buffer
	enc := gob.NewEncoder(&b)
	if err := errors.Join(enc.Encode(checkpointVersion), enc.Encode(s.state)); err != nil {
		return fmt.Errorf("encode checkpoint: %w", err)
	}
	if err := c.Save(b.Bytes()); err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	return nil
}

// resume replaces the fresh state by the one to go on from.
func (s *solver) resume() error {
	c := s.watch.checkpoints
	if c == nil || c.Resume == nil {
		return nil
	}
	dec := gob.NewDecoder(bytes.NewReader(c.Resume))
	var version int
	var state state
	if err := dec.Decode(&version); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if version != checkpointVersion {
		return fmt.Errorf("checkpoint of version %d, expected %d", version, checkpointVersion)
	}
	if err := dec.Decode(&state); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if len(state.Attempts) != len(s.Attempts) {
		return fmt.Errorf("checkpoint of %d images, expected %d", len(state.Attempts), len(s.Attempts))
	}
	for i, a := range state.Attempts {
		fresh := s.Attempts[i].F
		if a.F == nil {
			return fmt.Errorf("checkpoint: image %d has no state", i)
		}
		switch {
		case !slices.Equal(a.F.X, fresh.X):
			return fmt.Errorf("checkpoint: image %d is another one", i)
		case a.F.Goal != fresh.Goal:
			return fmt.Errorf("checkpoint: image %d has goal %+v, expected %+v", i, a.F.Goal, fresh.Goal)
		case a.F.Settings.String() != fresh.Settings.String() || !slices.Equal(a.F.GroupOf, fresh.GroupOf) || !slices.Equal(a.F.W2, fresh.W2):
			return fmt.Errorf("checkpoint: image %d has other settings", i)
		}
		if err := a.complete(fresh, len(s.m.Classes())); err != nil {
			return fmt.Errorf("checkpoint: image %d: %w", i, err)
		}
	}
	for i, a := range state.Attempts {
		a.F.Settings = s.Attempts[i].F.Settings // with the functions, which no file holds
	}
	s.state, s.saved = state, state.Passes
	return s.sameModel()
}

// complete refuses a state in which something is missing, or that no run comes
// to; fresh is how its programme begins.
func (a *attempt) complete(fresh *Factorization, classes int) error {
	f := a.F
	n := len(f.X)
	for _, v := range []struct {
		name      string
		got, want int
		empty     bool // may be missing
	}{
		{"delta", len(f.Delta), n, false}, {"G", len(f.G), len(fresh.G), false},
		{"Y1", len(f.Y1), len(fresh.Y1), false}, {"Y2", len(f.Y2), len(fresh.Y2), false}, {"Y3", len(f.Y3), len(fresh.Y3), false},
		{"Z1", len(f.Z1), len(fresh.Z1), false}, {"Z2", len(f.Z2), len(fresh.Z2), false}, {"Z3", len(f.Z3), len(fresh.Z3), false},
		{"the best mask", len(a.BestMask), n, true}, {"the last mask", len(a.LastMask), n, true}, {"the perturbation before", len(a.Before), n, true},
		{"the best image", len(a.Best.Pix), n, true}, {"the last image", len(a.Last.Pix), n, true}, {"the logits", len(f.Logits), classes, true},
	} {
		if v.got != v.want && !(v.empty && v.got == 0) {
			return fmt.Errorf("%s: %d entries, expected %d", v.name, v.got, v.want)
		}
	}
	for _, x := range []data.Image{a.Best, a.Last} {
		if shape := (engine.Shape{C: x.C, H: x.H, W: x.W}); x.Pix != nil && shape != f.Shape {
			return fmt.Errorf("an image of %v, expected %v", shape, f.Shape)
		}
	}
	if a.Clean < 0 || a.Clean >= classes {
		return fmt.Errorf("class %d of %d", a.Clean, classes)
	}
	steps := map[Stage]int{"": 0, DeltaStage: f.Settings.DeltaSteps, MaskStage: f.Settings.MaskSteps, TuneStage: f.Settings.TuneSteps}
	most, known := steps[f.Stage]
	if !known || f.Step < 0 || f.Step > most || f.Outer < 0 || f.Outer > f.Settings.Outer {
		return fmt.Errorf("outer iteration %d, step %d of stage %q is not one of these settings", f.Outer, f.Step, f.Stage)
	}
	if f.NumGroups != fresh.NumGroups || f.Shape != fresh.Shape {
		return fmt.Errorf("%d groups of a %v, expected %d of a %v", f.NumGroups, f.Shape, fresh.NumGroups, fresh.Shape)
	}
	if a.Search.Trials != len(a.Trials) || a.BestMask != nil && (a.BestTrial < 0 || a.BestTrial >= len(a.Trials) || a.Best.Pix == nil) {
		return fmt.Errorf("the best of round %d, %d rounds and %d outcomes", a.BestTrial, a.Search.Trials, len(a.Trials))
	}
	return nil
}

// sameModel refuses a state whose logits of the clean images are not, bit for
// bit, those of the model at hand.
func (s *solver) sameModel() error {
	p, err := s.pass(len(s.Attempts))
	if err != nil {
		return err
	}
	p.placeImages(s.cleanImages())
	logits, err := p.forward()
	if err != nil {
		return err
	}
	if !slices.Equal(logits, s.Clean) {
		return errors.New("checkpoint: the images have other logits; it was made with another model, or on another kernel family")
	}
	return nil
}
