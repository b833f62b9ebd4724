package machine

import (
	"fmt"
	"strings"

	"sapf/dsl/display"
)

// show receives a value of the last expression. It is rendered at once, by
// methods that may be interpreted.
func (m *Machine) show(v any) {
	b := m.bundle(v)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current != nil {
		m.current.shown = append(m.current.shown, b)
	}
}

// mimeOf are the MIME types of the forms that display methods give.
var mimeOf = map[string]string{
	"HTML": "text/html", "Markdown": "text/markdown", "Latex": "text/latex",
	"SVG": "image/svg+xml", "PNG": "image/png", "JPEG": "image/jpeg",
}

// Together is what is shown for the values of the last expression: one in all
// its forms, several as text.
func Together(values []display.Bundle) *display.Bundle {
	if len(values) == 1 {
		return &values[0]
	}
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = fmt.Sprint(v.Data["text/plain"])
	}
	return &display.Bundle{Data: map[string]any{"text/plain": strings.Join(parts, " ")}}
}
