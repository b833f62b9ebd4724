package data

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// FuzzClassNames: files of names in every form give names or a message.
func FuzzClassNames(f *testing.F) {
	for _, text := range []string{"cat\ndog\n", "\ufeffcat\r\ndog", `["cat", "dog"]`, `{"1": "dog", "0": "cat"}`, `{"cat": 0, "dog": 1.0}`, `{"0": ["n02123045", "tabby"]}`,
		"index,name\n0,cat\n1,\"a, b\"\n", "cat\n\ndog", `{"0": {}}`, `{"1e9": "x"}`, "0,cat\n2,dog", "\"", "[", "{}"} {
		for kind := range 3 {
			f.Add([]byte(text), kind)
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte, kind int) {
		file := filepath.Join(dir, []string{"names.txt", "names.csv", "names.json"}[uint(kind)%3])
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		names, err := ClassNames(file)
		if err == nil && (len(names) == 0 || slices.Contains(names, "")) {
			t.Errorf("accepted as %q", names)
		}
	})
}

// FuzzLabels: labels.csv names files of its folder only, with labels from 0 on or
// none.
func FuzzLabels(f *testing.F) {
	for _, text := range []string{"file,label\na.png,3\nb.png,\n", "image_id,class_index,target_index\nx,1,2\n", "name,label,extra\n\"a\nb\",0,\n", "file,label\n../a,0\n", "file,label\na,-1\n", "file\na\n", "a,b\n1\n"} {
		f.Add([]byte(text))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(filepath.Join(dir, "labels.csv"), raw, 0o644); err != nil {
			t.Fatal(err)
		}
		entries, err := ReadLabels(dir)
		for _, e := range entries {
			if err == nil && (!filepath.IsLocal(e.File) || e.Label < NoLabel || e.Target < NoLabel) {
				t.Errorf("accepted %+v", e)
			}
		}
	})
}

// FuzzColourLabels: in a label image pixels have the same label if and only if
// they have the same colour, and labels are counted as they come.
func FuzzColourLabels(f *testing.F) {
	files, err := filepath.Glob("testdata/tiff/*")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range append(files, "testdata/resize_12x20.png") {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	for _, netpbm := range []string{"P1\n2 2\n0 1 1 0", "P2 2 1 255 0 255", "P3\n# c\n1 1\n15\n1 2 3", "P4\n3 1\n\xa0", "P5 1 2 255\nab", "P6 1 1 65535\nabcdef"} {
		f.Add([]byte(netpbm))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Decode("fuzz", bytes.NewReader(raw))
		if err != nil || m.H*m.W > 1<<12 {
			return
		}
		if err := m.Validate(); err != nil {
			t.Fatal(err)
		}
		labels, next := ColourLabels(m), 0
		first := map[int]int{} // a pixel of each label
		for i, l := range labels {
			at, seen := first[l]
			if !seen {
				if l != next {
					t.Fatalf("label %d after %d others", l, next)
				}
				first[l], next = i, next+1
				continue
			}
			for c := range m.C {
				if m.Pix[c*m.H*m.W+i] != m.Pix[c*m.H*m.W+at] {
					t.Fatalf("pixels %d and %d have label %d and two colours", at, i, l)
				}
			}
		}
	})
}
