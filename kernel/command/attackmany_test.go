package command

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/kernel/exit"
	"sapf/models/data"
)

// batch is an array of three images that cwnet takes: the cat and two of its
// neighbours in colour.
func batch(t *testing.T) (file string, images []data.Image) {
	t.Helper()
	cat, err := data.Load("cat", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		x := cat.Clone()
		for k := range x.Pix {
			x.Pix[k] *= 1 - float32(i)/97 // no level of 8 bits
		}
		images = append(images, x)
	}
	file = filepath.Join(t.TempDir(), "batch.npy")
	var b bytes.Buffer
	if err := data.SaveNPY(&b, images...); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file, images
}

// TestAttackArray: an array of images gives a row for each, and its adversarial
// images the norms that the row states, to the last bit.
func TestAttackArray(t *testing.T) {
	file, images := batch(t)
	dir := filepath.Join(t.TempDir(), "out")
	args := []string{"attack", "--model", "cwnet", "--image", file, "--target", "dog", "--method", "sigma-zero", "--set", "steps=60", "--json", "--out", dir}
	code, stdout, stderr := call(t, t.Context(), args...)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if code != exit.Done || len(lines) != len(images) {
		t.Fatalf("exit code %d, %d lines, %s", code, len(lines), stderr)
	}
	for i, line := range lines {
		var r struct {
			Image string
			L0    int
			Linf  float64
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Image != fmt.Sprintf("%s:%d", file, i) {
			t.Fatalf("line %d: %v, %s", i, err, line)
		}
		adv, err := data.Load(fmt.Sprintf("%s:%d", filepath.Join(dir, "adversarial_nchw.npy"), i), data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		l0, linf := 0, 0.0
		for k, v := range adv.Pix {
			d := float64(v) - float64(images[i].Pix[k])
			if d != 0 {
				l0++
			}
			linf = max(linf, d, -d)
		}
		if l0 != r.L0 || linf-r.Linf > 1e-7 || r.Linf-linf > 1e-7 {
			t.Errorf("image %d: l0 %d and linf %v in the array, %d and %v in the row", i, l0, linf, r.L0, r.Linf)
		}
		if one, err := data.Load(filepath.Join(dir, fmt.Sprintf("%04d-batch.npy-%d", i, i), "adversarial_chw.npy"), data.Options{}); err != nil || fmt.Sprint(one.Pix) != fmt.Sprint(adv.Pix) {
			t.Errorf("image %d: its folder has another image, %v", i, err)
		}
	}
	if again, stdoutAgain, _ := call(t, t.Context(), args...); again != exit.Done || stdoutAgain != stdout {
		t.Errorf("what is kept in %s came back as %s", dir, stdoutAgain)
	}
	code, stdout, stderr = call(t, t.Context(), "attack", "--model", "cwnet", "--image", file, "--target", "stated")
	if code != exit.Request || !strings.Contains(stderr, "has none") || stdout != "" {
		t.Errorf("no stated targets: exit code %d, %s", code, stderr)
	}
	code, _, stderr = call(t, t.Context(), "attack", "--model", "cwnet", "--image", file, "--target", "dog", "--trace", filepath.Join(dir, "t.csv"))
	if code != exit.Request || !strings.Contains(stderr, "are for one") {
		t.Errorf("a trace of several: exit code %d, %s", code, stderr)
	}
}

// TestNothingIsLost: files that cannot be written are refused before the attack
// starts; one that fails all the same leaves the result printed.
func TestNothingIsLost(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "file")
	if err := os.WriteFile(blocked, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	attack := []string{"attack", "--model", "cwnet", "--image", "cat", "--target", "dog", "--method", "sigma-zero", "--set", "steps=30", "--json"}
	notebook := filepath.Join("..", "..", "notebooks", "01-first-attack.ipynb")
	for _, args := range [][]string{
		append(attack, "--out", filepath.Join(blocked, "x")),
		append(attack, "--trace", filepath.Join(dir, "missing", "t.csv")),
		{"attack", "--model", "cwnet", "--image", "cat", "--target", "dog", "--checkpoint", dir},
		{"attack", "--model", "cwnet", "--image", "cat", "--target", "dog", "--checkpoint", filepath.Join(blocked, "c")},
		{"run", notebook, "-o", filepath.Join(dir, "missing", "x.ipynb")},
		{"run", notebook, "--html", dir},
	} {
		code, stdout, stderr := call(t, t.Context(), args...)
		if code != exit.Request || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, args[len(args)-2]) {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}

	out := filepath.Join(dir, "out")
	if err := os.MkdirAll(filepath.Join(out, "adversarial.png"), 0o755); err != nil { // a folder in a file's place
		t.Fatal(err)
	}
	code, stdout, stderr := call(t, t.Context(), append(attack, "--out", out)...)
	if code != exit.Failed || !strings.Contains(stdout, `"success":true`) || !strings.Contains(stderr, "save the result") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if code, _, stderr := call(t, cancelled, attack...); code != exit.Interrupted || strings.Contains(stderr, "context canceled") || !strings.Contains(stderr, "interrupted") {
		t.Errorf("interrupted: exit code %d, %q", code, stderr)
	}
}
