package data

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"sapf/models/bounded"
	"sapf/models/nearest"
	"sapf/models/plain"
)

// Set is a labelled data set, read record by record. At may be called by
// several goroutines at once.
type Set struct {
	// Name is what OpenSet was asked for; Classes the names of its labels.
	Name    string
	Classes []string
	// N is the number of records.
	N  int
	at func(i int) (Image, error)
	// targets are the stated targets of attacks; nil: there are none.
	targets []int
}

// Target is the class that the set states as the target of an attack on record
// i, NoLabel where it states none.
func (s *Set) Target(i int) int {
	if s.targets == nil {
		return NoLabel
	}
	return s.targets[i]
}

// At reads record i, 0 <= i < N.
func (s *Set) At(i int) (Image, error) {
	if i < 0 || i >= s.N {
		return Image{}, fmt.Errorf("%s: record %d, expected 0 to %d", s.Name, i, s.N-1)
	}
	m, err := s.at(i)
	m.Name = plain.Line(m.Name)
	return m, err
}

// OpenSet opens the test records of cifar10, cifar100, fashion, mnist or imagenet
// (the data folder's photographs), of a CIFAR-10 file (.bin), of a NumPy file
// (.npy, .npz), or of a folder of pictures with labels.csv. Pictures of a folder
// are scaled to o.H x o.W. limit, if not 0, keeps the first records only.
func OpenSet(name string, o Options, limit int) (*Set, error) {
	s, err := openSet(name, o, limit)
	if err != nil {
		return nil, err
	}
	s.Name = name
	if limit > 0 {
		s.N = min(s.N, limit)
	}
	return s, nil
}

func openSet(name string, o Options, limit int) (*Set, error) {
	switch {
	case name == "cifar10":
		file, err := Find(name, "cifar-10-batches-bin/test_batch.bin")
		if err != nil {
			return nil, err
		}
		return cifarSet(name, file, 1, CIFAR10Classes)
	case name == "cifar100":
		file, err := Find(name, "cifar-100-binary/test.bin")
		if err != nil {
			return nil, err
		}
		return cifarSet(name, file, 2, CIFAR100Classes())
	case idxSets[name].classes != nil:
		images, err := idxTest(name, limit)
		if err != nil {
			return nil, err
		}
		return &Set{Classes: idxSets[name].classes, N: len(images), at: func(i int) (Image, error) { return images[i], nil }}, nil
	case name == "imagenet":
		dir, err := Find(name, "imagenet")
		if err != nil {
			return nil, err
		}
		s, err := folderSet(dir, o)
		if err == nil {
			s.Classes = ImageNetClasses()
		}
		return s, err
	case IsArray(name):
		set, err := openArray(name)
		if err == nil {
			at := set.at
			set.at = func(i int) (Image, error) {
				m, err := at(i)
				if err != nil {
					return m, err
				}
				return channels(m, Options{C: o.C})
			}
		}
		return set, err
	case strings.HasSuffix(name, ".bin"):
		return cifarSet(filepath.Base(name), name, 1, CIFAR10Classes)
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return folderSet(name, o)
	}
	return nil, fmt.Errorf("no data set %q%s: expected cifar10, cifar100, fashion, mnist, imagenet, a CIFAR-10 file (.bin), images of NumPy's (.npy, .npz) or a folder with labels.csv", name, nearest.DidYouMean(name, []string{"cifar10", "cifar100", "fashion", "mnist", "imagenet"}))
}

// maxCIFARBytes is ten times the whole of CIFAR-10.
const maxCIFARBytes = 2 << 30

// cifarSet keeps a whole file in memory, 30 MB, as bytes.
func cifarSet(name, file string, labels int, classes []string) (*Set, error) {
	raw, err := bounded.ReadFile(file, maxCIFARBytes)
	if err != nil {
		return nil, err
	}
	size := labels + cifarPixels
	if len(raw) == 0 || len(raw)%size != 0 {
		return nil, fmt.Errorf("%s: %d bytes: record %d has %d bytes, expected %d", file, len(raw), len(raw)/size, len(raw)%size, size)
	}
	return &Set{Classes: classes, N: len(raw) / size, at: func(i int) (Image, error) {
		m, err := cifarImage(fmt.Sprintf("%s:%d", name, i), raw[i*size:(i+1)*size], labels, len(classes))
		if err != nil {
			return m, fmt.Errorf("%s: record %d: %w", file, i, err)
		}
		return m, nil
	}}, nil
}

// folderSet is a folder of pictures with labels.csv. Every picture must be
// there and have a picture's header; pictures that labels.csv does not list are refused, so that
// none is forgotten silently.
func folderSet(dir string, o Options) (*Set, error) {
	entries, err := ReadLabels(dir)
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{}
	var bad []string
	for _, e := range entries {
		file := e.path(dir)
		if listed[file] {
			bad = append(bad, file+": listed twice")
		}
		listed[file] = true
		if err := checkPicture(file); err != nil {
			bad = append(bad, err.Error())
		}
	}
	for _, pattern := range []string{"*", "images/*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if !listed[f] && IsPicture(f) {
				bad = append(bad, f+": not in labels.csv")
			}
		}
	}
	if len(bad) > 0 {
		sort.Strings(bad)
		return nil, fmt.Errorf("image folder %s: %d pictures cannot be used: %s", dir, len(bad), strings.Join(bad[:min(len(bad), 5)], "; "))
	}
	var targets []int
	for _, e := range entries {
		targets = append(targets, e.Target)
	}
	return &Set{N: len(entries), targets: targets, at: func(i int) (Image, error) {
		m, err := LoadFile(entries[i].path(dir))
		if err != nil {
			return m, err
		}
		m.Name, m.Label = entries[i].File, entries[i].Label
		if m, err = fit(m, o); err != nil {
			return m, err
		}
		return channels(m, o)
	}}, nil
}

// checkPicture opens a picture file as far as its header.
func checkPicture(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	_, _, err = pictureHeader(file, f)
	return err
}
