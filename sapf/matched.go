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
	// Options are SAPF's; their K is not used.
	Options Options
}

var _ Attack = Matched{}

// Name is "sapf-matched".
func (Matched) Name() string { return "sapf-matched" }

// Run runs the other attack, then SAPF with its count. Passes of both are
// counted.
func (a Matched) Run(ctx context.Context, m Classifier, x data.Image, goal Goal) (Result, error) {
	if a.To == nil {
		return Result{}, fmt.Errorf("option to: no attack to match, expected one")
	}
	other, err := a.To.Run(ctx, m, x, goal)
	if err != nil || !other.Success || other.Status == Already {
		other.Method = a.Name()
		other.Note = fmt.Sprintf("%s, whose k was to be matched, ended as %s: %s", a.To.Name(), other.Status, other.Note)
		return other, err
	}
	norms, err := NormsOf(x, other.Adversarial)
	if err != nil {
		return Result{}, err
	}
	a.Options.K = norms.L0
	if s, err := a.Options.Resolve(); err == nil && s.Share == "pixel" {
		a.Options.K = norms.L0Pixels
	}
	r, err := a.Options.Run(ctx, m, x, goal)
	r.Method = a.Name()
	r.Forwards += other.Forwards
	r.Gradients += other.Gradients
	r.Note = fmt.Sprintf("k %d as %s needed; %s", a.Options.K, a.To.Name(), r.Note)
	return r, err
}
