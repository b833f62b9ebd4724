package kernel

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sapf/kernel/notebook"
	"sapf/kernel/runner"
)

// jupyter is a Python that has Jupyter: $SAPF_JUPYTER, or the one that the
// `jupyter` on the PATH belongs to. The test is skipped where there is none, or
// where it lacks a module that the test needs.
func jupyter(t *testing.T, modules ...string) string {
	t.Helper()
	python := os.Getenv("SAPF_JUPYTER")
	if python == "" {
		path, err := exec.LookPath("jupyter")
		if err != nil {
			t.Skip("needs Jupyter on the PATH, or in the Python that SAPF_JUPYTER names")
		}
		python = filepath.Join(filepath.Dir(path), "python")
	}
	if err := exec.Command(python, "-c", "import "+strings.Join(modules, ", ")).Run(); err != nil {
		t.Skipf("needs the Python modules %s", strings.Join(modules, ", "))
	}
	return python
}

// withKernel is an environment in which Jupyter knows this test's program as the
// kernel sapf, and nothing of the user's.
func withKernel(t *testing.T) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	dir := filepath.Join(home, "share", "kernels", "sapf")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	spec, err := json.Marshal(map[string]any{
		"argv": []string{self, "kernel", "{connection_file}"}, "display_name": "Go (sapf)", "language": "go", "interrupt_mode": "message",
		"env": map[string]string{envRole: "sapf"}, "metadata": map[string]any{"supported_encryption": "curve"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kernel.json"), spec, 0o644); err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(), "JUPYTER_PATH="+filepath.Join(home, "share"), "JUPYTER_DATA_DIR="+filepath.Join(home, "data"),
		"JUPYTER_RUNTIME_DIR="+filepath.Join(home, "run"), "JUPYTER_CONFIG_DIR="+filepath.Join(home, "config"), "IPYTHONDIR="+filepath.Join(home, "ipython"))
}

// python runs a program with the kernel at hand, and returns what it prints.
func python(t *testing.T, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = withKernel(t)
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, text)
	}
	return string(text)
}

func TestJupyterKernelTest(t *testing.T) {
	out := python(t, jupyter(t, "jupyter_kernel_test"), "testdata/conformance.py")
	if !strings.Contains(out, "\nOK\n") || strings.Contains(out, "skipped") {
		t.Errorf("not all tests passed:\n%s", out)
	}
}

