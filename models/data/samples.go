package data

import (
	"bytes"
	"embed"
	"fmt"
	"path"
)

//go:embed samples
var sampleFiles embed.FS

// Sample is an embedded picture. samples/SOURCES.md says whose each is and
// under what licence.
type Sample struct {
	// Name is the reference that Load takes.
	Name string
	// CIFAR is the class of CIFAR-10 it shows, or NoLabel.
	CIFAR int
	// ImageNet is the class of ImageNet it shows, or NoLabel.
	ImageNet int
	// About says what is on it, and by whom.
	About string
}

// samples are the embedded pictures, each kept at 32x32 and at 299x299.
var samples = []Sample{
	{"cat", 3, NoLabel, "an eye of Chelsea the cat, by Stefan van der Walt (CC0)"},
	{"chelsea", 3, NoLabel, "the face of Chelsea the cat, by Stefan van der Walt (CC0)"},
	{"horse", 7, NoLabel, "silhouette of a horse, by Andreas Preuss (CC0)"},
	{"coffee", NoLabel, 967, "a cup of espresso, by Rachel Michetti (CC0)"},
	{"rocket", NoLabel, NoLabel, "launch of DSCOVR, by SpaceX (public domain)"},
}

// Samples lists the embedded pictures.
func Samples() []Sample { return append([]Sample(nil), samples...) }

// smallSide and largeSide are the sizes at which samples are kept: CIFAR's and
// Inception-v3's.
const smallSide, largeSide = 32, 299

// loadSample decodes a sample at h x w; 0 means 32x32. Sizes that are not kept
// are scaled from the large one.
func loadSample(s Sample, h, w int) (Image, error) {
	file, label := s.Name+".png", s.CIFAR
	if h == 0 && w == 0 {
		h, w = smallSide, smallSide
	}
	if h != smallSide || w != smallSide {
		file, label = fmt.Sprintf("%s_%d.png", s.Name, largeSide), s.ImageNet
	}
	raw, err := sampleFiles.ReadFile(path.Join("samples", file))
	if err != nil {
		return Image{}, err
	}
	m, err := Decode(s.Name, bytes.NewReader(raw))
	if err != nil {
		return Image{}, err
	}
	m.Label = label
	if m.H == h && m.W == w {
		return m, nil
	}
	return m.Resize(h, w)
}

// fashionSample reads the first 100 test images of Fashion-MNIST, which are
// embedded.
func fashionSample() ([]Image, error) {
	pix, err := sampleFiles.ReadFile("samples/fashion-images.idx3.gz")
	if err != nil {
		return nil, err
	}
	labels, err := sampleFiles.ReadFile("samples/fashion-labels.idx1.gz")
	if err != nil {
		return nil, err
	}
	return ReadIDX("fashion", bytes.NewReader(pix), bytes.NewReader(labels), len(FashionClasses), 0)
}
