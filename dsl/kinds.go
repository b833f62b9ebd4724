package dsl

import "sapf/dsl/display"

// raw is a value that is shown as it is, in one form.
type raw struct {
	mime string
	data any
	text string
}

// MimeBundle makes a raw value show itself.
func (r raw) MimeBundle() display.Bundle {
	b := display.Bundle{Data: map[string]any{r.mime: r.data}}
	if r.mime != "text/plain" {
		b.Data["text/plain"] = r.text
	}
	return b
}

// HTML shows a piece of a page.
func HTML(s string) any { return raw{"text/html", s, "[HTML]"} }

// Markdown shows text written in Markdown, formulas between dollar signs.
func Markdown(s string) any { return raw{"text/markdown", s, s} }

// Latex shows a formula.
func Latex(s string) any { return raw{"text/latex", s, s} }

// PNG shows a PNG file.
func PNG(b []byte) any { return raw{"image/png", b, "[PNG picture]"} }

// JPEG shows a JPEG file.
func JPEG(b []byte) any { return raw{"image/jpeg", b, "[JPEG picture]"} }

// SVG shows an SVG drawing.
func SVG(s string) any { return raw{"image/svg+xml", s, "[SVG drawing]"} }

// JSON shows a value as a tree that unfolds.
func JSON(v any) any { return raw{"application/json", v, "[JSON]"} }

// MIME is a value in several forms, by MIME type.
type MIME map[string]any

// MimeBundle makes a MIME value show itself.
func (m MIME) MimeBundle() display.Bundle { return display.Bundle{Data: m} }

// ClearOutput removes what the cell has shown, at once or (wait) when the next
// thing comes.
func ClearOutput(wait bool) { display.To().Clear(wait) }

// Input asks the person in front for a line of text.
func Input(prompt string) string {
	s, err := display.To().Input(prompt, false)
	if err != nil {
		fail("Input", err)
	}
	return s
}
