package train

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"

	"sapf/models/data"
	"sapf/models/engine"
)

// Set is labelled images of 8 bits, as data sets are published: a quarter of
// the memory of float32.
type Set struct {
	Shape engine.Shape
	// Pix has Len()*Shape.Len() entries, an image after the other, channels
	// first; Labels one a image.
	Pix    []byte
	Labels []int
}

// Images are a data set for training.
type Images struct {
	// Name is what Load was asked for, Title the name in print.
	Name, Title string
	// Classes name the labels.
	Classes     []string
	Train, Test Set
}

// Len is the number of images.
func (s *Set) Len() int { return len(s.Labels) }

// Add appends images, whose pixels are rounded to 8 bits.
func (s *Set) Add(images []data.Image) error {
	for _, m := range images {
		shape := engine.Shape{C: m.C, H: m.H, W: m.W}
		if s.Len() == 0 {
			s.Shape = shape
		}
		if shape != s.Shape || m.Label < 0 {
			return fmt.Errorf("image %s is %v with label %d, expected %v with a label", m.Name, shape, m.Label, s.Shape)
		}
		for _, v := range m.Pix {
			s.Pix = append(s.Pix, byte(float32(v*255)+0.5))
		}
		s.Labels = append(s.Labels, m.Label)
	}
	return nil
}

// first is the set of the first n images; 0 means all.
func (s Set) first(n int) Set {
	if n > 0 && n < s.Len() {
		s.Pix, s.Labels = s.Pix[:n*s.Shape.Len()], s.Labels[:n]
	}
	return s
}

// fill writes image i to x (Shape.Len() numbers in [0,1]).
func (s *Set) fill(i int, x []float32) {
	for k, v := range s.Pix[i*len(x):][:len(x)] {
		x[k] = float32(v) / 255
	}
}

// moved writes image i to x, moved down and right by so many pixels, black
// coming in, and mirrored.
func (s *Set) moved(i, down, right int, mirror bool, x []float32) {
	h, w := s.Shape.H, s.Shape.W
	pix := s.Pix[i*len(x):][:len(x)]
	for c := range s.Shape.C {
		for y := range h {
			line, from := x[(c*h+y)*w:][:w], y-down
			for col := range line {
				src := col
				if mirror {
					src = w - 1 - col
				}
				line[col] = 0
				if src -= right; from >= 0 && from < h && src >= 0 && src < w {
					line[col] = float32(pix[(c*h+from)*w+src]) / 255
				}
			}
		}
	}
}

// digest identifies the images and their order.
func (s *Set) digest() string {
	h := sha256.New()
	fmt.Fprint(h, s.Shape, " ", s.Labels)
	h.Write(s.Pix)
	return hex.EncodeToString(h.Sum(nil))
}

// check refuses a set that does not go with a network.
func (s *Set) check(what string, input engine.Shape, classes int) error {
	if s.Len() == 0 {
		return fmt.Errorf("%s set is empty", what)
	}
	if s.Shape != input || len(s.Pix) != s.Len()*input.Len() {
		return fmt.Errorf("%s set has %d images of %v (%d bytes), the network takes %v", what, s.Len(), s.Shape, len(s.Pix), input)
	}
	if top := slices.Max(s.Labels); top >= classes || slices.Min(s.Labels) < 0 {
		return fmt.Errorf("%s set has label %d, the network %d classes", what, top, classes)
	}
	return nil
}

// Load reads a data set from the data folders (data.Roots): "cifar10", with as
// many of its five training batches as are there, "fashion" or "mnist". At most
// limit training images are kept (0: all).
func Load(name string, limit int) (*Images, error) {
	var images *Images
	var err error
	switch name {
	case "cifar10":
		images, err = loadCIFAR10(limit)
	case "fashion":
		images, err = loadIDX(name, "Fashion-MNIST", data.FashionClasses, limit)
	case "mnist":
		images, err = loadIDX(name, "MNIST", data.DigitClasses, limit)
	default:
		return nil, fmt.Errorf("no data set %q to train on, expected cifar10, fashion or mnist", name)
	}
	if err != nil {
		return nil, err
	}
	images.Name, images.Train = name, images.Train.first(limit)
	return images, nil
}

func loadCIFAR10(limit int) (*Images, error) {
	images := &Images{Title: "CIFAR-10", Classes: data.CIFAR10Classes}
	read := func(s *Set, batch string) error {
		file, err := data.Find("cifar10", "cifar-10-batches-bin/"+batch+".bin")
		if err != nil {
			return err
		}
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		list, err := data.ReadCIFAR10(batch, f)
		if err != nil {
			return err
		}
		return s.Add(list)
	}
	if err := read(&images.Test, "test_batch"); err != nil {
		return nil, err
	}
	for i := 1; i <= 5; i++ {
		if limit > 0 && images.Train.Len() >= limit {
			break
		}
		err := read(&images.Train, fmt.Sprintf("data_batch_%d", i))
		if missing := (*data.MissingError)(nil); i > 1 && errors.As(err, &missing) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return images, nil
}

// loadIDX reads a set of the MNIST family.
func loadIDX(name, title string, classes []string, limit int) (*Images, error) {
	images := &Images{Title: title, Classes: classes}
	read := func(s *Set, part string, limit int) error {
		list, err := data.LoadIDX(name, part, limit)
		if err != nil {
			return err
		}
		return s.Add(list)
	}
	if err := read(&images.Test, data.TestPart, 0); err != nil {
		return nil, err
	}
	return images, read(&images.Train, data.TrainPart, limit)
}
