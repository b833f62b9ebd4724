//go:build linux

package command

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sapf/kernel/exit"
)

// TestFullDisk: on a disk without room each command that writes ends with 1, one
// line that says so, and nothing torn; what takes long, before it begins.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("none", disk, "tmpfs", 0, fmt.Sprintf("size=%d", 64<<10)); err != nil {
		t.Skip("no disk of our own: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, 0) })
	for _, dir := range []string{"out", "sweep", "jupyter"} { // folders take room too
		if err := os.Mkdir(filepath.Join(disk, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if f, err := os.Create(filepath.Join(disk, "ballast")); err == nil {
		for err == nil {
			_, err = f.Write(make([]byte, os.Getpagesize()))
		}
		f.Close()
	}
	t.Setenv("SAPF_DATA", fashionFolder(t))
	notebook := filepath.Join(t.TempDir(), "small.ipynb")
	if err := os.WriteFile(notebook, []byte(killedNotebook), 0o644); err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(disk, name) }
	attack := []string{"attack", "--model", "cwmnist", "--image", "fashion:1", "--target", "4"}
	for _, args := range [][]string{
		append(attack[:7:7], "--out", in("out")),
		append(attack[:7:7], "--trace", in("trace.csv")),
		append(attack[:7:7], "--checkpoint", in("state")),
		{"run", notebook, "-o", in("out.ipynb")},
		{"run", notebook, "-o", "/dev/null", "--html", in("out.html")},
		{"run", notebook, "--export", in("main.go")},
		{"sweep", "run", write(t, smallSweep), "-o", in("sweep")},
		{"train", "cwmnist", "--epochs", "1", "--out", in("mine.safetensors")},
		{"models", "convert", "cwmnist", in("copy.safetensors")},
		{"install", "--prefix", in("jupyter")},
	} {
		code, stdout, stderr := call(t, t.Context(), args...)
		if code != exit.Failed || !strings.Contains(stderr, syscall.ENOSPC.Error()) || strings.Count(stderr, "\n") != 1 || stdout != "" {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q, want %d and one line about %q", args, code, stdout, stderr, exit.Failed, syscall.ENOSPC)
		}
		strays(t, disk)
	}
}
