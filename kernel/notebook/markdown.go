package notebook

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	gmhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"sapf/kernel/mathml"
)

// markdown renders text cells: CommonMark with tables, the author's own HTML
// (the page forbids scripts), and mathematics between dollar signs.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.GFM, extension.Footnote, formulas{}),
	goldmark.WithParserOptions(parser.WithAutoHeadingID()),
	goldmark.WithRendererOptions(gmhtml.WithUnsafe()),
)

func renderMarkdown(source string) (string, error) {
	var b bytes.Buffer
	if err := markdown.Convert([]byte(source), &b); err != nil {
		return "", err
	}
	return inert(b.String())
}

// formulaHTML is a formula as MathML, or as its source where that is not known.
func formulaHTML(tex string, display bool) string {
	m, err := mathml.Render(tex, display)
	switch {
	case err == nil:
		return m
	case display:
		return fmt.Sprintf("<pre class=\"tex\">%s</pre>", html.EscapeString(strings.TrimSpace(tex)))
	}
	return fmt.Sprintf("<code class=\"tex\">%s</code>", html.EscapeString(tex))
}

// formulas is the goldmark extension for $inline$, $$display$$, \(inline\),
// \[display\] and \begin{environment}, as Jupyter takes them.
type formulas struct{}

func (formulas) Extend(m goldmark.Markdown) {
	m.Parser().AddOptions(
		parser.WithBlockParsers(util.Prioritized(blockFormulas{}, 90)),
		parser.WithInlineParsers(util.Prioritized(inlineFormulas{}, 90)),
	)
	m.Renderer().AddOptions(renderer.WithNodeRenderers(util.Prioritized(formulaRenderer{}, 90)))
}

var kindFormula = ast.NewNodeKind("Formula")

// formula is an inline node that holds its source.
type formula struct {
	ast.BaseInline
	tex     string
	display bool
}

func (*formula) Kind() ast.NodeKind          { return kindFormula }
func (f *formula) Dump(source []byte, n int) { ast.DumpHelper(f, source, n, nil, nil) }

var kindFormulaBlock = ast.NewNodeKind("FormulaBlock")

// formulaBlock is a display that begins a line: its lines are its source, so
// that a minus sign in front of one makes no list.
type formulaBlock struct {
	ast.BaseBlock
	close string // what ends it
	after bool   // it has ended
}

func (*formulaBlock) Kind() ast.NodeKind          { return kindFormulaBlock }
func (f *formulaBlock) Dump(source []byte, n int) { ast.DumpHelper(f, source, n, nil, nil) }
func (*formulaBlock) IsRaw() bool                 { return true }

type blockFormulas struct{}

func (blockFormulas) Trigger() []byte { return []byte{'$', '\\'} }

func (blockFormulas) Open(_ ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	at := pc.BlockOffset()
	if at < 0 {
		return nil, parser.NoChildren
	}
	rest := string(line[at:])
	f := &formulaBlock{}
	skip := 0
	switch {
	case strings.HasPrefix(rest, "$$"):
		f.close, skip = "$$", 2
	case strings.HasPrefix(rest, `\[`):
		f.close, skip = `\]`, 2
	case strings.HasPrefix(rest, `\begin{`):
		name, _, ok := strings.Cut(rest[len(`\begin{`):], "}")
		if !ok {
			return nil, parser.NoChildren
		}
		f.close = `\end{` + name + "}"
	default:
		return nil, parser.NoChildren
	}
	if i := strings.Index(rest[skip:], f.close); i >= 0 && strings.TrimSpace(rest[skip+i+len(f.close):]) != "" {
		return nil, parser.NoChildren // text follows: a formula within a paragraph
	}
	// at counts the spaces that goldmark reads for part of a tab (Padding).
	f.take(text.NewSegment(segment.Start-segment.Padding+at+skip, segment.Stop), reader)
	reader.AdvanceToEOL()
	return f, parser.NoChildren
}

// take adds a line, up to the end of the formula.
func (f *formulaBlock) take(segment text.Segment, reader text.Reader) {
	line := string(segment.Value(reader.Source()))
	if i := strings.Index(line, f.close); i >= 0 {
		f.after = true
		end := segment.Start - segment.Padding + i
		if f.close[0] == '\\' && f.close != `\]` {
			end += len(f.close) // the environment's own end belongs to it
		}
		segment = segment.WithStop(end)
	}
	f.Lines().Append(segment)
}

func (blockFormulas) Continue(n ast.Node, reader text.Reader, _ parser.Context) parser.State {
	f := n.(*formulaBlock)
	if f.after {
		return parser.Close
	}
	_, segment := reader.PeekLine()
	f.take(segment, reader)
	reader.AdvanceToEOL()
	return parser.Continue | parser.NoChildren
}

func (blockFormulas) Close(ast.Node, text.Reader, parser.Context) {}
func (blockFormulas) CanInterruptParagraph() bool                 { return true }
func (blockFormulas) CanAcceptIndentedLine() bool                 { return false }

type inlineFormulas struct{}

func (inlineFormulas) Trigger() []byte { return []byte{'$', '\\'} }

// maxInline is how far an inline formula may reach, in bytes.
const maxInline = 4096

func (inlineFormulas) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	line, _ := block.PeekLine()
	var open, close string
	switch {
	case bytes.HasPrefix(line, []byte("$$")):
		open, close = "$$", "$$"
	case bytes.HasPrefix(line, []byte("$")):
		open, close = "$", "$"
	case bytes.HasPrefix(line, []byte(`\(`)):
		open, close = `\(`, `\)`
	case bytes.HasPrefix(line, []byte(`\[`)):
		open, close = `\[`, `\]`
	default:
		return nil
	}
	l, pos := block.Position()
	var tex strings.Builder
	block.Advance(len(open))
	for tex.Len() < maxInline {
		line, _ = block.PeekLine()
		if line == nil {
			break
		}
		for i := range line {
			if line[i] == '\\' && close[0] == '$' && i+1 < len(line) && line[i+1] == '$' {
				continue
			}
			if !bytes.HasPrefix(line[i:], []byte(close)) || i > 0 && line[i-1] == '\\' && close[0] == '$' {
				continue
			}
			body := tex.String() + string(line[:i])
			if open == "$" && !plausible(body, line[i+1:]) {
				break
			}
			block.Advance(i + len(close))
			return &formula{tex: body, display: open != "$" && open != `\(`}
		}
		tex.Write(line)
		block.AdvanceLine()
	}
	block.SetPosition(l, pos)
	return nil
}

// plausible tells a formula between single dollar signs from prices: no blanks
// inside the signs, no digit behind the second, no code between them.
func plausible(body string, after []byte) bool {
	return body != "" && !strings.Contains(body, "`") && strings.TrimSpace(body[:1]) != "" && strings.TrimSpace(body[len(body)-1:]) != "" &&
		(len(after) == 0 || after[0] < '0' || after[0] > '9')
}

type formulaRenderer struct{}

func (formulaRenderer) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(kindFormula, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if f := n.(*formula); entering {
			w.WriteString(formulaHTML(f.tex, f.display))
		}
		return ast.WalkSkipChildren, nil
	})
	r.Register(kindFormulaBlock, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			w.WriteString("<div class=\"formula\">" + formulaHTML(string(n.Lines().Value(source)), true) + "</div>\n")
		}
		return ast.WalkSkipChildren, nil
	})
}
