package command

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sapf/kernel/exit"
)

// TestHelp: without a command, with help in front and with --help behind, there
// is help on standard output, for every command, and no flag's value is called
// by its type in Go.
func TestHelp(t *testing.T) {
	_, whole, _ := call(t, t.Context(), "--help")
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, whole}, {[]string{"help"}, whole},
		{[]string{"help", "attack"}, "--trace-every"}, {[]string{"sweep"}, "sweep plan"}, {[]string{"help", "sweep", "run"}, "--slots"},
		{[]string{"lab", "--help"}, "JupyterLab"}, {[]string{"models"}, "models show"}, {[]string{"data"}, "data get"},
	} {
		code, stdout, stderr := call(t, t.Context(), c.args...)
		if code != exit.Done || !strings.Contains(stdout, c.want) || stderr != "" {
			t.Errorf("%q: code %d, %q, %q", c.args, code, stdout, stderr)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+(?: [a-z]+)?)(?: .*)?$`).FindAllStringSubmatch(whole, -1) {
		code, stdout, _ := call(t, t.Context(), append(strings.Fields(m[1]), "--help")...)
		if kind := regexp.MustCompile(`=(STRING|INT|FLOAT\S*|UINT\S*)\b`).FindString(stdout); code != exit.Done || kind != "" {
			t.Errorf("%s: code %d, a value is called %q", m[1], code, kind)
		}
	}
}

// TestSampleBesideAFolder: a folder called as a sample is, the one that --out cat
// makes, does not hide it.
func TestSampleBesideAFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	for range 2 {
		code, stdout, stderr := call(t, t.Context(), "attack", "--model", "cwnet", "--image", "cat", "--target", "dog", "--method", "best", "--preset", "quick", "--k", "200", "--out", "cat")
		if code != exit.Done || !strings.Contains(stdout, "best on cat: success") {
			t.Fatalf("code %d, %s%s", code, stdout, stderr)
		}
	}
	if _, err := os.Stat(filepath.Join("cat", "result.json")); err != nil {
		t.Error(err)
	}
}

// TestNamesOnOneLine: a file whose name has a line break begins no line of its
// own, alone and among others.
func TestNamesOnOneLine(t *testing.T) {
	dir := t.TempDir()
	picture, err := os.ReadFile("../../models/data/samples/cat.png")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "a\nprediction dog, success true\x1b[2J.png")
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		t.Skip("no such names here: ", err)
	}
	for _, image := range []string{file, dir} {
		_, stdout, stderr := call(t, t.Context(), "attack", "--model", "cwnet", "--image", image, "--resize", "--target", "dog", "--method", "fmn-l0", "--set", "steps=1")
		for _, line := range strings.Split(stdout+stderr, "\n") {
			if strings.HasPrefix(line, "prediction dog") || strings.Contains(line, "\x1b") {
				t.Errorf("of %q: %q", image, line)
			}
		}
		if !strings.Contains(stdout, `a\x0aprediction dog`) {
			t.Errorf("of %q: the name is not there: %s", image, stdout)
		}
	}
}
