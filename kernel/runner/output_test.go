package runner

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"sapf/kernel/exit"
	"sapf/kernel/internal/toy"
	"sapf/models/atomicfile"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestOutputsAreTriedFirst: what can't be written is told before a cell runs.
func TestOutputsAreTriedFirst(t *testing.T) {
	nb := writeNotebook(t, "say a")
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write(t, in("file"), "kept")
	if err := os.Symlink(nb, in("link")); err != nil {
		t.Skip(err)
	}
	for name, x := range map[string]struct{ output, html, says string }{
		"twice":          {in("same"), in("same"), "are one file"},
		"twice, longer":  {in("same"), dir + "/./same", "are one file"},
		"there, twice":   {in("file"), in("file"), "are one file"},
		"the input":      {nb, "", "is the input"},
		"a link to it":   {"", in("link"), "is the input"},
		"below a file":   {in("file/x"), "", "not a directory"},
		"no folder":      {"", in("none/x"), "no such file"},
		"a folder":       {dir, "", "folder"},
		"a name too big": {in(strings.Repeat("n", 300)), "", "too long"},
	} {
		var log bytes.Buffer
		err := Run(context.Background(), Options{Path: nb, Output: x.output, HTML: x.html, Worker: toy.Command(), Progress: &log})
		if exit.Code(err) != exit.Request || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: code %d, %v; want %q", name, exit.Code(err), err, x.says)
		}
		if log.Len() > 0 {
			t.Errorf("%s: something ran: %q", name, &log)
		}
	}
	if text, _ := os.ReadFile(in("file")); string(text) != "kept" {
		t.Errorf("the file holds %q", text)
	}
}

// TestOutputs_devicesAndLinks: a device stays one, and a link leads where it led.
func TestOutputs_devicesAndLinks(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("needs /dev/full")
	}
	nb := writeNotebook(t, "say a")
	dir := t.TempDir()
	link, target := filepath.Join(dir, "link"), filepath.Join(dir, "target")
	if err := os.Symlink("target", link); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	err := Run(context.Background(), Options{Path: nb, Output: "/dev/null", HTML: link, Worker: toy.Command(), Progress: &log})
	if err != nil || !strings.Contains(log.String(), "wrote /dev/null and "+link+"\n") {
		t.Errorf("%v\n%s", err, &log)
	}
	if info, err := os.Stat("/dev/null"); err != nil || info.Mode()&os.ModeDevice == 0 {
		t.Fatalf("/dev/null is %v, %v", info.Mode(), err)
	}
	if text, err := os.ReadFile(target); err != nil || !bytes.Contains(text, []byte("</html>")) {
		t.Errorf("the link's target: %d bytes, %v", len(text), err)
	}
	if info, _ := os.Lstat(link); info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	// Nothing else can be told of a full disk than that the work failed; what
	// was written is named, and nothing else.
	log.Reset()
	page := filepath.Join(dir, "page.html")
	err = Run(context.Background(), Options{Path: nb, Output: "/dev/full", HTML: page, Worker: toy.Command(), Progress: &log})
	if exit.Code(err) != exit.Failed || !strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
		t.Errorf("code %d, %v", exit.Code(err), err)
	}
	if !strings.Contains(log.String(), "wrote "+page+"\n") || strings.Contains(log.String(), "wrote /dev/full") {
		t.Errorf("log\n%s", &log)
	}
}

// TestOutputs_scriptToAFullDisk: what a script prints and nobody gets is a
// failure.
func TestOutputs_scriptToAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("needs /dev/full")
	}
	defer full.Close()
	err = Run(context.Background(), Options{Path: "-", Stdin: strings.NewReader("say a\n"), Stdout: full, Worker: toy.Command()})
	if exit.Code(err) != exit.Failed || !strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
		t.Errorf("code %d, %v", exit.Code(err), err)
	}
}

// TestOutputs_strays: what killed runs have left beside an output goes.
func TestOutputs_strays(t *testing.T) {
	nb := writeNotebook(t, "say a")
	dir := t.TempDir()
	out := filepath.Join(dir, "out [1].ipynb")
	if err := Run(context.Background(), Options{Path: nb, Output: out, Worker: toy.Command()}); err != nil {
		t.Fatal(err)
	}
	stray := strayOf(t, out)
	if err := Run(context.Background(), Options{Path: nb, Output: out, Worker: toy.Command()}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stray); !os.IsNotExist(err) {
		t.Errorf("%s stays: %v", filepath.Base(stray), err)
	}
}

// strayOf leaves what a run that is killed while it writes path leaves.
func strayOf(t *testing.T, path string) string {
	t.Helper()
	h := fnv.New32a()
	h.Write([]byte(filepath.Base(path)))
	stray := filepath.Join(filepath.Dir(path), fmt.Sprintf(".sapf-%08x-01234567.tmp", h.Sum32()))
	if !atomicfile.IsTemporary(stray) {
		t.Fatalf("%s is no name of a temporary file", stray)
	}
	write(t, stray, "half")
	return stray
}

// TestOutputs_umask: new files are as private as the user's other files.
func TestOutputs_umask(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits")
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "umask.sh")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	write(t, script, "umask 077; exec \"$@\"")
	out := filepath.Join(dir, "out.ipynb")
	cmd := exec.Command("sh", script, self, "-test.run=^TestOutputs_umaskChild$")
	cmd.Env = append(os.Environ(), umaskChild+"="+out)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

// umaskChild names the output that the child of TestOutputs_umask writes.
const umaskChild = "SAPF_TEST_OUTPUT"

func TestOutputs_umaskChild(t *testing.T) {
	out := os.Getenv(umaskChild)
	if out == "" {
		t.Skip("the other half of TestOutputs_umask")
	}
	if err := Run(context.Background(), Options{Path: writeNotebook(t, "say a"), Output: out, Worker: toy.Command()}); err != nil {
		t.Fatal(err)
	}
}
