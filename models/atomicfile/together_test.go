package atomicfile

import (
	"io"
	"path/filepath"
	"testing"
	"time"
)

// TestTwoAtOnce: a file can be written while another writes it; whoever ends
// last has it, whole.
func TestTwoAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x")
	err := Write(file, 0o644, func(w io.Writer) error {
		inner := make(chan error, 1)
		go func() { inner <- WriteFile(file, []byte("inner")) }()
		select {
		case err := <-inner:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Error("the second writer waits for the first")
		}
		if got := content(t, file); got != "inner" {
			t.Errorf("%q is there, want what the second wrote", got)
		}
		_, err := io.WriteString(w, "outer")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, file); got != "outer" {
		t.Errorf("%q is there, want what the first wrote, who ended last", got)
	}
}
