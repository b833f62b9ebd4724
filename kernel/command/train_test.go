package command

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/kernel/exit"
	"sapf/models"
	"sapf/models/data"
)

// fashionFolder makes a data folder with a small Fashion-MNIST of the embedded
// images.
func fashionFolder(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "data", "fashion-mnist")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	const n = 40
	pix, labels := []byte{0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 28, 0, 0, 0, 28}, []byte{0, 0, 8, 1, 0, 0, 0, n}
	for i := range n {
		m, err := data.Load(fmt.Sprintf("fashion:%d", i), data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range m.Pix {
			pix = append(pix, byte(v*255+0.5))
		}
		labels = append(labels, byte(m.Label))
	}
	for _, part := range []string{"train", "t10k"} {
		for name, raw := range map[string][]byte{"-images-idx3-ubyte.gz": pix, "-labels-idx1-ubyte.gz": labels} {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			z.Write(raw)
			z.Close()
			if err := os.WriteFile(filepath.Join(dir, part+name), b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

// TestTrain: the command trains, says how far it is, and leaves weights that
// load, their card, a plot, and a checkpoint from which nothing is left to do.
func TestTrain(t *testing.T) {
	t.Setenv("SAPF_DATA", fashionFolder(t))
	file := filepath.Join(t.TempDir(), "mine.safetensors")
	args := []string{"train", "cwmnist", "--epochs", "2", "--batch", "8", "--limit", "24", "--crop", "1", "--seed", "3", "--out", file}
	var stdout, stderr bytes.Buffer
	if code := Main(t.Context(), append(args, "--json"), &stdout, &stderr); code != exit.Done {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	var last struct {
		File, SHA256, Recipe string
		Steps                int
		Accuracy             float64
	}
	if len(lines) != 3 || stderr.Len() > 0 {
		t.Fatalf("stdout %q, stderr %q, want a line for each of two epochs and one at the end", &stdout, &stderr)
	}
	if err := json.Unmarshal([]byte(lines[2]), &last); err != nil {
		t.Fatal(err)
	}
	m, err := models.Load(file, models.LoadOptions{SHA256: last.SHA256})
	if err != nil {
		t.Fatal(err)
	}
	if last.Steps != 6 || last.File != file || m.Card().Accuracy != last.Accuracy || !strings.Contains(last.Recipe, "crops padded by 1") || !strings.Contains(last.Recipe, "seed 3") {
		t.Errorf("result %+v, card %+v", last, m.Card())
	}
	base := strings.TrimSuffix(file, ".safetensors")
	f, err := os.Open(base + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := png.Decode(f); err != nil {
		t.Errorf("plot: %v", err)
	}
	weights, _ := os.ReadFile(file)

	stdout.Reset()
	if code := Main(t.Context(), append(args, "--resume", "--threads", "1"), &stdout, &stderr); code != exit.Done {
		t.Fatalf("resumed: exit code %d: %s", code, &stderr)
	}
	if again, _ := os.ReadFile(file); !bytes.Equal(weights, again) || !strings.Contains(stdout.String(), "0 steps") {
		t.Errorf("a run that was complete went on, or wrote other bytes: %s", &stdout)
	}
}

func TestTrainRefuses(t *testing.T) {
	t.Setenv("SAPF_DATA", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "taken.png"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"vgg17"}, "vgg17"},
		{[]string{"cwnet"}, "cifar10 is not on this machine"},
		{[]string{"cwnet", "--data", "svhn"}, "svhn"},
		{[]string{"cwnet", "--epochs", "0"}, "--epochs 0"},
		{[]string{"cwnet", "--schedule", "linear"}, "linear"},
		{[]string{"cwnet", "--adversarial", "300"}, "epsilon"},
		{[]string{"cwnet", "--lamda", "1"}, "--lamda"},
		// What cannot be written is found before there is anything to write.
		{[]string{"cwnet", "--out", filepath.Join(dir, "nowhere", "x.safetensors")}, "--out " + filepath.Join(dir, "nowhere", "x.safetensors") + ": folder "},
		{[]string{"cwnet", "--out", filepath.Join(dir, "taken.safetensors")}, "taken.png: it is a folder, expected a file"},
	} {
		var stdout, stderr bytes.Buffer
		code := Main(t.Context(), append([]string{"train"}, c.args...), &stdout, &stderr)
		if code != exit.Request || !strings.Contains(stderr.String(), c.want) || strings.Count(stderr.String(), "\n") != 1 || stdout.Len() > 0 {
			t.Errorf("%v: exit code %d, stderr %q, want %d and one line about %q", c.args, code, &stderr, exit.Request, c.want)
		}
	}
}
