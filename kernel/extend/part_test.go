package extend

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestParsePart(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"mypkg", "fmtx"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file.go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want, fails string }{
		{text: "gonum.org/v1/gonum/graph", want: "gonum.org/v1/gonum/graph"},
		{text: "gonum.org/v1/gonum/graph@v0.16.0", want: "gonum.org/v1/gonum/graph@v0.16.0"},
		{text: "gonum.org/v1/gonum@latest", want: "gonum.org/v1/gonum@latest"},
		{text: "./mypkg", want: filepath.Join(dir, "mypkg")},
		{text: "../" + filepath.Base(dir) + "/mypkg/", want: filepath.Join(dir, "mypkg")},
		{text: ".", want: dir},
		{text: filepath.Join(dir, "mypkg"), want: filepath.Join(dir, "mypkg")},
		{text: "mypkg", fails: "write ./mypkg for the folder"},
		{text: "./nothing", fails: "folder ./nothing"},
		{text: "./file.go", fails: "is a file"},
		{text: "strings", fails: "of the standard library"},
		{text: "nohost/pkg", fails: "begins with a host's name"},
		{text: "gonum.org/v1@", fails: "no version"},
		{text: "-toolexec=x", fails: "no import path"},
		{text: "gonum.org/v1/gonum@-x", fails: "no import path"},
		{text: "gonum.org/a b", fails: "malformed import path"},
	} {
		p, err := ParsePart(c.text, dir)
		switch {
		case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)):
			t.Errorf("ParsePart(%q) fails with %v, expected %q", c.text, err, c.fails)
		case c.fails == "" && (err != nil || p.String() != c.want):
			t.Errorf("ParsePart(%q) is %q, %v, expected %q", c.text, p, err, c.want)
		}
	}
}

func ExampleMerge() {
	have := []Part{{Path: "example.com/b", Version: "v1.0.0"}, {Path: "example.com/a"}}
	fmt.Println(Merge(have, []Part{{Path: "example.com/c"}, {Path: "example.com/b", Version: "v1.2.0"}}))
	// Output:
	// [example.com/a example.com/b@v1.2.0 example.com/c]
}

func TestMoves(t *testing.T) {
	for version, want := range map[string]bool{"": false, "v1.2.3": false, "latest": true, "main": true, "v1": true, "0123456789ab": true, "v0.0.0-20210811165014-a1b2c3d4e5f6": false} {
		if got := (Part{Path: "example.com/a", Version: version}).moves(); got != want {
			t.Errorf("version %q moves: %v, expected %v", version, got, want)
		}
	}
}

// files writes files below a folder.
func files(t *testing.T, dir string, texts map[string]string) {
	t.Helper()
	for name, text := range texts {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	files(t, dir, map[string]string{
		"mod/go.mod": "module example.com/mod\n\nrequire x v0\n", "mod/sub/p/p.go": "package p", "mod/other/o.go": "package other",
		"mod/sub/p/data.txt": "1", "mod/other/data.txt": "1", "mod/.git/config": "1", "mod/sub/p/p_test.go": "package p", "mod/nested/go.mod": "module n", "mod/nested/n.go": "package n",
		"bare/b.go": "package bare", "sort/s.go": "package sort", "own/go.mod": "module sapf\n",
	})
	f, err := inspect(filepath.Join(dir, "mod", "sub", "p"))
	if err != nil {
		t.Fatal(err)
	}
	if f.path != "example.com/mod/sub/p" || f.module != "example.com/mod" || f.bare || f.root != filepath.Join(dir, "mod") {
		t.Errorf("folder of a module: %+v", f)
	}
	if b, err := inspect(filepath.Join(dir, "bare")); err != nil || b.path != "bare" || !b.bare {
		t.Errorf("folder without a module: %+v, %v", b, err)
	}
	for name, want := range map[string]string{"sort": "go mod init", "own": "sapf's own sources"} {
		if _, err := inspect(filepath.Join(dir, name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("folder %s: %v, expected %q", name, err, want)
		}
	}
	// What the build reads counts, and nothing else.
	for _, c := range []struct {
		name    string
		changes bool
	}{
		{"mod/sub/p/p.go", true}, {"mod/other/o.go", true}, {"mod/go.mod", true}, {"mod/sub/p/data.txt", true}, {"mod/sub/p/new.go", true},
		{"mod/other/data.txt", false}, {"mod/.git/config", false}, {"mod/sub/p/p_test.go", false}, {"mod/nested/n.go", false},
	} {
		before, err := f.digest()
		if err != nil {
			t.Fatal(err)
		}
		files(t, dir, map[string]string{c.name: "package changed // " + c.name})
		if after, err := f.digest(); err != nil || (after != before) != c.changes {
			t.Errorf("%s changes the digest: %v (%v), expected %v", c.name, after != before, err, c.changes)
		}
	}
}

// program is a source in small.
func program(more fstest.MapFS) Source {
	all := fstest.MapFS{"go.sum": {}, "dsl/d.go": {Data: []byte("package dsl")}, "dsl/d_test.go": {}, "dsl/testdata/x": {}, "kernel/k.go": {}, "models/m.s": {}, "sapf/s.go": {}}
	all["go.mod"] = &fstest.MapFile{Data: []byte("module sapf\n\ngo 1.26\n")}
	for name, f := range more {
		all[name] = f
	}
	return Source{FS: all}
}

func TestSource(t *testing.T) {
	digest := func(s Source) string {
		d, err := s.digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	base := digest(program(nil))
	if digest(program(fstest.MapFS{"dsl/testdata/y": {}, "dsl/e_test.go": {}})) != base {
		t.Error("tests change the digest of the sources")
	}
	if digest(program(fstest.MapFS{"kernel/l.go": {}})) == base {
		t.Error("another file leaves the digest of the sources")
	}
	if _, err := (Source{}).digest(); !errors.Is(err, ErrNoSource) {
		t.Errorf("without sources: %v", err)
	}
	cache := t.TempDir()
	dir, err := program(nil).layOut(cache, base)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "dsl", "d.go")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "dsl", "d_test.go")); err == nil {
		t.Error("tests are laid out")
	}
	if again, err := program(nil).layOut(cache, base); err != nil || again != dir {
		t.Errorf("laid out again: %s, %v", again, err)
	}
	if _, err := Checkout(cache); err == nil || !strings.Contains(err.Error(), "go.mod") {
		t.Errorf("a folder that is no checkout: %v", err)
	}
	files(t, cache, map[string]string{"go.mod": "module other\n"})
	if _, err := Checkout(cache); err == nil || !strings.Contains(err.Error(), `"other", expected sapf`) {
		t.Errorf("a checkout of something else: %v", err)
	}
}

