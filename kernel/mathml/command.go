package mathml

import (
	"errors"
	"fmt"
	"html"
	"strings"
)

// command reads what belongs to a command whose name has been read.
func (p *parser) command(name string) (node, error) {
	if s, ok := letters[name]; ok {
		if p.variant != nil {
			return p.letter(s), nil
		}
		if c := []rune(s)[0]; c >= 'Α' && c <= 'Ω' || name == `\infty` || name == `\emptyset` || name == `\partial` || name == `\nabla` {
			return node{xml: `<mi mathvariant="normal">` + s + `</mi>`}, nil // capitals stand upright
		}
		return node{xml: wrap("mi", s)}, nil
	}
	if s, ok := operators[name]; ok {
		return node{xml: wrap("mo", html.EscapeString(s))}, nil
	}
	if s, ok := large[name]; ok {
		return node{xml: `<mo largeop="true" movablelimits="true">` + s + `</mo>`, under: !strings.Contains(name, "int")}, nil
	}
	if s, ok := fences[name]; ok {
		return node{xml: `<mo stretchy="false">` + s + `</mo>`}, nil
	}
	if width, ok := spaces[name]; ok {
		return node{xml: `<mspace width="` + width + `"></mspace>`}, nil
	}
	if under, ok := functions[name]; ok {
		return function(strings.ReplaceAll(spelled(name), "-", " "), under), nil
	}
	if mark, ok := accents[name]; ok {
		inner, err := p.argument()
		return node{xml: `<mover accent="true">` + inner + `<mo stretchy="` + mark.stretchy + `">` + mark.text + `</mo></mover>`}, err
	}
	if variant, ok := alphabets[name]; ok {
		outer := p.variant
		p.variant = variant
		inner, err := p.argument()
		p.variant = outer
		return node{xml: inner}, err
	}
	if size, ok := sizes[name]; ok {
		mark, err := p.fence()
		return node{xml: fmt.Sprintf(`<mo stretchy="true" symmetric="true" minsize="%s" maxsize="%s">%s</mo>`, size, size, mark)}, err
	}
	switch name {
	case `\frac`, `\dfrac`, `\tfrac`, `\cfrac`, `\binom`:
		return p.fraction(name)
	case `\sqrt`:
		return p.root()
	case `\text`, `\textrm`, `\mbox`, `\textnormal`, `\textbf`, `\textit`, `\texttt`:
		return p.plainText(name)
	case `\operatorname`, `\operatorname*`:
		s, err := p.verbatim()
		return function(strings.NewReplacer(`\,`, " ", " ", "").Replace(s), name == `\operatorname*`), err
	case `\left`:
		return p.fenced()
	case `\begin`:
		return p.environment()
	case `\overline`, `\underline`, `\overbrace`, `\underbrace`:
		return p.line(name)
	case `\overset`, `\underset`, `\stackrel`:
		return p.stacked(name)
	case `\substack`:
		return p.substack()
	case `\mathop`, `\mathbin`, `\mathrel`, `\mathord`:
		inner, err := p.argument()
		return node{xml: inner, under: name == `\mathop`}, err
	case `\phantom`:
		inner, err := p.argument()
		return node{xml: wrap("mphantom", inner)}, err
	case `\boxed`:
		inner, err := p.argument()
		return node{xml: `<mrow style="border:1px solid;padding:0.2em">` + inner + `</mrow>`}, err
	case `\pmod`:
		inner, err := p.argument()
		return node{xml: `<mrow><mspace width="1em"></mspace><mo stretchy="false">(</mo><mi>mod</mi><mspace width="0.33em"></mspace>` + inner + `<mo stretchy="false">)</mo></mrow>`}, err
	case `\not`:
		inner, err := p.argument()
		if err == nil && (!strings.HasPrefix(inner, "<mo>") || !strings.HasSuffix(inner, "</mo>")) {
			err = errors.New(`\not wants an operator`)
		}
		return node{xml: strings.TrimSuffix(inner, "</mo>") + "\u0338</mo>"}, err
	case `\tag`:
		s, err := p.verbatim()
		return node{xml: `<mspace width="2em"></mspace><mtext>(` + html.EscapeString(s) + `)</mtext>`}.whole(), err
	case `\label`:
		_, err := p.verbatim()
		return node{}.whole(), err
	case `\nonumber`, `\notag`:
		return node{}.whole(), nil
	}
	return node{}, fmt.Errorf("%s is unknown", name)
}

