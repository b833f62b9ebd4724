package dsl

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/models/data"
)

// photographFolder makes a data folder imagenet with two pictures, of which the
// first has a target.
func photographFolder(t *testing.T) {
	t.Helper()
	root := t.TempDir()
	t.Setenv("SAPF_DATA", root)
	t.Setenv("XDG_CACHE_HOME", root)
	dir := filepath.Join(root, "data", "imagenet")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	picture, err := os.ReadFile(filepath.Join("..", "models", "data", "samples", "coffee.png"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"a.png": picture, "b.png": picture,
		"labels.csv": []byte("file,class_index,target_index\na.png,967,5\nb.png,1,\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPhotographs(t *testing.T) {
	bind(t, context.Background())
	photographFolder(t)
	if !HasData("imagenet") || HasData("cifar10") || !HasData("fashion") {
		t.Errorf("HasData: imagenet %v, cifar10 %v, fashion %v", HasData("imagenet"), HasData("cifar10"), HasData("fashion"))
	}
	images := LoadImages("imagenet", 2, ImageOptions{C: 3, H: 16, W: 16})
	if images[0].H != 16 || images[0].Label != 967 || images[1].Label != 1 {
		t.Errorf("%d rows, labels %d and %d; want 16, 967 and 1", images[0].H, images[0].Label, images[1].Label)
	}
	if aim := StatedTarget(images[0]); aim != Target(5) {
		t.Errorf("the stated target is %v, want 5", aim)
	}
	for what, f := range map[string]func(){
		"has no target":         func() { StatedTarget(images[1]) },
		"expected at most 2":    func() { LoadImages("imagenet", 3) },
		"3 has no target":       func() { StatedTarget(data.NewImage("imagenet:3", 3, 2, 2)) },
		"0 images, expected at": func() { LoadImages("imagenet", 0) },
	} {
		if fail := failureOf(t, f); fail == nil || !strings.Contains(fail.Error(), what) {
			t.Errorf("%v, expected it to say %q", fail, what)
		}
	}
}

func TestPhotographsThatAreMissing(t *testing.T) {
	bind(t, context.Background())
	t.Setenv("SAPF_DATA", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if HasData("imagenet") {
		t.Error("there are photographs in an empty folder")
	}
	if fail := failureOf(t, func() { LoadImages("imagenet", 1) }); fail == nil || !strings.Contains(fail.Error(), "not on this machine") {
		t.Errorf("missing photographs: %v", fail)
	}
}

// TestFiguresCarryTheOutcomesKey: the panel of an outcome, in a PNG file.
func TestFiguresCarryTheOutcomesKey(t *testing.T) {
	bind(t, context.Background())
	m, x := linear(t)
	r := Attack(m, x, Target("right"), small)
	other := Attack(m, x, Target("<b>low</b>"), small)
	if len(r.Key()) != 64 || r.Key() == other.Key() {
		t.Errorf("keys %q and %q, want two digests", r.Key(), other.Key())
	}
	for name, f := range map[string]*Figure{"panel": r.Panel(), "trace": r.PlotTrace(), "residuals": r.PlotResiduals(), "search": r.PlotSearch()} {
		b, err := f.PNG()
		if err != nil || !strings.Contains(string(b), r.Key()) {
			t.Errorf("%s: the key is not in its PNG (%v)", name, err)
		}
	}
}
