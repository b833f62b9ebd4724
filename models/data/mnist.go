package data

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

// idxSet is a data set of the MNIST family: 28x28 grey images in IDX files.
type idxSet struct {
	// folder below data/ that its files lie in.
	folder  string
	classes []string
}

var idxSets = map[string]idxSet{
	"fashion": {"fashion-mnist", FashionClasses},
	"mnist":   {"mnist", DigitClasses},
}

// The parts of a set of the MNIST family, as its files' names begin.
const (
	TestPart  = "t10k"
	TrainPart = "train"
)

// LoadIDX reads the first limit images (0: all) of a part of "fashion" or
// "mnist", from files named as their publishers name them, gzipped or not, in
// the data folder fashion-mnist or mnist.
func LoadIDX(name, part string, limit int) ([]Image, error) {
	set, ok := idxSets[name]
	if !ok {
		return nil, fmt.Errorf("no data set %q of the MNIST family, expected fashion or mnist", name)
	}
	var files [2]*os.File
	for k, kind := range []string{"-images-idx3-ubyte", "-labels-idx1-ubyte"} {
		file, err := Find(name, set.folder+"/"+part+kind+".gz")
		if missing := (*MissingError)(nil); errors.As(err, &missing) {
			if plain, plainErr := Find(name, set.folder+"/"+part+kind); plainErr == nil {
				file, err = plain, nil
			}
		}
		if err != nil {
			return nil, err
		}
		if files[k], err = os.Open(file); err != nil {
			return nil, err
		}
		defer files[k].Close()
	}
	return ReadIDX(name, files[0], files[1], len(set.classes), limit)
}

// Fashion reads the first limit test images (0: all 10,000) of Fashion-MNIST.
func Fashion(limit int) ([]Image, error) { return LoadIDX("fashion", TestPart, limit) }

// idxTest reads the first limit test images (0: all), from the embedded sample
// where that is enough.
func idxTest(name string, limit int) ([]Image, error) {
	if name == "fashion" && limit > 0 {
		if images, err := fashionSample(); err != nil || limit <= len(images) {
			return slices.Clip(images), err
		}
	}
	return LoadIDX(name, TestPart, limit)
}
