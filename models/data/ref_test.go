package data

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func needData(t *testing.T) {
	t.Helper()
	if os.Getenv("SAPF_DATA") == "" {
		t.Skip("SAPF_DATA is not set: no CIFAR-10 to read")
	}
}

func TestLoadSample(t *testing.T) {
	for _, s := range Samples() {
		for _, side := range []int{0, 32, 299, 224} {
			m, err := Load(s.Name, Options{H: side, W: side})
			if err != nil {
				t.Fatal(err)
			}
			want := side
			if side == 0 {
				want = 32
			}
			if m.C != 3 || m.H != want || m.W != want {
				t.Errorf("%s at %d: got %dx%dx%d", s.Name, side, m.C, m.H, m.W)
			}
			if err := m.Validate(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestLoadRecords(t *testing.T) {
	m, err := Load("fashion:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Label != 9 || m.C != 1 || m.H != 28 {
		t.Errorf("fashion:0: label %d, %dx%dx%d, want 9, 1x28x28", m.Label, m.C, m.H, m.W)
	}
	needData(t)
	for i, want := range []int{3, 8, 8, 0, 6, 6, 1, 6, 3, 1} {
		m, err := Load("cifar10:"+string(rune('0'+i)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if m.Label != want {
			t.Errorf("cifar10:%d: label %d, want %d", i, m.Label, want)
		}
	}
	if m, err = Load("imagenet:0c7ac4a8c9dfa802", Options{H: 224, W: 224}); err != nil || m.Label != 305 || m.H != 224 {
		t.Errorf("imagenet: %v, label %d, %d rows", err, m.Label, m.H)
	}
}

func TestFailure39_DatasetMissing(t *testing.T) {
	t.Setenv("SAPF_DATA", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	_, err := Load("cifar10:0", Options{})
	var missing *MissingError
	if !errors.As(err, &missing) || missing.What != "cifar10" || len(missing.Looked) != 2 {
		t.Fatalf("got %v, want a MissingError about cifar10 that looked in two places", err)
	}
	t.Log(err)
}

// TestLoadFromRoot loads CIFAR-100 and MNIST, which are not at hand, from files
// as their publishers pack them.
func TestLoadFromRoot(t *testing.T) {
	root := t.TempDir()
	t.Setenv("SAPF_DATA", root)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	put := func(name string, raw []byte) {
		t.Helper()
		file := filepath.Join(root, "data", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	gzipped := func(raw []byte) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(raw)
		z.Close()
		return b.Bytes()
	}
	images := append([]byte{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28}, make([]byte, 2*784)...)
	images[16+784] = 255
	labels := []byte{0, 0, 8, 1, 0, 0, 0, 2, 4, 9}
	put("mnist/t10k-images-idx3-ubyte.gz", gzipped(images))
	put("mnist/t10k-labels-idx1-ubyte", labels) // plain is as good
	record := make([]byte, 3074)
	record[0], record[1], record[2] = 19, 99, 51
	put("cifar-100-binary/test.bin", append(make([]byte, 3074), record...))

	for ref, want := range map[string]struct {
		label, c int
		first    float32
	}{"mnist:1": {9, 1, 1}, "mnist:0": {4, 1, 0}, "cifar100:1": {99, 3, 0.2}, "cifar100:0": {0, 3, 0}} {
		m, err := Load(ref, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if m.Label != want.label || m.C != want.c || m.Pix[0] != want.first || m.Name != ref {
			t.Errorf("%s: %s of %d channels, label %d, first entry %v, want %+v", ref, m.Name, m.C, m.Label, m.Pix[0], want)
		}
	}
	for name, classes := range map[string]string{"mnist": "9", "cifar100": "worm"} {
		s, err := OpenSet(name, Options{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if s.N != 2 || s.Classes[len(s.Classes)-1] != classes {
			t.Errorf("%s: %d records, last class %s", name, s.N, s.Classes[len(s.Classes)-1])
		}
	}
	_, err := Load("mnist:2", Options{})
	refused(t, err, "mnist:2", "0 to 1")
	if _, err = LoadIDX("mnist", TrainPart, 0); err == nil {
		t.Error("a part that is not there was read")
	}
	refused(t, err, "train-images", "sapf data get mnist")
}
