package notebook

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// restless are pieces that make a page fetch or leave, whatever its policy.
var restless = []string{
	`<meta http-equiv="refresh" content="0;url=http://example.com/">`,
	`<META HTTP-EQUIV=refresh CONTENT="0;url=http://example.com/">`,
	`<p>text<svg><foreignObject><meta http-equiv=refresh content=1></foreignObject></svg></p>`,
	`<math><annotation-xml encoding="text/html"><meta http-equiv=refresh content=1></annotation-xml></math>`,
	`<svg><style><!--</style><meta http-equiv=refresh content=1>--></style></svg>`,
	`<table><tr><td>x</table><base href="http://example.com/">`,
	`<link rel="dns-prefetch" href="//example.com"><link rel=preconnect href="//example.com">`,
	`<iframe src="data:text/html,x"></iframe>`, `<object data="x"></object>`, `<embed src="x">`,
	"<template><meta http-equiv=refresh content=1></template>", "<noscript><meta http-equiv=refresh content=1></noscript>",
	`<a href="http://example.com/" ping="http://example.com/">x</a>`,
	"<meta\x0chttp-equiv=refresh content=1>", "<meta/http-equiv=refresh content=1>",
}

// find is the first element in a tree that is banned, or calls home.
func find(n *html.Node) string {
	if isBanned(n) {
		return n.Data
	}
	for _, a := range n.Attr {
		if a.Key == "ping" {
			return "ping"
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if found := find(c); found != "" {
			return found
		}
	}
	return ""
}

func TestPagesStayWhereTheyAre(t *testing.T) {
	for _, piece := range restless {
		n := &Notebook{Metadata: map[string]any{}, Cells: []Cell{
			{ID: "a", Type: Markdown, Source: "# T\n\nbefore\n\n" + piece + "\n\nafter " + piece, Metadata: map[string]any{}},
			{ID: "b", Type: Code, Source: "x", Metadata: map[string]any{}, Outputs: []*Output{
				{Type: DisplayData, Data: map[string]any{"text/html": "<b>kept</b>" + piece}},
				{Type: DisplayData, Data: map[string]any{"text/markdown": piece}},
				{Type: DisplayData, Data: map[string]any{"text/latex": piece}},
				{Type: DisplayData, Data: map[string]any{"image/svg+xml": piece}},
				{Type: DisplayData, Data: map[string]any{"text/plain": piece}},
				{Type: Stream, Name: "stdout", Text: piece},
				{Type: Error, Traceback: []string{piece}},
			}},
		}}
		page, err := n.HTML(Page{Title: "x"})
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(string(page), "<body>")
		tree, err := html.Parse(strings.NewReader("<body>" + body))
		if err != nil {
			t.Fatal(err)
		}
		if found := find(tree); found != "" {
			t.Errorf("%q leaves %s in the page", piece, found)
		}
		if !strings.Contains(body, "<b>kept</b>") || !strings.Contains(body, "before") {
			t.Errorf("%q takes more than itself: %s", piece, body)
		}
	}
}

func TestWhatIsInertIsLeftAlone(t *testing.T) {
	for _, piece := range []string{"<table><tr><td>1<td>2</table>", "<img alt=x src=data:,><br/>", "a & b < c", "<p>the shape & the metal"} {
		if got, err := inert(piece); err != nil || got != piece {
			t.Errorf("%q: %q, %v", piece, got, err)
		}
	}
}

func FuzzInert(f *testing.F) {
	for _, piece := range restless {
		f.Add(piece)
	}
	f.Fuzz(func(t *testing.T, piece string) {
		got, err := inert(piece)
		if err != nil {
			t.Skip(err)
		}
		tree, err := html.Parse(strings.NewReader("<!DOCTYPE html><html><head></head><body><div>" + got + "</div></body></html>"))
		if err != nil {
			t.Skip(err)
		}
		if found := find(tree); found != "" {
			t.Errorf("%q becomes %q, which has %s", piece, got, found)
		}
	})
}
