// Package sweep runs attacks as jobs: what the command line, notebooks and
// large sweeps have in common. A Job is words; a Task is what they mean; a
// Record is what came out, in the project's result format.
package sweep

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/nearest"
	"sapf/sapf"
	"sapf/sapf/baseline"
	"sapf/sapf/metric"
)

// Job is one attack in words.
type Job struct {
	// Model is a name or a file; Arch its architecture where the file does not
	// say.
	Model, Arch string
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

// Task is a job that was found to make sense.
type Task struct {
	Model  *models.Model
	Image  data.Image
	Clean  models.Prediction
	Goal   sapf.Goal
	Attack sapf.Attack
	Preset string
}

// Prepare loads what the job names and checks all of it, without running
// anything. Every error is the request's fault.
func (j Job) Prepare() (*Task, error) {
	m, err := models.Load(j.Model, models.LoadOptions{Arch: j.Arch})
	if err != nil {
		return nil, err
	}
	t := &Task{Model: m, Preset: j.Preset}
	if t.Image, err = LoadImage(j.Image, m, j.Resize); err != nil {
		return nil, err
	}
	if t.Clean, err = m.Predict(t.Image); err != nil {
		return nil, err
	}
	if t.Goal, err = GoalOf(m.Classes(), t.Image.Label, t.Clean.Class, j.Target); err != nil {
		return nil, err
	}
	if t.Attack, err = j.attack(t.Image); err != nil {
		return nil, err
	}
	return t, sapf.Check(m, t.Image, t.Goal)
}

// LoadImage loads an image for a model. Samples come in the model's size; a
// file of another size is scaled if resize is set and refused otherwise.
func LoadImage(ref string, m *models.Model, resize bool) (data.Image, error) {
	var o data.Options
	isSample := slices.ContainsFunc(data.Samples(), func(s data.Sample) bool { return s.Name == ref })
	if resize || isSample {
		o = m.ImageOptions()
	}
	x, err := data.Load(ref, o)
	if err != nil {
		return x, err
	}
	if err := m.Fits(x); err != nil {
		return x, fmt.Errorf("%w: scale it with --resize", err)
	}
	return x, nil
}

// GoalOf resolves a target, a class's name or index, for an image of the given
// label and prediction. The label is refused as a target; a target that is not
// the label but is predicted already is a goal, and an attack on it ends at once
// as sapf.Already. With target "" the goal is untargeted: away from the label,
// or, where that is unknown, from the prediction.
func GoalOf(classes []string, label, prediction int, target string) (sapf.Goal, error) {
	goal := sapf.Goal{Label: label, Target: sapf.None}
	if target == "" {
		if label == data.NoLabel {
			goal.Label = prediction
		}
		return goal, nil
	}
	var err error
	if goal.Target, err = ClassIndex(classes, target); err != nil {
		return goal, err
	}
	if goal.Target == label {
		return goal, fmt.Errorf("target %d (%s) is the image's own label", goal.Target, classes[goal.Target])
	}
	return goal, nil
}

// ClassIndex finds a class by name, upper or lower case, or by index.
func ClassIndex(classes []string, class string) (int, error) {
	for i, c := range classes {
		if strings.EqualFold(c, class) {
			return i, nil
		}
	}
	i, err := strconv.Atoi(class)
	switch {
	case err != nil:
		return 0, fmt.Errorf("target %q is none of the model's classes, did you mean %q?", class, nearest.Of(class, classes))
	case i < 0 || i >= len(classes):
		return 0, fmt.Errorf("target %d, expected 0 to %d or a class's name", i, len(classes)-1)
	}
	return i, nil
}

// attack builds the method with its options.
func (j Job) attack(x data.Image) (sapf.Attack, error) {
	method := cmp.Or(j.Method, "sapf")
	if j.Groups != "" && method != "sapf" {
		return nil, fmt.Errorf("groups %s: %s has no groups, sapf has", j.Groups, method)
	}
	switch method {
	case "sapf":
		return j.sapf(x)
	case "sapf-matched":
		return j.matched()
	}
	return baselineWith(method, j.Preset, j.Set)
}

// sapf is the paper's method with the job's options.
func (j Job) sapf(x data.Image) (sapf.Attack, error) {
	o := optionsOf(j.Preset, j.Set)
	if j.Groups != "" {
		labels, err := readGroups(j.Groups, x)
		if err != nil {
			return nil, err
		}
		o.Groups = labels
	}
	s, err := o.Resolve()
	if err == nil && j.Groups != "" && s.Lambda2 == 0 {
		err = fmt.Errorf("groups %s: option lambda2 is 0, so that groups change nothing; set it above 0", j.Groups)
	}
	return o, err
}

func optionsOf(preset string, set map[string]string) sapf.Options {
	o := sapf.Options{Preset: preset, Set: map[string]any{}}
	for name, value := range set {
		o.Set[name] = value
	}
	return o
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

// matched is SAPF with the k of another attack.
func (j Job) matched() (sapf.Attack, error) {
	own, others := map[string]string{}, map[string]string{}
	to := "strattack"
	for name, value := range j.Set {
		other, ok := strings.CutPrefix(name, "to.")
		switch {
		case name == "to":
			to = value
		case ok:
			others[other] = value
		default:
			own[name] = value
		}
	}
	a := sapf.Matched{Options: optionsOf(j.Preset, own)}
	if _, err := a.Options.Resolve(); err != nil {
		return nil, err
	}
	var err error
	if a.To, err = baselineWith(to, "", others); err != nil {
		return nil, err
	}
	return a, a.Check()
}

// baselineWith is a method of the registry with options.
func baselineWith(method, preset string, set map[string]string) (sapf.Attack, error) {
	a, ok := baseline.New(method)
	if !ok {
		names := append([]string{"sapf", "sapf-matched"}, baseline.Names()...)
		return nil, fmt.Errorf("unknown method %q, did you mean %q? (there are %s)", method, nearest.Of(method, names), strings.Join(names, ", "))
	}
	if preset != "" {
		if err := baseline.Set(a, "preset", preset); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if err := baseline.Set(a, name, set[name]); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Run runs the task. Its error says that the attack could not be run, or that it
// returned what is no image; an attack that fails is an Outcome. So is one whose
// image does not bear out the success it claims: only the image decides.
func (t *Task) Run(ctx context.Context) (*Outcome, error) {
	start := time.Now()
	r, err := t.Attack.Run(ctx, t.Model, t.Image, t.Goal)
	if err != nil {
		return nil, fmt.Errorf("%s on %s: %w", t.Attack.Name(), t.Image.Name, err)
	}
	o := &Outcome{Task: t, Result: r, Seconds: time.Since(start).Seconds()}
	if o.Measured, err = metric.Measure(t.Model, t.Image, r.Adversarial, t.Goal); err != nil {
		return nil, fmt.Errorf("measure the result of %s on %s: %w", t.Attack.Name(), t.Image.Name, err)
	}
	if r.Success && !o.Measured.Success {
		o.Result.Success, o.Result.Status = false, sapf.Failed
		o.Result.Note = strings.TrimSuffix("false success: the image returned does not reach the goal that the attack claims; "+r.Note, "; ")
	}
	return o, nil
}
