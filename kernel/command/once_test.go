package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/kernel/exit"
)

// TestErrorsSayThingsOnce makes wrong requests of all kinds: each is answered in
// a line that repeats neither a part of itself nor the name of a file, and that
// names none of our temporary files.
func TestErrorsSayThingsOnce(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, content := range map[string]string{
		"junk.npy": "junk", "empty.npy": "", "junk.png": "junk", "junk.onnx": "junk", "junk.pth": "junk", "junk.safetensors": "junk",
		"junk.yaml": "a: [", "unknown.yaml": "nam: x", "junk.ipynb": "{", "file": "", "cell.go": "1 + 1",
		"bad.yaml": "images: {names: [cat]}\nmodel: cwnet\nmethods: [{name: fmn-l0, options: {stepz: 3}}]",
	} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("pictures", 0o755); err != nil {
		t.Fatal(err)
	}
	attack := "attack --model cwnet --target dog --image "
	for _, line := range []string{
		attack + "cat --k 4000", attack + "cat --method best --k 4000", attack + "cat --method saif --k 4000",
		attack + "cat --set stepz=3", attack + "cat --method fmn-l0 --set steps=-3", attack + "cat --method fewest --preset none",
		attack + "cat --method best-matched --set to.steps=x", attack + "cat --method best-matched --set to=none",
		attack + "catt", attack + "nothing.npy", attack + "junk.npy", attack + "empty.npy", attack + "junk.npy:3", attack + "junk.png", attack + "pictures",
		attack + "cat --out file", attack + "cat --out file/below", attack + "cat --trace nothing/x.csv", attack + "cat --checkpoint junk.png",
		"attack --image cat --target 1 --model junk.onnx", "attack --image cat --target 1 --model junk.pth", "attack --image cat --target 1 --model pictures",
		"attack --image cat --target cat --model cwnet", "attack --image cat --target 10 --model cwnet",
		"models show junk.safetensors", "models convert junk.pth x.safetensors", "models convert cwnet nothing/x.safetensors", "models convert cwnet pictures",
		"models verify cwnet --data pictures", "models verify cwnet --data junk.npy",
		"run junk.ipynb", "run junk.yaml", "run nothing.ipynb", "run cell.go -o nothing/x.ipynb", "run cell.go --html nothing/x.html", "run cell.go --html pictures",
		"sweep plan junk.yaml", "sweep plan unknown.yaml", "sweep plan nothing.yaml", "sweep plan bad.yaml", "sweep run bad.yaml -o runs", "sweep run bad.yaml -o file/runs",
		"sweep status pictures", "sweep table file", "sweep replay nothing KEY", "sweep diff pictures file",
		"install --prefix file", "train nothing", "data get nothing", "gradient --model cwnet --image junk.npy --target dog --loss cw",
	} {
		code, _, stderr := call(t, t.Context(), strings.Fields(line)...)
		if code != exit.Failed && code != exit.Request {
			t.Errorf("%s: code %d, %s", line, code, stderr)
		}
		said := lastLine(stderr)
		parts := strings.Split(strings.TrimPrefix(said, "sapf: "), ": ")
		for i, p := range parts {
			for _, q := range parts[:i] {
				if p == q {
					t.Errorf("%s: %q twice in %s", line, p, said)
				}
			}
		}
		for _, word := range strings.Fields(line)[1:] {
			if filepath.Ext(word) != "" && strings.Count(said, word) > 1 && !strings.Contains(said, word+":") {
				t.Errorf("%s: %s twice in %s", line, word, said)
			}
		}
		if strings.Contains(said, ".sapf-") || strings.Contains(said, "file file") {
			t.Errorf("%s: %s", line, said)
		}
		t.Logf("%s\n\t%s", line, said)
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
