// Package sweep runs attacks as jobs: what the command line, notebooks and
// large sweeps have in common. A Job is words; a Task is what they mean; a
// Record is what came out, in the project's result format.
package sweep

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf"
	"sapf/sapf/attack"
	"sapf/sapf/baseline"
)

// Job is one attack in words.
type Job struct {
	// Model is a name or a file; Load says how it is read, where the file does
	// not say.
	Model string
	Load  models.LoadOptions
	// Image is a file, a sample's name or a record ("cifar10:17"). Resize
	// scales a picture of another size to the model's instead of refusing it.
	Image  string
	Resize bool
	// Target is a class's name or index; empty for an untargeted attack.
	Target string
	// Method is the attack's name; empty for "sapf". Preset is one of its
	// presets.
	Method, Preset string
	// Set are options by name; they win over the preset. Method "sapf-matched"
	// takes "to", the attack whose count is to be SAPF's k ("strattack" if
	// absent), and that attack's own options as "to.NAME".
	Set map[string]string
	// Groups is a picture of the image's size in which pixels of one colour are
	// one group of SAPF-GS; empty for superpixels.
	Groups string
}

// Prepare loads what the job names and checks all of it, without running
// anything. Every error is the request's fault. The goal of an untargeted
// attack on an image without a label is left to the run, which predicts one.
func (j Job) Prepare() (*models.Model, attack.Task, error) {
	m, err := models.Load(j.Model, j.Load)
	if err != nil {
		return nil, attack.Task{}, err
	}
	var t attack.Task
	if t.Image, err = LoadImage(j.Image, m, j.Resize); err != nil {
		return nil, t, err
	}
	if t.Goal, err = GoalOf(m.Classes(), t.Image.Label, j.Target); err != nil {
		return nil, t, err
	}
	if t.Attack, err = j.attack(t.Image); err != nil {
		return nil, t, err
	}
	if t.Goal.Targeted() || t.Goal.Label != attack.None {
		err = attack.Check(m, t.Image, t.Goal)
	}
	return m, t, err
}

// LoadImage loads an image for a model. Samples come in the model's size; a
// file of another size is scaled if resize is set and refused otherwise.
func LoadImage(ref string, m *models.Model, resize bool) (data.Image, error) {
	var o data.Options
	isSample := slices.ContainsFunc(data.Samples(), func(s data.Sample) bool { return s.Name == ref })
	if resize || isSample {
		o = m.ImageOptions()
	}
	if !resize && !isSample {
		if err := fitsByHeader(ref, m); err != nil {
			return data.Image{}, err
		}
	}
	x, err := data.Load(ref, o)
	if err != nil {
		return x, err
	}
	return Fit(x, m, false)
}

// Fit makes of an image what a model takes: by scaling it and making it grey if
// resize allows that, or else only where nothing is lost by it, a grey one for
// three channels or one of equal channels for one.
func Fit(x data.Image, m *models.Model, resize bool) (data.Image, error) {
	s := m.InputShape()
	if resize && (x.H != s.H || x.W != s.W) {
		var err error
		if x, err = x.Resize(s.H, s.W); err != nil {
			return x, err
		}
	}
	switch {
	case s.C == 3 && x.C == 1:
		x = x.RGB()
	case s.C == 1 && x.C == 3 && (resize || x.IsGrey()):
		x = x.Grey()
	}
	if err := m.Fits(x); err != nil {
		return x, &SizeError{err, resizeRule(x.C, m)}
	}
	return x, nil
}

// SizeError says that an image has another size, or other channels, than the
// model takes: Err, and what is to be done on the command line.
type SizeError struct {
	Err error
	How string
}

func (e *SizeError) Error() string { return fmt.Sprintf("%v: %s", e.Err, e.How) }
func (e *SizeError) Unwrap() error { return e.Err }

