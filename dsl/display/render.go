package display

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
)

// The display methods: a value that has one of them shows itself in that form.
// With several it is offered in each; MimeBundle alone decides where it is
// there. A method may return an error besides, which is shown in its stead.
type (
	bundler   interface{ MimeBundle() Bundle }
	renderer  interface{ Render() Data }          // gophernotes' Renderer
	simple    interface{ SimpleRender() MIMEMap } // gophernotes' SimpleRenderer
	htmler    interface{ HTML() string }
	markdown  interface{ Markdown() string }
	latexer   interface{ Latex() string }
	svger     interface{ SVG() string }
	svgerErr  interface{ SVG() (string, error) }
	pnger     interface{ PNG() []byte }
	pngerErr  interface{ PNG() ([]byte, error) }
	jpeger    interface{ JPEG() []byte }
	jpegerErr interface{ JPEG() ([]byte, error) }
)

// Render returns v in every form it has: those of its display methods, a PNG
// of an image.Image, and always text.
func Render(v any) Bundle {
	if b, ok := v.(bundler); ok {
		return withText(b.MimeBundle(), v)
	}
	switch x := v.(type) {
	case Bundle:
		return withText(x, v)
	case renderer:
		return withText(x.Render(), v)
	case simple:
		return withText(Bundle{Data: x.SimpleRender()}, v)
	}
	if b, ok := registered(v); ok {
		return withText(b, v)
	}
	return withText(Bundle{Data: forms(v)}, v)
}

// forms asks the display methods of v.
func forms(v any) map[string]any {
	data := map[string]any{}
	put := func(mime string, value any, err error) {
		if err != nil {
			data["text/plain"] = fmt.Sprintf("%s: %v", mime, err)
			return
		}
		data[mime] = value
	}
	if x, ok := v.(htmler); ok {
		put("text/html", x.HTML(), nil)
	}
	if x, ok := v.(markdown); ok {
		put("text/markdown", x.Markdown(), nil)
	}
	if x, ok := v.(latexer); ok {
		put("text/latex", x.Latex(), nil)
	}
	switch x := v.(type) {
	case svger:
		put("image/svg+xml", x.SVG(), nil)
	case svgerErr:
		s, err := x.SVG()
		put("image/svg+xml", s, err)
	}
	switch x := v.(type) {
	case pnger:
		put("image/png", x.PNG(), nil)
	case pngerErr:
		b, err := x.PNG()
		put("image/png", b, err)
	case image.Image:
		var b bytes.Buffer
		err := png.Encode(&b, x)
		put("image/png", b.Bytes(), err)
	}
	switch x := v.(type) {
	case jpeger:
		put("image/jpeg", x.JPEG(), nil)
	case jpegerErr:
		b, err := x.JPEG()
		put("image/jpeg", b, err)
	}
	return data
}

// withText gives a bundle its text form where it has none.
func withText(b Bundle, v any) Bundle {
	if _, ok := b.Data["text/plain"]; ok {
		return b
	}
	data := map[string]any{"text/plain": text(v)}
	for mime, d := range b.Data {
		data[mime] = d
	}
	return Bundle{Data: data, Metadata: b.Metadata}
}

// text is a value as fmt prints it; a picture is its size.
func text(v any) string {
	if m, ok := v.(image.Image); ok {
		return fmt.Sprintf("[picture, %d x %d]", m.Bounds().Dx(), m.Bounds().Dy())
	}
	if b, ok := v.(Bundle); ok {
		return fmt.Sprintf("[%d forms]", len(b.Data))
	}
	return fmt.Sprint(v)
}
