package data

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Entry is one row of an image folder's labels.csv.
type Entry struct {
	// File is the picture's name within the folder.
	File string
	// Label is the true class; Target the class that an attack is to reach.
	// Either may be NoLabel.
	Label, Target int
}

// path is where the picture lies: in dir, or in its folder images.
func (e Entry) path(dir string) string {
	file := filepath.Join(dir, filepath.FromSlash(e.File))
	if _, err := os.Stat(file); err != nil {
		if within := filepath.Join(dir, "images", filepath.FromSlash(e.File)); exists(within) {
			return within
		}
	}
	return file
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// ReadLabels reads the labels.csv of an image folder: a header with a column
// named file (or image_id) and class_index (or label), and optionally
// target_index; other columns are ignored.
func ReadLabels(dir string) ([]Entry, error) {
	file := filepath.Join(dir, "labels.csv")
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("folder %s has no labels.csv, which says the class of each picture (columns file and class_index)", dir)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read labels %s: %w", file, err)
	}
	if len(rows) < 2 {
		return nil, fmt.Errorf("%s: no images listed", file)
	}
	column := func(names ...string) int {
		for i, h := range rows[0] {
			for _, n := range names {
				if strings.TrimSpace(h) == n {
					return i
				}
			}
		}
		return -1
	}
	name, label, target := column("file", "image_id", "name"), column("class_index", "label"), column("target_index", "target")
	if name < 0 || label < 0 {
		return nil, fmt.Errorf("%s: columns %v, expected file and class_index", file, rows[0])
	}
	seen := map[string]int{}
	var entries []Entry
	for i, row := range rows[1:] {
		e := Entry{File: row[name], Label: NoLabel, Target: NoLabel}
		if e.File == "" || !filepath.IsLocal(e.File) {
			return nil, fmt.Errorf("%s: line %d: file name %q leaves the folder", file, i+2, e.File)
		}
		if line, ok := seen[e.File]; ok {
			return nil, fmt.Errorf("%s: line %d: %s is listed in line %d already", file, i+2, e.File, line)
		}
		seen[e.File] = i + 2
		if e.Label, err = index(row[label]); err != nil {
			return nil, fmt.Errorf("%s: line %d: label: %w", file, i+2, err)
		}
		if target >= 0 {
			if e.Target, err = index(row[target]); err != nil {
				return nil, fmt.Errorf("%s: line %d: target: %w", file, i+2, err)
			}
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func index(s string) (int, error) {
	if s == "" {
		return NoLabel, nil
	}
	v, err := strconv.Atoi(s)
	if err != nil || v < 0 {
		return NoLabel, fmt.Errorf("%q, expected a class index from 0 on", s)
	}
	return v, nil
}

// loadImageNet loads a photograph of the data folder imagenet by its file
// name, with or without ".png" and folder.
func loadImageNet(name string, o Options) (Image, error) {
	dir, err := Find("imagenet", "imagenet")
	if err != nil {
		return Image{}, err
	}
	entries, err := ReadLabels(dir)
	if err != nil {
		return Image{}, err
	}
	for _, e := range entries {
		base := filepath.Base(e.File)
		if name != e.File && name != base && name != strings.TrimSuffix(base, filepath.Ext(base)) {
			continue
		}
		m, err := LoadFile(e.path(dir))
		if err != nil {
			return Image{}, err
		}
		m.Name, m.Label = "imagenet:"+name, e.Label
		return fit(m, o)
	}
	return Image{}, fmt.Errorf("imagenet: no photograph %q among the %d of %s (the first is %s)", name, len(entries), dir, entries[0].File)
}
