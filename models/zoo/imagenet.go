package zoo

import (
	"sapf/models/data"
	"sapf/models/engine"
)

// ImageNet's mean and deviation, which torchvision's networks subtract and
// divide by.
var (
	imageNetMean = []float64{0.485, 0.456, 0.406}
	imageNetStd  = []float64{0.229, 0.224, 0.225}
)

const imageNetText = "(x - (.485, .456, .406)) / (.229, .224, .225)"

var imageNetInput = engine.Shape{C: 3, H: 224, W: 224}

// imageNetClasses is the number of classes of ILSVRC 2012.
const imageNetClasses = 1000

// registerImageNet registers a torchvision network for 224x224 images.
func registerImageNet(name, about string, build func(p *Params) (*engine.Net, error)) {
	register(&Architecture{Name: name, About: about + "; torchvision's names", Input: imageNetInput,
		Normalisation: imageNetText, Classes: data.ImageNetClasses, Build: build})
}
