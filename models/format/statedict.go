// Package format is what weight files hold: named tensors, read from
// safetensors here and from other formats by the packages below it.
package format

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Tensor is one named array of a weight file.
type Tensor struct {
	Name string
	// Shape has one length a dimension; none for a scalar.
	Shape []int
	// Data has the product of Shape entries, the last dimension fastest.
	// Whatever the file held (half, bfloat16, double, integers) is float32 here.
	Data []float32
}

// StateDict is what a weight file holds: tensors in the file's order.
type StateDict struct {
	// Source is the file, for messages.
	Source  string
	Tensors []Tensor
	// Metadata is what the file says of itself (safetensors' __metadata__).
	Metadata map[string]string
}

// CheckShape is the number of entries of a shape. It refuses a negative length and a product beyond limit entries.
func CheckShape(shape []int, limit int) (n int, err error) {
	n = 1
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative length", shape)
		}
		if d > 0 && n > limit/d {
			return 0, fmt.Errorf("shape %v has more than the %d entries there is room for", shape, limit)
		}
		n *= d
	}
	return n, nil
}

// Check refuses duplicate names and numbers that are not finite, naming
// tensor and index.
func (d *StateDict) Check() error {
	seen := map[string]bool{}
	for _, t := range d.Tensors {
		if seen[t.Name] {
			return fmt.Errorf("weights %s: tensor %s is there twice", d.Source, t.Name)
		}
		seen[t.Name] = true
		for i, v := range t.Data {
			if v-v != 0 {
				return fmt.Errorf("weights %s: tensor %s: entry %d of %d is %v, expected a finite number",
					d.Source, t.Name, i, len(t.Data), v)
			}
		}
	}
	return nil
}

// Name is a model file's own name, without folder and extension.
func Name(file string) string {
	return strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
}
