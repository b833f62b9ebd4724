package models

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"sapf/models/data"
	"sapf/models/engine"
	"sapf/models/zoo"
)

// publication is a model by others that we know: its file is looked for in the
// models folder of data.Roots and read in place.
type publication struct {
	Name, Arch, File string
	// Dataset, Accuracy (measured by Verify on the 10,000 test images, in
	// percent), Source and Licence go on the card.
	Dataset         string
	Accuracy        float64
	Source, Licence string
	// SHA256 is the file's digest.
	SHA256 string
	// Input and Classes are for the list where Arch is "": the file itself is
	// the network (ONNX).
	Input   engine.Shape
	Classes int
}

var publications = []publication{
	{Name: "resnet20", Arch: "resnet20", File: "resnet20-12fca82f.th", Dataset: "CIFAR-10", Accuracy: 91.73,
		Source: "akamaster/pytorch_resnet_cifar10", Licence: "BSD-2-Clause",
		SHA256: "12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8"},
	{Name: "resnet4b", Arch: "resnet4b", File: "resnet4b.pth", Dataset: "CIFAR-10", Accuracy: 77.20,
		Source: "alpha-beta-CROWN", Licence: "BSD-3-Clause",
		SHA256: "6158f9668935890e832d4e0fdc3b6cece2386ec826319eac36f329490b7729e7"},
	{Name: "resnet2b", Arch: "resnet2b", File: "resnet2b.pth", Dataset: "CIFAR-10", Accuracy: 69.25,
		Source: "alpha-beta-CROWN", Licence: "BSD-3-Clause",
		SHA256: "ef824b47175668e924d7fd409b5ef7e239012b8f0c31fefa66c643efda1eb05b"},
	{Name: "cnn_a", Arch: "cnn_a", File: "cifar_cnn_a_mix.model", Dataset: "CIFAR-10", Accuracy: 76.77,
		Source: "alpha-beta-CROWN (cifar_cnn_a_mix)", Licence: "BSD-3-Clause",
		SHA256: "5a1370f41961766db169ad9f945e9cc3157c9afd7986eac73bf2786c35dc3773"},
	{Name: "mobilenet_v2", File: "mobilenet_v2.onnx", Dataset: "ImageNet",
		Source: "google-coral/test_data, dequantised", Licence: "Apache-2.0",
		SHA256: "de26db1f0facbc293b73b65af15ac6a28b4fd1f6fff2e2e2c63ca6e62a85e98f", Input: engine.Shape{C: 3, H: 224, W: 224}, Classes: 1000},
}

func published(name string) (publication, bool) {
	for _, p := range publications {
		if p.Name == name {
			return p, true
		}
	}
	return publication{}, false
}

// classes are the names of its data set's classes.
func (p publication) classes() []string {
	if a := zoo.Known(p.Arch); a != nil {
		return a.Classes()
	}
	return data.ImageNetClasses()
}

func (p publication) describe(c *Card) {
	c.Name, c.Dataset, c.Accuracy, c.Source, c.Licence = p.Name, p.Dataset, p.Accuracy, p.Source, p.Licence
}

// findModel looks for the file of a published model.
func findModel(p publication) (string, error) {
	missing := &data.MissingError{What: "model " + p.Name,
		Advice: fmt.Sprintf("put %s (%s) there, or use the embedded cwnet", p.File, p.Source)}
	for _, root := range data.Roots() {
		file := filepath.Join(root, "models", p.File)
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
		missing.Looked = append(missing.Looked, file)
	}
	return "", missing
}

func publishedListings() []Listing {
	var list []Listing
	for _, p := range publications {
		l := Listing{Name: p.Name, Architecture: cmp.Or(p.Arch, "onnx"), Input: p.Input.String(), Classes: p.Classes, Accuracy: p.Accuracy, About: p.Source}
		if a := zoo.Known(p.Arch); a != nil {
			l.Input, l.Classes = a.Input.String(), len(a.Classes())
		}
		if file, err := findModel(p); err == nil {
			l.File = file
		}
		list = append(list, l)
	}
	return list
}
