// Package data reads the images that classifiers are asked about: picture
// files, CIFAR and MNIST records, image folders and the embedded samples.
package data

import (
	"fmt"
	"math"
)

// NoLabel is the Label of an image whose true class is unknown.
const NoLabel = -1

// Image is one picture, channels first.
type Image struct {
	// Name says where the image comes from: a file, "cat", "cifar10:17".
	Name string
	// C, H and W are channels (1 or 3), rows and columns.
	C, H, W int
	// Pix has length C*H*W, in [0,1], index (c*H+y)*W+x.
	Pix []float32
	// Label is the true class, or NoLabel.
	Label int
}

// NewImage returns a black, unlabelled image of c x h x w.
func NewImage(name string, c, h, w int) Image {
	return Image{Name: name, C: c, H: h, W: w, Pix: make([]float32, c*h*w), Label: NoLabel}
}

// Len is the number of entries, N = C*H*W.
func (m Image) Len() int { return m.C * m.H * m.W }

// At returns the entry of channel c, row y, column x.
func (m Image) At(c, y, x int) float32 { return m.Pix[(c*m.H+y)*m.W+x] }

// Clone returns a copy that shares nothing with m.
func (m Image) Clone() Image {
	m.Pix = append([]float32(nil), m.Pix...)
	return m
}

// Validate reports an image whose shape and pixels disagree, or a pixel
// outside [0,1].
func (m Image) Validate() error {
	if m.C < 1 || m.H < 1 || m.W < 1 || len(m.Pix) != m.Len() {
		return fmt.Errorf("image %q: shape %dx%dx%d wants %d pixels, got %d", m.Name, m.C, m.H, m.W, m.Len(), len(m.Pix))
	}
	for i, v := range m.Pix {
		if v >= 0 && v <= 1 {
			continue
		}
		hint := ""
		if v > 1 && v <= 255 {
			hint = " (values up to 255 must be divided by 255)"
		}
		return fmt.Errorf("image %q: pixel %d is %v, expected a number in [0,1]%s", m.Name, i, v, hint)
	}
	return nil
}

// String is the image in a line: its name, shape, label and the range of its
// entries. fmt's %v and %+v print it, within structs and slices too.
func (m Image) String() string {
	name, label := m.Name, "no label"
	if name == "" {
		name = "image"
	}
	if m.Label != NoLabel {
		label = fmt.Sprintf("label %d", m.Label)
	}
	return fmt.Sprintf("%s %dx%dx%d, %s, %s", name, m.C, m.H, m.W, label, m.values())
}

// GoString is what %#v prints: the image as Go has it, but for its entries.
func (m Image) GoString() string {
	return fmt.Sprintf("data.Image{Name:%q, C:%d, H:%d, W:%d, Pix:[]float32{/* %s */}, Label:%d}", m.Name, m.C, m.H, m.W, m.values(), m.Label)
}

// values is the range of the image's entries, and what is wrong with them.
func (m Image) values() string {
	low, high := float32(math.Inf(1)), float32(math.Inf(-1))
	nan := 0
	for _, v := range m.Pix {
		if v != v {
			nan++
			continue
		}
		low, high = min(low, v), max(high, v)
	}
	s := "no values"
	if low <= high {
		s = fmt.Sprintf("values %.3g to %.3g", low, high)
	}
	if len(m.Pix) != m.Len() {
		s += fmt.Sprintf(" (%d of them, expected %d)", len(m.Pix), m.Len())
	}
	if nan > 0 {
		s += fmt.Sprintf(", %d not a number", nan)
	}
	return s
}
