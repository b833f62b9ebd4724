package command

import (
	"os"
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

// TestCompletionOfWords: names with spaces are answered as the shell reads them,
// whole words end with a space, folders go on, and what is a list is completed
// from it and not from the files that lie about.
func TestCompletionOfWords(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"pictures", "with space"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"my photo.png", "pictures/a.png", "pictures/b.png", "with space/(x) é.png", ".hidden", "cwnet.txt"} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for line, want := range map[string]string{
		`sapf atta`:                              "attack \n",
		`sapf attack --image my`:                 `my\ photo.png ` + "\n",
		`sapf attack --image my\ p`:              `my\ photo.png ` + "\n",
		`sapf attack --image "my p`:              "my photo.png\n",
		`sapf attack --image=my\ p`:              `my\ photo.png ` + "\n",
		`sapf attack --image pic`:                "pictures/\n",
		`sapf attack --image pictures/`:          "pictures/a.png\npictures/b.png\n",
		`sapf attack --image wi`:                 `with\ space/` + "\n",
		`sapf attack --image with\ space/`:       `with\ space/\(x\)\ é.png ` + "\n",
		`sapf run .hi`:                           ".hidden \n",
		`sapf run nothing/`:                      "",
		`sapf attack --set lambda2`:              "lambda2=\n",
		`sapf attack --model cwnet --target do`:  "dog \n",
		`sapf attack --model=cwnet --target dee`: "deer \n",
		`sapf train c`:                           "cwnet\ncwmnist\ncnn_a\n",
		`sapf sweep table --format ma`:           "markdown \n",
		`sapf attack --arch resnet2`:             "resnet20\nresnet2b\n",
	} {
		t.Setenv("COMP_LINE", line)
		if code, got, stderr := call(t, t.Context()); code != exit.Done || got != want {
			t.Errorf("%s: code %d, %q, expected %q %s", line, code, got, want, stderr)
		}
	}
	t.Setenv("COMP_LINE", "sapf attack --image é --method sigma")
	t.Setenv("COMP_POINT", "36")
	if _, got, _ := call(t, t.Context()); got != "sigma-zero \n" {
		t.Errorf("behind a character of two bytes: %q", got)
	}
	t.Setenv("COMP_LINE", "sapf atta --image x")
	t.Setenv("COMP_POINT", "9")
	if _, got, _ := call(t, t.Context()); got != "attack \n" {
		t.Errorf("in the middle of a line: %q", got)
	}
}

// TestCompletionInFish asks fish, where it is, what it would offer: what this
// program answers, and no files that it did not name.
func TestCompletionInFish(t *testing.T) {
	fish, err := exec.LookPath("fish")
	if err != nil {
		t.Skip(err)
	}
	_, script, _ := call(t, t.Context(), "completion", "fish")
	t.Chdir(t.TempDir())
	for _, file := range []string{"my photo.png", "sigma.txt"} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for line, want := range map[string]string{
		"sapf attack --method sig":  "sigma-zero\n",
		"sapf attack --method=sig":  "--method=sigma-zero\n",
		"sapf attack --image my":    "my photo.png\n",
		"sapf attack --preset pape": "paper\n",
	} {
		cmd := exec.Command(fish, "--no-config", "-c", script+"complete -C '"+line+"'")
		cmd.Env = append(os.Environ(), commandEnv+"=sapf")
		if got, err := cmd.Output(); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, expected %q", line, got, err, want)
		}
	}
}
