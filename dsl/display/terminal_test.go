package display

import (
	"strings"
	"testing"
)

// TestTerminal: a compiled program writes what is shown at once, each state of it,
// so that it is in order with what the program prints and complete when it ends;
// of progress, which goes to standard error, only the end stays.
func TestTerminal(t *testing.T) {
	text := func(s string) Bundle { return Bundle{Data: map[string]any{"text/plain": s}} }
	for _, c := range []struct {
		rewrites bool
		progress string
	}{
		{false, "100 %\noops\n"},
		{true, "\r\x1b[K0 %\r\x1b[K100 %\noops\n\r\x1b[K0 %\n"},
	} {
		var out, err strings.Builder
		h := &terminal{out: &out, err: &err, rewrites: c.rewrites}
		h.Display(text("1"), "a")
		out.WriteString("2\n") // the program's own
		h.Update(text("3"), "a")
		h.Progress("0 %", false)
		h.Progress("100 %", true)
		h.Stream("stderr", "oops\n")
		h.Progress("0 %", false)
		h.Display(text("4"), "")
		if got, want := out.String(), "1\n2\n3\n4\n"; got != want {
			t.Errorf("written %q, want %q", got, want)
		}
		if got := err.String(); got != c.progress {
			t.Errorf("of progress %q is written, want %q", got, c.progress)
		}
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
