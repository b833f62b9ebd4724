package atomicfile

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// TestOnTheDiskInOrder: the content is on the disk before it takes the file's
// name, and the name before Write returns.
func TestOnTheDiskInOrder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("folders can't be brought to the disk")
	}
	var order []string
	keptStep, keptDisk := step, toDisk
	defer func() { step, toDisk = keptStep, keptDisk }()
	step = func(name string) { order = append(order, name) }
	toDisk = func(f *os.File) error {
		info, err := f.Stat()
		if err != nil {
			t.Error(err)
		}
		kind := "file"
		if info.IsDir() {
			kind = "folder"
		} else if info.Size() != 5 {
			t.Errorf("%d bytes are brought to the disk, want 5", info.Size())
		}
		order = append(order, kind)
		return f.Sync()
	}
	if err := WriteFile(filepath.Join(t.TempDir(), "x"), []byte("12345")); err != nil {
		t.Fatal(err)
	}
	want := []string{"created", "written", "file", "closed", "renamed", "folder"}
	if !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}
