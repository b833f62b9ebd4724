package display

import (
	"fmt"
	"image"
	"io"
	"net/http"
	"os"
	"strings"
)

// What follows are gophernotes' names, so that its notebooks run here:
// Display(display.HTML("<b>bold</b>")), or a last expression of such a value.

// MIMEMap is a value in several forms, by MIME type.
type MIMEMap = map[string]any

// Data is what gophernotes calls a Bundle.
type Data = Bundle

// The MIME types that front ends know.
const (
	MIMETypeHTML       = "text/html"
	MIMETypeJavaScript = "application/javascript"
	MIMETypeJPEG       = "image/jpeg"
	MIMETypeJSON       = "application/json"
	MIMETypeLatex      = "text/latex"
	MIMETypeMarkdown   = "text/markdown"
	MIMETypePNG        = "image/png"
	MIMETypePDF        = "application/pdf"
	MIMETypeSVG        = "image/svg+xml"
	MIMETypeText       = "text/plain"
)

// MakeData is one form of a value, with its text as fmt prints it.
func MakeData(mimeType string, data any) Data {
	plain := "[" + mimeType + "]"
	switch {
	case strings.HasPrefix(mimeType, "text/"), mimeType == MIMETypeJSON:
		plain = fmt.Sprint(data)
	}
	return MakeData3(mimeType, plain, data)
}

// MakeData3 is one form of a value, with a text of your own.
func MakeData3(mimeType, plaintext string, data any) Data {
	return Bundle{Data: MIMEMap{MIMETypeText: plaintext, mimeType: data}}
}

// MIME is a value in several forms.
func MIME(data, metadata MIMEMap) Data { return Bundle{Data: data, Metadata: metadata} }

// HTML is a piece of a page.
func HTML(html string) Data { return MakeData3(MIMETypeHTML, "[HTML]", html) }

// JavaScript is a script, which front ends run in notebooks they trust.
func JavaScript(javascript string) Data { return MakeData(MIMETypeJavaScript, javascript) }

// JSON is a tree that unfolds.
func JSON(json map[string]any) Data { return MakeData(MIMETypeJSON, json) }

// Markdown is text written in Markdown.
func Markdown(markdown string) Data { return MakeData(MIMETypeMarkdown, markdown) }

// Latex is LaTeX with its own dollar signs.
func Latex(latex string) Data { return MakeData(MIMETypeLatex, latex) }

// Math is a formula; the dollar signs are put around it.
func Math(latex string) Data {
	return MakeData3(MIMETypeLatex, latex, "$$"+strings.Trim(latex, "$")+"$$")
}

// PNG is a PNG file.
func PNG(png []byte) Data { return MakeData(MIMETypePNG, png) }

// JPEG is a JPEG file.
func JPEG(jpeg []byte) Data { return MakeData(MIMETypeJPEG, jpeg) }

// PDF is a PDF file.
func PDF(pdf []byte) Data { return MakeData(MIMETypePDF, pdf) }

// SVG is an SVG drawing.
func SVG(svg string) Data { return MakeData3(MIMETypeSVG, "[SVG drawing]", svg) }

// Image is a picture, as PNG.
func Image(img image.Image) Data { return Render(img) }

// File is the content of a file. An empty MIME type is read off its content.
// An error is shown in its stead.
func File(mimeType, path string) Data {
	b, err := os.ReadFile(path)
	if err != nil {
		return dataError(err)
	}
	return Any(mimeType, b)
}

// Auto is data whose MIME type is read off its content.
func Auto(data any) Data { return Any("", data) }

// Any is a string, bytes, a picture or what an io.Reader or io.WriterTo gives.
// An empty MIME type is read off the content. An error is shown in its stead.
func Any(mimeType string, data any) Data {
	var b []byte
	switch x := data.(type) {
	case string:
		b = []byte(x)
	case []byte:
		b = x
	case io.Reader:
		all, err := io.ReadAll(x)
		if err != nil {
			return dataError(err)
		}
		b = all
	case io.WriterTo:
		var w strings.Builder
		if _, err := x.WriteTo(&w); err != nil {
			return dataError(err)
		}
		b = []byte(w.String())
	default:
		return Render(data)
	}
	if mimeType == "" {
		mimeType, _, _ = strings.Cut(http.DetectContentType(b), ";")
	}
	if strings.HasPrefix(mimeType, "text/") || mimeType == MIMETypeSVG || mimeType == MIMETypeJavaScript {
		return MakeData(mimeType, string(b))
	}
	return MakeData(mimeType, b)
}

func dataError(err error) Data { return Bundle{Data: MIMEMap{MIMETypeText: "error: " + err.Error()}} }
