package command

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the module's folder, seen from this package's.
const root = "../.."

// variable matches the name of an environment variable of ours.
var variable = regexp.MustCompile(`\bSAPF_[A-Z0-9]+(?:_[A-Z0-9]+)*\b`)

// TestEnvironmentTable: every variable that the source speaks of is a row of the
// table in CONTRIBUTING.md, and every row is spoken of in the source.
func TestEnvironmentTable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, ".github", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "| `SAPF_"); ok {
			name, _, _ := strings.Cut(rest, "`")
			rows = append(rows, "SAPF_"+name)
		}
	}
	source := map[string]string{} // variable to a file that has it
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && strings.HasPrefix(name, ".") && name != ".ci" && name != ".github" {
				return fs.SkipDir
			}
			return nil
		}
		kinds := []string{".go", ".py", ".sh", ".yml", ""} // scripts in .ci have no ending
		if !slices.Contains(kinds, filepath.Ext(name)) || name == "environment_test.go" {
			return nil
		}
		if info, err := d.Info(); err != nil || info.Size() > 1<<20 { // a program that somebody built
			return err
		}
		code, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, v := range variable.FindAllString(string(code), -1) {
			source[v] = path
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for v, path := range source {
		if !slices.Contains(rows, v) {
			t.Errorf("%s (in %s) is not in the tables of CONTRIBUTING.md", v, path)
		}
	}
	for i, v := range rows {
		if source[v] == "" {
			t.Errorf("%s is in the tables of CONTRIBUTING.md, and nothing reads it", v)
		}
		if slices.Contains(rows[:i], v) {
			t.Errorf("%s is in the tables twice", v)
		}
	}
}

// TestContributingNamesWhatIsThere: every file and folder that CONTRIBUTING.md
// leads to exists.
func TestContributingNamesWhatIsThere(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, ".github", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	paths := regexp.MustCompile("`((?:kernel|sapf|models|dsl|notebooks|\\.ci|\\.github)/[A-Za-z0-9_./-]*)`").FindAllStringSubmatch(string(text), -1)
	if len(paths) < 30 {
		t.Errorf("%d paths are found, more expected", len(paths))
	}
	for _, p := range paths {
		if strings.Contains(p[1], "NN-name") {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, p[1])); err != nil {
			t.Error(err)
		}
	}
}
