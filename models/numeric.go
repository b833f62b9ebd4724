package models

import (
	"fmt"
	"math"

	"sapf/models/engine"
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

// locate finds the first layer that makes a number out of float32's range on
// the image pix, and returns e with its name.
func (m *Model) locate(e *NumericError, pix []float32) error {
	shapes, err := m.net.Shapes()
	if err != nil {
		return e
	}
	x := make([]float64, len(pix))
	for i, v := range pix {
		x[i] = float64(v)
	}
	ys := make([][]float64, len(m.net.Nodes))
	for i, node := range m.net.Nodes {
		in, xs := gather(m.net, shapes, i, x, ys)
		ys[i] = make([]float64, shapes[i].Len())
		if err := engine.Forward64(node.Op, in, 1, xs, ys[i]); err != nil {
			return e
		}
		for _, v := range ys[i] {
			if !(math.Abs(v) <= math.MaxFloat32) {
				e.Layer = node.Name
				return e
			}
		}
	}
	return e
}

// gather returns the shapes and values that node i of a network reads.
func gather(net *engine.Net, shapes []engine.Shape, i int, x []float64, ys [][]float64) ([]engine.Shape, [][]float64) {
	var in []engine.Shape
	var xs [][]float64
	for _, k := range net.Nodes[i].In {
		if k == engine.Input {
			in, xs = append(in, net.Input), append(xs, x)
		} else {
			in, xs = append(in, shapes[k]), append(xs, ys[k])
		}
	}
	return in, xs
}
