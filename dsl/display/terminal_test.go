package display

import (
	"strings"
	"testing"
)

// TestTerminalUpdates: a display that is replaced leaves one line, its last
// state, where lines cannot be rewritten.
func TestTerminalUpdates(t *testing.T) {
	text := func(s string) Bundle { return Bundle{Data: map[string]any{"text/plain": s}} }
	var b strings.Builder
	h := &terminal{out: &b, err: &b}
	h.Display(text("0 %"), "p")
	h.Update(text("50 %"), "p")
	h.Update(text("100 %"), "p")
	h.Stream("stdout", "done\n")
	h.Display(text("x"), "")
	if got, want := b.String(), "100 %\ndone\nx\n"; got != want {
		t.Errorf("written %q, want %q", got, want)
	}
	b.Reset()
	h = &terminal{out: &b, err: &b, rewrites: true}
	h.Display(text("0 %"), "p")
	h.Update(text("100 %"), "p")
	h.Stream("stderr", "oops\n")
	if got, want := b.String(), "\r\x1b[K0 %\r\x1b[K100 %\noops\n"; got != want {
		t.Errorf("written %q, want %q", got, want)
	}
}

type twoForms struct{}

func (twoForms) HTML() string   { return "<b>1</b>" }
func (twoForms) String() string { return "one" }

func TestRender(t *testing.T) {
	b := Render(twoForms{})
	if b.Data["text/html"] != "<b>1</b>" || b.Data["text/plain"] != "one" {
		t.Errorf("a value with HTML and String renders as %v", b.Data)
	}
	if got := Render(42).Data["text/plain"]; got != "42" {
		t.Errorf("42 renders as %v", got)
	}
	Register(func(v any) (Bundle, bool) {
		if v == "special" {
			return Bundle{Data: map[string]any{"text/markdown": "*special*"}}, true
		}
		return Bundle{}, false
	})
	if b := Render("special"); b.Data["text/markdown"] != "*special*" || b.Data["text/plain"] != "special" {
		t.Errorf("a registered type renders as %v", b.Data)
	}
}