// spelled is how a function's name is written.
func spelled(name string) string {
	switch name {
	case `\argmin`:
		return "arg-min"
	case `\argmax`:
		return "arg-max"
	case `\limsup`:
		return "lim-sup"
	case `\liminf`:
		return "lim-inf"
	}
	return name[1:]
}

func function(name string, under bool) node {
	return node{xml: `<mi mathvariant="normal">` + html.EscapeString(name) + `</mi>`, under: under, function: true}
}

// whole makes one element of a node's several.
func (n node) whole() node { return node{xml: wrap("mrow", n.xml), under: n.under} }

func (p *parser) fraction(name string) (node, error) {
	above, err := p.argument()
	if err != nil {
		return node{}, err
	}
	below, err := p.argument()
	if err != nil {
		return node{}, err
	}
	switch name {
	case `\binom`:
		return node{xml: `<mrow><mo>(</mo><mfrac linethickness="0">` + above + below + `</mfrac><mo>)</mo></mrow>`}, nil
	case `\dfrac`, `\cfrac`:
		return node{xml: `<mstyle displaystyle="true" scriptlevel="0"><mfrac>` + above + below + `</mfrac></mstyle>`}, nil
	case `\tfrac`:
		return node{xml: `<mstyle displaystyle="false" scriptlevel="0"><mfrac>` + above + below + `</mfrac></mstyle>`}, nil
	}
	return node{xml: wrap("mfrac", above+below)}, nil
}

func (p *parser) root() (node, error) {
	if p.peek().text != "[" {
		inner, err := p.argument()
		return node{xml: wrap("msqrt", inner)}, err
	}
	p.next()
	index, err := p.row(func(t token) bool { return t.text == "]" })
	if err != nil {
		return node{}, err
	}
	if p.next().text != "]" {
		return node{}, errors.New("] missing")
	}
	inner, err := p.argument()
	return node{xml: wrap("mroot", inner+group(index))}, err
}

func (p *parser) plainText(name string) (node, error) {
	s, err := p.verbatim()
	if err != nil {
		return node{}, err
	}
	if strings.ContainsAny(s, `\$`) {
		return node{}, fmt.Errorf("%s holds more than text", name)
	}
	s = html.EscapeString(strings.NewReplacer(" ", "\u00a0", "~", "\u00a0", "{", "", "}", "").Replace(s))
	style := map[string]string{`\textbf`: ` style="font-weight:bold"`, `\textit`: ` style="font-style:italic"`, `\texttt`: ` style="font-family:monospace"`}[name]
	return node{xml: `<mtext` + style + `>` + s + `</mtext>`}, nil
}

// fence reads a delimiter; "." is none.
func (p *parser) fence() (string, error) {
	t := p.next().text
	if s, ok := fences[t]; ok {
		return s, nil
	}
	switch t {
	case "(", ")", "[", "]", "|", "/":
		return t, nil
	case ".":
		return "", nil
	case "<":
		return "⟨", nil
	case ">":
		return "⟩", nil
	}
	return "", fmt.Errorf("%q is no delimiter", t)
}

func (p *parser) fenced() (node, error) {
	open, err := p.fence()
	if err != nil {
		return node{}, err
	}
	var b strings.Builder
	b.WriteString(`<mrow><mo fence="true" form="prefix" stretchy="true">` + open + `</mo>`)
	for {
		inner, err := p.row(func(t token) bool { return t.text == `\middle` })
		if err != nil {
			return node{}, err
		}
		b.WriteString(group(inner))
		switch t := p.next().text; t {
		case `\middle`, `\right`:
			mark, err := p.fence()
			if err != nil {
				return node{}, err
			}
			if t == `\right` {
				return node{xml: b.String() + `<mo fence="true" form="postfix" stretchy="true">` + mark + `</mo></mrow>`}, nil
			}
			b.WriteString(`<mo fence="true" stretchy="true">` + mark + `</mo>`)
		default:
			return node{}, errors.New(`\right missing`)
		}
	}
}

func (p *parser) line(name string) (node, error) {
	inner, err := p.argument()
	switch name {
	case `\overline`:
		return node{xml: `<mover>` + inner + `<mo stretchy="true">‾</mo></mover>`}, err
	case `\underline`:
		return node{xml: `<munder>` + inner + `<mo stretchy="true">_</mo></munder>`}, err
	case `\overbrace`:
		return node{xml: `<mover>` + inner + `<mo stretchy="true">⏞</mo></mover>`, under: true}, err
	}
	return node{xml: `<munder>` + inner + `<mo stretchy="true">⏟</mo></munder>`, under: true}, err
}

