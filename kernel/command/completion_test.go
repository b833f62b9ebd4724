package command

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sapf/kernel/exit"
)

func TestCompletion(t *testing.T) {
	for line, want := range map[string]string{
		"sapf att":                            "attack",
		"sapf models con":                     "convert",
		"sapf attack --meth":                  "--method",
		"sapf attack --method sigma":          "sigma-zero",
		"sapf attack --preset ref":            "reference",
		"sapf attack --method fgsm --set eps": "epsilon=",
		"sapf attack --set lambda2":           "lambda2=",
		"sapf attack --image ca":              "cat",
		"sapf gradient --model cwn":           "cwnet",
		"sapf gradient --loss c":              "cw",
		"sapf data get fash":                  "fashion",
		"sapf completion z":                   "zsh",
		"sapf run completion_t":               "completion_test.go",
	} {
		t.Setenv("COMP_LINE", line)
		code, stdout, stderr := call(t, t.Context())
		if got := strings.Fields(stdout); code != exit.Done || !slices.Contains(got, want) {
			t.Errorf("%q: code %d, %q, %q; want %s", line, code, got, stderr, want)
		}
	}
}

// TestCompletionScripts: the shells that are there take what is printed.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		code, script, stderr := call(t, t.Context(), "completion", shell)
		if code != exit.Done || !strings.Contains(script, "sapf") {
			t.Errorf("%s: code %d, %q", shell, code, stderr)
		}
		if _, err := exec.LookPath(shell); err != nil {
			continue
		}
		cmd := exec.Command(shell, "-n")
		cmd.Stdin = strings.NewReader(script)
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", shell, err, text)
		}
	}
}

func TestVersion(t *testing.T) {
	code, stdout, _ := call(t, t.Context(), "--version")
	if !regexp.MustCompile(`^sapf \S+ \(commit .*\) go1\.\S+ \S+/\S+\n$`).MatchString(stdout) || code != exit.Done {
		t.Errorf("code %d, %q", code, stdout)
	}
	if code, stdout, _ := call(t, t.Context(), "attack", "--help"); code != exit.Done || !strings.Contains(stdout, "--checkpoint") {
		t.Errorf("help: code %d, %q", code, stdout)
	}
}
