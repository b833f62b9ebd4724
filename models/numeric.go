package models

import (
	"fmt"
	"math"
	"sapf/models/graph"
)

// NumericError reports a number that is not finite: the step that made it is
// void.
type NumericError struct {
	// Where the number stood: "input", "logits", "loss" or "gradient".
	Where string
	// Example is the image within the batch, Index the entry within its image,
	// logits or gradient.
	Example, Index int
	// Value is NaN or an infinity.
	Value float64
	// Layer is the first layer whose output is not finite, or "".
	Layer string
}

func (e *NumericError) Error() string {
	s := fmt.Sprintf("%s of example %d: entry %d is %v", e.Where, e.Example, e.Index, e.Value)
	if e.Layer != "" {
		s += fmt.Sprintf(" (first in layer %s)", e.Layer)
	}
	return s
}

// finite checks a batch of rows of equal length.
func finite(where string, v []float64, batch int) *NumericError {
	row := len(v) / batch
	for i, x := range v {
		if x-x != 0 { // NaN or infinite
			return &NumericError{Where: where, Example: i / row, Index: i % row, Value: x}
		}
	}
	return nil
}

// finiteLogits refuses logits of the image pix that are not all finite.
func (m *Model) finiteLogits(z, pix []float32) error {
	for i, v := range z {
		if v-v != 0 {
			return m.locate(&NumericError{Where: "logits", Index: i, Value: float64(v)}, pix)
		}
	}
	return nil
}

// locate returns e with the name of the first layer that makes a number out of
// float32's range on the image pix.
func (m *Model) locate(e *NumericError, pix []float32) error {
	e.Layer = graph.FirstBeyond(m.net, pix, math.MaxFloat32)
	return e
}
