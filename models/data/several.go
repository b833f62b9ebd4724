package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// IsSeveral reports whether a reference names several images for Several: a
// folder, a pattern (photos/*.png) that is no file's own name, or an array that
// does not hold exactly one.
func IsSeveral(ref string) bool {
	if slices.Contains(sampleNames(), ref) { // as for Load, whatever else is called so
		return false
	}
	ref, err := Path(ref)
	if err != nil {
		return false
	}
	info, err := os.Stat(ref)
	switch {
	case err != nil:
		return strings.ContainsAny(ref, "*?[")
	case info.IsDir():
		return true
	case !IsArray(ref):
		return false
	}
	set, err := openArray(ref)
	return err == nil && set.N != 1
}

// Several opens all images that a reference names: the pictures and arrays of a
// folder, by name, or those that its labels.csv lists with their classes; the
// files that a pattern matches; the images of an array (openArray). Pictures are
// scaled to o.H x o.W. Every file is opened as far as its header, and all that
// cannot be used are named at once.
func Several(ref string, o Options) (*Set, error) {
	ref, err := Path(ref)
	if err != nil {
		return nil, fmt.Errorf("images %w", err)
	}
	info, err := os.Stat(ref)
	var files []string
	switch {
	case err == nil && info.IsDir() && exists(filepath.Join(ref, "labels.csv")):
		return OpenSet(ref, o, 0)
	case err == nil && info.IsDir():
		files, err = imagesIn(ref)
	case err != nil && strings.ContainsAny(ref, "*?["):
		if files, err = Glob(ref); err == nil && len(files) == 0 {
			err = errors.New("no file matches")
		}
	default:
		files, err = []string{ref}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("images %q: %w", ref, err)
	}
	s, err := filesSet(files, o)
	if err != nil {
		return nil, fmt.Errorf("images %q: %w", ref, err)
	}
	s.Name = ref
	return s, nil
}

// imagesIn are the pictures and arrays of a folder, by name.
func imagesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && (IsPicture(e.Name()) || IsArray(e.Name())) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		err = fmt.Errorf("no pictures in the folder (%s, .npy, .npz)", strings.Join(PictureExtensions, ", "))
	}
	return files, err
}

// filesSet is the images of files, in their order, each under its file's name.
func filesSet(files []string, o Options) (*Set, error) {
	type place struct {
		file   string
		array  *Set // nil: a picture
		record int
	}
	var places []place
	var targets []int
	var bad []string
	for _, f := range files {
		if !IsArray(f) {
			if err := checkPicture(f); err != nil {
				bad = append(bad, err.Error())
			}
			places, targets = append(places, place{file: f}), append(targets, NoLabel)
			continue
		}
		array, err := openArray(f)
		if err != nil {
			bad = append(bad, err.Error())
			continue
		}
		array.Name = f
		for i := range array.N {
			places, targets = append(places, place{f, array, i}), append(targets, array.Target(i))
		}
	}
	if len(bad) > 0 {
		return nil, fmt.Errorf("%d of %d files cannot be used: %s", len(bad), len(files), strings.Join(bad[:min(len(bad), 5)], "; "))
	}
	if !slices.ContainsFunc(targets, func(t int) bool { return t != NoLabel }) {
		targets = nil
	}
	return &Set{N: len(places), targets: targets, at: func(i int) (m Image, err error) {
		p := places[i]
		switch {
		case p.array == nil:
			m, err = LoadFile(p.file)
		default:
			if m, err = p.array.At(p.record); err == nil {
				m.Name = fmt.Sprintf("%s:%d", p.file, p.record)
			}
		}
		if err == nil {
			m, err = fit(m, o)
		}
		if err != nil {
			return m, err
		}
		return channels(m, o)
	}}, nil
}
