package runner

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sapf/kernel/notebook"
)

func TestExportCompiles(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command")
	}
	n := &notebook.Notebook{Metadata: map[string]any{}}
	for i, source := range []string{
		"import (\n\"fmt\"\n\"strings\"\n)\nfunc double(s string) string { return strings.Repeat(s, 2) }\nname := \"cat\"",
		"greet := func() { fmt.Println(double(name)) }\ngreet()",
		"double(name)",
		"name := 3.5\nfunc half() float64 { return name / 2 }\nhalf()",
		"import \"os\"\nunused := name",
		"func upper(s string) string { return strings.ToUpper(s) }\nupper(filepath.Base(\"a/b\"))\nmat.NewDense(1, 1, nil).Zero()",
	} {
		n.Cells = append(n.Cells, notebook.Cell{ID: string(rune('a' + i)), Type: notebook.Code, Source: source, Metadata: map[string]any{}})
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.ipynb"), filepath.Join(dir, "prog.go")
	if err := n.WriteFile(in); err != nil {
		t.Fatal(err)
	}
	if err := Export(in, out, nil); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\tgreet()\n", "Show(double(name))", "Show(half())", "_ = unused", "\"path/filepath\"", "\"gonum.org/v1/gonum/mat\""} {
		if !strings.Contains(string(source), want) {
			t.Errorf("%s is missing in\n%s", want, source)
		}
	}
	if strings.Contains(string(source), `"os"`) {
		t.Errorf("an unused import stays:\n%s", source)
	}
	if text, err := exec.Command("go", "vet", out).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, text, source)
	}
	bad := filepath.Join(dir, "bad.go")
	os.WriteFile(bad, []byte("x := undefinedName + 1\n"), 0o644)
	if err := Export(bad, filepath.Join(dir, "out.go"), nil); err == nil || !strings.Contains(err.Error(), "undefinedName") {
		t.Errorf("error %v", err)
	}
}

// TestExportFolders: packages of folders are imported by their module's path,
// where the program lies in that module, and copied into its module where they
// have none.
func TestExportFolders(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command")
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// A module of its own, with sapf as it is here.
	module, err := os.ReadFile(filepath.Join(top, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(top, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(module), "module sapf\n", "module example.com/mine\n\nrequire sapf v0.0.0\n\nreplace sapf => "+top+"\n", 1)
	text = regexp.MustCompile("(?m)^tool .*").ReplaceAllString(text, "")
	write("mod/go.mod", text)
	write("mod/go.sum", string(sums))
	write("mod/own/own.go", "package own\n\nfunc Two() int { return 2 }\n")
	write("mod/own/other-name/n.go", "package named\n\nfunc Four() int { return 4 }\n")
	write("mod/nb/a.go", "import \"../own\"\nimport \"example.com/mine/own/other-name\"\nfmt.Println(own.Two() + named.Four())\n")
	write("bare/lib/lib.go", "package lib\n\nfunc Three() int { return 3 }\n")
	write("bare/b.go", "import l \"./lib\"\nfmt.Println(l.Three())\n")
	for _, c := range []struct{ in, out, prints string }{
		{"mod/nb/a.go", "mod/cmd/a/main.go", "6\n"},
		{"bare/b.go", "mod/cmd/b/main.go", "3\n"},
	} {
		out := filepath.Join(dir, c.out)
		if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := Export(filepath.Join(dir, c.in), out, nil); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("go", "run", "-mod=mod", ".")
		cmd.Dir = filepath.Dir(out)
		printed, err := cmd.CombinedOutput()
		if err != nil || string(printed) != c.prints {
			source, _ := os.ReadFile(out)
			t.Errorf("%s printed %q (%v), expected %q\n%s", c.out, printed, err, c.prints, source)
		}
	}
	err = Export(filepath.Join(dir, "bare/b.go"), filepath.Join(dir, "bare/prog.go"), nil)
	if err == nil || !strings.Contains(err.Error(), "write the program into a module") {
		t.Errorf("a folder and a program without a module: %v", err)
	}
}
