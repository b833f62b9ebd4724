//go:build unix

package command

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sapf/models/atomicfile"
)

// TestKilledAtRandom: kill -9 at random instants, again and again, of the commands
// that go on where they were: nothing of what they leave is torn, and what they
// come to in the end has the bytes of an undisturbed run. SAPF_LONG has fifty
// kills of each.
func TestKilledAtRandom(t *testing.T) {
	kills := 3
	if os.Getenv("SAPF_LONG") != "" {
		kills = 50
	}
	t.Setenv("SAPF_DATA", fashionFolder(t))
	spec := write(t, smallSweep)
	notebook := filepath.Join(t.TempDir(), "small.ipynb")
	if err := os.WriteFile(notebook, []byte(killedNotebook), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args func(dir string) []string
		// leaves are the files that the bytes of two runs are compared in.
		leaves []string
	}{
		{"attack", func(dir string) []string {
			return []string{"attack", "--model", "cwmnist", "--image", "fashion:1", "--target", "4", "--k", "60", "--set", "steps=150", "--set", "lambda1=1", "--set", "search_rounds=3", "--set", "lambda2=0",
				"--checkpoint", filepath.Join(dir, "state"), "--out", filepath.Join(dir, "out")}
		}, []string{"out/result.json", "out/delta*.npy", "out/adversarial.png", "out/mask.png"}},
		{"train", func(dir string) []string {
			return []string{"train", "cwmnist", "--epochs", "3", "--batch", "8", "--limit", "40", "--crop", "1", "--every", "1", "--resume", "--out", filepath.Join(dir, "mine.safetensors")}
		}, []string{"mine.safetensors"}},
		{"run", func(dir string) []string {
			return []string{"run", notebook, "-o", filepath.Join(dir, "out.ipynb"), "--html", filepath.Join(dir, "out.html")}
		}, []string{"out.ipynb"}},
		{"sweep run", func(dir string) []string {
			return []string{"sweep", "run", spec, "-o", dir}
		}, []string{"results/*/*.json"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			undisturbed := t.TempDir()
			began := time.Now()
			if cmd := begin(t, c.args(undisturbed)); code(t, cmd) != 0 {
				t.Fatalf("undisturbed: exit code %d: %v", cmd.ProcessState.ExitCode(), cmd.Stderr)
			}
			whole := time.Since(began)
			want := leftBy(t, undisturbed, c.leaves)
			random := rand.New(rand.NewPCG(1, uint64(len(c.name))))
			dir := t.TempDir()
			for killed := 0; killed < kills; {
				cmd := begin(t, c.args(dir))
				after := time.AfterFunc(time.Duration(random.Float64()*1.1*float64(whole)), func() { cmd.Process.Kill() })
				got := code(t, cmd)
				after.Stop()
				if got != 0 && got != -1 {
					t.Fatalf("after %d kills: exit code %d: %v", killed, got, cmd.Stderr)
				}
				if got == 0 { // it was done before: from the start
					if left := leftBy(t, dir, c.leaves); left != want {
						t.Fatalf("after %d kills other bytes than undisturbed:\n%s\n%s", killed, left, want)
					}
					dir = t.TempDir()
					continue
				}
				killed++
			}
			if cmd := begin(t, c.args(dir)); code(t, cmd) != 0 {
				t.Fatalf("after the last kill: exit code %d: %v", cmd.ProcessState.ExitCode(), cmd.Stderr)
			}
			if left := leftBy(t, dir, c.leaves); left != want {
				t.Errorf("other bytes than undisturbed:\n%s\n%s", left, want)
			}
			strays(t, dir)
		})
	}
}

// TestStraysOfAnAttack: what an attack that was killed while it wrote has left
// beside its checkpoint and among its results goes when it runs again; what is
// somebody else's stays.
func TestStraysOfAnAttack(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	const others = ".sapf-00000000-00000001.tmp" // of another target
	for _, f := range []string{filepath.Join(dir, ".sapf-783132f6-00000001.tmp"), filepath.Join(out, ".sapf-35040f88-00000001.tmp"), filepath.Join(dir, others)} {
		if err := os.WriteFile(f, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"attack", "--model", "cwnet", "--image", "cat", "--target", "dog", "--set", "steps=5", "--set", "search_rounds=1", "--checkpoint", filepath.Join(dir, "state"), "--out", out}
	if cmd := begin(t, args); code(t, cmd) < 0 {
		t.Fatalf("%v", cmd.Stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, others)); err != nil {
		t.Error(err)
	}
	os.Remove(filepath.Join(dir, others))
	strays(t, dir)
	if _, err := os.Stat(filepath.Join(out, "result.json")); err != nil {
		t.Error(err)
	}
}

// killedNotebook has two cells.
const killedNotebook = `{"cells": [
 {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": null, "outputs": [], "source": "m := LoadModel(\"cwmnist\")\nx := LoadImage(\"fashion:1\")"},
 {"cell_type": "code", "id": "b", "metadata": {}, "execution_count": null, "outputs": [], "source": "r := Attack(m, x, Target(4), Options{K: 60, Steps: 60})\nfmt.Println(r.Measured.L0, r.Measured.L2)"}
], "metadata": {"kernelspec": {"name": "sapf", "display_name": "Go (SAPF)", "language": "go"}, "language_info": {"name": "go"}}, "nbformat": 4, "nbformat_minor": 5}`

// begin starts the command without anybody who reads what it says.
func begin(t *testing.T, args []string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), commandEnv+"=sapf")
	cmd.Stderr = &bytes.Buffer{}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// differs matches what two runs of the same work may say differently.
var differs = regexp.MustCompile(`"(seconds|iopub\.[a-z_.]+|shell\.[a-z_.]+|started|ended|began|host|pid|sha256|process)":\s*("[^"]*"|[0-9.e+-]+)|` +
	`[0-9.]+ (ms|s|min)\b|20\d\d-\d\d-\d\dT[0-9:.]+Z?`)

// leftBy is what a run left in files that match the patterns.
func leftBy(t *testing.T, dir string, patterns []string) string {
	t.Helper()
	var b strings.Builder
	for _, p := range patterns {
		files, err := filepath.Glob(filepath.Join(dir, p))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no file (%v)", p, err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			name, _ := filepath.Rel(dir, f)
			fmt.Fprintf(&b, "%s: %q\n", name, differs.ReplaceAll(raw, nil))
		}
	}
	return strings.ReplaceAll(b.String(), dir, "DIR")
}

// strays fails where a killed writer left something that the run after it did not
// remove.
func strays(t *testing.T, dir string) {
	t.Helper()
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && atomicfile.IsTemporary(d.Name()) {
			t.Errorf("a stray: %s", path)
		}
		return err
	})
}
