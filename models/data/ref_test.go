package data

import (
	"errors"
	"os"
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
