package sapf

import (
	"context"
	"fmt"

	"sapf/models/data"
)

// Matched is SAPF with the k that another attack needed on the same image and
// goal: the number of entries (or pixels, under share=pixel) that it changed.
//
// Differs: the paper says that k was set to the mean l0 of C&W-l0; its Table 1
// has SAPF a few entries below StrAttack in every case, so k was evidently
// chosen for each image (23).
type Matched struct {
	// To is the attack that sets k. If it fails, so does this one.
	To Attack
	// Options are SAPF's, without a K: the other attack sets it.
	Options Options
}

var _ Attack = Matched{}

// Name is "sapf-matched".
func (Matched) Name() string { return "sapf-matched" }

// Check refuses a request that could not be meant.
func (a Matched) Check() error {
	if a.To == nil {
		return fmt.Errorf("option to: no attack to match, expected one")
	}
	k, ok := a.Options.Set["k"]
	if a.Options.K != 0 {
		k, ok = a.Options.K, true
	}
	if ok {
		return fmt.Errorf("option k: %v, expected none: %s sets it", k, a.To.Name())
	}
	return nil
}

// Run runs the other attack, then SAPF with its count. Passes of both are
// counted; the options of the other are in the result as "to.NAME".
func (a Matched) Run(ctx context.Context, m Classifier, x data.Image, goal Goal) (Result, error) {
	if err := a.Check(); err != nil {
		return Result{}, err
	}
	s, err := a.Options.Resolve()
	if err != nil {
		return Result{}, err
	}
	other, err := a.To.Run(ctx, m, x, goal)
	if err != nil {
		return Result{}, err
	}
	if !other.Success || other.Status == Already {
		other.Method = a.Name()
		other.Note = fmt.Sprintf("%s, whose k was to be matched, ended as %s: %s", a.To.Name(), other.Status, other.Note)
		other.Options = a.resolved(s, other)
		delete(other.Options, "k") // there is none
		return other, nil
	}
	norms, err := NormsOf(x, other.Adversarial)
	if err != nil {
		return Result{}, err
	}
	s.K = norms.L0
	if s.Share == "pixel" {
		s.K = norms.L0Pixels
	}
	r, err := Run(ctx, m, x, goal, s)
	if err != nil {
		return r, err
	}
	r.Method = a.Name()
	r.Options = a.resolved(s, other)
	r.Forwards += other.Forwards
	r.Gradients += other.Gradients
	r.Note = fmt.Sprintf("k %d as %s needed; %s", s.K, a.To.Name(), r.Note)
	return r, nil
}

// resolved are the options of both attacks.
func (a Matched) resolved(s Settings, other Result) map[string]any {
	options := s.Map()
	options["to"] = a.To.Name()
	for name, value := range other.Options {
		options["to."+name] = value
	}
	return options
}
