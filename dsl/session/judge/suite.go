package judge

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// suite is a collection of whole programs that others have written.
type suite struct {
	name string
	// files lists them, by the names that the suite's list has.
	files func() ([]string, error)
	// expect reads a program and what it has to print; fails is set where it
	// has to end in an error.
	expect func(file string) (source, want string, fails bool, err error)
	// applies tells why a program can't be one for cells, "" if it can.
	applies func(source string) string
}

// goroot is the test directory of the Go distribution: programs that print what
// is in the file beside them, or nothing.
func goroot() *suite {
	dir := filepath.Join(runtime.GOROOT(), "test")
	return &suite{
		name: "goroot",
		files: func() ([]string, error) {
			var out []string
			err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
				if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
					return err
				}
				text, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				if first, _, _ := strings.Cut(string(text), "\n"); strings.TrimSpace(first) == "// run" {
					rel, err := filepath.Rel(dir, path)
					if err != nil {
						return err
					}
					out = append(out, filepath.ToSlash(rel))
				}
				return nil
			})
			slices.Sort(out)
			return out, err
		},
		expect: func(file string) (source, want string, fails bool, err error) {
			path := filepath.Join(dir, filepath.FromSlash(file))
			text, err := os.ReadFile(path)
			if err != nil {
				return "", "", false, err
			}
			out, err := os.ReadFile(strings.TrimSuffix(path, ".go") + ".out")
			if os.IsNotExist(err) {
				err = nil
			}
			return string(text), string(out), false, err
		},
		applies: func(source string) string {
			if m := constraint.FindStringSubmatch(source); m != nil {
				return "built only for " + m[1]
			}
			for _, spec := range importsOf(source) {
				if why := missing[spec]; why != "" {
					return why
				}
				if strings.HasPrefix(spec, ".") || strings.Contains(spec, ".dir/") {
					return "imports a package that lies beside it"
				}
			}
			for _, r := range internals {
				if r.uses.MatchString(source) {
					return r.why
				}
			}
			return ""
		},
	}
}

// internals are about the compiled program, which cells are not.
var internals = []struct {
	uses *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`runtime\.SetFinalizer`), "finalizers: the interpreter decides what can still be reached"},
	{regexp.MustCompile(`runtime\.(Callers?|CallersFrames|FuncForPC|Stack)\b`), "asks for the frames of compiled functions"},
	{regexp.MustCompile(`runtime\.(ReadMemStats|MemProfile)|testing\.AllocsPerRun`), "counts what the compiled program allocates"},
}

var constraint = regexp.MustCompile(`(?m)^//go:build (.*(?:ppc64|arm|s390x|mips|wasm|386|cgo|race|asan|msan|windows|darwin|solaris|faketime|goexperiment).*)$`)

// missing are packages that cells do not have, and why.
var missing = map[string]string{
	"C":             "cgo: nothing is compiled",
	"unsafe":        "unsafe: cells have no addresses",
	"syscall":       "syscall: not for cells",
	"os/exec":       "runs the go command or itself",
	"runtime/debug": "about the runtime of compiled programs",
	"internal/abi":  "internal",
	"syscall/js":    "needs a browser",
}

func importsOf(source string) []string {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ImportsOnly)
	if err != nil {
		return nil
	}
	var out []string
	for _, s := range file.Imports {
		if p, err := strconv.Unquote(s.Path.Value); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// yaegi is the interpreter's own test directory: programs whose last comment
// says what they print, or that they fail.
func yaegi() (*suite, error) {
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/traefik/yaegi")
	out, err := list.Output()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "_test")
	s := &suite{name: "yaegi"}
	s.expect = func(file string) (source, want string, fails bool, err error) {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return "", "", false, err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ParseComments|parser.SkipObjectResolution)
		if parsed == nil || len(parsed.Comments) == 0 {
			return string(text), "", false, nil
		}
		comment := parsed.Comments[len(parsed.Comments)-1].Text()
		if strings.HasPrefix(comment, "GOPATH:") {
			_, comment, _ = strings.Cut(comment, "\n")
		}
		if out, ok := strings.CutPrefix(comment, "Error:\n"); ok {
			return string(text), out, true, nil
		}
		if out, ok := strings.CutPrefix(comment, "Output:\n"); ok {
			return string(text), out, false, nil
		}
		return string(text), "", false, nil
	}
	s.files = func() ([]string, error) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		var out []string
		for _, e := range entries {
			if filepath.Ext(e.Name()) != ".go" {
				continue
			}
			if _, want, fails, err := s.expect(e.Name()); err == nil && (want != "" || fails) {
				out = append(out, e.Name())
			}
		}
		return out, nil
	}
	s.applies = func(source string) string {
		for _, spec := range importsOf(source) {
			if why := missing[spec]; why != "" {
				return why
			}
			if strings.HasPrefix(spec, "github.com/traefik/yaegi") || strings.HasPrefix(spec, "guthib.com") {
				return "imports a package of the suite by its path in a workspace"
			}
		}
		return ""
	}
	return s, nil
}

// fate is how a program of a suite fared: "same", "refused" before it ran,
// "fails" with an error, "slow" or "dies" with its process, and "wrong" if it
// printed something else and said nothing of it.
func fate(want string, fails bool, got answer) string {
	if strings.HasPrefix(got.Message, "os.Exit(0)") { // which is how some end well
		got.Error = ""
	}
	switch got.Error {
	case "CompileError", "SyntaxError":
		if fails {
			return "same"
		}
		return "refused"
	case "Interrupted", "Hung":
		return "slow"
	case "Died", "Worker":
		return "dies"
	case "":
		if !fails && tidy(strings.TrimSpace(got.Output)) == tidy(strings.TrimSpace(want)) {
			return "same"
		}
		return "wrong"
	}
	if fails {
		return "same"
	}
	return "fails"
}
