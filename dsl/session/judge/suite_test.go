package judge

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

var (
	suites = flag.Bool("suites", false, "run all programs of the suites, not every twentieth")
	only   = flag.String("only", "", "a regular expression of the suites' programs to run, shown whole")
)

// TestGoroot runs programs of the Go distribution's tests as cells.
func TestGoroot(t *testing.T) {
	if _, err := os.Stat(filepath.Join(runtime.GOROOT(), "test", "ken")); err != nil {
		t.Skip("this Go comes without its tests")
	}
	runSuite(t, goroot())
}

// TestYaegi runs programs of yaegi's own tests as cells.
func TestYaegi(t *testing.T) {
	s, err := yaegi()
	if err != nil {
		t.Fatal(err)
	}
	runSuite(t, s)
}

// runSuite runs a suite, or every twentieth of its programs, and holds it
// against the list of testdata: what cannot apply and why, and what is known to
// fail. -suites -update writes the latter anew.
func runSuite(t *testing.T, s *suite) {
	if testing.Short() {
		t.Skip("-short")
	}
	list := "testdata/" + s.name + ".txt"
	type line struct{ fate, why string }
	known := map[string]line{}
	if text, err := os.ReadFile(list); err == nil {
		for _, l := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			if f := strings.SplitN(l, "\t", 3); len(f) == 3 {
				known[f[1]] = line{f[0], f[2]}
			}
		}
	} else if !*update {
		t.Fatal(err)
	}
	files, err := s.files()
	if err != nil {
		t.Fatal(err)
	}
	var wanted *regexp.Regexp
	if *only != "" {
		wanted = regexp.MustCompile(*only)
	}
	var w worker
	defer w.stop()
	count := map[string]int{}
	found := map[string]line{}
	applicable := 0
	for _, file := range files {
		if known[file].fate == "n/a" {
			count["n/a"]++
			found[file] = known[file]
			continue
		}
		source, want, fails, err := s.expect(file)
		if err != nil {
			t.Fatal(err)
		}
		if why := s.applies(source); why != "" {
			count["n/a"]++
			found[file] = line{"n/a", why}
			continue
		}
		applicable++
		if !*suites && wanted == nil && (applicable%20 != 0 || known[file].fate == "slow") || wanted != nil && !wanted.MatchString(file) {
			continue
		}
		seconds := 20.0
		if k := known[file].fate; k == "slow" {
			seconds = 10
		} else if k == "" && !*suites {
			seconds = 60
		}
		got := w.ask(question{Fresh: true, Cells: []string{source}, Seconds: seconds})
		f := fate(want, fails, got)
		count[f]++
		if f != "same" {
			why := got.Message
			if f == "wrong" {
				why = firstDifference(want, got.Output)
			}
			found[file] = line{f, oneLine(why)}
		}
		if wanted != nil {
			t.Logf("%s: %s\n--- printed\n%s\n--- wanted\n%s\n%s", file, f, got.Output, want, strings.Join(got.Traceback, "\n"))
			continue
		}
		switch k := known[file].fate; {
		case *update:
		case f != k && f != "same" && k != "slow":
			t.Errorf("%s: %s: %s\n%s", file, f, found[file].why, strings.Join(got.Traceback, "\n"))
		case f == "same" && k != "":
			t.Errorf("%s passes now; write %s anew with -suites -update", file, list)
		}
	}
	t.Logf("%d programs, %d of them for cells: %v", len(files), applicable, count)
	if *update && *suites {
		var b strings.Builder
		for _, file := range sorted(found) {
			fmt.Fprintf(&b, "%s\t%s\t%s\n", found[file].fate, file, found[file].why)
		}
		if err := os.WriteFile(list, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// oneLine is the beginning of a message.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return s[:min(len(s), 110)]
}

// firstDifference is the first line that is not as wanted.
func firstDifference(want, got string) string {
	a, b := strings.Split(tidy(strings.TrimSpace(want)), "\n"), strings.Split(tidy(strings.TrimSpace(got)), "\n")
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return fmt.Sprintf("prints %.50q for %.50q", y, x)
		}
	}
	return ""
}
