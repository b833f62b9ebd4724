package dsl

import (
	"fmt"

	"sapf/dsl/display"
	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/sweep"
)

// Image is a picture, channels first, float32 in [0,1].
type Image = data.Image

// ImageOptions scale a picture to a model's size.
type ImageOptions = data.Options

// Model is a classifier under attack.
type Model struct{ *models.Model }

// Prediction is what a model says of an image.
type Prediction = models.Prediction

// LoadModel loads a classifier by name ("cwnet") or file (.safetensors, .pth,
// .onnx) and prints its card: architecture, classes, accuracy, digest.
//
//	m := LoadModel("cwnet")
func LoadModel(ref string, options ...models.LoadOptions) *Model {
	var o models.LoadOptions
	if len(options) > 0 {
		o = options[0]
	}
	m, err := models.Load(ref, o)
	if err != nil {
		fail("LoadModel", err)
	}
	display.To().Display(cardBundle(m), "")
	return &Model{m}
}

// Predict runs the classifier on one image.
//
//	Show(x, m.Predict(x))
func (m *Model) Predict(x Image) Prediction {
	p, err := m.Model.Predict(x)
	if err != nil {
		fail("Predict", err)
	}
	return p
}

// LoadImage loads an image: a picture file, a NumPy array (x.npy; batch.npz:3,
// one of several), the name of an embedded sample ("cat"), or a record of a data
// set ("cifar10:17").
//
//	x := LoadImage("cat")
func LoadImage(ref string, options ...data.Options) Image {
	var o data.Options
	if len(options) > 0 {
		o = options[0]
	}
	x, err := data.Load(ref, o)
	if err != nil {
		fail("LoadImage", err)
	}
	return x
}

// Aim is what an attack is to make of an image; Target and Untargeted build it.
type Aim struct{ class string }

// Target aims at a class, given by name or by index.
//
//	Attack(m, x, Target("dog"), Options{})
//	Attack(m, x, Target(5), Options{})
func Target(class any) Aim {
	switch class.(type) {
	case int, string:
		return Aim{class: fmt.Sprint(class)}
	}
	fail("Target", fmt.Errorf("a class is a name or an index, got a %T", class))
	return Aim{}
}

// Untargeted aims at any class but the image's own: its label, or, where that
// is unknown, the class that the model gives it.
func Untargeted() Aim { return Aim{} }

// String is the class aimed at, or "untargeted".
func (a Aim) String() string {
	if a.class == "" {
		return "untargeted"
	}
	return "target " + a.class
}

// Goal resolves an aim for one image. The image's own label is refused as a
// target. One that the model predicts already is a goal, and an attack on it
// ends at once with the status "already".
func (a Aim) Goal(m *Model, x Image) (attack.Goal, error) {
	goal, err := sweep.GoalOf(m.Classes(), x.Label, a.class)
	if err != nil || goal.Targeted() || goal.Label != attack.None {
		return goal, err
	}
	p, err := m.Model.Predict(x)
	goal.Label = p.Class
	return goal, err
}

// fail ends a verb: the session shows the error in one line.
func fail(verb string, err error) { panic(&display.Failure{Verb: verb, Err: err}) }
