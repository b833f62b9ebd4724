// Package kernelspec tells Jupyter of a kernel: it finds the folders that
// Jupyter looks in, and writes and removes the files there ("Kernel specs" in
// jupyter_client's documentation). It needs no Jupyter to do so.
package kernelspec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"sapf/models/atomicfile"
	"sapf/models/plain"
)

// Place is where a kernel is installed.
type Place struct {
	// SysPrefix means the Python environment that `jupyter` on the PATH belongs
	// to, or else the active one; Prefix means DIR/share/jupyter; neither means
	// the user's own data folder.
	SysPrefix bool
	Prefix    string
	// Name is the folder's and the kernel's name; "" means "sapf".
	Name string
}

// spec is kernel.json.
type spec struct {
	Argv          []string          `json:"argv"`
	DisplayName   string            `json:"display_name"`
	Language      string            `json:"language"`
	InterruptMode string            `json:"interrupt_mode"`
	Env           map[string]string `json:"env"`
	Metadata      map[string]any    `json:"metadata"`
}

// files are all that a kernel's folder may have. Uninstall removes these.
var files = []string{"kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg", "sapf", "sapf.exe"}

var goodName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Dir is the folder of a kernel at a place.
func (p Place) Dir() (string, error) {
	name := p.Name
	if name == "" {
		name = kernelName
	}
	if !goodName.MatchString(name) || strings.Trim(name, ".") == "" {
		return "", fmt.Errorf("kernel name %q: letters, digits, dots, dashes and underscores expected", name)
	}
	if p.SysPrefix && p.Prefix != "" {
		return "", errors.New("sys-prefix and prefix exclude each other")
	}
	data := ""
	switch {
	case p.Prefix != "":
		abs, err := filepath.Abs(p.Prefix)
		if err != nil {
			return "", err
		}
		data = filepath.Join(abs, "share", "jupyter")
	case p.SysPrefix:
		prefix, err := sysPrefix()
		if err != nil {
			return "", err
		}
		data = filepath.Join(prefix, "share", "jupyter")
	default:
		var err error
		if data, err = userData(); err != nil {
			return "", err
		}
	}
	return filepath.Join(data, "kernels", strings.ToLower(name)), nil // Jupyter looks names up in lower case
}

// userData is the user's Jupyter data folder, as jupyter_core finds it.
func userData() (string, error) {
	if dir := os.Getenv("JUPYTER_DATA_DIR"); dir != "" {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the user's Jupyter folder: %w; --prefix DIR names another", err)
	}
	switch runtime.GOOS {
	case "darwin":
		return filepath.Join(home, "Library", "Jupyter"), nil
	case "windows":
		if dir := os.Getenv("APPDATA"); dir != "" {
			return filepath.Join(dir, "jupyter"), nil
		}
		return filepath.Join(home, ".jupyter", "data"), nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "jupyter"), nil
	}
	return filepath.Join(home, ".local", "share", "jupyter"), nil
}

// sysPrefix is the root of the Python environment that Jupyter runs in.
func sysPrefix() (string, error) {
	if path, err := exec.LookPath("jupyter"); err == nil {
		// Not through a link: the environment's own bin is beside its prefix.
		if abs, err := filepath.Abs(path); err == nil {
			return filepath.Dir(filepath.Dir(abs)), nil
		}
	}
	for _, name := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		if dir := os.Getenv(name); dir != "" {
			return dir, nil
		}
	}
	return "", errors.New("no Python environment is active and jupyter is not on the PATH: give --prefix DIR or --user")
}

// Report is what Install or Uninstall did.
type Report struct {
	Dir     string
	Files   []string // names in Dir
	Program string   // what Jupyter will start
	Notes   []string // what the user should know
}

// String is the report as sentences.
func (r Report) String() string {
	var b strings.Builder
	if r.Program == "" {
		fmt.Fprintf(&b, "removed %s (%s)", r.Dir, strings.Join(r.Files, ", "))
	} else {
		fmt.Fprintf(&b, "installed the kernel in %s (%s)\nJupyter will start %s", r.Dir, strings.Join(r.Files, ", "), r.Program)
	}
	for _, n := range r.Notes {
		b.WriteString("\n" + n)
	}
	return b.String()
}

