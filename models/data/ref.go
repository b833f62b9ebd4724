package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"sapf/models/nearest"
	"sapf/models/plain"
)

// Options say how Load turns a reference into an image. The zero value leaves
// the picture as it is.
type Options struct {
	// H and W scale a picture file or a sample to that many rows and columns
	// (Image.Resize). 0: a file keeps its size, a sample is 32x32. Records of a
	// data set are never scaled.
	H, W int
	// C converts to 1 channel (Grey) or 3 (RGB). 0: as it is.
	C int
}

// MissingError reports a data set or model file that is not on this machine.
type MissingError struct {
	// What is missing: "cifar10".
	What string
	// Looked are the places that were searched.
	Looked []string
	// Advice says what to do.
	Advice string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is not on this machine (looked for %s); %s", e.What, strings.Join(e.Looked, ", "), e.Advice)
}

// Roots are the folders that hold data/ and models/, in the order they are
// searched: $SAPF_DATA, then sapf in the user's cache directory.
func Roots() []string {
	var roots []string
	if dir := os.Getenv("SAPF_DATA"); dir != "" {
		roots = append(roots, dir)
	}
	if dir, err := os.UserCacheDir(); err == nil {
		roots = append(roots, filepath.Join(dir, "sapf"))
	}
	return roots
}

// Find returns the first of the roots' data folders that has the file or
// folder name, "cifar-10-batches-bin/test_batch.bin". The error is a
// *MissingError about what.
func Find(what, name string) (string, error) {
	missing := &MissingError{What: what, Advice: advice(what)}
	for _, root := range Roots() {
		file := filepath.Join(root, "data", filepath.FromSlash(name))
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
		missing.Looked = append(missing.Looked, file)
	}
	return "", missing
}

func advice(what string) string {
	offered := fmt.Sprintf("the embedded samples need nothing: %s, fashion:0 to fashion:99", strings.Join(sampleNames(), ", "))
	return fmt.Sprintf("get it with `sapf data get %s`, or set SAPF_DATA to a folder with data/ in it; %s", what, offered)
}

func sampleNames() []string {
	var names []string
	for _, s := range samples {
		names = append(names, s.Name)
	}
	return names
}

// Load returns the image that a reference names:
//
//	cat                 an embedded sample (Samples), 32x32 unless Options say otherwise
//	cifar10:17          record 17 of CIFAR-10's test batch
//	cifar100:17         record 17 of CIFAR-100's test set (fine labels)
//	fashion:17          test record 17 of Fashion-MNIST; the first 100 are embedded
//	mnist:17            test record 17 of MNIST
//	imagenet:NAME       a photograph of the data folder imagenet, with its label
//	photo.jpg           a picture file (Decode), by a path, ~/photo.jpg or a file URL
//	x.npy, x.npz        a NumPy array with one image, C x H x W or H x W x C, float or uint8
//	batch.npy:17        image 17 of an array with several
//
// Data sets are looked for in Roots; nothing is ever downloaded. A set that is
// not there is a *MissingError.
func Load(ref string, o Options) (Image, error) {
	m, err := load(ref, o)
	if err != nil {
		return Image{}, err
	}
	m.Name = plain.Line(m.Name)
	return channels(m, o)
}

// channels makes an image grey or coloured, where that is asked for.
func channels(m Image, o Options) (Image, error) {
	switch o.C {
	case 0, m.C:
		return m, nil
	case 1:
		return m.Grey(), nil
	case 3:
		return m.RGB(), nil
	}
	return Image{}, fmt.Errorf("image %s: %d channels wanted, expected 1 or 3", m.Name, o.C)
}

func load(ref string, o Options) (Image, error) {
	for _, s := range samples {
		if s.Name == ref {
			return loadSample(s, o.H, o.W)
		}
	}
	if file, record, ok := cutRecord(ref); ok {
		if file, err := Path(file); err == nil && exists(file) {
			return loadArray(file, record, o)
		}
	}
	set, rest, isRecord := strings.Cut(ref, ":")
	if isRecord {
		if set == "imagenet" {
			return loadImageNet(rest, o)
		}
		if read, ok := records[set]; ok {
			i, err := strconv.Atoi(rest)
			if err != nil || i < 0 {
				return Image{}, fmt.Errorf("image %q: record %q, expected a number from 0 on", ref, rest)
			}
			return read(ref, i)
		}
	}
	m, err := LoadFile(ref)
	if errors.Is(err, fs.ErrNotExist) {
		return Image{}, fmt.Errorf("image %q: no such file, and not a sample (%s) or a record (cifar10:0, cifar100:0, fashion:0, mnist:0, imagenet:NAME, batch.npy:0)%s",
			ref, strings.Join(sampleNames(), ", "), nearest.DidYouMean(ref, sampleNames()))
	}
	if err != nil || o.H == 0 && o.W == 0 {
		return m, err
	}
	return fit(m, o)
}

func fit(m Image, o Options) (Image, error) {
	if o.H == 0 && o.W == 0 || m.H == o.H && m.W == o.W {
		return m, nil
	}
	return m.Resize(o.H, o.W)
}

// LoadFile decodes a picture file, named as Path takes it. The reference becomes
// the image's name.
func LoadFile(ref string) (Image, error) {
	file, err := Path(ref)
	if err != nil {
		return Image{}, fmt.Errorf("picture %w", err)
	}
	f, err := os.Open(file)
	if err != nil {
		return Image{}, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return Image{}, fmt.Errorf("picture %s: is a folder", file)
	}
	return Decode(ref, f)
}

// records read one record of a data set.
var records = map[string]func(ref string, i int) (Image, error){
	"cifar10": func(ref string, i int) (Image, error) {
		file, err := Find("cifar10", "cifar-10-batches-bin/test_batch.bin")
		if err != nil {
			return Image{}, err
		}
		return cifarRecord(file, ref, i, 1, len(CIFAR10Classes))
	},
	"cifar100": func(ref string, i int) (Image, error) {
		file, err := Find("cifar100", "cifar-100-binary/test.bin")
		if err != nil {
			return Image{}, err
		}
		return cifarRecord(file, ref, i, 2, 100)
	},
	"fashion": func(ref string, i int) (Image, error) { return idxRecord("fashion", ref, i) },
	"mnist":   func(ref string, i int) (Image, error) { return idxRecord("mnist", ref, i) },
}

// idxRecord reads test record i of a set of the MNIST family.
func idxRecord(set, ref string, i int) (Image, error) {
	images, err := idxTest(set, i+1)
	if err != nil {
		return Image{}, err
	}
	if i >= len(images) {
		return Image{}, fmt.Errorf("%s: expected a record from 0 to %d", ref, len(images)-1)
	}
	return images[i], nil
}
