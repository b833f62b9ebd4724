package bounded

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int64]string{5: "12345", 6: "12345", 1 << 40: "12345", 4: "", 0: ""} {
		raw, err := ReadFile(file, limit)
		if string(raw) != want || (err == nil) != (want != "") || err != nil && !strings.Contains(err.Error(), file+": 5 bytes, expected up to") {
			t.Errorf("up to %d bytes: %q, %v", limit, raw, err)
		}
	}
	if _, err := ReadFile(file+"x", 5); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := ReadFile(filepath.Dir(file), 5); err == nil || strings.Count(err.Error(), filepath.Dir(file)) != 1 {
		t.Errorf("a folder: %v", err)
	}
	if _, err := os.Stat("/dev/zero"); err == nil {
		if _, err := ReadFile("/dev/zero", 1000); err == nil || !strings.Contains(err.Error(), "/dev/zero: more than the 1000 bytes") {
			t.Errorf("a device without end: %v", err)
		}
	}
	if _, err := ReadFile("/proc/self/status", 1<<20); err != nil && !errors.Is(err, fs.ErrNotExist) { // whose size is said to be 0
		t.Error(err)
	}
}
