// Package sweep runs attacks as jobs: what the command line, notebooks and
// large sweeps have in common. A Job is words; a Task is what they mean; a
// Record is what came out, in the project's result format.
package sweep

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf"
	"sapf/sapf/baseline"
	"sapf/sapf/metric"
	"sapf/sapf/option"
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
	// Set are options by name; they win over the preset.
	Set map[string]string
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
	if t.Attack, err = j.attack(); err != nil {
		return nil, err
	}
	return t, sapf.Check(m, t.Image, t.Goal)
}

// LoadImage loads an image for a model. Samples come in the model's size; a
// file of another size is scaled only if resize is set.
func LoadImage(ref string, m *models.Model, resize bool) (data.Image, error) {
	s := m.InputShape()
	var o data.Options
	isSample := slices.ContainsFunc(data.Samples(), func(s data.Sample) bool { return s.Name == ref })
	if resize || isSample {
		o = data.Options{H: s.H, W: s.W, C: s.C}
	}
	return data.Load(ref, o)
}

// GoalOf resolves a target, a class's name or index, for an image of the given
// label and prediction. A target that is predicted already is refused. With
// target "" the goal is untargeted: away from the label, or, where that is
// unknown, from the prediction.
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
	if goal.Target == prediction {
		return goal, fmt.Errorf("target %d (%s) is what the model predicts for the image already", goal.Target, classes[goal.Target])
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
		return 0, fmt.Errorf("target %q is none of the model's classes, did you mean %q?", class, option.Nearest(class, classes))
	case i < 0 || i >= len(classes):
		return 0, fmt.Errorf("target %d, expected 0 to %d or a class's name", i, len(classes)-1)
	}
	return i, nil
}

// attack builds the method with its options.
func (j Job) attack() (sapf.Attack, error) {
	if j.Method == "" || j.Method == "sapf" {
		o := sapf.Options{Preset: j.Preset, Set: map[string]any{}}
		for name, value := range j.Set {
			o.Set[name] = value
		}
		_, err := o.Resolve()
		return o, err
	}
	a, ok := baseline.New(j.Method)
	if !ok {
		names := append([]string{"sapf"}, baseline.Names()...)
		return nil, fmt.Errorf("unknown method %q, did you mean %q? (there are %s)", j.Method, option.Nearest(j.Method, names), strings.Join(names, ", "))
	}
	if j.Preset != "" {
		if err := baseline.Set(a, "preset", j.Preset); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(j.Set)) {
		if err := baseline.Set(a, name, j.Set[name]); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Run runs the task. Its error says that the attack could not be run; an
// attack that fails is an Outcome.
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
	return o, nil
}
