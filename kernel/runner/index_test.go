package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/kernel/exit"
)

func TestIndex(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "all.html")
	if _, err := Index(dir, page, false); exit.Code(err) != 2 {
		t.Errorf("an empty folder: %v, want a wrong request", err)
	}
	source := `{"cells": [{"cell_type": "markdown", "id": "x", "metadata": {}, "source": "# %s"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}`
	for _, name := range []string{"b.ipynb", "a.ipynb", "a.out.ipynb"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(source, "%s", name, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	n, err := Index(dir, page, false)
	if err != nil || n != 2 {
		t.Fatalf("%d notebooks, %v; want 2", n, err)
	}
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	s := string(b)
	if a, b := strings.Index(s, `href="#a"`), strings.Index(s, `href="#b"`); a < 0 || b < a || strings.Contains(s, "a.out") {
		t.Errorf("the list is not a, b: %d, %d", a, b)
	}
	if err := os.WriteFile(filepath.Join(dir, "c.ipynb"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Index(dir, page, false); err == nil || !strings.Contains(err.Error(), "c.ipynb") {
		t.Errorf("a broken notebook: %v", err)
	}
}
