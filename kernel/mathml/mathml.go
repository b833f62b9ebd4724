// Package mathml turns the LaTeX mathematics of notebooks into MathML Core,
// which browsers show without a script or a network.
//
// The libraries there are do not serve: treeblood v0.1.16 shows \| as a single
// bar and \tfrac12 as one number, and gives its attributes in another order each
// time. What this package does not know it refuses, so that a formula is either
// right or shown as its source.
package mathml

import (
	"errors"
	"fmt"
	"html"
	"strings"
)

// Render is the MathML of a formula, without its dollar signs. A display stands
// on a line of its own.
func Render(tex string, display bool) (string, error) {
	p := &parser{tokens: scan(tex), display: display}
	body, err := p.row(func(t token) bool { return false })
	if err != nil {
		return "", fmt.Errorf("formula %q: %w", tex, err)
	}
	if p.peek().text != "" {
		return "", fmt.Errorf("formula %q: unexpected %s", tex, p.peek().text)
	}
	mode := "inline"
	if display {
		mode = "block"
	}
	return fmt.Sprintf(`<math xmlns="http://www.w3.org/1998/Math/MathML" display="%s" alttext="%s">%s</math>`,
		mode, html.EscapeString(strings.TrimSpace(tex)), group(body)), nil
}

// token is a command with its backslash, a number, or a character. The end is "".
type token struct {
	text  string
	space bool // white space before it
	raw   int  // where it begins in the source
}

func scan(tex string) *tokens {
	t := &tokens{source: tex}
	i, space := 0, false
	for i < len(tex) {
		c := tex[i]
		start := i
		switch {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			space = true
			i++
			continue
		case c == '%': // a comment, up to the end of the line
			for i < len(tex) && tex[i] != '\n' {
				i++
			}
			continue
		case c == '\\' && i+1 < len(tex) && isLetter(tex[i+1]):
			for i++; i < len(tex) && isLetter(tex[i]); i++ {
			}
			if i < len(tex) && tex[i] == '*' && tex[start:i] == `\operatorname` {
				i++
			}
		case c == '\\' && i+1 < len(tex):
			i += 1 + runeLen(tex[i+1:])
		case c >= '0' && c <= '9':
			for i < len(tex) && (tex[i] >= '0' && tex[i] <= '9' || tex[i] == '.' && i+1 < len(tex) && tex[i+1] >= '0' && tex[i+1] <= '9') {
				i++
			}
		default:
			i += runeLen(tex[i:])
		}
		t.list = append(t.list, token{tex[start:i], space, start})
		space = false
	}
	return t
}

