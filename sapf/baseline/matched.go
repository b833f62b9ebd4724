package baseline

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"strings"

	"sapf/models/data"
	"sapf/sapf"
	"sapf/sapf/attack"
)

// Matched is an attack with the budget that another one needed on the same image
// and goal: the number of entries (or pixels, under share=pixel) that it changed.
// If a run has a store that knows what the other attack came to, that is taken
// instead of running it again (attack.Known).
//
// Differs: the paper says that k was set to the mean l0 of C&W-l0; its Table 1
// has SAPF a few entries below StrAttack in every case, so k was evidently
// chosen for each image (23 of package sapf's table).
type Matched struct {
	// Attack is the one whose budget is set; nil is SAPF with its default options.
	Attack attack.Budgeter
	// To is the attack that sets the budget; nil is StrAttack. If it fails, so
	// does this one.
	To attack.Attack
	// Less is how many entries or pixels fewer than it needed; one at least stays.
	Less int
}

// The attack's options are set by their names, "to" names the other attack, and
// "to.NAME" sets an option of it.
var _ attack.Settable = (*Matched)(nil)

// matchedSuffix ends the names of matched attacks.
const matchedSuffix = "-matched"

// otherPrefix begins the names of the other attack's options.
const otherPrefix = "to."

// Name is the attack's name and "-matched".
func (a Matched) Name() string { return a.Inner().Name() + matchedSuffix }

// Inner is the attack whose budget is set.
func (a Matched) Inner() attack.Budgeter {
	if a.Attack == nil {
		return &sapf.Options{}
	}
	return a.Attack
}

// Other is the attack that sets the budget.
func (a Matched) Other() attack.Attack {
	if a.To == nil {
		return &StrAttack{}
	}
	return a.To
}

// check refuses a request that could not be meant, and returns the options of
// the attack whose budget is set, without the budget.
func (a Matched) check() (map[string]any, error) {
	if a.Less < 0 {
		return nil, fmt.Errorf("option less: %d, expected 0 or more", a.Less)
	}
	if k := ownBudget(a.Inner()); k != nil {
		return nil, a.set(k)
	}
	options, err := attack.Options(a.Inner().WithBudget(1, a.unit()))
	delete(options, "k")
	return options, err
}

// ownBudget is the budget that an attack was given, nil for none. SAPF's whole
// settings have one in any case, which is replaced.
func ownBudget(a attack.Attack) any {
	switch v := reflect.Indirect(reflect.ValueOf(a)).Interface().(type) {
	case sapf.Settings:
		return nil
	case sapf.Options:
		if k, ok := v.Set["k"]; ok {
			return k
		}
	}
	if k := reflect.Indirect(reflect.ValueOf(a)).FieldByName("K"); k.IsValid() && !k.IsZero() {
		return k
	}
	return nil
}

// set says that a budget was given where the other attack sets it.
func (a Matched) set(k any) error {
	return fmt.Errorf("option k: %v, expected none: %s sets it", k, a.Other().Name())
}

// unit is what the budget counts: pixels for share=pixel, and for an attack that
// can count nothing else.
func (a Matched) unit() attack.Unit {
	options, _ := attack.Options(a.Inner()) // the run says what is wrong
	if options["share"] == "pixel" || options["share"] == "pixels" || !a.Inner().Counts(attack.Entries) {
		return attack.Pixels
	}
	return attack.Entries
}

// budget is how many the other attack changed, less Less. An attack that counts
// pixels where others count entries has as many as can't change more entries.
func (a Matched) budget(n attack.Norms, channels int) int {
	k := n.L0
	if a.unit() == attack.Pixels && a.Inner().Counts(attack.Entries) {
		k = n.L0Pixels
	}
	k = max(k-a.Less, 1)
	if !a.Inner().Counts(attack.Entries) {
		k = max(k/channels, 1)
	}
	return k
}

// Run runs the other attack, or takes what it is known to have come to, then the
// attack itself with its count. Passes of both are counted; the options of the
// other are in the result as "to.NAME".
func (a Matched) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	options, err := a.check()
	if err != nil {
		return attack.Result{}, fmt.Errorf("%s: %w", a.Name(), err)
	}
	to := a.Other()
	other, known := attack.Known(ctx, attack.Task{Image: x, Goal: goal, Attack: to})
	if !known {
		if other, err = to.Run(a.halfOf(ctx, 0), m, x, goal); err != nil {
			return attack.Result{}, fmt.Errorf("%s: %w", a.Name(), err)
		}
	}
	if !other.Success || other.Status == attack.Already {
		other.Method = a.Name()
		other.Note = fmt.Sprintf("%s, whose k was to be matched, ended as %s: %s", to.Name(), other.Status, other.Note)
		other.Options = a.withOther(options, other.Options)
		return other, nil
	}
	if ctx.Err() != nil {
		other.Method, other.Status, other.Options = a.Name(), attack.Cancelled, a.withOther(options, other.Options)
		return other, nil
	}
	norms, err := attack.NormsOf(x, other.Adversarial)
	if err != nil {
		return attack.Result{}, err
	}
	k := a.budget(norms, x.C)
	r, err := a.Inner().WithBudget(k, a.unit()).Run(a.halfOf(ctx, 1), m, x, goal)
	if err != nil {
		return r, err
	}
	r.Method = a.Name()
	r.Options = a.withOther(r.Options, other.Options)
	r.Forwards += other.Forwards
	r.Gradients += other.Gradients
	r.Note = fmt.Sprintf("k %d as %s needed; %s", k, to.Name(), r.Note)
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

// withOther adds the other attack and its options to the attack's own.
func (a Matched) withOther(options, others map[string]any) map[string]any {
	out := maps.Clone(options)
	out["to"], out["less"] = a.Other().Name(), a.Less
	for name, value := range others {
		out[otherPrefix+name] = value
	}
	return out
}

// SetOption sets an option of the attack, "less", the other attack ("to"), or an
// option of that ("to.NAME").
func (a *Matched) SetOption(name, value string) error {
	switch {
	case name == "to":
		to, err := named(value)
		if err == nil {
			a.To = to
		}
		return err
	case name == "less":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return fmt.Errorf("option less: %q, expected a whole number, 0 or more", value)
		}
		a.Less = n
		return nil
	case name == "k":
		return a.set(value)
	case strings.HasPrefix(name, otherPrefix):
		if a.To == nil {
			a.To = a.Other()
		}
		return attack.Set(a.To, strings.TrimPrefix(name, otherPrefix), value)
	}
	if a.Attack == nil {
		a.Attack = a.Inner()
	}
	return attack.Set(a.Attack, name, value)
}

// OptionNames lists the attack's options without k, "to" and "less", and those of
// the other attack.
func (a Matched) OptionNames() []string {
	var names []string
	for _, n := range attack.OptionNames(a.Inner()) {
		if n != "k" {
			names = append(names, n)
		}
	}
	names = append(names, "to", "less")
	for _, n := range attack.OptionNames(a.Other()) {
		names = append(names, otherPrefix+n)
	}
	return names
}

// OptionValues returns all options by name.
func (a Matched) OptionValues() (map[string]any, error) {
	options, err := a.check()
	if err != nil {
		return nil, err
	}
	others, err := attack.Options(a.Other())
	if err != nil {
		return nil, err
	}
	return a.withOther(options, others), nil
}

// PresetNames are the attack's.
func (a Matched) PresetNames() []string { return attack.Presets(a.Inner()) }
