package sapf

import (
	"context"
	"errors"
	"fmt"

	"sapf/models/data"
	"sapf/models/nearest"
	"sapf/sapf/attack"
	"sapf/sapf/option"
)

// Run is Algorithm 1 with the lambda1 search on one image, as the settings
// say. When ctx ends it returns the best so far with Status Cancelled.
func Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal, s Settings) (attack.Result, error) {
	return s.Run(ctx, m, x, goal)
}

// Name is "sapf".
func (Options) Name() string { return methodName }

// Name is "sapf".
func (Settings) Name() string { return methodName }

// Run is Algorithm 1 with the lambda1 search on one image.
func (o Options) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return runOne(ctx, m, attack.Task{Image: x, Goal: goal, Attack: o})
}

// Run is Algorithm 1 with the lambda1 search on one image.
func (s Settings) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return runOne(ctx, m, attack.Task{Image: x, Goal: goal, Attack: s})
}

func runOne(ctx context.Context, m attack.Classifier, t attack.Task) (attack.Result, error) {
	results, err := runTasks(ctx, m, []attack.Task{t})
	if err != nil {
		return attack.Result{}, err
	}
	return results[0], nil
}

// RunBatch runs tasks in lockstep.
func (Options) RunBatch(ctx context.Context, m attack.Classifier, tasks []attack.Task) ([]attack.Result, error) {
	return runTasks(ctx, m, tasks)
}

// RunBatch runs tasks in lockstep.
func (Settings) RunBatch(ctx context.Context, m attack.Classifier, tasks []attack.Task) ([]attack.Result, error) {
	return runTasks(ctx, m, tasks)
}

// runTasks runs tasks whose attacks are Options or Settings in lockstep.
func runTasks(ctx context.Context, m attack.Classifier, tasks []attack.Task) ([]attack.Result, error) {
	settings := make([]Settings, len(tasks))
	for i, t := range tasks {
		r, ok := t.Attack.(Resolver)
		if !ok {
			return nil, fmt.Errorf("task %d: %T in a batch of sapf", i, t.Attack)
		}
		var err error
		if settings[i], err = r.Resolve(); err != nil {
			return nil, err
		}
	}
	return run(ctx, m, tasks, settings)
}

// BatchKey is equal for tasks that can go in lockstep: one loss, one kind of
// goal, one number of steps, whatever their k, weights or groups.
func (o Options) BatchKey(goal attack.Goal) string {
	s, err := o.Resolve()
	if err != nil {
		return fmt.Sprintf("%+v", o) // its run will say what is wrong
	}
	return s.BatchKey(goal)
}

// BatchKey is that of Options.
func (s Settings) BatchKey(goal attack.Goal) string {
	return fmt.Sprintf("sapf, %v, outer %d, steps %d, %d of %d, %d", s.loss(goal), s.Outer, s.DeltaSteps, s.MaskSteps, s.MaskInner, s.TuneSteps)
}

// Resolve returns the settings themselves, or says what no run could use.
func (s Settings) Resolve() (Settings, error) { return s, s.Validate() }

// SetOption checks and keeps an option for Resolve: a setting by name (see
// Settings.Set), "steps" or "preset".
func (o *Options) SetOption(name, value string) error {
	probe := Reference()
	if name != "steps" {
		if err := o.nearest(probe.SetOption(name, value)); err != nil {
			return err
		}
	} else if _, err := (Options{Set: map[string]any{name: value}}).Resolve(); err != nil {
		return err
	}
	if name == "preset" {
		o.Preset = value
		return nil
	}
	set := map[string]any{name: value}
	for n, v := range o.Set {
		if n != name {
			set[n] = v
		}
	}
	o.Set = set // a copy: others may hold the old one
	return nil
}

// SetOption sets a setting by name (see Set); "preset" starts again from the
// preset's settings.
func (s *Settings) SetOption(name, value string) error {
	if name != "preset" {
		return s.Set(name, value)
	}
	p, err := Preset(value)
	if err == nil {
		*s = p
	}
	return err
}

// nearest is an error of a setting; to an unknown one it names the nearest of these
// options, "steps" among them.
func (o Options) nearest(err error) error {
	if unknown := new(option.UnknownError); errors.As(err, &unknown) {
		return &option.UnknownError{Name: unknown.Name, Nearest: nearest.Of(unknown.Name, o.OptionNames())}
	}
	return err
}

// OptionNames lists the settings, and "steps".
func (o Options) OptionNames() []string { return append(Settings{}.Names(), "steps") }

// OptionNames lists the settings.
func (s Settings) OptionNames() []string { return s.Names() }

// OptionValues returns every setting by name, as preset and options say.
func (o Options) OptionValues() (map[string]any, error) {
	s, err := o.Resolve()
	return s.Map(), err
}

// OptionValues returns every setting by name.
func (s Settings) OptionValues() (map[string]any, error) { return s.Map(), s.Validate() }

// PresetNames are the words that "preset" may be.
func (Options) PresetNames() []string { return Presets() }

// PresetNames are the words that "preset" may be.
func (Settings) PresetNames() []string { return Presets() }

// Counts reports that G may be of entries or of pixels.
func (Options) Counts(unit attack.Unit) bool { return unit == attack.Entries || unit == attack.Pixels }

// Counts reports that G may be of entries or of pixels.
func (Settings) Counts(unit attack.Unit) bool { return Options{}.Counts(unit) }

// WithBudget returns the options with K and Share changed.
func (o Options) WithBudget(k int, unit attack.Unit) attack.Attack {
	o.K, o.Share = k, shareOf(unit)
	return o
}

// WithBudget returns the settings with K and Share changed.
func (s Settings) WithBudget(k int, unit attack.Unit) attack.Attack {
	s.K, s.Share = k, shareOf(unit)
	return s
}

// unit is what K counts.
func (s Settings) unit() attack.Unit {
	if s.Share == "pixel" {
		return attack.Pixels
	}
	return attack.Entries
}

func shareOf(unit attack.Unit) string {
	if unit == attack.Pixels {
		return "pixel"
	}
	return "channel"
}
