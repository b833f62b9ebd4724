package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func content(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// TestWrite: old files are replaced, names of any length and kind are fine, and
// what fails leaves the old file and nothing else.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	files := []string{"plain", "with space é.bin", "-dash*[x]?", strings.Repeat("n", 255)}
	for _, name := range files {
		for _, text := range []string{"old", "newer", "", strings.Repeat("long", 1<<16)} {
			if err := WriteFile(filepath.Join(dir, name), []byte(text)); err != nil {
				t.Fatal(err)
			}
			if got := content(t, filepath.Join(dir, name)); got != text {
				t.Errorf("%s holds %d bytes, expected %d", name, len(got), len(text))
			}
		}
	}
	broken := errors.New("half way")
	err := Write(filepath.Join(dir, "plain"), 0o644, func(w io.Writer) error {
		io.WriteString(w, strings.Repeat("x", 1<<20))
		return broken
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "write "+filepath.Join(dir, "plain")) {
		t.Errorf("error %v", err)
	}
	if got := content(t, filepath.Join(dir, "plain")); got != strings.Repeat("long", 1<<16) {
		t.Errorf("the old file is gone, there are %d bytes", len(got))
	}
	os.Mkdir(filepath.Join(dir, "folder"), 0o755)
	for _, bad := range []string{"folder", "missing/x", strings.Repeat("n", 256)} {
		if err := WriteFile(filepath.Join(dir, bad), []byte("x")); err == nil {
			t.Errorf("%s was written", bad)
		}
	}
	want := append(slices.Clone(files), "folder")
	slices.Sort(want)
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("the folder has %q, expected %q", got, want)
	}
}

// TestWrite_permissions: a new file obeys the umask, an old one keeps its own.
func TestWrite_permissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits")
	}
	dir := t.TempDir()
	plain := filepath.Join(dir, "by the system")
	if err := os.WriteFile(plain, nil, 0o666); err != nil { // umask applied
		t.Fatal(err)
	}
	mine := filepath.Join(dir, "mine")
	mode := func(f string) fs.FileMode { info, _ := os.Stat(f); return info.Mode().Perm() }
	if err := Write(mine, 0o666, func(io.Writer) error { return nil }); err != nil || mode(mine) != mode(plain) {
		t.Errorf("mode %v (%v), os.WriteFile gives %v", mode(mine), err, mode(plain))
	}
	os.Chmod(mine, 0o600)
	if err := Write(mine, 0o666, func(io.Writer) error { return nil }); err != nil || mode(mine) != 0o600 {
		t.Errorf("mode %v (%v), expected the old -rw-------", mode(mine), err)
	}
}

// TestWrite_links: the links stay links, also when they lead nowhere yet.
func TestWrite_links(t *testing.T) {
	dir := t.TempDir()
	os.Mkdir(filepath.Join(dir, "far"), 0o755)
	for _, l := range []struct{ link, to string }{
		{"a", "far/file"}, {"b", filepath.Join(dir, "a")}, {"c", "far/new"}, {"folder", "far"}, {"far/up", "../top"},
	} {
		if err := os.Symlink(l.to, filepath.Join(dir, l.link)); err != nil {
			t.Skip(err)
		}
	}
	os.WriteFile(filepath.Join(dir, "far/file"), []byte("old"), 0o644)
	for _, c := range []struct{ link, file string }{{"b", "far/file"}, {"c", "far/new"}, {"folder/up", "top"}} {
		if err := WriteFile(filepath.Join(dir, c.link), []byte(c.link)); err != nil {
			t.Fatal(err)
		}
		if got := content(t, filepath.Join(dir, c.file)); got != c.link {
			t.Errorf("%s holds %q after writing %s", c.file, got, c.link)
		}
		if info, err := os.Lstat(filepath.Join(dir, c.link)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link any more", c.link)
		}
	}
	os.Symlink("loop", filepath.Join(dir, "loop"))
	if err := WriteFile(filepath.Join(dir, "loop"), nil); err == nil {
		t.Error("wrote a link to itself")
	}
}

// TestSweep removes a target's strays and no other's.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	target, other := filepath.Join(dir, "a[1].bin"), filepath.Join(dir, "b.bin")
	for _, f := range []string{target, other} {
		for range 3 {
			g, err := create(f, 0o644)
			if err != nil {
				t.Fatal(err)
			}
			g.Close()
			if !IsTemporary(g.Name()) || len(filepath.Base(g.Name())) != 27 {
				t.Errorf("temporary name %s", g.Name())
			}
		}
	}
	os.WriteFile(filepath.Join(dir, ".sapf-mine.tmp"), nil, 0o644)
	for _, c := range []struct {
		sweep func() error
		left  int
	}{
		{func() error { return Sweep(target) }, 4},
		{func() error { return SweepFolder(dir, time.Hour) }, 4},
		{func() error { return SweepFolder(dir, 0) }, 1},
		{func() error { return SweepFolder(filepath.Join(dir, "missing"), 0) }, 1},
	} {
		if err := c.sweep(); err != nil || len(names(t, dir)) != c.left {
			t.Errorf("%v, left %q, expected %d", err, names(t, dir), c.left)
		}
	}
}

// TestKilled stops a writing program after each step: the file is the old one
// or the new one, and what is left is swept.
func TestKilled(t *testing.T) {
	if file := os.Getenv("ATOMICFILE_TEST"); file != "" {
		step = func(name string) {
			if name == os.Getenv("ATOMICFILE_STEP") {
				p, _ := os.FindProcess(os.Getpid())
				p.Kill()
				select {}
			}
		}
		if err := WriteFile(file, []byte("new and longer")); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, c := range []struct {
		step, want string
		files      int
	}{{"created", "old", 2}, {"written", "old", 2}, {"closed", "old", 2}, {"renamed", "new and longer", 1}, {"never", "new and longer", 1}} {
		dir := t.TempDir()
		file := filepath.Join(dir, "file")
		os.WriteFile(file, []byte("old"), 0o644)
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "ATOMICFILE_TEST="+file, "ATOMICFILE_STEP="+c.step)
		if err := cmd.Run(); (err == nil) != (c.step == "never") {
			t.Fatalf("%s: the program ended with %v", c.step, err)
		}
		if got := content(t, file); got != c.want || len(names(t, dir)) != c.files {
			t.Errorf("killed when %s: the file holds %q, the folder %q", c.step, got, names(t, dir))
		}
		if err := Sweep(file); err != nil || len(names(t, dir)) != 1 {
			t.Errorf("killed when %s: after the sweep (%v) there are %q", c.step, err, names(t, dir))
		}
	}
}

func ExampleWrite() {
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "result.txt")
	for k := range 2 {
		if err := Write(file, 0o644, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "attempt %d\n", k)
			return err
		}); err != nil {
			fmt.Println(err)
		}
	}
	raw, _ := os.ReadFile(file)
	fmt.Print(string(raw))
	// Output: attempt 1
}
