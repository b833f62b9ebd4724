//go:build ignore

// Mutants changes one line of critical code at a time (.ci/mutants.txt) and
// says which changes no test notices. The tree is not touched: go test reads the
// changed file through an overlay.
//
//	go run .ci/mutants.go [-check] [text of those to run]...
//
// -check only looks whether the lines are still where the list says.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// mutant is one entry of the list.
type mutant struct {
	why, file string
	old, new  string
	test      []string // arguments of go test
}

func main() {
	check := flag.Bool("check", false, "only check the list")
	list := flag.String("list", filepath.Join(".ci", "mutants.txt"), "the list")
	flag.Parse()
	mutants, err := read(*list)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	ran, survived, stale := 0, 0, 0
	for _, m := range mutants {
		if !chosen(m, flag.Args()) {
			continue
		}
		source, err := m.apply()
		if err != nil {
			stale++
			fmt.Printf("STALE     %s: %v\n", m.why, err)
			continue
		}
		if *check {
			continue
		}
		ran++
		start := time.Now()
		verdict, says := m.run(source)
		if verdict != "caught" {
			survived++
		}
		fmt.Printf("%-9s %s (%s, %.0f s)%s\n", verdict, m.why, m.file, time.Since(start).Seconds(), says)
	}
	fmt.Printf("%d of %d mutants ran, %d were not caught; %d are stale\n", ran, len(mutants), survived, stale)
	if survived+stale > 0 {
		os.Exit(1)
	}
}

// read reads the list: "# why", the file, "- old", "+ new" (which go on in lines
// that begin with a tab) and "? go test's arguments"; entries are parted by empty
// lines.
func read(path string) (list []mutant, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for _, block := range strings.Split(string(text), "\n\n") {
		var m mutant
		var last *string // what a line that begins with a tab goes on with
		for _, line := range strings.Split(strings.TrimSpace(block), "\n") {
			if strings.HasPrefix(line, "\t") && last != nil {
				*last += "\n" + line
				continue
			}
			switch mark, rest, _ := strings.Cut(line, " "); mark {
			case "#":
				m.why = rest
			case "-":
				m.old, last = rest, &m.old
			case "+":
				m.new, last = rest, &m.new
			case "?":
				m.test = strings.Fields(rest)
			default:
				m.file = line
			}
		}
		if m.file == "" { // a comment
			continue
		}
		if m.why == "" || m.old == "" || len(m.test) == 0 {
			return nil, fmt.Errorf("%s: an entry for %s lacks its reason, its line or its tests", path, m.file)
		}
		list = append(list, m)
	}
	return list, nil
}

func chosen(m mutant, words []string) bool {
	for _, w := range words {
		if strings.Contains(m.why+" "+m.file, w) {
			return true
		}
	}
	return len(words) == 0
}

// apply is the file's text with the change.
func (m mutant) apply() ([]byte, error) {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(source, []byte(m.old)); n != 1 {
		return nil, fmt.Errorf("%s has %q %d times, expected once", m.file, m.old, n)
	}
	return bytes.Replace(source, []byte(m.old), []byte(m.new), 1), nil
}

// run is what the tests make of the change.
func (m mutant) run(source []byte) (verdict, says string) {
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return "BROKEN", ": " + err.Error()
	}
	defer os.RemoveAll(dir)
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "BROKEN", ": " + err.Error()
	}
	table, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		return "BROKEN", ": " + err.Error()
	}
	for name, content := range map[string][]byte{changed: source, overlay: table} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return "BROKEN", ": " + err.Error()
		}
	}
	args := append([]string{"test", "-overlay", overlay, "-timeout", "15m", "-failfast"}, m.test...)
	text, err := exec.Command("go", args...).CombinedOutput()
	switch {
	case err == nil:
		return "SURVIVED", ""
	case bytes.Contains(text, []byte("[build failed]")) || bytes.Contains(text, []byte("[setup failed]")):
		return "BROKEN", "\n" + string(text)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if test, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); ok {
			return "caught", ": " + strings.Fields(test)[0]
		}
	}
	return "caught", ""
}
