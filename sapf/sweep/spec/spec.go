// Package spec says what a sweep is: which models, images, targets and methods.
// A Spec is what somebody writes, as YAML or as a value; Resolve loads what it
// names and freezes it into a Plan, which names every attack by the key of its
// result and needs nothing but itself to be made again.
package spec

import (
	"sapf/sapf/attack"
	"sapf/sapf/baseline"
)

// Spec is a sweep as somebody asks for it.
//
//	model: cwnet                                            # or models: [cwnet, {file: net.pth, arch: resnet20, mean: [0.5], std: [0.25]}]
//	images: {set: cifar10, first: 3, correct: true}
//	targets: all                                            # or {random: 3}, [cat, dog], none (untargeted)
//	methods:
//	  - {name: sapf, preset: reference, options: {steps: 60, lambda2: 0, round: topk, k: 200}}
//	  - {name: fmn-l0, options: {steps: 100}, grid: {step_size: [0.5, 1]}}
type Spec struct {
	Models  []Model
	Images  Images
	Targets Targets
	Methods []Method
	// Batch is the largest number of attacks that share their passes; 0 is
	// attack.LargestBatch. Results do not depend on it.
	Batch int
}

// Model is a name or a file, and how it is loaded where the file does not say.
type Model struct {
	Name string
	Load
}

// Images choose the images: of a Set, of a Folder of pictures, or Names.
type Images struct {
	// Set is a data set: cifar10, cifar100, fashion, mnist, imagenet. Folder is a
	// folder of pictures, with labels.csv or without labels. Names are files,
	// samples (cat), records (cifar10:17) and patterns (photos/*.png).
	Set, Folder string
	Names       []string
	// First takes so many from the start; Seed and Count take so many in an
	// order drawn from the seed; Records those of these numbers. None of them
	// takes all.
	First   int
	Seed    uint64
	Count   int
	Records []int
	// Correct leaves out what a model gets wrong: First and Count then count
	// images that are right.
	Correct bool
	// Resize scales pictures of another size to the model's.
	Resize bool
}

// Targets choose what each image is to become. The zero value is all classes
// but the image's own.
type Targets struct {
	// None is untargeted. Classes are names or indices; an image whose own
	// class is among them does without that one. Random takes so many of the
	// other classes, drawn from Seed and the image.
	None    bool
	Classes []string
	Random  int
	Seed    uint64
}

// LargestBatch is the largest Spec.Batch: a group is one message of a queue.
const LargestBatch = 256

// LargestGrid is the largest number of combinations of a method's grid,
// LargestPlan that of attacks of a sweep: its keys are kept in memory.
const (
	LargestGrid = 10_000
	LargestPlan = 10_000_000
)

// Method is an attack with options, and a list of values for each option of a
// grid.
type Method struct {
	Name, Preset string
	// As is what tables call it; "" means its name, with the preset.
	As      string
	Options map[string]string
	Grid    map[string][]string
}

// Catalogue finds an attack by its name. The registry's is baseline.Named.
type Catalogue func(name string) (attack.Attack, error)

// Registry is the catalogue of the attacks of package baseline.
var Registry Catalogue = baseline.Named
