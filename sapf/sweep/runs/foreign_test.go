package runs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/sapf/sweep/internal/toy"
)

// TestForeignFolder: a folder that has a spec.json of somebody else's is refused, and
// the file stays as it is; a plan, of whatever version, is replaced.
func TestForeignFolder(t *testing.T) {
	p, err := toy.Plan("sleep: 0", 1, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for text, good := range map[string]bool{
		"keep\n": false, "": false, `{"name": "mine"}`: false, `[1]`: false, `{"schema": "x"}`: false, "\x00\x01": false,
		`{"schema": 0}`: true, `{"schema": 99, "models": []}`: true,
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "spec.json")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		d, err := Create(dir, p, Shard{})
		if err == nil {
			d.Close()
		}
		left, _ := os.ReadFile(file)
		if (err == nil) != good || (string(left) == text) == good || err != nil && !strings.Contains(err.Error(), "is no plan of a sweep") {
			t.Errorf("%q: %v, and then it is %.40q", text, err, left)
		}
	}
}
