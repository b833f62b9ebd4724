package notebook

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"regexp"
	"strings"
)

// Entry is a notebook of an index.
type Entry struct {
	// Name is the file's name without its extension; it becomes the anchor.
	Name     string
	Notebook *Notebook
}

// indexCSS shows the list alone until a notebook is chosen, and then that
// notebook alone; on paper everything.
const indexCSS = `
.list { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; padding: 0; list-style: none; }
.list a { display: block; height: 100%; padding: .8rem 1rem; border: 1px solid var(--line); border-radius: 6px; color: inherit; text-decoration: none; }
.list a:hover, .list a:focus { border-color: var(--accent); }
.list strong { display: block; color: var(--accent); }
.list span { display: block; height: 7.5rem; margin: .5rem 0; background: #fff; border-radius: 4px; overflow: hidden; text-align: center; }
.list img { max-width: 100%; max-height: 100%; }
.list p { margin: 0; font-size: .92em; }
@media screen {
  article { display: none; }
  article:target, article:has(:target) { display: block; }
  main:has(article:target) > .list, main:has(article :target) > .list, main:has(article:target) > h1, main:has(article :target) > h1 { display: none; }
}
@media print { article { break-before: page; } .back { display: none; } }
`

// Index is one page of several notebooks that needs nothing beside it: a list
// with a title, a question and a picture for each, and behind each the notebook
// as HTML makes it. There is no script in it.
func Index(p Page, entries []Entry) ([]byte, error) {
	var b bytes.Buffer
	head(&b, p.Title, pageCSS+indexCSS)
	fmt.Fprintf(&b, "<h1 id=\"top\">%s</h1>\n<ul class=\"list\">\n", html.EscapeString(p.Title))
	for _, e := range entries {
		heading := e.Notebook.heading()
		if heading == "" {
			heading = e.Name
		}
		fmt.Fprintf(&b, "<li><a href=\"#%s\"><strong>%s</strong>%s<p>%s</p></a></li>\n",
			html.EscapeString(e.Name), html.EscapeString(heading), e.Notebook.thumbnail(), html.EscapeString(e.Notebook.question()))
	}
	b.WriteString("</ul>\n")
	for _, e := range entries {
		fmt.Fprintf(&b, "<article id=\"%s\">\n<p class=\"back\"><a href=\"#top\">All notebooks</a> · %s.ipynb</p>\n",
			html.EscapeString(e.Name), html.EscapeString(e.Name))
		if err := e.Notebook.cells(&b, p); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name, err)
		}
		b.WriteString("</article>\n")
	}
	b.WriteString(foot)
	return b.Bytes(), nil
}

var boldText = regexp.MustCompile(`(?s)\*\*(.+?)\*\*`)

// question is what the first cell of text puts in bold, which is what the
// notebook asks.
func (n *Notebook) question() string {
	for i := range n.Cells {
		if c := &n.Cells[i]; c.Type == Markdown {
			if m := boldText.FindStringSubmatch(c.Source); m != nil {
				return strings.NewReplacer("*", "", "`", "", "\n", " ").Replace(m[1])
			}
			return ""
		}
	}
	return ""
}

// thumbnail is the first picture among the outputs, or nothing.
func (n *Notebook) thumbnail() string {
	for i := range n.Cells {
		for _, o := range n.Cells[i].Outputs {
			if s, ok := o.Data["image/png"].(string); ok {
				s = strings.Join(strings.Fields(s), "")
				if _, err := base64.StdEncoding.DecodeString(s); err == nil {
					return `<span><img alt="" src="data:image/png;base64,` + s + `"></span>`
				}
			}
		}
	}
	return ""
}
