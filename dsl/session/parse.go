package session

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"sort"
	"strings"
)

// A cell mixes what Go keeps apart: declarations of a file and statements of a
// function. It is split at its top-level semicolons (written or implied) into
// items; the two kinds are parsed separately, each in a copy of the cell in
// which the other kind is blanked out, so that every node keeps the line and
// column it has in the cell.

// source is the text of a cell as the parser saw it.
type source struct {
	file string // its name in positions, unlike any other's
	name string // "In [3]"
	code string
	// written is the cell as its author sees it, where that is not the code.
	written string
}

// line returns line n, counted from 1, without its newline.
func (s *source) line(n int) string {
	text := s.code
	if s.written != "" {
		text = s.written
	}
	lines := strings.Split(text, "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return strings.TrimSuffix(lines[n-1], "\r")
}

// item is one top-level piece of a cell.
type item struct {
	start, end int         // offsets in the code, end after the last token
	first      token.Token // the token it begins with
	decl       bool        // a func with a name, or an import: only legal in a file
	semicolon  bool        // ends in a written semicolon
}

// split finds the items of a cell. It never fails: what is not Go is left to
// the parser to complain about.
func split(code string) []item {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(code))
	s.Init(file, []byte(code), func(token.Position, string) {}, 0)
	var items []item
	var toks []token.Token
	depth, start, end := 0, -1, 0
	flush := func(written bool) {
		if start >= 0 {
			items = append(items, item{start: start, end: end, first: toks[0], decl: isFileDecl(toks), semicolon: written})
		}
		start, toks = -1, toks[:0]
	}
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			flush(false)
			return items
		}
		off := file.Offset(pos)
		switch tok {
		case token.LPAREN, token.LBRACE, token.LBRACK:
			depth++
		case token.RPAREN, token.RBRACE, token.RBRACK:
			depth--
		case token.SEMICOLON:
			if depth <= 0 {
				depth = 0
				flush(lit == ";")
				continue
			}
		}
		if start < 0 {
			start = off
		}
		if len(toks) < 64 || depth == 0 {
			toks = append(toks, tok)
		}
		end = off + max(len(lit), len(tok.String()))
		if lit != "" {
			end = off + len(lit)
		} else if tok.IsOperator() || tok.IsKeyword() {
			end = off + len(tok.String())
		}
	}
}

// isFileDecl tells `func name(` and `func (r T) name(` from a function literal
// that is called on the spot.
func isFileDecl(toks []token.Token) bool {
	if toks[0] == token.IMPORT || toks[0] == token.PACKAGE {
		return true
	}
	if toks[0] != token.FUNC || len(toks) < 2 {
		return false
	}
	if toks[1] == token.IDENT {
		return true
	}
	depth := 0
	for i, t := range toks[1:] {
		switch t {
		case token.LPAREN:
			depth++
		case token.RPAREN:
			if depth--; depth == 0 {
				rest := toks[i+2:]
				return len(rest) > 1 && rest[0] == token.IDENT && (rest[1] == token.LPAREN || rest[1] == token.LBRACK)
			}
		}
	}
	return false
}

// parsed is a cell as syntax.
type parsed struct {
	src     *source
	parts   []part // in the order of the text
	imports []*ast.ImportSpec
	file    bool // the cell is a whole file: see fileOrder
	quiet   bool // the cell ends in a written semicolon: show nothing
}

// part is a declaration or a statement at the top level of a cell.
type part struct {
	decl  ast.Decl // func, type or const: something that can be hoisted
	stmt  ast.Stmt // anything else; nil when decl is set
	init  bool     // stmt is a func init
	start int      // offset in the code
}

func (p part) node() ast.Node {
	if p.decl != nil {
		return p.decl
	}
	return p.stmt
}

