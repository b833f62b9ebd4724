package command

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"sapf/kernel/exit"
)

// evil is a name that would write over its line, hide and forge.
const evil = "dog\r\x1b[2Ksuccess: true\u202egpj\u009b31m"

// unsafe is what of a text a terminal would obey.
func unsafe(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return r
		}
		return -1
	}, text)
}

// TestNamesFromFilesAreQuoted: neither a file's name nor a card's classes can
// move the cursor of the terminal that they are shown on.
func TestNamesFromFilesAreQuoted(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "model.safetensors")
	weights, err := os.ReadFile(filepath.Join(root, "models", "weights", "cwnet.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(model, weights, 0o644); err != nil {
		t.Fatal(err)
	}
	card := filepath.Join(dir, "model.json")
	raw, err := os.ReadFile(filepath.Join(root, "models", "weights", "cwnet.json"))
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		t.Fatal(err)
	}
	fields["classes"] = []string{"a", "b", "c", "d", "e", evil, "g", "h", "i", "j"}
	fields["recipe"], fields["source"], fields["dataset"] = evil, evil, evil
	if raw, err = json.Marshal(fields); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(card, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"models", "show", model}, {"models", "show", model, "--json"}, {"models", "show", filepath.Join(dir, evil)},
		{"attack", "--model", model, "--image", "cat", "--target", "5", "--method", "fgsm"},
		{"attack", "--model", model, "--image", "cat", "--target", "5", "--method", "fgsm", "--json"},
		{"attack", "--model", model, "--image", "cat", "--target", evil}, {"attack", "--model", "cwnet", "--image", "cat", "--method", evil},
		{"run", filepath.Join(dir, evil)}, {evil}, {"models", "show", "--" + evil},
	} {
		_, stdout, stderr := call(t, t.Context(), args...)
		if stdout+stderr == "" {
			t.Errorf("%q says nothing", args)
		}
		if bad := unsafe(stdout + stderr); bad != "" {
			t.Errorf("%q: %q is raw in %q, %q", args, bad, stdout, stderr)
		}
	}
}

// TestLostOutputIsAFailure: a command whose output nobody gets does not end as
// if all was well.
func TestLostOutputIsAFailure(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("needs /dev/full")
	}
	defer full.Close()
	for _, args := range [][]string{{"models"}, {"data"}, {"models", "show", "cwnet"}, {"models", "show", "cwnet", "--json"}, {"--help"}, {"install", "--prefix", t.TempDir()}} {
		var stderr bytes.Buffer
		if code := Main(t.Context(), args, full, &stderr); code != exit.Failed || !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("%v: exit code %d, %q; want %d", args, code, &stderr, exit.Failed)
		}
	}
}