// resizeRule says what --resize makes of an image for a model.
func resizeRule(channels int, m *models.Model) string {
	if m.InputShape().C == 1 && channels == 3 {
		return "--resize scales it and makes it grey (0.299 R + 0.587 G + 0.114 B)"
	}
	return "scale it with --resize"
}

// fitsByHeader refuses a picture file that can't fit the model, upright or on its
// side, without unpacking it. What is no picture file is for others to refuse.
func fitsByHeader(file string, m *models.Model) error {
	h, w, err := data.SizeOf(file)
	if in := m.InputShape(); err != nil || h == in.H && w == in.W || h == in.W && w == in.H {
		return nil
	}
	return &SizeError{m.Fits(data.Image{Name: file, C: 3, H: h, W: w}), resizeRule(3, m)}
}

// GoalOf resolves a target, a class's name or index, for an image of the given
// label. The label is refused as a target; a target that is not the label but is
// predicted already is a goal, and an attack on it ends at once as
// attack.Already. With target "" the goal is untargeted: away from the label, or,
// where that is unknown, from what the run predicts.
func GoalOf(classes []string, label int, target string) (attack.Goal, error) {
	goal := attack.Goal{Label: label, Target: attack.None}
	if target == "" {
		return goal, nil
	}
	var err error
	if goal.Target, err = models.ClassIndex(classes, target); err != nil {
		return goal, fmt.Errorf("target %w", err)
	}
	if goal.Target == label {
		return goal, fmt.Errorf("target %d (%s) is the image's own label", goal.Target, classes[goal.Target])
	}
	return goal, nil
}

// attack builds the method with its options, and checks that they fit together.
func (j Job) attack(x data.Image) (attack.Attack, error) {
	a, err := NewAttack(j.Method, j.Preset, j.Set)
	if err != nil || j.Groups == "" {
		return a, err
	}
	o, ok := a.(*sapf.Options)
	if !ok {
		return nil, fmt.Errorf("groups %s: %s has no groups, sapf has", j.Groups, a.Name())
	}
	if o.Groups, err = readGroups(j.Groups, x); err != nil {
		return nil, err
	}
	s, err := o.Resolve()
	if err == nil && s.Lambda2 == 0 {
		err = fmt.Errorf("groups %s: option lambda2 is 0, so that groups change nothing; set it above 0", j.Groups)
	}
	return o, err
}

// NewAttack returns the method of the registry called name ("" is SAPF) with a
// preset ("" is its default) and options by name, which win over the preset.
func NewAttack(name, preset string, set map[string]string) (attack.Attack, error) {
	return Build(baseline.Named, name, preset, set)
}

// Build is NewAttack with attacks found by their names elsewhere than in the
// registry.
func Build(named func(name string) (attack.Attack, error), name, preset string, set map[string]string) (attack.Attack, error) {
	a, err := named(cmp.Or(name, "sapf"))
	if err != nil {
		return nil, err
	}
	if preset != "" {
		if err := attack.Set(a, "preset", preset); err != nil {
			return nil, err
		}
	}
	for _, option := range inOrder(set) {
		if err := attack.Set(a, option, set[option]); err != nil {
			return nil, err
		}
	}
	_, err = attack.Options(a)
	return a, err
}

// inOrder are the names of options, sorted, those that choose what others belong
// to first.
func inOrder(set map[string]string) []string {
	names := slices.Sorted(maps.Keys(set))
	slices.SortStableFunc(names, func(a, b string) int { return strings.Count(a, ".") - strings.Count(b, ".") })
	return names
}

// readGroups reads a picture as a label image for x.
func readGroups(path string, x data.Image) ([]int, error) {
	m, err := data.Load(path, data.Options{})
	if err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	if m.H != x.H || m.W != x.W {
		return nil, fmt.Errorf("groups %s: the picture is %dx%d, expected the image's %dx%d", path, m.H, m.W, x.H, x.W)
	}
	return data.ColourLabels(m), nil
}
