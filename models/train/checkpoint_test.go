package train

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFailureKill: a run that is killed (SIGKILL) again and again, wherever it
// is, ends with the bytes of one that was not.
func TestFailureKill(t *testing.T) {
	if file := os.Getenv("SAPF_TRAIN_CHILD"); file != "" {
		_, err := Fit(context.Background(), freshNet(), everything(), tinyImages(), Options{Checkpoint: file, Every: 1, Resume: true,
			Progress: func(p Progress) { fmt.Println("step", p.Step) }})
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	want := fit(t, everything(), Options{})
	file := filepath.Join(t.TempDir(), "run.checkpoint")
	life := func(steps int) (last string) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFailureKill$")
		cmd.Env = append(os.Environ(), "SAPF_TRAIN_CHILD="+file)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); {
			if !strings.HasPrefix(lines.Text(), "step") {
				continue
			}
			last = lines.Text()
			if n++; n == steps {
				cmd.Process.Kill()
				break
			}
		}
		cmd.Wait()
		return last
	}
	total := 3 * 6
	if last := life(4); last != "step 4" {
		t.Fatalf("the first life ended with %q", last)
	}
	life(7)
	if last := life(total); last != fmt.Sprint("step ", total) {
		t.Fatalf("the last life ended with %q, want step %d", last, total)
	}
	resumed := fit(t, everything(), Options{Checkpoint: file, Resume: true})
	if resumed.Steps != 0 {
		t.Errorf("%d steps after the end", resumed.Steps)
	}
	if !slices.Equal(bytesOf(want.Params), bytesOf(resumed.Params)) || !slices.Equal(want.Curve, resumed.Curve) {
		t.Error("a killed run ends with other parameters or another curve")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".sapf-*.tmp")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

// TestCancel: a context that ends stops the run within a step, with a
// checkpoint from which it goes on to the same bytes.
func TestCancel(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.checkpoint")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Fit(ctx, freshNet(), everything(), tinyImages(), Options{Checkpoint: file, Progress: func(p Progress) {
		if p.Step == 8 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "step 8 of 18") {
		t.Fatalf("error %v, want that of a context cancelled after step 8", err)
	}
	resumed := fit(t, everything(), Options{Checkpoint: file, Resume: true})
	if resumed.Steps != 10 || !slices.Equal(bytesOf(fit(t, everything(), Options{}).Params), bytesOf(resumed.Params)) {
		t.Errorf("the cancelled run did %d more steps and ended with other parameters", resumed.Steps)
	}
}

// TestResumeRefuses: a checkpoint that is damaged or of another run.
func TestResumeRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.checkpoint")
	r := tinyRecipe()
	r.Epochs = 1
	fit(t, r, Options{Checkpoint: file})
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	other := r
	other.Rate = 0.2
	fewer := tinyImages()
	fewer.Train = fewer.Train.first(90)
	for _, c := range []struct {
		name   string
		raw    []byte
		recipe Recipe
		images *Images
		want   string
	}{
		{"truncated", good[:len(good)-5], r, tinyImages(), "bytes"},
		{"empty", nil, r, tinyImages(), "0 bytes"},
		{"web page", []byte("<!DOCTYPE html><html>" + strings.Repeat(" ", 100)), r, tinyImages(), "HTML"},
		{"another recipe", good, other, tinyImages(), `"rate":0.05`},
		{"other images", good, r, fewer, "digest"},
		{"a weight", flipped(good, len(good)-50), r, tinyImages(), "damaged"},
		{"the optimizer's state", flipped(good, len(good)*3/4), r, tinyImages(), "damaged"},
		{"the digest", bytes.Replace(good, []byte("sapf.digest"), []byte("sapf.dagest"), 1), r, tinyImages(), "damaged"},
		{"metadata", bytes.Replace(good, []byte("sapf.checkpoint"), []byte("sapf.checkpaint"), 1), r, tinyImages(), "no checkpoint"},
	} {
		if err := os.WriteFile(file, c.raw, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Fit(t.Context(), freshNet(), c.recipe, c.images, Options{Checkpoint: file, Resume: true})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: error %v, want one about %s and %q", c.name, err, file, c.want)
		}
	}
}

// flipped is raw with one bit of byte i changed.
func flipped(raw []byte, i int) []byte {
	bad := slices.Clone(raw)
	bad[i] ^= 2
	return bad
}

// TestResumeFlips: whatever bit of a checkpoint is changed, the run does not go on
// from it.
func TestResumeFlips(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.checkpoint")
	r := tinyRecipe()
	r.Epochs = 1
	fit(t, r, Options{Checkpoint: file})
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	header := 8 + int(good[0]) + int(good[1])<<8
	for k := range 60 {
		at := header * k / 40
		if k >= 40 {
			at = header + (len(good)-header-1)*(k-40)/19
		}
		if good[at] == ' ' && at > header-8 { // padding
			continue
		}
		bad := slices.Clone(good)
		bad[at] ^= 1 << (k % 7)
		if err := os.WriteFile(file, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Fit(t.Context(), freshNet(), r, tinyImages(), Options{Checkpoint: file, Resume: true}); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("bit %d of byte %d of %d: %v", k%7, at, len(good), err)
		}
	}
}
