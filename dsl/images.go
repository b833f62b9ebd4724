package dsl

import (
	"fmt"
	"slices"

	"sapf/models/data"
)

// viewSides are the sides, of the sample's 299 pixels, of the squares that
// Views cuts out.
var viewSides = []int{299, 271, 251, 233}

// HasData reports whether a data set can be loaded here: "cifar10" where its
// files are at hand, "cat" and "fashion", which are embedded, always.
func HasData(set string) bool {
	if set == "cat" {
		return true
	}
	_, err := data.Load(set+":0", data.Options{})
	return err == nil
}

// LoadImages loads the first n images of a set: test records ("cifar10",
// "fashion"), or, for "cat", views of the embedded photograph (see Views).
//
//	images := m.Correct(LoadImages("cifar10", 20))
func LoadImages(set string, n int) []Image {
	if n < 1 {
		fail("LoadImages", fmt.Errorf("%d images, expected at least 1", n))
	}
	if set == "cat" {
		return Views(set, n)
	}
	images := make([]Image, n)
	for i := range images {
		images[i] = LoadImage(fmt.Sprintf("%s:%d", set, i))
	}
	return images
}

// Views cuts n 32x32 pictures out of an embedded sample: the whole of it, its
// mirror image, and then smaller squares from its corners and their mirror
// images. They stand in for a data set where there is none; being views of one
// photograph, they are alike, and a confidence interval over them says nothing
// about other photographs.
func Views(sample string, n int) []Image {
	large, err := data.Load(sample, data.Options{C: 3, H: 299, W: 299})
	if err != nil {
		fail("Views", err)
	}
	whole := LoadImage(sample)
	views := []Image{whole, mirrored(whole)}
	for _, side := range viewSides[1:] {
		free := large.H - side
		for _, at := range [][2]int{{free / 2, free / 2}, {0, 0}, {free, free}, {0, free}, {free, 0}} {
			cut, err := large.Crop(at[0], at[1], at[0]+side, at[1]+side)
			if err != nil {
				fail("Views", err)
			}
			small, err := cut.Resize(32, 32)
			if err != nil {
				fail("Views", err)
			}
			small.Name, small.Label = fmt.Sprintf("%s, %d pixels from (%d,%d)", sample, side, at[1], at[0]), whole.Label
			views = append(views, small, mirrored(small))
		}
	}
	if n < 1 || n > len(views) {
		fail("Views", fmt.Errorf("%d views, expected 1 to %d", n, len(views)))
	}
	return views[:n]
}

// mirrored is the image with left and right exchanged.
func mirrored(x Image) Image {
	out := x.Clone()
	out.Name += ", mirrored"
	for row := 0; row < x.C*x.H; row++ {
		slices.Reverse(out.Pix[row*x.W : (row+1)*x.W])
	}
	return out
}

// Correct returns those of the images that the model classifies as labelled,
// in their order: what an attack has to be measured on.
func (m *Model) Correct(images []Image) []Image {
	var out []Image
	for _, x := range images {
		if m.Predict(x).Class == x.Label {
			out = append(out, x)
		}
	}
	return out
}
