package command

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzWords: whatever stands on the command line, it is parsed or refused in
// words. Nothing is run.
func FuzzWords(f *testing.F) {
	for _, line := range []string{
		"attack --model cwnet --image cat --target dog --set k=3 --set a==b --k -5 --json",
		"attack --method fmn-l0 --options", "attack --options --method", "sweep table x --by a,b", "run x.ipynb -p a=b -- -c", "bench --batch 1,,2", "--help", "", "attack --mean 1e999 --std x",
		"worker --url nats://[::1", "help attack", "train cwnet --adversarial 8/255 --no-flip",
	} {
		f.Add(strings.ReplaceAll(line, " ", "\x00"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		defer func() {
			if p := recover(); p != nil && p != any(finished{}) {
				panic(p)
			}
		}()
		var stdout, stderr bytes.Buffer
		_, err := newParser(t.Context(), origin{}, output{&stdout, &stderr}).Parse(asked(strings.Split(line, "\x00")))
		if err != nil && err.Error() == "" {
			t.Errorf("%q is refused without a word", line)
		}
	})
}

// FuzzCompletion: a shell may ask what follows any line.
func FuzzCompletion(f *testing.F) {
	for _, line := range []string{"sapf att", "sapf attack --set ", "sapf attack --method 'x", "sapf attack --method", `sapf "`, "sapf attack --image ~/", "\t"} {
		f.Add(line)
	}
	f.Chdir(f.TempDir())
	f.Fuzz(func(t *testing.T, line string) {
		if line == "" || strings.Contains(line, "\x00") {
			return
		}
		t.Setenv("COMP_LINE", line)
		var stdout, stderr bytes.Buffer
		if _, err := completes(newParser(t.Context(), origin{}, output{&stdout, &stderr})); err != nil {
			t.Error(err)
		}
	})
}
