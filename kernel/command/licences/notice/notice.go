// Package notice collects the licences of the modules that a program is linked
// from, with the go command and the modules' own files.
package notice

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// module is one module that the program is linked from.
type module struct{ path, version, dir string }

func (m module) String() string { return m.path + " " + m.version }

// licence matches the names of the files that modules keep their licences in.
var licence = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents|ftl)`)

// systems are those for which a release is built: each has packages of its own.
var systems = []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64"}

// Collect returns the notice of the program whose module is in a folder. Modules
// with one text share it.
func Collect(root string) (string, error) {
	all, err := linked(root)
	if err != nil {
		return "", err
	}
	texts := map[string][]string{} // a licence's text to the modules that have it
	for _, m := range all {
		text, err := read(m)
		if err != nil {
			return "", err
		}
		texts[text] = append(texts[text], m.String())
	}
	var b strings.Builder
	b.WriteString("The program is linked from the modules below. Each is under the licence that follows its name.\n")
	for _, text := range slices.SortedFunc(maps.Keys(texts), func(a, b string) int { return strings.Compare(texts[a][0], texts[b][0]) }) {
		fmt.Fprintf(&b, "\n%s\n%s\n%s\n\n%s", strings.Repeat("=", 80), strings.Join(texts[text], "\n"), strings.Repeat("-", 80), text)
	}
	return b.String(), nil
}

// linked are the modules that the program is linked from on some system, and Go.
func linked(root string) ([]module, error) {
	seen := map[string]module{}
	for _, s := range systems {
		goos, goarch, _ := strings.Cut(s, "/")
		cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}", ".")
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				err = fmt.Errorf("%w: %s", err, exit.Stderr)
			}
			return nil, fmt.Errorf("list the modules for %s: %w", s, err)
		}
		for _, line := range strings.Fields(strings.ReplaceAll(string(out), "\t", "\x00")) {
			part := strings.Split(line, "\x00")
			seen[part[0]] = module{part[0], part[1], part[2]}
		}
	}
	cmd := exec.Command("go", "env", "GOROOT")
	cmd.Dir = root
	goroot, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("find Go: %w", err)
	}
	all := []module{{"Go", "and its standard library", strings.TrimSpace(string(goroot))}}
	for _, path := range slices.Sorted(maps.Keys(seen)) {
		all = append(all, seen[path])
	}
	return all, nil
}

// read is the text of a module's licences, which every module must have.
func read(m module) (string, error) {
	var files []string
	for _, dir := range []string{m.dir, filepath.Join(m.dir, "licenses")} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // the second is rare, and without the first there is no text
		}
		for _, e := range entries {
			if !e.IsDir() && licence.MatchString(e.Name()) {
				files = append(files, filepath.Join(dir, e.Name()))
			}
		}
	}
	var text strings.Builder
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		text.WriteString(strings.TrimSpace(strings.ReplaceAll(string(raw), "\r\n", "\n")) + "\n\n")
	}
	if text.Len() == 0 {
		return "", fmt.Errorf("module %v: no licence in %s", m, m.dir)
	}
	return strings.TrimSpace(text.String()) + "\n", nil
}
