package kernelspec

import (
	"bytes"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInstallAndUninstall(t *testing.T) {
	data := filepath.Join(t.TempDir(), "with space é")
	t.Setenv("JUPYTER_DATA_DIR", data)
	r, err := Install(Place{})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(data, "kernels", "sapf")
	if r.Dir != dir {
		t.Errorf("installed in %s, want %s", r.Dir, dir)
	}
	var s spec
	text, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if s.Argv[1] != "kernel" || s.Argv[2] != "{connection_file}" || s.InterruptMode != "message" || s.Language != "go" {
		t.Errorf("kernel.json:\n%s", text)
	}
	// This test's program is one that passes, so it must have been copied.
	if info, err := os.Stat(s.Argv[0]); err != nil || filepath.Dir(s.Argv[0]) != dir || info.Mode()&0o111 == 0 {
		t.Errorf("program %s: %v", s.Argv[0], err)
	}
	for name, size := range map[string]int{"logo-32x32.png": 32, "logo-64x64.png": 64} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil || img.Bounds().Dx() != size {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Install(Place{}); err != nil {
		t.Errorf("installed again: %v", err)
	}
	if r, err = Uninstall(Place{}); err != nil || !strings.Contains(r.String(), "removed "+dir) {
		t.Errorf("%v, %v", r, err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s stays: %v", dir, err)
	}
	if _, err := Uninstall(Place{}); err == nil || !strings.Contains(err.Error(), "no kernel is installed in "+dir) {
		t.Errorf("uninstalled twice: %v", err)
	}
}

func TestOtherKernelsAreLeftAlone(t *testing.T) {
	prefix := t.TempDir()
	p := Place{Prefix: prefix, Name: "Python3"}
	dir, err := p.Dir()
	if err != nil {
		t.Fatal(err)
	}
	if dir != filepath.Join(prefix, "share", "jupyter", "kernels", "python3") {
		t.Errorf("folder %s", dir)
	}
	os.MkdirAll(dir, 0o755)
	other := []byte(`{"argv":["python","-m","ipykernel_launcher"],"display_name":"Python","language":"python"}`)
	os.WriteFile(filepath.Join(dir, "kernel.json"), other, 0o644)
	if _, err := Install(p); err == nil || !strings.Contains(err.Error(), "another kernel") {
		t.Errorf("install: %v", err)
	}
	if _, err := Uninstall(p); err == nil {
		t.Error("another kernel was removed")
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "kernel.json")); !bytes.Equal(got, other) {
		t.Error("another kernel's file was changed")
	}
}

func TestPlaces(t *testing.T) {
	env := t.TempDir()
	t.Setenv("PATH", t.TempDir()) // no jupyter there
	t.Setenv("CONDA_PREFIX", "")
	t.Setenv("VIRTUAL_ENV", env)
	if dir, err := (Place{SysPrefix: true}).Dir(); err != nil || dir != filepath.Join(env, "share", "jupyter", "kernels", "sapf") {
		t.Errorf("%s, %v", dir, err)
	}
	t.Setenv("VIRTUAL_ENV", "")
	if _, err := (Place{SysPrefix: true}).Dir(); err == nil {
		t.Error("no environment, no error")
	}
	for _, name := range []string{"../x", "a/b", "..", "a b"} {
		if _, err := (Place{Name: name}).Dir(); err == nil {
			t.Errorf("name %q was taken", name)
		}
	}
	if _, err := (Place{SysPrefix: true, Prefix: "x"}).Dir(); err == nil {
		t.Error("two places were taken")
	}
}
