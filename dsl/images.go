package dsl

import (
	"fmt"
	"math"
	"slices"

	"sapf/models/data"
)

// viewSides are the sides, of the sample's 299 pixels, of the squares that
// Views cuts out.
var viewSides = []int{299, 271, 251, 233}

// HasData reports whether a data set can be loaded here: "cifar10" and
// "imagenet" where their files are at hand, "cat" and "fashion", which are
// embedded, always.
func HasData(set string) bool {
	switch set {
	case "cat":
		return true
	case photographs:
		_, err := listed()
		return err == nil
	}
	_, err := data.Load(set+":0", data.Options{})
	return err == nil
}

// LoadImages loads the first n images of a set: test records ("cifar10",
// "fashion"), the labelled photographs of the data folder imagenet
// ("imagenet"), or, for "cat", views of the embedded photograph (see Views). Or
// the images of a folder (with their classes, where it has a labels.csv), of a
// pattern, or of a NumPy file (x.npy; x.npz with labels), of which n = 0 takes
// all. Options scale photographs to a model's size.
//
//	images := m.Correct(LoadImages("cifar10", 20))
//	photographs := LoadImages("imagenet", 20, m.ImageOptions())
//	mine := LoadImages("photos/*.jpg", 0, m.ImageOptions())
//	batch := LoadImages("batch.npz", 0)
func LoadImages(set string, n int, options ...ImageOptions) []Image {
	if data.IsSeveral(set) || data.IsArray(set) {
		return severalImages(set, n, options...)
	}
	if n < 1 {
		fail("LoadImages", fmt.Errorf("%d images, expected at least 1", n))
	}
	names := make([]string, n)
	switch set {
	case "cat":
		return Views(set, n)
	case photographs:
		entries, err := listed()
		if err == nil && n > len(entries) {
			err = fmt.Errorf("%d photographs, expected at most %d", n, len(entries))
		}
		if err != nil {
			fail("LoadImages", err)
		}
		for i := range names {
			names[i] = photographs + ":" + entries[i].File
		}
	default:
		for i := range names {
			names[i] = fmt.Sprintf("%s:%d", set, i)
		}
	}
	images := make([]Image, n)
	for i, name := range names {
		images[i] = LoadImage(name, options...)
	}
	return images
}

// severalImages loads the first n images of a folder, a pattern or an array, 0:
// all.
func severalImages(ref string, n int, options ...ImageOptions) []Image {
	var o ImageOptions
	if len(options) > 0 {
		o = options[0]
	}
	set, err := data.Several(ref, o)
	if err == nil && (n < 0 || n > set.N) {
		err = fmt.Errorf("%d images of %s, expected 0 (all) to %d", n, ref, set.N)
	}
	if err != nil {
		fail("LoadImages", err)
	}
	if n == 0 {
		n = set.N
	}
	images := make([]Image, n)
	for i := range images {
		if images[i], err = set.At(i); err != nil {
			fail("LoadImages", err)
		}
	}
	return images
}

// photographs is the set, and the data folder, of labelled photographs.
const photographs = "imagenet"

// listed are the photographs that the folder's labels.csv lists.
func listed() ([]data.Entry, error) {
	dir, err := data.Find(photographs, photographs)
	if err != nil {
		return nil, err
	}
	return data.ReadLabels(dir)
}

// StatedTarget aims at the class that labels.csv states as a photograph's
// target: one drawn at random, by whoever made the set.
//
//	x := LoadImages("imagenet", 1, m.ImageOptions())[0]
//	r := Attack(m, x, StatedTarget(x), Options{K: 5000, Guard: "cap"})
func StatedTarget(x Image) Aim {
	entries, err := listed()
	if err != nil {
		fail("StatedTarget", err)
	}
	for _, e := range entries {
		if x.Name == photographs+":"+e.File && e.Target != data.NoLabel {
			return Target(e.Target)
		}
	}
	fail("StatedTarget", fmt.Errorf("%s has no target in labels.csv", x.Name))
	return Aim{}
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

// LocalDeviation is the standard deviation of the 3x3 neighbourhood of each
// pixel, the mean over the channels: length H*W, in pixel units.
func LocalDeviation(x Image) Vec {
	pixels := x.H * x.W
	out := make(Vec, pixels)
	for i, v := range ChannelDeviation(x) {
		out[i%pixels] += v / float64(x.C)
	}
	return out
}

// ChannelDeviation is the standard deviation of the 3x3 neighbourhood of each
// entry within its channel, cut at the border: length C*H*W, in pixel units.
func ChannelDeviation(x Image) Vec {
	const radius = 1
	pixels := x.H * x.W
	out := make(Vec, x.Len())
	for i := range out {
		c, row, column := i/pixels, i%pixels/x.W, i%x.W
		n, sum, squares := 0.0, 0.0, 0.0
		for r := max(0, row-radius); r <= min(x.H-1, row+radius); r++ {
			for s := max(0, column-radius); s <= min(x.W-1, column+radius); s++ {
				v := float64(x.At(c, r, s))
				n, sum, squares = n+1, sum+v, squares+float64(v*v)
			}
		}
		mean := sum / n
		out[i] = math.Sqrt(max(0, squares/n-float64(mean*mean)))
	}
	return out
}

// Superpixels are SLIC segments of an image, about n of them: the label of each
// pixel, length H*W, numbered from 0. Options.Segments makes the same ones.
//
//	labels := Superpixels(x, 150)
func Superpixels(x Image, n int) []int {
	labels, err := data.Superpixels(x, data.SuperpixelOptions{Segments: n})
	if err != nil {
		fail("Superpixels", err)
	}
	return labels
}
