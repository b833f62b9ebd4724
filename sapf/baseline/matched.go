package baseline

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"sapf/models/data"
	"sapf/sapf"
	"sapf/sapf/attack"
)

// Matched is SAPF with the k that another attack needed on the same image and
// goal: the number of entries (or pixels, under share=pixel) that it changed.
//
// Differs: the paper says that k was set to the mean l0 of C&W-l0; its Table 1
// has SAPF a few entries below StrAttack in every case, so k was evidently
// chosen for each image (23 of package sapf's table).
type Matched struct {
	// To is the attack that sets k; nil is StrAttack. If it fails, so does this
	// one.
	To attack.Attack
	// Options are SAPF's, without a K: the other attack sets it.
	Options sapf.Options
}

// SAPF's options are set by their names, "to" names the other attack, and
// "to.NAME" sets an option of it.
var _ attack.Settable = (*Matched)(nil)

const matchedName = "sapf-matched"

// otherPrefix begins the names of the other attack's options.
const otherPrefix = "to."

// Name is "sapf-matched".
func (Matched) Name() string { return matchedName }

// Other is the attack that sets k.
func (a Matched) Other() attack.Attack {
	if a.To == nil {
		return &StrAttack{}
	}
	return a.To
}

// check refuses a request that could not be meant, and returns SAPF's settings.
func (a Matched) check() (sapf.Settings, error) {
	k, ok := a.Options.Set["k"]
	if a.Options.K != 0 {
		k, ok = a.Options.K, true
	}
	if ok {
		return sapf.Settings{}, fmt.Errorf("option k: %v, expected none: %s sets it", k, a.Other().Name())
	}
	return a.Options.Resolve()
}

// Run runs the other attack, then SAPF with its count. Passes of both are
// counted; the options of the other are in the result as "to.NAME".
func (a Matched) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	s, err := a.check()
	if err != nil {
		return attack.Result{}, fmt.Errorf("%s: %w", a.Name(), err)
	}
	to := a.Other()
	other, err := to.Run(a.halfOf(ctx, 0), m, x, goal)
	if err != nil {
		return attack.Result{}, fmt.Errorf("%s: %w", a.Name(), err)
	}
	if !other.Success || other.Status == attack.Already {
		other.Method = a.Name()
		other.Note = fmt.Sprintf("%s, whose k was to be matched, ended as %s: %s", to.Name(), other.Status, other.Note)
		other.Options = withOther(s.Map(), to, other.Options)
		delete(other.Options, "k") // there is none
		return other, nil
	}
	if ctx.Err() != nil {
		other.Method, other.Status, other.Options = a.Name(), attack.Cancelled, withOther(s.Map(), to, other.Options)
		return other, nil
	}
	norms, err := attack.NormsOf(x, other.Adversarial)
	if err != nil {
		return attack.Result{}, err
	}
	s.K = norms.L0
	if s.Share == "pixel" {
		s.K = norms.L0Pixels
	}
	r, err := s.Run(a.halfOf(ctx, 1), m, x, goal)
	if err != nil {
		return r, err
	}
	r.Method = a.Name()
	r.Options = withOther(s.Map(), to, other.Options)
	r.Forwards += other.Forwards
	r.Gradients += other.Gradients
	r.Note = fmt.Sprintf("k %d as %s needed; %s", s.K, to.Name(), r.Note)
	return r, nil
}

// halfOf is a context whose attack reports its progress as the first (0) or the
// second half (1) of a whole.
func (a Matched) halfOf(ctx context.Context, half int) context.Context {
	const steps = 1000 // of a half
	return attack.WithProgress(ctx, func(p attack.Progress) {
		p.Method = a.Name()
		p.Done, p.Total = half*steps+p.Done*steps/max(p.Total, 1), 2*steps
		attack.Report(ctx, p)
	})
}

// withOther adds the other attack and its options to SAPF's.
func withOther(options map[string]any, to attack.Attack, others map[string]any) map[string]any {
	options["to"] = to.Name()
	for name, value := range others {
		options[otherPrefix+name] = value
	}
	return options
}

// SetOption sets an option of SAPF, the other attack ("to"), or an option of
// that ("to.NAME").
func (a *Matched) SetOption(name, value string) error {
	if name == "to" {
		to, err := named(value)
		if err != nil {
			return err
		}
		a.To = to
		return nil
	}
	if other, ok := strings.CutPrefix(name, otherPrefix); ok {
		if a.To == nil {
			a.To = a.Other()
		}
		return attack.Set(a.To, other, value)
	}
	if name == "k" {
		return fmt.Errorf("option k: %s, expected none: %s sets it", value, a.Other().Name())
	}
	return a.Options.SetOption(name, value)
}

// OptionNames lists SAPF's options without k, "to", and those of the other
// attack.
func (a Matched) OptionNames() []string {
	var names []string
	for _, n := range a.Options.OptionNames() {
		if n != "k" {
			names = append(names, n)
		}
	}
	names = append(names, "to")
	for _, n := range attack.OptionNames(a.Other()) {
		names = append(names, otherPrefix+n)
	}
	return names
}

// OptionValues returns all options by name.
func (a Matched) OptionValues() (map[string]any, error) {
	s, err := a.check()
	if err != nil {
		return nil, err
	}
	others, err := attack.Options(a.Other())
	if err != nil {
		return nil, err
	}
	values := withOther(maps.Clone(s.Map()), a.Other(), others)
	delete(values, "k")
	return values, nil
}

// PresetNames are SAPF's.
func (a Matched) PresetNames() []string { return a.Options.PresetNames() }
