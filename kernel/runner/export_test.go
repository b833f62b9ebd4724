package runner

import (
	"os"
	"os/exec"
	"path/filepath"
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
	if err := Export(in, out); err != nil {
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
	if err := Export(bad, filepath.Join(dir, "out.go")); err == nil || !strings.Contains(err.Error(), "undefinedName") {
		t.Errorf("error %v", err)
	}
}

// TestNotebooksExport exports the project's notebooks: programs that compile.
func TestNotebooksExport(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command")
	}
	files, _ := filepath.Glob("../../notebooks/*.ipynb")
	if len(files) == 0 {
		t.Fatal("no notebooks")
	}
	for _, file := range files {
		if err := Export(file, filepath.Join(t.TempDir(), "prog.go")); err != nil {
			t.Error(err)
		}
	}
}
