package data

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/models/format/npy"
)

// The files of testdata/arrays were written by NumPy: u = arange(120) as uint8,
// 2 x 3 x 4 x 5, and f = u/255, as their names say.
func array(name string) string { return filepath.Join("testdata", "arrays", name) }

// TestArrays: every layout and type gives the same images.
func TestArrays(t *testing.T) {
	for name, n := range map[string]int{"nchw_u1.npy": 2, "nhwc_f4.npy": 2, "fortran_f4.npy": 2, "big_f8.npy": 2, "stored.npz": 2, "packed.npz": 2} {
		set, err := Several(array(name), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if set.N != n {
			t.Errorf("%s: %d images, want %d", name, set.N, n)
		}
		for i := range set.N {
			m, err := set.At(i)
			if err != nil || m.C != 3 || m.H != 4 || m.W != 5 {
				t.Errorf("%s: image %d is %dx%dx%d, %v", name, i, m.C, m.H, m.W, err)
				continue
			}
			for k, v := range m.Pix {
				if v != float32(60*i+k)/255 {
					t.Errorf("%s: image %d, entry %d is %v, want %v", name, i, k, v, float32(60*i+k)/255)
					break
				}
			}
			one, err := Load(fmt.Sprintf("%s:%d", array(name), i), Options{})
			if err != nil || one.Pix[7] != m.Pix[7] || one.Label != m.Label {
				t.Errorf("%s:%d: %v, label %d", name, i, err, one.Label)
			}
		}
	}
	half, err := Load(array("hwc_f2.npy"), Options{})
	if err != nil || half.Pix[9] != 9./256 || half.Pix[59] != 59./256 {
		t.Errorf("hwc_f2.npy: %v, %v", half.Pix, err)
	}
	grey, err := Several(array("grey.npy"), Options{C: 3})
	if err != nil || grey.N != 2 {
		t.Fatalf("grey.npy: %v", err)
	}
	if m, err := grey.At(1); err != nil || m.C != 3 || m.Pix[0] != 60./255 || m.Pix[20] != m.Pix[0] {
		t.Errorf("grey.npy: image 1: %v, %v", m.Pix, err)
	}
	set, err := OpenSet(array("stored.npz"), Options{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	m, err := set.At(0)
	if err != nil || m.Label != 4 || set.Target(0) != 1 || set.Target(1) != 2 {
		t.Errorf("stored.npz: label %d, targets %d and %d, %v", m.Label, set.Target(0), set.Target(1), err)
	}
}

// TestArraysRefused: each reason names the file, what arrived and what was
// expected.
func TestArraysRefused(t *testing.T) {
	for name, want := range map[string]string{
		"which.npz":        "which are the images",
		"labels.npz":       "1 labels, expected one for each of the 2 images",
		"objects.npy":      "records or objects",
		"levels.npy":       "of int64: expected float in [0,1], or uint8",
		"beyond.npy:0":     "must be divided by 255",
		"both.npy":         "both the first and the last dimension",
		"flat.npy":         "(120,) of float32: expected (H, W)",
		"torn.npy":         "the file has 218 bytes, expected 248",
		"nan.npy:0":        "is NaN",
		"nchw_u1.npy":      "has 2 images, expected one: name it",
		"nchw_u1.npy:2":    "record 2, expected 0 to 1",
		"nchw_u1.npy:-1":   "no such file",
		"missing.npy":      "no such file",
		"../cat.png.npy:3": "no such file",
	} {
		_, err := Load(array(name), Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), strings.Split(filepath.Base(name), ":")[0]) {
			t.Errorf("%s: %v, want its name and %q", name, err, want)
		}
	}
}

// TestSeveral: folders and patterns, pictures and arrays together.
func TestSeveral(t *testing.T) {
	dir := t.TempDir()
	raw, err := os.ReadFile(array("nchw_u1.npy"))
	if err != nil {
		t.Fatal(err)
	}
	var picture bytes.Buffer
	if err := SaveNPY(&picture, NewImage("", 3, 4, 5)); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"b.npy": raw, "a.npy": picture.Bytes(), "notes.txt": nil} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, ref := range []string{dir, filepath.Join(dir, "*.npy")} {
		set, err := Several(ref, Options{H: 4, W: 5})
		if err != nil || !IsSeveral(ref) || set.N != 3 {
			t.Fatalf("%s: %v", ref, err)
		}
		if m, err := set.At(2); err != nil || m.Name != filepath.Join(dir, "b.npy")+":1" || m.Pix[0] != 60./255 {
			t.Errorf("%s: image 2 is %s, %v", ref, m.Name, err)
		}
	}
	if _, err := Several(filepath.Join(dir, "*.png"), Options{}); err == nil || !strings.Contains(err.Error(), "no file matches") {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "c.png"), []byte("<html>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Several(dir, Options{}); err == nil || !strings.Contains(err.Error(), "c.png: not a PNG") {
		t.Error(err)
	}
}

// TestSaveNPY: what was saved is read again entry for entry.
func TestSaveNPY(t *testing.T) {
	a, b := NewImage("a", 1, 2, 4), NewImage("b", 1, 2, 4)
	for i := range a.Pix {
		a.Pix[i], b.Pix[i] = math.Nextafter32(float32(i)/7, 1), 1-float32(i)/11
	}
	file := filepath.Join(t.TempDir(), "x.npy")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := SaveNPY(f, a, b); err != nil {
		t.Fatal(err)
	}
	f.Close()
	for i, want := range []Image{a, b} {
		m, err := Load(fmt.Sprintf("%s:%d", file, i), Options{})
		if err != nil || fmt.Sprint(m.Pix) != fmt.Sprint(want.Pix) {
			t.Errorf("image %d: %v, %v, want %v", i, m.Pix, err, want.Pix)
		}
	}
	if err := SaveNPY(f, a, NewImage("c", 3, 2, 3)); err == nil {
		t.Error("images of two sizes were saved as one array")
	}
}

// FuzzArray: no bytes make the reader of arrays panic or take more memory than
// they have.
func FuzzArray(f *testing.F) {
	files, err := filepath.Glob(array("*"))
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if h, err := npy.ReadHeader(bytes.NewReader(raw)); err == nil && (h.Size < 1 || h.Entries() < 0) {
			t.Errorf("header %+v", h)
		}
		for _, ext := range []string{".npy", ".npz"} {
			file := filepath.Join(t.TempDir(), "x"+ext)
			if err := os.WriteFile(file, raw, 0o644); err != nil {
				t.Fatal(err)
			}
			set, err := openArray(file)
			if err != nil {
				continue
			}
			if m, err := set.At(0); err == nil && m.Validate() != nil {
				t.Errorf("image %v", m)
			}
		}
	})
}
