package dsl

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image/png"
	"strings"

	"sapf/dsl/display"
	"sapf/models"
	"sapf/models/data"
	"sapf/sapf"
	"sapf/sapf/figure"
)

// The types of the packages below have no display methods, since those
// packages know nothing of notebooks; this is how they are shown.
func init() {
	display.Register(func(v any) (display.Bundle, bool) {
		switch v := v.(type) {
		case data.Image:
			return imageBundle(v), true
		case models.Prediction:
			return predictionBundle(v), true
		case *figure.Figure:
			return figureBundle(v), true
		case *Model:
			return cardBundle(v.Model), true
		case *models.Model:
			return cardBundle(v), true
		}
		return display.Bundle{}, false
	})
}

// render is the bundle of any value.
func render(v any) display.Bundle { return display.Render(v) }

// MimeBundle shows the problem: its state in a line, the residuals, the
// entries of G.
func (p *Problem) MimeBundle() display.Bundle {
	page := "<div>" + html.EscapeString(p.String()) + "</div>"
	if len(p.history) > 0 {
		page += markup(render(p.PlotLoss()))
	}
	if p.ran(sapf.MaskStage) {
		page += markup(render(p.Plot())) + markup(render(p.Histogram()))
	}
	return display.Bundle{Data: map[string]any{"text/html": page, "text/plain": p.String()}}
}

// MimeBundle shows the outcome: the four pictures and the table.
func (r *Outcome) MimeBundle() display.Bundle {
	t := r.Table()
	return display.Bundle{Data: map[string]any{
		"text/html":  markup(render(r.Panel())) + t.HTML(),
		"text/plain": r.verdict() + "\n" + t.String(),
	}}
}

// MimeBundle shows the table.
func (t *Table) MimeBundle() display.Bundle {
	return display.Bundle{Data: map[string]any{"text/html": t.HTML(), "text/plain": t.String()}}
}

// imageSide is the height in CSS pixels at which small images are shown.
const imageSide = 192

func imageBundle(x data.Image) display.Bundle {
	text := fmt.Sprintf("%s, %dx%dx%d", x.Name, x.C, x.H, x.W)
	var b bytes.Buffer
	if err := png.Encode(&b, figure.Enlarge(x.Picture(), imageSide)); err != nil {
		return textBundle(text + ": " + err.Error())
	}
	w, h := x.W, x.H
	for h < imageSide {
		w, h = w+x.W, h+x.H
	}
	return pictureBundle(b.Bytes(), text, w, h)
}

func figureBundle(f *figure.Figure) display.Bundle {
	p, err := f.PNG()
	if err != nil {
		return textBundle(f.String() + ": " + err.Error())
	}
	w, h := f.DisplaySize()
	b := pictureBundle(p, f.String(), w, h)
	if s, err := f.SVG(); err == nil && s != "" {
		b.Data["image/svg+xml"] = s
		b.Data["text/html"] = imageTag("svg+xml", []byte(s), f.String(), w, h)
	}
	return b
}

// predictionBundle is a bar for each of the five most probable classes.
func predictionBundle(p models.Prediction) display.Bundle {
	var b strings.Builder
	b.WriteString(`<table style="border-collapse:collapse;font-size:13px">`)
	for _, c := range p.Top(5) {
		fmt.Fprintf(&b, `<tr><td style="padding:1px 10px 1px 0;text-align:right">%s</td>`+
			`<td style="width:180px;padding:1px 0"><div style="width:%.1f%%;min-width:1px;height:11px;background:#0072b2"></div></td>`+
			`<td style="padding:1px 0 1px 10px;text-align:right;font-variant-numeric:tabular-nums">%.1f %%</td></tr>`,
			html.EscapeString(c.Name), 100*c.Probability, 100*c.Probability)
	}
	b.WriteString("</table>")
	if p.Warning != "" {
		b.WriteString("<div>" + html.EscapeString(p.Warning) + "</div>")
	}
	return display.Bundle{Data: map[string]any{"text/html": b.String(), "text/plain": p.String()}}
}

// cardBundle is a model's card.
func cardBundle(m *models.Model) display.Bundle {
	c := m.Card()
	t := NewTable("", "")
	for _, r := range []struct{ name, value string }{
		{"model", nameOf(c)},
		{"input", fmt.Sprintf("%v, %s", m.InputShape(), c.Normalisation)},
		{"classes", classList(c.Classes)},
		{"clean accuracy", accuracy(c)},
		{"parameters", fmt.Sprintf("%.2f M", float64(c.Parameters)/1e6)},
		{"weights, SHA-256", c.SHA256},
		{"numerics", m.Profile().String()},
	} {
		if r.value != "" {
			t.Row(r.name, r.value)
		}
	}
	for _, w := range c.Warnings {
		t.Row("warning", w)
	}
	return t.MimeBundle()
}

// nameOf is a card's name, and its architecture if that says more.
func nameOf(c models.Card) string {
	if c.Architecture == c.Name {
		return c.Name
	}
	return c.Name + ", architecture " + c.Architecture
}

func accuracy(c models.Card) string {
	if c.Accuracy == 0 {
		return "not measured"
	}
	return fmt.Sprintf("%.2f %% on %s", c.Accuracy, c.Dataset)
}

// classList names up to twelve classes and counts the rest.
func classList(classes []string) string {
	const most = 12
	if len(classes) <= most {
		return strings.Join(classes, ", ")
	}
	return fmt.Sprintf("%s, ... (%d in all)", strings.Join(classes[:most], ", "), len(classes))
}

func textBundle(s string) display.Bundle {
	return display.Bundle{Data: map[string]any{"text/plain": s}}
}

// pictureBundle is a PNG to be shown at w x h CSS pixels. It is HTML as well: no
// other form has words for those who do not see it in JupyterLab.
func pictureBundle(b []byte, text string, w, h int) display.Bundle {
	return display.Bundle{
		Data:     map[string]any{"image/png": b, "text/plain": text, "text/html": imageTag("png", b, text, w, h)},
		Metadata: map[string]any{"image/png": map[string]any{"width": w, "height": h}},
	}
}

// imageTag is a picture as an element of a page.
func imageTag(kind string, b []byte, alt string, w, h int) string {
	return fmt.Sprintf(`<img alt="%s" width="%d" height="%d" style="max-width:100%%;height:auto" src="data:image/%s;base64,%s">`,
		html.EscapeString(alt), w, h, kind, base64.StdEncoding.EncodeToString(b))
}