// TestWithoutGo: where there is no compiler, the error says so; what was built is
// found all the same.
func TestWithoutGo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	b := &Builder{Source: program(nil), Cache: t.TempDir()}
	parts := []Part{{Path: "example.com/a"}}
	if _, err := b.Extend(t.Context(), parts, func(string) {}); err == nil || !strings.Contains(err.Error(), "install Go") {
		t.Errorf("without a go command: %v", err)
	}
	d, err := b.Source.digest()
	if err != nil {
		t.Fatal(err)
	}
	k, err := key(d, parts, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	files(t, b.Cache, map[string]string{k + "/" + setName: `{"parts":[{"path":"example.com/a"}],"packages":["example.com/a"]}`, k + "/" + programName: ""})
	e, err := b.Extend(t.Context(), parts, func(string) {})
	if err != nil || e.Built || e.Key != k {
		t.Fatalf("what was built before: %+v, %v", e, err)
	}

	// What is current is so for this program alone.
	if err := b.SetCurrent(e); err != nil {
		t.Fatal(err)
	}
	if _, got, err := b.Current(); err != nil || got == nil || got.Key != k {
		t.Errorf("current: %+v, %v", got, err)
	}
	text, err := os.ReadFile(filepath.Join(b.Cache, currentName))
	if err != nil {
		t.Fatal(err)
	}
	files(t, b.Cache, map[string]string{currentName: strings.Replace(string(text), `"size": `, `"size": 1`, 1)})
	if parts, got, err := b.Current(); err != nil || got != nil || len(parts) != 1 {
		t.Errorf("current of another build: %v, %+v, %v", parts, got, err)
	}
	if _, note := (Extender{b}).Start(); !strings.Contains(note, "another version of sapf") {
		t.Errorf("the note is %q", note)
	}
	files(t, b.Cache, map[string]string{currentName: "{torn"})
	if e, note := (Extender{b}).Start(); e.Command != nil || !strings.Contains(note, currentName) {
		t.Errorf("with a torn %s: %+v, %q", currentName, e, note)
	}
}

func TestStagingIsCleaned(t *testing.T) {
	cache := t.TempDir()
	files(t, cache, map[string]string{stagingPrefix + "1/x": "", "kept/x": "", sourcePrefix + "a/x": "", sourcePrefix + "b/x": ""})
	clean(cache, "b")
	left, err := os.ReadDir(cache)
	if err != nil || len(left) != 2 || left[0].Name() != "kept" || left[1].Name() != sourcePrefix+"b" {
		t.Errorf("left: %v, %v", left, err)
	}
}
