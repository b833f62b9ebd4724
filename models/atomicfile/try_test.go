package atomicfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTry: what can be written is not touched, what can't is told.
func TestTry(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old")
	if err := os.WriteFile(old, []byte("kept"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("later", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	for _, good := range []string{"old", "new", "link", strings.Repeat("n", 255)} {
		if err := Try(filepath.Join(dir, good)); err != nil {
			t.Errorf("%.20s: %v", good, err)
		}
	}
	for bad, says := range map[string]string{
		"missing/x": "no such file", "old/x": "not a directory", ".": "folder",
	} {
		if err := Try(filepath.Join(dir, bad)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, expected %q", bad, err, says)
		}
	}
	if got := content(t, old); got != "kept" {
		t.Errorf("the old file holds %q", got)
	}
	if got := names(t, dir); len(got) != 2 {
		t.Errorf("the folder has %q, expected old and link", got)
	}
}