type tokens struct {
	source string
	list   []token
	at     int
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func runeLen(s string) int {
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}

// node is a piece of MathML.
type node struct {
	xml string
	// under says that scripts stand under and over it in a display, as they do
	// with sums and minima.
	under bool
	// function says that it is a function's name, which what it is applied to
	// follows at a little distance.
	function bool
}

type parser struct {
	*tokens
	display bool
	depth   int
	variant func(rune) rune // of the letters, nil for italic
}

// maxDepth bounds the nesting of a formula.
const maxDepth = 200

func (p *parser) peek() token {
	if p.at < len(p.list) {
		return p.list[p.at]
	}
	return token{raw: len(p.source)}
}

func (p *parser) next() token {
	t := p.peek()
	p.at++
	return t
}

// row reads nodes up to a token that ends it, which stays.
func (p *parser) row(ends func(token) bool) ([]node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errors.New("nested too deep")
	}
	defer func() { p.depth-- }()
	var nodes []node
	for {
		t := p.peek()
		if t.text == "" || t.text == "}" || t.text == "&" || t.text == `\\` || t.text == `\right` || t.text == `\end` || ends(t) {
			return nodes, nil
		}
		if style, ok := styles[t.text]; ok { // holds up to the end of the group
			p.next()
			rest, err := p.row(ends)
			if err != nil {
				return nil, err
			}
			return append(nodes, node{xml: `<mstyle ` + style + `>` + group(rest) + `</mstyle>`}), nil
		}
		n, err := p.scripted()
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
}

var styles = map[string]string{
	`\displaystyle`: `displaystyle="true" scriptlevel="0"`, `\textstyle`: `displaystyle="false" scriptlevel="0"`,
	`\scriptstyle`: `displaystyle="false" scriptlevel="1"`,
}

// group is several nodes as one.
func group(nodes []node) string {
	if len(nodes) == 1 {
		return nodes[0].xml
	}
	var b strings.Builder
	b.WriteString("<mrow>")
	for _, n := range nodes {
		b.WriteString(n.xml)
	}
	b.WriteString("</mrow>")
	return b.String()
}

// scripted reads an atom with what stands below and above it.
func (p *parser) scripted() (node, error) {
	var base node
	var err error
	if t := p.peek().text; t == "^" || t == "_" {
		base = node{xml: "<mrow></mrow>"} // a script of nothing
	} else if base, err = p.atom(); err != nil {
		return node{}, err
	}
	under := base.under && p.display
	var low string
	var highs []string // primes and a superscript
	raised := false
	for {
		switch p.peek().text {
		case `\limits`:
			p.next()
			under = true
			continue
		case `\nolimits`:
			p.next()
			under = false
			continue
		case "'":
			primes := ""
			for p.peek().text == "'" {
				p.next()
				primes += "′"
			}
			highs = append(highs, "<mo>"+primes+"</mo>")
			continue
		case "_":
			if low != "" {
				return node{}, errors.New("two subscripts")
			}
			p.next()
			if low, err = p.argument(); err != nil {
				return node{}, err
			}
			continue
		case "^":
			if raised {
				return node{}, errors.New("two superscripts")
			}
			p.next()
			more, err := p.argument()
			if err != nil {
				return node{}, err
			}
			highs, raised = append(highs, more), true
			continue
		}
		break
	}
	high := strings.Join(highs, "")
	if len(highs) > 1 {
		high = wrap("mrow", high)
	}
	names := [3]string{"msub", "msup", "msubsup"}
	if under {
		names = [3]string{"munder", "mover", "munderover"}
	}
	xml := base.xml
	switch {
	case low != "" && high != "":
		xml = wrap(names[2], base.xml+low+high)
	case low != "":
		xml = wrap(names[0], base.xml+low)
	case high != "":
		xml = wrap(names[1], base.xml+high)
	}
	if base.function {
		return node{xml: wrap("mrow", xml+p.application()), under: base.under}, nil
	}
	if xml == base.xml {
		return base, nil
	}
	return node{xml: xml}, nil
}

// application is what stands between a function and its argument: a little
// space, if that is not in brackets.
func (p *parser) application() string {
	switch p.peek().text {
	case "(", "[", "", "}", "&", `\`, `\left`, `igl`, `\Bigl`, `\{`, ")", ",":
		return "<mo>⁡</mo>"
	}
	return `<mo rspace="0.17em">⁡</mo>`
}

func wrap(name, inner string) string { return "<" + name + ">" + inner + "</" + name + ">" }

// argument reads a group in braces, or one atom; of a number, its first digit.
func (p *parser) argument() (string, error) {
	t := p.peek()
	if t.text == "" || t.text == "}" || t.text == "&" || t.text == "^" || t.text == "_" {
		return "", errors.New("argument missing")
	}
	if t.text[0] >= '0' && t.text[0] <= '9' && len(t.text) > 1 {
		p.list[p.at] = token{text: t.text[1:], raw: t.raw + 1}
		return wrap("mn", t.text[:1]), nil
	}
	n, err := p.atom()
	return n.xml, err
}

// verbatim reads a group in braces as the text it is.
func (p *parser) verbatim() (string, error) {
	if p.next().text != "{" {
		return "", errors.New("{ expected")
	}
	start, depth := p.peek().raw, 1
	if p.at > 0 {
		start = p.list[p.at-1].raw + 1
	}
	for {
		t := p.next()
		switch t.text {
		case "":
			return "", errors.New("} missing")
		case "{":
			depth++
		case "}":
			if depth--; depth == 0 {
				return p.source[start:t.raw], nil
			}
		}
	}
}

// atom reads one thing without scripts.
func (p *parser) atom() (node, error) {
	if p.depth++; p.depth > maxDepth {
		return node{}, errors.New("nested too deep")
	}
	defer func() { p.depth-- }()
	t := p.next()
	switch {
	case t.text == "":
		return node{}, errors.New("argument missing")
	case t.text == "{":
		nodes, err := p.row(func(token) bool { return false })
		if err != nil {
			return node{}, err
		}
		if p.next().text != "}" {
			return node{}, errors.New("} missing")
		}
		return node{xml: group(nodes), under: len(nodes) == 1 && nodes[0].under}, nil
	case t.text[0] == '\\':
		return p.command(t.text)
	case t.text[0] >= '0' && t.text[0] <= '9':
		if p.variant != nil {
			return node{xml: wrap("mn", p.vary(t.text))}, nil
		}
		return node{xml: wrap("mn", t.text)}, nil
	case isLetter(t.text[0]) || t.text[0] >= 0x80:
		return p.letter(t.text), nil
	case t.text == "~":
		return node{xml: `<mspace width="0.33em"></mspace>`}, nil
	case t.text == "#" || t.text == "$":
		return node{}, fmt.Errorf("unexpected %s", t.text)
	}
	return operator(t.text), nil
}

// vary is a text in the current alphabet.
func (p *parser) vary(s string) string {
	if p.variant == nil {
		return s
	}
	return strings.Map(p.variant, s)
}

func (p *parser) letter(s string) node {
	if p.variant != nil {
		return node{xml: `<mi mathvariant="normal">` + html.EscapeString(p.vary(s)) + `</mi>`}
	}
	return node{xml: wrap("mi", html.EscapeString(s))}
}

// operator is a character that is neither letter nor digit.
func operator(s string) node {
	switch s {
	case "-":
		s = "−"
	case "*":
		s = "∗"
	case "(", ")", "[", "]", "|":
		return node{xml: `<mo stretchy="false">` + s + `</mo>`}
	case ":":
		return node{xml: `<mo lspace="0.22em" rspace="0.22em">:</mo>`}
	}
	return node{xml: wrap("mo", html.EscapeString(s))}
}
