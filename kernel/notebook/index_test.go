package notebook

import (
	"strings"
	"testing"
)

func TestIndex(t *testing.T) {
	picture := "iVBORw0KGgo="
	first := &Notebook{Cells: []Cell{
		{Type: Markdown, ID: "a", Source: "# One & only\n\nWords. **How many, and\n*why*?** More **bold**."},
		{Type: Code, ID: "b", Source: "x := 1", Count: 1, Outputs: []*Output{
			{Type: DisplayData, Data: map[string]any{"image/png": "not base64 <script>"}},
			{Type: DisplayData, Data: map[string]any{"image/png": picture, "text/plain": "a picture"}},
		}},
	}}
	second := &Notebook{Cells: []Cell{{Type: Code, ID: "c", Source: "y := 2"}}}
	page, err := Index(Page{Title: "All <of> them"}, []Entry{{"01-one", first}, {"02-two", second}})
	if err != nil {
		t.Fatal(err)
	}
	s := string(page)
	list, rest, _ := strings.Cut(s, "</ul>")
	for _, want := range []string{
		"<title>All &lt;of&gt; them</title>", `<a href="#01-one"><strong>One &amp; only</strong>`, "<p>How many, and why?</p>",
		`src="data:image/png;base64,` + picture, `<a href="#02-two"><strong>02-two</strong><p></p>`,
	} {
		if !strings.Contains(list, want) {
			t.Errorf("the list has no %s", want)
		}
	}
	for _, want := range []string{`<article id="01-one">`, `<article id="02-two">`, `href="#top"`} {
		if !strings.Contains(rest, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(s, "<script") || strings.Contains(s, "http://") || strings.Contains(s, "src=\"h") {
		t.Error("the page runs or fetches something")
	}
}
