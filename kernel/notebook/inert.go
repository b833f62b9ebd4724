package notebook

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// The page's policy forbids scripts and fetching. What it can't forbid goes:
// elements that lead to another page by themselves (meta's refresh), that
// announce one (link), or that hold one.
var banned = []string{"meta", "base", "link", "script", "iframe", "frame", "frameset", "object", "embed", "applet", "portal", "fencedframe"}

// suspect matches whatever a browser could take for a banned element, or for a
// link that calls home: a tag's name follows its < directly.
var suspect = regexp.MustCompile(`(?i)<(?:` + strings.Join(banned, "|") + `)|\bping\b`)

// inert is a piece of a page that stays where it is: cells and their outputs
// may come from anybody. Pieces with nothing suspect in them are left alone.
func inert(piece string) (string, error) {
	if !suspect.MatchString(piece) {
		return piece, nil
	}
	within := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(piece), within)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, n := range nodes {
		if isBanned(n) {
			continue
		}
		disarm(n)
		if err := html.Render(&b, n); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

func isBanned(n *html.Node) bool {
	return n.Type == html.ElementNode && slices.Contains(banned, strings.ToLower(n.Data))
}

// disarm takes what is banned out of a tree.
func disarm(n *html.Node) {
	n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return strings.EqualFold(a.Key, "ping") })
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		if isBanned(child) {
			n.RemoveChild(child)
		} else {
			disarm(child)
		}
		child = next
	}
}
