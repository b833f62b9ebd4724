//go:build unix

package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sapf/kernel/exit"
	"sapf/kernel/worker"
)

// commandEnv makes this test's program the sapf command, or one whose work
// heeds nothing.
const commandEnv = "SAPF_TEST_COMMAND"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker-session" {
		if err := worker.Main(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	switch os.Getenv(commandEnv) {
	case "sapf":
		os.Exit(Start(nil, os.Args[1:], os.Stdout, os.Stderr))
	case "deaf":
		os.Exit(heed(false, func(ctx context.Context) int {
			fmt.Println("begun")
			<-ctx.Done()
			fmt.Println("asked")
			select {}
		}))
	}
	os.Exit(m.Run())
}

// start runs this test's program in a role, and returns it with its output.
func start(t *testing.T, role string, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), commandEnv+"="+role)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		cmd.Process.Kill()
		r.Close()
	})
	return cmd, bufio.NewScanner(r)
}

// until reads lines up to one that has text in it.
func until(t *testing.T, lines *bufio.Scanner, text string) {
	t.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return
		}
	}
	t.Fatalf("%q never came", text)
}

// code waits for the end of a program.
func code(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	err := cmd.Wait()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// TestLimitOnAddresses: too small a limit on address space is an error in a line,
// not the state of Go's runtime.
func TestLimitOnAddresses(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `ulimit -v 1200000 2>/dev/null || exit 77; exec "$0" models list`, self)
	cmd.Env = append(os.Environ(), commandEnv+"=sapf")
	out, _ := cmd.CombinedOutput()
	switch code := cmd.ProcessState.ExitCode(); {
	case code == 77:
		t.Skip("this system has no such limit")
	case code != exit.Request || !strings.Contains(string(out), "ulimit -v) is 1.23 GB"):
		t.Errorf("exit code %d: %s", code, out)
	}
}

// TestSecondSignalEndsAtOnce: whatever the work does, a second signal ends it.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	for _, pair := range [][2]syscall.Signal{{syscall.SIGINT, syscall.SIGINT}, {syscall.SIGTERM, syscall.SIGINT}, {syscall.SIGHUP, syscall.SIGTERM}} {
		if signal.Ignored(pair[0]) { // under nohup the program is to go on
			continue
		}
		cmd, lines := start(t, "deaf")
		until(t, lines, "begun")
		cmd.Process.Signal(pair[0])
		until(t, lines, "asked")
		cmd.Process.Signal(pair[1])
		if got := code(t, cmd); got != exit.Interrupted {
			t.Errorf("%v, then %v: exit code %d, want %d", pair[0], pair[1], got, exit.Interrupted)
		}
	}
}

// TestLoadingHeedsSignals: a pipe that nobody writes to, as model or notebook,
// is given up at the first signal.
func TestLoadingHeedsSignals(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "model.safetensors")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	for _, args := range [][]string{
		{"models", "show", fifo}, {"bench", "--model", fifo}, {"run", fifo},
		{"gradient", "--model", fifo, "--image", "cat", "--target", "dog"},
		{"attack", "--model", fifo, "--image", "cat", "--target", "dog"},
	} {
		cmd, lines := start(t, "sapf", args...)
		// The other end is there when the command has opened its own.
		w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Process.Signal(syscall.SIGINT)
		if got := code(t, cmd); got != exit.Interrupted {
			for lines.Scan() {
				t.Log(lines.Text())
			}
			t.Errorf("%v: exit code %d, want %d", args, got, exit.Interrupted)
		}
		w.Close()
	}
}

// TestHangUpKeepsWhatThereIs: SIGHUP ends a run as SIGTERM and SIGINT do, with
// what ran so far written.
func TestHangUpKeepsWhatThereIs(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT} {
		if signal.Ignored(s) { // under nohup the program is to go on
			continue
		}
		dir := t.TempDir()
		script, out := filepath.Join(dir, "cells.go"), filepath.Join(dir, "out.ipynb")
		if err := os.WriteFile(script, []byte("// %%\nimport \"fmt\"\nfmt.Println(\"first\")\n// %%\nfmt.Println(\"second\")\nselect {}\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd, lines := start(t, "sapf", "run", script, "-o", out)
		until(t, lines, "second")
		cmd.Process.Signal(s)
		if got := code(t, cmd); got != exit.Interrupted {
			t.Errorf("%v: exit code %d, want %d", s, got, exit.Interrupted)
		}
		if text, err := os.ReadFile(out); err != nil || !strings.Contains(string(text), "first\\n") || !strings.Contains(string(text), "second\\n") {
			t.Errorf("%v: the notebook, %d bytes (%v), lacks what ran", s, len(text), err)
		}
	}
}
