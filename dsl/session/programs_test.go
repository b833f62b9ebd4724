package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrograms runs whole Go programs as cells. What they must print is what
// the compiled programs printed (go run of testdata/programs/X.go).
func TestPrograms(t *testing.T) {
	files, _ := filepath.Glob("testdata/programs/*.go")
	if len(files) == 0 {
		t.Fatal("no testdata/programs")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".go"), func(t *testing.T) {
			code, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(file, ".go") + ".out")
			if err != nil {
				t.Fatal(err)
			}
			s, r := newSession(t)
			got := runCell(s, r, 1, string(code))
			a, b := strings.Split(got, "\n"), strings.Split(string(want), "\n")
			for i := range max(len(a), len(b)) {
				var x, y string
				if i < len(a) {
					x = a[i]
				}
				if i < len(b) {
					y = b[i]
				}
				if x != y {
					t.Errorf("line %d:\n got %q\nwant %q", i+1, x, y)
				}
			}
		})
	}
}
