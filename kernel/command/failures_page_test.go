package command

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// failures is how many kinds of failure there are.
const failures = 80

// TestFailuresPage: FAILURES.md has a row for each number, in order, with tests
// of that number, which the source has.
func TestFailuresPage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, ".github", "FAILURES.md"))
	if err != nil {
		t.Fatal(err)
	}
	there := failureTests(t)
	row := regexp.MustCompile(`^\| (\d+) \|`)
	named := regexp.MustCompile("`([^`]+)` (TestFailure(\\d+)\\w*)")
	next := 1
	for _, line := range strings.Split(string(text), "\n") {
		m := row.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if m[1] != strconv.Itoa(next) {
			t.Fatalf("row %s where %d was expected", m[1], next)
		}
		tests := named.FindAllStringSubmatch(line, -1)
		if len(tests) == 0 {
			t.Errorf("%d has no test", next)
		}
		for _, of := range tests {
			if n, _ := strconv.Atoi(of[3]); n != next {
				t.Errorf("%d names %s, a test of another number", next, of[2])
			}
			if !there[of[1]+" "+of[2]] {
				t.Errorf("%d names %s in %s, which is not there", next, of[2], of[1])
			}
		}
		next++
	}
	if next != failures+1 {
		t.Errorf("%d rows, expected %d", next-1, failures)
	}
}

// failureTests are the tests of failures in the source, as "folder name".
func failureTests(t *testing.T) map[string]bool {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func (TestFailure\d+\w*)\(`)
	out := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, m := range declared.FindAllStringSubmatch(string(code), -1) {
			out[filepath.ToSlash(folder)+" "+m[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