func (p *parser) stacked(name string) (node, error) {
	mark, err := p.argument()
	if err != nil {
		return node{}, err
	}
	base, err := p.argument()
	if name == `\underset` {
		return node{xml: wrap("munder", base+mark)}, err
	}
	return node{xml: wrap("mover", base+mark)}, err
}

func (p *parser) substack() (node, error) {
	if p.next().text != "{" {
		return node{}, errors.New("{ expected")
	}
	rows, err := p.table("}")
	if err != nil {
		return node{}, err
	}
	return node{xml: tabulate(rows, "center", "0")}, nil
}

// table reads rows of cells up to a closing brace, or \end, and past it.
func (p *parser) table(end string) ([][]string, error) {
	rows := [][]string{nil}
	for {
		nodes, err := p.row(func(token) bool { return false })
		if err != nil {
			return nil, err
		}
		last := len(rows) - 1
		rows[last] = append(rows[last], group(nodes))
		switch t := p.next(); t.text {
		case "&":
		case `\\`:
			if p.peek().text == "[" { // an extra distance, which is left to the browser
				for p.peek().text != "" && p.next().text != "]" {
				}
			}
			rows = append(rows, nil)
		case end:
			if n := len(rows) - 1; len(rows[n]) == 1 && rows[n][0] == "<mrow></mrow>" {
				rows = rows[:n]
			}
			return rows, nil
		default:
			return nil, fmt.Errorf("%s missing", end)
		}
	}
}

// tabulate is a table's MathML. Columns is one alignment for all, or a letter
// (l, c, r) for each in turn.
func tabulate(rows [][]string, columns, gap string) string {
	var b strings.Builder
	b.WriteString("<mtable>")
	for _, row := range rows {
		b.WriteString("<mtr>")
		for i, cell := range row {
			align := columns
			if len(columns) < 4 || strings.Trim(columns, "lcr") == "" {
				align = map[byte]string{'l': "left", 'c': "center", 'r': "right"}[columns[i%len(columns)]]
			}
			fmt.Fprintf(&b, `<mtd style="text-align:%s;padding:0.2em %s">%s</mtd>`, align, gap, cell)
		}
		b.WriteString("</mtr>")
	}
	b.WriteString("</mtable>")
	return b.String()
}

func (p *parser) environment() (node, error) {
	name, err := p.verbatim()
	if err != nil {
		return node{}, err
	}
	columns := ""
	if name == "array" {
		if columns, err = p.verbatim(); err != nil {
			return node{}, err
		}
		if columns = strings.ReplaceAll(strings.ReplaceAll(columns, "|", ""), " ", ""); columns == "" || strings.Trim(columns, "lcr") != "" {
			return node{}, fmt.Errorf("array columns %q: l, c and r expected", columns)
		}
	}
	outer := p.display
	switch strings.TrimSuffix(name, "*") {
	case "aligned", "align", "split", "gathered", "gather", "equation":
		p.display = true
	default:
		p.display = false
	}
	rows, err := p.table(`\end`)
	p.display = outer
	if err != nil {
		return node{}, err
	}
	if closing, err := p.verbatim(); err != nil || closing != name {
		return node{}, fmt.Errorf(`\end{%s} expected`, name)
	}
	fence := func(open, close, inner string) (node, error) {
		return node{xml: `<mrow><mo fence="true" form="prefix" stretchy="true">` + open + `</mo>` + inner + `<mo fence="true" form="postfix" stretchy="true">` + close + `</mo></mrow>`}, nil
	}
	matrix := tabulate(rows, "center", "0.4em")
	switch strings.TrimSuffix(name, "*") {
	case "aligned", "align", "split", "alignedat":
		return node{xml: `<mstyle displaystyle="true">` + tabulate(rows, "rl", "0.1em") + `</mstyle>`}, nil
	case "gathered", "gather", "equation":
		return node{xml: `<mstyle displaystyle="true">` + tabulate(rows, "center", "0") + `</mstyle>`}, nil
	case "array":
		return node{xml: tabulate(rows, columns, "0.4em")}, nil
	case "cases":
		return fence("{", "", tabulate(rows, "left", "0.4em"))
	case "matrix", "smallmatrix":
		return node{xml: matrix}, nil
	case "pmatrix":
		return fence("(", ")", matrix)
	case "bmatrix":
		return fence("[", "]", matrix)
	case "Bmatrix":
		return fence("{", "}", matrix)
	case "vmatrix":
		return fence("|", "|", matrix)
	case "Vmatrix":
		return fence("‖", "‖", matrix)
	}
	return node{}, fmt.Errorf("environment %q is unknown", name)
}
