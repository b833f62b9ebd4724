//go:build unix

package atomicfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestWrite_pipe: a pipe and a device are written into and stay what they are.
func TestWrite_pipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Skip(err)
	}
	got := make(chan string)
	go func() {
		raw, _ := os.ReadFile(pipe)
		got <- string(raw)
	}()
	if err := WriteFile(pipe, []byte("through")); err != nil {
		t.Fatal(err)
	}
	if text := <-got; text != "through" {
		t.Errorf("through the pipe came %q", text)
	}
	if err := WriteFile("/dev/null", []byte("gone")); err != nil {
		t.Error(err)
	}
	for _, f := range []string{pipe, "/dev/null"} {
		if info, err := os.Lstat(f); err != nil || info.Mode()&(fs.ModeNamedPipe|fs.ModeDevice) == 0 {
			t.Errorf("%s was replaced: %v, %v", f, info.Mode(), err)
		}
	}
}
