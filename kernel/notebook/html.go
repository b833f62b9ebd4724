package notebook

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
)

//go:embed page.css
var pageCSS string

// policy lets the page show what is in it and nothing else: no script runs,
// nothing is fetched and no form is sent, whatever a cell's output says. See
// inert for what a policy can't forbid.
const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; media-src data:; form-action 'none'; base-uri 'none'"

// Page says how notebooks become a web page.
type Page struct {
	// Title stands where a notebook has no heading of its own.
	Title string
	// HideCode leaves the source of cells out, for readers who want the text and
	// the results. What a cell that failed has to say stays.
	HideCode bool
}

// HTML is the notebook as one page that needs nothing beside it: pictures are
// inside, mathematics is MathML, and there is no script.
func (n *Notebook) HTML(p Page) ([]byte, error) {
	title := p.Title
	if h := n.heading(); h != "" {
		title = h
	}
	var b bytes.Buffer
	head(&b, title, pageCSS)
	if err := n.cells(&b, p); err != nil {
		return nil, err
	}
	b.WriteString(foot)
	return b.Bytes(), nil
}

// cells writes all cells.
func (n *Notebook) cells(b *bytes.Buffer, p Page) error {
	for i := range n.Cells {
		if err := n.Cells[i].html(b, p); err != nil {
			return fmt.Errorf("cell %d: %w", i+1, err)
		}
	}
	return nil
}

// foot ends what head began.
const foot = "</main>\n</body>\n</html>\n"

// head writes a page up to the start of its main part.
func head(b *bytes.Buffer, title, css string) {
	fmt.Fprintf(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"+
		"<meta http-equiv=\"Content-Security-Policy\" content=\"%s\">\n"+
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>%s</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n",
		policy, html.EscapeString(title), css)
}

var headingLine = regexp.MustCompile(`(?m)^#\s+(.+?)\s*#*$`)

// heading is the text of the first heading of the first level.
func (n *Notebook) heading() string {
	for i := range n.Cells {
		if c := &n.Cells[i]; c.Type == Markdown {
			if m := headingLine.FindStringSubmatch(c.Source); m != nil {
				return strings.NewReplacer("*", "", "`", "").Replace(m[1])
			}
		}
	}
	return ""
}

func (c *Cell) html(b *bytes.Buffer, p Page) error {
	switch c.Type {
	case Markdown:
		text, err := renderMarkdown(c.attached())
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "<section class=\"text\" id=\"%s\">\n%s</section>\n", html.EscapeString(c.ID), text)
		return nil
	case Raw:
		return nil // meant for other formats
	}
	source := !p.HideCode && !c.Tagged("remove-input") && !c.Tagged("hide-input") && strings.TrimSpace(c.Source) != ""
	outputs := len(c.Outputs) > 0 && !c.Tagged("remove-output")
	if p.HideCode && !outputs {
		return nil
	}
	fmt.Fprintf(b, "<section class=\"code\" id=\"%s\">\n", html.EscapeString(c.ID))
	number := " "
	if c.Count > 0 {
		number = fmt.Sprint(c.Count)
	}
	if source {
		fmt.Fprintf(b, "<div class=\"in\"><span class=\"prompt\">[%s]</span><pre><code>%s</code></pre></div>\n", number, highlight(c.Source))
	}
	if outputs {
		b.WriteString("<div class=\"out\">\n")
		for _, o := range c.Outputs {
			if err := o.html(b); err != nil {
				return err
			}
		}
		b.WriteString("</div>\n")
	}
	b.WriteString("</section>\n")
	return nil
}

// attached is the source with the pictures that the cell carries put in.
func (c *Cell) attached() string {
	source := c.Source
	files, _ := c.Attachments.(map[string]any)
	for _, name := range sortedKeys(files) {
		forms, _ := files[name].(map[string]any)
		for _, kind := range sortedKeys(forms) {
			if data, ok := forms[kind].(string); ok && strings.HasPrefix(kind, "image/") {
				source = strings.ReplaceAll(source, "attachment:"+name, "data:"+kind+";base64,"+strings.TrimSpace(data))
				break
			}
		}
	}
	return source
}

func (o *Output) html(b *bytes.Buffer) error {
	switch o.Type {
	case Stream:
		fmt.Fprintf(b, "<pre class=\"%s\">%s</pre>\n", html.EscapeString(o.Name), ansiHTML(o.Text))
		return nil
	case Error:
		fmt.Fprintf(b, "<pre class=\"error\">%s</pre>\n", ansiHTML(strings.Join(o.Traceback, "\n")))
		return nil
	}
	return o.display(b)
}

// display writes the richest form that a page without scripts can show.
func (o *Output) display(b *bytes.Buffer) error {
	text := func(kind string) (string, bool) {
		s, ok := o.Data[kind].(string)
		return s, ok
	}
	if s, ok := text("text/html"); ok {
		page, err := inert(s)
		fmt.Fprintf(b, "<div class=\"html\">%s</div>\n", page)
		return err
	}
	alt, _ := text("text/plain")
	if s, ok := text("image/svg+xml"); ok { // as a picture: its styles and names stay inside it
		fmt.Fprintf(b, "<img alt=\"%s\" src=\"data:image/svg+xml;base64,%s\">\n", html.EscapeString(alt), base64.StdEncoding.EncodeToString([]byte(s)))
		return nil
	}
	for _, kind := range []string{"image/png", "image/jpeg", "image/gif", "image/webp"} {
		if s, ok := text(kind); ok {
			fmt.Fprintf(b, "<img alt=\"%s\"%s src=\"data:%s;base64,%s\">\n", html.EscapeString(alt), o.size(kind), kind, html.EscapeString(strings.Join(strings.Fields(s), "")))
			return nil
		}
	}
	if s, ok := text("text/markdown"); ok {
		page, err := renderMarkdown(s)
		fmt.Fprintf(b, "<div class=\"text\">%s</div>\n", page)
		return err
	}
	if s, ok := text("text/latex"); ok {
		page, err := renderMarkdown(s)
		fmt.Fprintf(b, "<div class=\"text\">%s</div>\n", page)
		return err
	}
	if v, ok := o.Data["application/json"]; ok && alt == "" {
		raw, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		alt = string(raw)
	}
	if alt != "" {
		fmt.Fprintf(b, "<pre class=\"result\">%s</pre>\n", ansiHTML(alt))
	}
	return nil
}

// size is a picture's width and height, where its metadata has them.
func (o *Output) size(kind string) string {
	m, _ := o.Metadata[kind].(map[string]any)
	var b strings.Builder
	for _, name := range []string{"width", "height"} {
		switch v := m[name].(type) {
		case json.Number, float64, int:
			fmt.Fprintf(&b, " %s=\"%v\"", name, v)
		}
	}
	return b.String()
}
