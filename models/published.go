package models

import (
	"fmt"
	"os"
	"path/filepath"

	"sapf/models/data"
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
}

var publications = []publication{}

func published(name string) (publication, bool) {
	for _, p := range publications {
		if p.Name == name {
			return p, true
		}
	}
	return publication{}, false
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
		l := Listing{Name: p.Name, Architecture: p.Arch, Accuracy: p.Accuracy, About: p.Source}
		if a := architectures[p.Arch]; a != nil {
			l.Input, l.Classes = a.Input.String(), len(a.Classes())
		}
		if file, err := findModel(p); err == nil {
			l.File = file
		}
		list = append(list, l)
	}
	return list
}