// parse turns the text of a cell into syntax whose positions are the cell's.
func parse(fset *token.FileSet, src *source) (*parsed, error) {
	items := split(src.code)
	var decls, stmts []item
	file := false
	for _, it := range items {
		if it.first == token.PACKAGE {
			file = true
			src = &source{src.file, src.name, blank(src.code, []item{it}), src.written}
			continue
		}
		if it.decl {
			decls = append(decls, it)
		} else {
			stmts = append(stmts, it)
		}
	}
	out := &parsed{src: src, quiet: len(items) > 0 && items[len(items)-1].semicolon}
	fd, fs, err := out.parseBoth(fset, decls, stmts)
	if err != nil {
		return nil, err
	}
	offset := func(n ast.Node) int {
		p := fset.Position(n.Pos())
		return lineStart(src.code, p.Line) + p.Column - 1
	}
	for _, d := range fd {
		if gen, ok := d.(*ast.GenDecl); ok {
			for _, spec := range gen.Specs {
				out.imports = append(out.imports, spec.(*ast.ImportSpec))
			}
			continue
		}
		fn := d.(*ast.FuncDecl)
		if fn.Recv == nil && fn.Name.Name == "init" && fn.Body != nil {
			// init runs where it stands (see fileOrder), and leaves no name behind.
			lit := &ast.FuncLit{Type: fn.Type, Body: fn.Body}
			call := &ast.CallExpr{Fun: lit, Lparen: fn.End(), Rparen: fn.End()}
			out.parts = append(out.parts, part{stmt: &ast.ExprStmt{X: call}, init: true, start: offset(d)})
			continue
		}
		out.parts = append(out.parts, part{decl: d, start: offset(d)})
	}
	for _, st := range fs {
		p := part{stmt: st, start: offset(st)}
		if d, ok := st.(*ast.DeclStmt); ok && d.Decl.(*ast.GenDecl).Tok != token.VAR {
			out.addSpecs(d.Decl.(*ast.GenDecl), p.start)
			continue
		}
		if _, empty := st.(*ast.EmptyStmt); !empty {
			out.parts = append(out.parts, p)
		}
	}
	sort.SliceStable(out.parts, func(i, j int) bool { return out.parts[i].start < out.parts[j].start })
	if file {
		out.fileOrder()
	}
	return out, nil
}

// addSpecs makes a part of each type of a group. Constants stay together: iota
// and left out values tie them.
func (p *parsed) addSpecs(gen *ast.GenDecl, start int) {
	if gen.Tok == token.CONST {
		p.parts = append(p.parts, part{decl: gen, start: start})
		return
	}
	for _, one := range specByOne(gen) {
		p.parts = append(p.parts, part{decl: one, start: start})
	}
}

// specByOne parts a group into declarations of one spec each.
func specByOne(gen *ast.GenDecl) []*ast.GenDecl {
	var out []*ast.GenDecl
	for _, spec := range gen.Specs {
		out = append(out, &ast.GenDecl{Doc: gen.Doc, TokPos: spec.Pos(), Tok: gen.Tok, Specs: []ast.Spec{spec}})
	}
	return out
}

// lineStart is the offset of line n, counted from 1.
func lineStart(code string, n int) int {
	off := 0
	for ; n > 1; n-- {
		i := strings.IndexByte(code[off:], '\n')
		if i < 0 {
			return len(code)
		}
		off += i + 1
	}
	return off
}

// parseBoth parses the declarations as a file and the statements as the body
// of a function, and reports the syntax error that comes first in the cell.
func (p *parsed) parseBoth(fset *token.FileSet, decls, stmts []item) ([]ast.Decl, []ast.Stmt, error) {
	const mode = parser.ParseComments
	declText := "package main;" + p.lineMark() + blank(p.src.code, stmts)
	fd, errD := parser.ParseFile(fset, p.src.file, declText, mode)
	stmtText := "package main;func _(){" + p.lineMark() + blank(p.src.code, decls) + "\n}"
	fs, errS := parser.ParseFile(fset, p.src.file, stmtText, mode)
	if err := firstError(errD, errS); err != nil {
		return nil, nil, err
	}
	if len(fs.Decls) != 1 {
		// A closing brace too many ends the wrapper early.
		at := fset.Position(fs.Decls[0].End() - 1)
		return nil, nil, scanner.ErrorList{{Pos: at, Msg: "unexpected }"}}
	}
	return fd.Decls, fs.Decls[0].(*ast.FuncDecl).Body.List, nil
}

// lineMark makes positions count from the start of the cell.
func (p *parsed) lineMark() string { return fmt.Sprintf("/*line %s:1:1*/", p.src.file) }

// blank overwrites items with spaces, newlines kept.
func blank(code string, items []item) string {
	b := []byte(code)
	for _, it := range items {
		for i := it.start; i < min(it.end, len(b)); i++ {
			if b[i] != '\n' {
				b[i] = ' '
			}
		}
		// The separator goes too, or it would be an empty declaration.
		if it.semicolon {
			for i := it.end; i < len(b); i++ {
				if b[i] == ';' {
					b[i] = ' '
					break
				}
			}
		}
	}
	return string(b)
}

func firstError(errs ...error) error {
	var first *scanner.Error
	for _, err := range errs {
		list, ok := err.(scanner.ErrorList)
		if !ok || len(list) == 0 {
			continue
		}
		list.Sort()
		e := list[0]
		if first == nil || e.Pos.Line < first.Pos.Line || e.Pos.Line == first.Pos.Line && e.Pos.Column < first.Pos.Column {
			first = e
		}
	}
	if first == nil {
		return nil
	}
	return scanner.ErrorList{first}
}
