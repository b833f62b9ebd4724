package models

import (
	"fmt"
	"strings"
)

// Card says what a model is: the part of a result that names its classifier.
type Card struct {
	// Name is what Load was asked for; Architecture the network's kind.
	Name         string `json:"name"`
	Architecture string `json:"architecture"`
	// About says what network that is, where the file is the network.
	About string `json:"about,omitempty"`
	// Dataset is what it was trained on.
	Dataset string `json:"dataset,omitempty"`
	// Classes are the names of the classes, in the order of the logits.
	Classes []string `json:"classes,omitempty"`
	// Accuracy is the share of clean test images classified rightly, in
	// percent; 0 where nobody measured it.
	Accuracy float64 `json:"accuracy,omitempty"`
	// Recipe says how it was trained, Source who made it and where it is
	// from, Licence on which terms.
	Recipe  string `json:"recipe,omitempty"`
	Source  string `json:"source,omitempty"`
	Licence string `json:"licence,omitempty"`
	// Normalisation is what the network does to an image in [0,1] first.
	Normalisation string `json:"normalisation,omitempty"`
	// Parameters is the number of weights.
	Parameters int64 `json:"parameters,omitempty"`
	// SHA256 of the weight file, in hexadecimal; in the card within a file Tensors,
	// the digest of its tensors and the rest of the card.
	SHA256  string `json:"sha256,omitempty"`
	Tensors string `json:"tensors,omitempty"`
	// SelfTest are the logits expected of TestPattern 0, 1, ...: what shows
	// at load that the layers and the normalisation are the right ones.
	SelfTest [][]float64 `json:"self_test,omitempty"`
	// Loaded says which options changed what the network computes of its file's
	// weights, "" for none: what is kept of a model is kept under both.
	Loaded string `json:"-"`
	// Warnings are what a user of the model ought to know.
	Warnings []string `json:"warnings,omitempty"`
}

// String is the card as a few lines of text.
func (c Card) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %d classes", c.Name, c.Architecture, len(c.Classes))
	if c.Dataset != "" {
		fmt.Fprintf(&b, " of %s", c.Dataset)
	}
	if c.Parameters > 0 {
		fmt.Fprintf(&b, ", %.2f M parameters", float64(c.Parameters)/1e6)
	}
	if c.Accuracy > 0 {
		fmt.Fprintf(&b, "\nclean accuracy %.2f %%", c.Accuracy)
	}
	for _, line := range []struct{ what, value string }{
		{"network", c.About}, {"input", c.Normalisation}, {"recipe", c.Recipe}, {"source", c.Source}, {"licence", c.Licence}, {"sha256", c.SHA256},
	} {
		if line.value != "" {
			fmt.Fprintf(&b, "\n%s %s", line.what, line.value)
		}
	}
	for _, w := range c.Warnings {
		fmt.Fprintf(&b, "\nwarning: %s", w)
	}
	return b.String()
}
