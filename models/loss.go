package models

import (
	"gorgonia.org/gorgonia"
)

// Loss is a term built from a batch of logits with gorgonia nodes, so that
// gorgonia differentiates it down to the image.
type Loss interface {
	// Build returns one loss per example (a vector of length batch) from the
	// logits (batch x classes) and the targets (batch x classes), a matrix
	// the caller fills at each step: one-hot rows, or weights.
	Build(logits, targets *gorgonia.Node) (*gorgonia.Node, error)
	// String names the loss and its parameters. Equal strings mean equal losses.
	String() string
}