// TestJupyterKernelTestOfGophernotes puts the same questions to gophernotes, for
// the table in the README. What it fails is logged.
func TestJupyterKernelTestOfGophernotes(t *testing.T) {
	program := jupyter(t, "jupyter_kernel_test")
	home := t.TempDir()
	kernel := filepath.Join(home, "gophernotes")
	if text, err := exec.Command("go", "build", "-o", kernel, "github.com/gopherdata/gophernotes").CombinedOutput(); err != nil {
		t.Fatalf("build gophernotes: %v\n%s", err, text)
	}
	dir := filepath.Join(home, "share", "kernels", "gophernotes")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	spec, err := json.Marshal(map[string]any{
		"argv": []string{kernel, "{connection_file}"}, "display_name": "Go (gophernotes)", "language": "go",
		// Without these it does not start on Go 1.26.
		"env": map[string]string{"GODEBUG": "gotypesalias=0", "GOROOT": "/nonexistent"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kernel.json"), spec, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "testdata/conformance.py")
	cmd.Env = append(withKernel(t), "JUPYTER_PATH="+filepath.Join(home, "share"), "SAPF_TEST_KERNEL_NAME=gophernotes")
	text, _ := cmd.CombinedOutput() // it fails
	if !strings.Contains(string(text), "Ran 12 tests") {
		t.Errorf("not all tests ran:\n%s", text)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "test_") || strings.HasPrefix(line, "FAILED") {
			t.Log(line)
		}
	}
}

// clientNotebook has something of everything that a client must pass on.
func clientNotebook(t *testing.T) string {
	t.Helper()
	n := &notebook.Notebook{Metadata: map[string]any{
		"kernelspec": map[string]any{"name": "sapf", "display_name": "Go (sapf)", "language": "go"}, "language_info": map[string]any{"name": "go"}}}
	for i, source := range []string{
		"import (\n\t\"fmt\"\n\t\"os\"\n)\nx := 2",
		"for i := range 3 {\n\tfmt.Println(\"out\", i)\n\tfmt.Fprintln(os.Stderr, \"err\", i)\n}",
		"h := Show(HTML(\"<b>one</b>\"))\nh.Update(HTML(\"<b>two</b>\"))",
		"fmt.Println(\"gone\")\nClearOutput(true)\nfmt.Println(\"kept\")",
		"x * 21",
		"Show(LoadImage(\"cat\"))\nLatex(\"x^2\")",
	} {
		n.Cells = append(n.Cells, notebook.Cell{ID: fmt.Sprintf("c%d", i), Type: notebook.Code, Source: source, Metadata: map[string]any{}})
	}
	path := filepath.Join(t.TempDir(), "in.ipynb")
	if err := n.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// sources is what the cells' outputs are in the file, without times.
func sources(t *testing.T, path string) string {
	t.Helper()
	n, err := notebook.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range n.Cells {
		if c.Type != notebook.Code {
			continue
		}
		// Clients keep interleaved streams each in one piece, so they are
		// compared as the two texts that they are.
		streams := map[string]string{}
		fmt.Fprintf(&b, "In [%d]\n", c.Count)
		for _, o := range c.Outputs {
			if o.Type == notebook.Stream {
				streams[o.Name] += o.Text
				continue
			}
			raw, err := json.Marshal(o.Data)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s %d %s\n", o.Type, o.Count, raw)
		}
		fmt.Fprintf(&b, "stdout %q stderr %q\n", streams["stdout"], streams["stderr"])
	}
	return b.String()
}

func TestClientsAndRunnerAgree(t *testing.T) {
	program := jupyter(t, "nbclient", "nbconvert")
	path := clientNotebook(t)
	dir := t.TempDir()
	ours := filepath.Join(dir, "ours.ipynb")
	opts := runner.Options{Path: path, Output: ours, HTML: filepath.Join(dir, "ours.html"), Worker: realWorker(t)}
	if err := runner.Run(context.Background(), opts); err != nil {
		t.Fatal(err)
	}
	want := sources(t, ours)
	if !strings.Contains(want, "two") || strings.Contains(want, "gone") || !strings.Contains(want, "42") || !strings.Contains(want, "image/png") {
		t.Errorf("the runner's notebook:\n%.2000s", want)
	}
	clients := map[string][]string{
		"jupyter execute": {"-c", "from nbclient.cli import main; main()", "--output", "theirs", path},
		"nbconvert":       {"-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", dir, "--output", "converted", path},
	}
	if exec.Command(program, "-c", "import papermill").Run() == nil {
		clients["papermill"] = []string{"-m", "papermill", "--no-progress-bar", path, filepath.Join(dir, "papermill.ipynb")}
	}
	out := map[string]string{
		"jupyter execute": filepath.Join(filepath.Dir(path), "theirs.ipynb"), "nbconvert": filepath.Join(dir, "converted.ipynb"), "papermill": filepath.Join(dir, "papermill.ipynb"),
	}
	for name, args := range clients {
		t.Run(name, func(t *testing.T) {
			python(t, program, args...)
			if got := sources(t, out[name]); got != want {
				t.Errorf("differs from the runner's:\n%.3000s\n\nwant\n%.3000s", got, want)
			}
		})
	}
	// What nbformat makes of our file.
	python(t, program, "-c", "import nbformat, sys; nbformat.validate(nbformat.read(sys.argv[1], as_version=nbformat.NO_CONVERT))", ours)
}

// TestJupyterRun: a script is what it is for `go run`, and its name is in os.Args.
func TestJupyterRun(t *testing.T) {
	program := jupyter(t, "jupyter_client")
	script := filepath.Join(t.TempDir(), "s.go")
	text := "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc main() { fmt.Println(len(os.Args), os.Args[0]) }\n"
	if err := os.WriteFile(script, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out := python(t, program, "-c", "from jupyter_client.runapp import main; main()", "--kernel", "sapf", script)
	if want := "1 " + script + "\n"; !strings.HasSuffix(out, want) {
		t.Errorf("printed %q, expected %q", out, want)
	}
}

func TestConsole(t *testing.T) {
	program := jupyter(t, "jupyter_console")
	cmd := exec.Command(program, "-m", "jupyter_console", "--kernel", "sapf", "--simple-prompt")
	cmd.Env = withKernel(t)
	cmd.Stdin = strings.NewReader("y := 6 * 7\ny\nexit\n")
	done := make(chan struct{})
	time.AfterFunc(60*time.Second, func() {
		select {
		case <-done:
		default:
			cmd.Process.Kill()
		}
	})
	text, err := cmd.CombinedOutput()
	close(done)
	if err != nil || !strings.Contains(string(text), "42") {
		t.Errorf("%v\n%s", err, text)
	}
}

// curveProgram starts the kernel with keys that jupyter_client makes, and refuses
// to go on without encryption.
const curveProgram = `
import sys
from jupyter_client.manager import KernelManager
km = KernelManager(kernel_name="sapf", transport_encryption="required")
km.start_kernel()
kc = km.client()
kc.start_channels()
kc.wait_for_ready(timeout=30)
assert km.get_connection_info()["curve_publickey"]
kc.execute_interactive('Show("over CURVE")', timeout=30)
import time; time.sleep(1.5)
assert kc.hb_channel.is_beating()
kc.stop_channels()
km.shutdown_kernel()
`

func TestCurveWithJupyterClient(t *testing.T) {
	program := jupyter(t, "jupyter_client")
	if err := exec.Command(program, "-c", "from jupyter_client.manager import KernelManager as K; K.transport_encryption; import zmq; assert zmq.has('curve')").Run(); err != nil {
		t.Skip("needs jupyter_client 8.9 and a libzmq with CURVE")
	}
	if out := python(t, program, "-c", curveProgram); !strings.Contains(out, "over CURVE") {
		t.Errorf("got %s", out)
	}
}

// orphanProgram starts the kernel and a cell that never ends, prints both
// processes' numbers and is then killed.
const orphanProgram = `
import os, time
from jupyter_client.manager import KernelManager
km = KernelManager(kernel_name="sapf")
km.start_kernel()
kc = km.client()
kc.start_channels()
kc.wait_for_ready(timeout=30)
kc.execute("for { }")
pid = km.provisioner.process.pid
time.sleep(0.3)
children = [c for t in os.listdir(f"/proc/{pid}/task") for c in open(f"/proc/{pid}/task/{t}/children").read().split()]
assert children, "no interpreter"
print(pid, *children, flush=True)
time.sleep(600)
`

func TestGoneWhenTheParentIsKilled(t *testing.T) {
	program := jupyter(t, "jupyter_client")
	if _, err := os.Stat("/proc/self/task"); err != nil {
		t.Skip("needs /proc")
	}
	cmd := exec.Command(program, "-c", orphanProgram)
	cmd.Env = withKernel(t)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 100)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, f := range strings.Fields(string(line[:n])) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			t.Fatalf("got %q", line[:n])
		}
		pids = append(pids, pid)
	}
	cmd.Process.Kill()
	cmd.Wait()
	start := time.Now()
	for _, pid := range pids {
		for running(pid) {
			if time.Since(start) > patientTime {
				t.Fatalf("process %d of %v lives on", pid, pids)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	t.Logf("%d processes were gone %v after their parent", len(pids), time.Since(start).Round(time.Millisecond))
}

// running says whether a process is there and no zombie.
func running(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(text), ") ")
	return !strings.HasPrefix(state, "Z")
}

// TestJupyterLab drives JupyterLab in a headless Chromium; see testdata/lab.py
// for the steps. SAPF_SCREENSHOTS names a folder to keep the pictures in.
func TestJupyterLab(t *testing.T) {
	program := jupyter(t, "jupyterlab", "playwright")
	if _, err := exec.LookPath("chromium"); err != nil && os.Getenv("SAPF_CHROMIUM") == "" {
		t.Skip("needs chromium on the PATH, or SAPF_CHROMIUM")
	}
	shots := os.Getenv("SAPF_SCREENSHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 9*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "testdata/lab.py", filepath.Join("..", "notebooks", "01-first-attack.ipynb"), shots)
	cmd.Env = withKernel(t)
	text, err := cmd.CombinedOutput()
	t.Logf("%s", text)
	if err != nil {
		t.Error(err)
	}
}

// TestSoak: the first three notebooks fifty times in one kernel, with interrupts
// and restarts at random: nothing grows (testdata/soak.py).
func TestSoak(t *testing.T) {
	if os.Getenv("SAPF_LONG") == "" {
		t.Skip("takes an hour or more; set SAPF_LONG=1 to run it")
	}
	program := jupyter(t, "jupyter_client", "nbformat", "psutil")
	books, err := filepath.Glob("../notebooks/0[123]-*.ipynb")
	if err != nil || len(books) != 3 {
		t.Fatal(books, err)
	}
	cmd := exec.Command(program, append([]string{"testdata/soak.py"}, books...)...)
	cmd.Env = withKernel(t)
	text, err := cmd.CombinedOutput()
	t.Logf("%s", text)
	if err != nil {
		t.Error(err)
	}
}
