package command

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sapf/sapf/baseline"
)

// TestNamesBesideNames: the attacks that the page for users of other libraries
// names exist.
func TestNamesBesideNames(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "notebooks", "from-other-libraries.md"))
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(string(raw), "| idea |")
	named := 0
	for _, line := range strings.Split(table, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for _, name := range regexp.MustCompile("`([a-z0-9][a-z0-9-]*)`").FindAllStringSubmatch(cells[len(cells)-2], -1) {
			if named++; !slices.Contains(baseline.Names(), name[1]) {
				t.Errorf("%s is no attack", name[1])
			}
		}
	}
	if named < 15 {
		t.Errorf("%d attacks are named, expected the page's table", named)
	}
}

// TestModulePath: the README's lines for another module, with the README's
// example, build. The checksums are this module's, since nothing is fetched.
func TestModulePath(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]string
	for _, m := range regexp.MustCompile(`(?m)^go (mod edit -\w+=\S+)$`).FindAllStringSubmatch(string(readme), -1) {
		lines = append(lines, strings.Fields(strings.Replace(m[1], "../sapf", root, 1)))
	}
	if len(lines) != 2 {
		t.Fatalf("%d lines of go mod edit in the README, expected 2", len(lines))
	}
	dir := t.TempDir()
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"go.sum": string(sums), "go.mod": "module example.com/mine\n\ngo 1.26\n", "main.go": `package main

import (
	"fmt"

	"sapf/models"
)

func main() { fmt.Println(models.LoadOptions{Arch: "built"}.Arch) }
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range append(lines, []string{"run", "-mod=mod", "."}) {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOPROXY=off", "GOFLAGS=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		if args[0] == "run" && strings.TrimSpace(string(out)) != "built" {
			t.Errorf("the program printed %q", out)
		}
	}
}
