package notebooks

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sapf/kernel/runner"
)

// userModule is a folder with a module of a user's, who has sapf as it is here.
func userModule(t *testing.T) string {
	t.Helper()
	top, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(top, name))
		if err != nil {
			t.Fatal(err)
		}
		mine := strings.Replace(string(text), "module sapf\n", "module example.com/mine\n\nrequire sapf v0.0.0\n\nreplace sapf => "+top+"\n", 1)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(mine), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestExports exports every notebook and builds one program of all of them,
// vetted. With SAPF_LONG it runs each, quickly, without data.
func TestExports(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command")
	}
	dir := userModule(t)
	place := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var imports, cases strings.Builder
	for i, s := range studies {
		program := filepath.Join(t.TempDir(), s.file+".go")
		if err := runner.Export(s.file+".ipynb", program, map[string]string{"quick": "true"}); err != nil {
			t.Errorf("%s: %v", s.file, err)
			continue
		}
		source, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		pkg := fmt.Sprintf("n%02d", i)
		text := strings.Replace(string(source), "package main", "package "+pkg, 1)
		place(pkg+"/"+pkg+".go", strings.Replace(text, "\nfunc main() {", "\nfunc Main() {", 1))
		fmt.Fprintf(&imports, "\t%q\n", "example.com/mine/"+pkg)
		fmt.Fprintf(&cases, "\tcase %q:\n\t\t%s.Main()\n", s.file, pkg)
	}
	place("main.go", "package main\n\nimport (\n\t\"os\"\n"+imports.String()+")\n\nfunc main() {\n\tswitch os.Args[1] {\n"+cases.String()+"\tdefault:\n\t\tos.Exit(3)\n\t}\n}\n")
	all := filepath.Join(t.TempDir(), "all")
	for _, args := range [][]string{{"build", "-mod=mod", "-o", all, "."}, {"vet", "-mod=mod", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", args[0], err, text)
		}
	}
	for _, s := range studies {
		t.Run(s.file, func(t *testing.T) {
			if os.Getenv("SAPF_LONG") == "" {
				t.Skip("set SAPF_LONG=1 to run it")
			}
			empty := t.TempDir()
			cmd := exec.Command(all, s.file)
			cmd.Env = append(os.Environ(), "SAPF_DATA="+empty, "XDG_CACHE_HOME="+empty)
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, text[max(0, len(text)-3000):])
			}
		})
	}
}