// Install writes a kernel's folder. The kernel is this program; one that
// `go run` built, and will remove, is copied there.
func Install(p Place) (Report, error) {
	dir, err := p.Dir()
	if err != nil {
		return Report{}, err
	}
	if err := ours(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return Report{}, err
	}
	program, err := os.Executable()
	if err != nil {
		return Report{}, fmt.Errorf("find own program: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Report{}, fmt.Errorf("install: %w", err)
	}
	r := Report{Dir: dir, Program: program}
	if passing(program) {
		name := "sapf"
		if runtime.GOOS == "windows" {
			name = "sapf.exe"
		}
		if err := copyProgram(program, filepath.Join(dir, name)); err != nil {
			return Report{}, err
		}
		r.Program = filepath.Join(dir, name)
		r.Files = append(r.Files, name)
		r.Notes = append(r.Notes, "the program was built to run once, so a copy of it was installed; install again after a change")
	}
	logos, err := logos()
	if err != nil {
		return Report{}, err
	}
	for _, l := range logos {
		if err := replace(filepath.Join(dir, l.name), l.content, 0o644); err != nil {
			return Report{}, err
		}
		r.Files = append(r.Files, l.name)
	}
	text, err := json.MarshalIndent(spec{
		Argv: []string{r.Program, "kernel", "{connection_file}"}, DisplayName: displayName, Language: language,
		InterruptMode: "message", Env: map[string]string{},
		// The first is where jupyter_client looks before it makes CURVE keys.
		Metadata: map[string]any{"supported_encryption": "curve", "debugger": false},
	}, "", "  ")
	if err != nil {
		return Report{}, err
	}
	// Last, since a folder without it is no kernel.
	if err := replace(filepath.Join(dir, "kernel.json"), append(text, '\n'), 0o644); err != nil {
		return Report{}, err
	}
	r.Files = append(r.Files, "kernel.json")
	if _, err := exec.LookPath("jupyter"); err != nil {
		r.Notes = append(r.Notes, "jupyter is not on the PATH: `pip install jupyterlab` gets it; `sapf run` needs none")
	}
	return r, nil
}

// passing says whether a program is where go run and go test put theirs.
func passing(program string) bool {
	return strings.Contains(filepath.ToSlash(program), "/go-build")
}

// ours refuses a folder that has another kernel in it.
func ours(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	if err != nil {
		return err
	}
	var s spec
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("%s: kernel.json: %w", dir, plain.BadJSON(err))
	}
	if len(s.Argv) != 3 || s.Argv[1] != "kernel" || s.Language != language {
		return fmt.Errorf("%s has another kernel, %q: choose a --name", dir, s.DisplayName)
	}
	return nil
}

func copyProgram(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("copy the program: %w", err)
	}
	return replace(to, content, 0o755)
}

// replace puts a file in the place of another, also of a running program.
func replace(path string, content []byte, mode os.FileMode) error {
	err := atomicfile.Write(path, mode, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	if err != nil {
		return fmt.Errorf("install: %w", err)
	}
	return nil
}

// Uninstall removes a kernel's folder, if it is of our making; files that are
// not ours stay, and so does the folder then.
func Uninstall(p Place) (Report, error) {
	dir, err := p.Dir()
	if err != nil {
		return Report{}, err
	}
	switch err := ours(dir); {
	case errors.Is(err, os.ErrNotExist):
		return Report{}, fmt.Errorf("no kernel is installed in %s", dir)
	case err != nil:
		return Report{}, err
	}
	r := Report{Dir: dir}
	for _, name := range files {
		switch err := os.Remove(filepath.Join(dir, name)); {
		case err == nil:
			r.Files = append(r.Files, name)
		case !errors.Is(err, os.ErrNotExist):
			return r, fmt.Errorf("uninstall: %w", err)
		}
	}
	if err := os.Remove(dir); err != nil {
		r.Notes = append(r.Notes, "the folder has other files in it and stays")
	}
	return r, nil
}
