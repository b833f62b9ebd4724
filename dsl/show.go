package dsl

import (
	"fmt"
	"html"
	"strings"
	"sync/atomic"

	"sapf/dsl/display"
)

// Handle is a display that can be replaced where it stands.
type Handle struct {
	id     string
	closed bool
}

var displays atomic.Int64

// Show displays values and returns a handle to replace them. Pictures, plots,
// predictions, problems, outcomes and tables show themselves; several values
// stand side by side; anything else is shown as text.
//
//	h := Show(x, m.Predict(x))
//	h.Update(r)
func Show(values ...any) *Handle {
	h := &Handle{id: fmt.Sprintf("show-%d", displays.Add(1))}
	display.To().Display(row(values), h.id)
	return h
}

// Display shows each value: gophernotes' name for Show.
//
//	Display(display.HTML("<b>bold</b>"))
func Display(values ...any) {
	for _, v := range values {
		Show(v)
	}
}

// Update replaces what the handle shows.
func (h *Handle) Update(values ...any) {
	if !h.closed {
		display.To().Update(row(values), h.id)
	}
}

// Close ends the handle: later updates do nothing.
func (h *Handle) Close() { h.closed = true }

// row is the bundle of several values side by side.
func row(values []any) display.Bundle {
	if len(values) == 1 {
		return render(values[0])
	}
	var page, text strings.Builder
	page.WriteString(`<div style="display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start">`)
	for i, v := range values {
		b := render(v)
		page.WriteString("<div>" + markup(b) + "</div>")
		if i > 0 {
			text.WriteString("\n")
		}
		text.WriteString(plain(b))
	}
	page.WriteString("</div>")
	return display.Bundle{Data: map[string]any{"text/html": page.String(), "text/plain": text.String()}}
}

// markup is a bundle as a piece of HTML.
func markup(b display.Bundle) string {
	if s, ok := b.Data["text/html"].(string); ok {
		return s
	}
	if s, ok := b.Data["image/svg+xml"].(string); ok {
		return s
	}
	return "<pre>" + html.EscapeString(plain(b)) + "</pre>"
}

// plain is a bundle's text form.
func plain(b display.Bundle) string {
	s, _ := b.Data["text/plain"].(string)
	return s
}
