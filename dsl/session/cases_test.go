package session

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCases runs small programs and notebooks that once were wrong. What they must
// print is what Go prints.
func TestCases(t *testing.T) {
	files, _ := filepath.Glob("testdata/cases/*.want")
	if len(files) == 0 {
		t.Fatal("no testdata/cases")
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".want")
		t.Run(filepath.Base(name), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, r := newSession(t)
			var got strings.Builder
			if code, err := os.ReadFile(name + ".go"); err == nil {
				got.WriteString(runCell(s, r, 1, string(code)))
			} else {
				for i, code := range cellsOf(t, name+".ipynb") {
					fmt.Fprintf(&got, "cell %d:\n%s", i+1, runCell(s, r, i+1, code))
				}
			}
			if got.String() != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
			}
		})
	}
}

// cellsOf reads the code cells of a notebook.
func cellsOf(t *testing.T, file string) []string {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var n struct {
		Cells []struct{ Source string }
	}
	if err := json.Unmarshal(text, &n); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range n.Cells {
		out = append(out, c.Source)
	}
	return out
}
