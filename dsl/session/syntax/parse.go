// Package syntax reads a cell: it splits its text into declarations and
// statements, parses both, and puts them in the order in which they can run.
// It knows no types and runs nothing.
package syntax

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"sort"
	"strings"
)

// What cells can name without importing it: DSLPath as if imported with a dot,
// DisplayPath by the package's name, display.
const (
	DSLPath     = "sapf/dsl"
	DisplayPath = "sapf/dsl/display"
)

// A cell mixes what Go keeps apart: declarations of a file and statements of a
// function. It is split at its top-level semicolons (written or implied) into
// items; the two kinds are parsed separately, each in a copy of the cell in
// which the other kind is blanked out, so that every node keeps the line and
// column it has in the cell.

// Source is the text of a cell as the parser saw it.
type Source struct {
	File string // its name in positions, unlike any other's
	Name string // "In [3]"
	Code string
	// Written is the cell as its author sees it, where that is not the code.
	Written string
}

// Line returns line n, counted from 1, without its newline.
func (s *Source) Line(n int) string {
	text := s.Code
	if s.Written != "" {
		text = s.Written
	}
	lines := strings.Split(text, "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return strings.TrimSuffix(lines[n-1], "\r")
}

// Item is one top-level piece of a cell.
type Item struct {
	Start, End int         // offsets in the code, end after the last token
	First      token.Token // the token it begins with
	Decl       bool        // a func with a name, or an import: only legal in a file
	Semicolon  bool        // ends in a written semicolon
}

// Next is where the text behind the item begins: after the semicolon that ends
// it, or at the end of its line, so that a comment behind it belongs to it.
func (it Item) Next(code string) int {
	if it.Semicolon {
		return it.End + strings.IndexByte(code[it.End:], ';') + 1
	}
	if i := strings.IndexByte(code[it.End:], '\n'); i >= 0 {
		return it.End + i
	}
	return len(code)
}

// Split finds the items of a cell. It never fails: what is not Go is left to
// the parser to complain about.
func Split(code string) []Item {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(code))
	s.Init(file, []byte(code), func(token.Position, string) {}, 0)
	var items []Item
	var toks []token.Token
	depth, start, end := 0, -1, 0
	header := false // between for, if or switch and its brace, where semicolons part nothing
	flush := func(written bool) {
		if start >= 0 {
			items = append(items, Item{Start: start, End: end, First: toks[0], Decl: isFileDecl(toks), Semicolon: written})
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
		case token.FOR, token.IF, token.SWITCH:
			header = header || depth == 0
		case token.LPAREN, token.LBRACE, token.LBRACK:
			header = header && (depth > 0 || tok != token.LBRACE)
			depth++
		case token.RPAREN, token.RBRACE, token.RBRACK:
			depth--
		case token.SEMICOLON:
			if depth <= 0 && !(header && lit == ";") {
				depth, header = 0, false
				if start < 0 && lit == ";" { // an empty statement
					items = append(items, Item{Start: off, End: off + 1, First: token.SEMICOLON})
				}
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

// Cell is a cell as syntax.
type Cell struct {
	Src     *Source
	Parts   []part // in the order of the text
	Imports []*ast.ImportSpec
	file    bool // the cell is a whole file: see fileOrder
	Quiet   bool // the cell ends in a written semicolon: show nothing
}

// part is a declaration or a statement at the top level of a cell.
type part struct {
	decl  ast.Decl // func, type or const: something that can be hoisted
	stmt  ast.Stmt // anything else; nil when decl is set
	init  bool     // stmt is a func init
	start int      // offset in the code
}

func (p part) Node() ast.Node {
	if p.decl != nil {
		return p.decl
	}
	return p.stmt
}

// Parse turns the text of a cell into syntax whose positions are the cell's.
func Parse(fset *token.FileSet, src *Source) (*Cell, error) {
	items := Split(src.Code)
	var imports, decls, stmts []Item
	file := false
	for _, it := range items {
		if it.First == token.PACKAGE {
			file = true
			src = &Source{src.File, src.Name, Blank(src.Code, []Item{it}), src.Written}
			continue
		}
		if it.First == token.IMPORT {
			imports = append(imports, it)
			continue
		}
		if it.Decl {
			decls = append(decls, it)
		} else {
			stmts = append(stmts, it)
		}
	}
	out := &Cell{Src: src, Quiet: endsQuietly(items)}
	fd, fs, err := out.parseKinds(fset, imports, decls, stmts)
	if err != nil {
		return nil, err
	}
	offset := func(n ast.Node) int {
		p := fset.Position(n.Pos())
		return LineStart(src.Code, p.Line) + p.Column - 1
	}
	for _, d := range fd {
		if gen, ok := d.(*ast.GenDecl); ok {
			for _, spec := range gen.Specs {
				out.Imports = append(out.Imports, spec.(*ast.ImportSpec))
			}
			continue
		}
		fn := d.(*ast.FuncDecl)
		if fn.Recv == nil && fn.Name.Name == "init" && fn.Body != nil {
			// init runs where it stands (see fileOrder), and leaves no name behind.
			lit := &ast.FuncLit{Type: fn.Type, Body: fn.Body}
			call := &ast.CallExpr{Fun: lit, Lparen: fn.End(), Rparen: fn.End()}
			out.Parts = append(out.Parts, part{stmt: &ast.ExprStmt{X: call}, init: true, start: offset(d)})
			continue
		}
		out.Parts = append(out.Parts, part{decl: d, start: offset(d)})
	}
	for _, st := range fs {
		p := part{stmt: st, start: offset(st)}
		if d, ok := st.(*ast.DeclStmt); ok && d.Decl.(*ast.GenDecl).Tok != token.VAR {
			out.addSpecs(d.Decl.(*ast.GenDecl), p.start)
			continue
		}
		if _, empty := st.(*ast.EmptyStmt); !empty {
			out.Parts = append(out.Parts, p)
		}
	}
	sort.SliceStable(out.Parts, func(i, j int) bool { return out.Parts[i].start < out.Parts[j].start })
	if file {
		out.fileOrder()
	}
	out.groupOrder()
	return out, nil
}

// endsQuietly tells whether a semicolon is written behind the last statement,
// whatever declarations follow it.
func endsQuietly(items []Item) bool {
	for i := len(items) - 1; i >= 0; i-- {
		switch it := items[i]; {
		case it.First == token.SEMICOLON:
			return true
		case !it.Decl && it.First != token.TYPE && it.First != token.CONST || i == len(items)-1 && it.Semicolon:
			return it.Semicolon
		}
	}
	return false
}

// Start is where the cell's first part is, or its first import.
func (c *Cell) Start() token.Pos {
	switch {
	case len(c.Parts) > 0:
		return c.Parts[0].Node().Pos()
	case len(c.Imports) > 0:
		return c.Imports[0].Pos()
	}
	return token.NoPos
}

// addSpecs makes a part of each type of a group. Constants stay together: iota
// and left out values tie them.
func (p *Cell) addSpecs(gen *ast.GenDecl, start int) {
	if gen.Tok == token.CONST {
		p.Parts = append(p.Parts, part{decl: gen, start: start})
		return
	}
	for _, one := range specByOne(gen) {
		p.Parts = append(p.Parts, part{decl: one, start: start})
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

// LineStart is the offset of line n, counted from 1.
func LineStart(code string, n int) int {
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

// parseKinds parses the imports, which may stand anywhere, and the declarations
// as files and the statements as the body of a function, and reports the syntax
// error that comes first in the cell.
func (p *Cell) parseKinds(fset *token.FileSet, imports, decls, stmts []Item) ([]ast.Decl, []ast.Stmt, error) {
	const mode = parser.ParseComments
	file := func(others ...[]Item) (*ast.File, error) {
		text := p.FileStart() + Blank(p.Src.Code, slices.Concat(others...))
		return parser.ParseFile(fset, p.Src.File, text, mode)
	}
	fi, errI := &ast.File{}, error(nil)
	if len(imports) > 0 {
		fi, errI = file(decls, stmts)
	}
	fd, errD := file(imports, stmts)
	stmtText := "package main;func _(){" + p.LineMark() + Blank(p.Src.Code, slices.Concat(imports, decls)) + "\n}"
	fs, errS := parser.ParseFile(fset, p.Src.File, stmtText, mode)
	if err := firstError(errI, errD, errS); err != nil {
		return nil, nil, err
	}
	fd.Decls = append(fi.Decls, fd.Decls...)
	if len(fs.Decls) != 1 {
		// A closing brace too many ends the wrapper early.
		at := fset.Position(fs.Decls[0].End() - 1)
		return nil, nil, scanner.ErrorList{{Pos: at, Msg: "unexpected }"}}
	}
	return fd.Decls, fs.Decls[0].(*ast.FuncDecl).Body.List, nil
}

// LineMark makes positions count from the start of the cell.
func (p *Cell) LineMark() string { return fmt.Sprintf("/*line %s:1:1*/", p.Src.File) }

// FileStart is what the declarations of a cell stand behind: a line of its own,
// so that a comment in the cell's first line can be that of a declaration.
func (p *Cell) FileStart() string { return fmt.Sprintf("package main\n//line %s:1:1\n", p.Src.File) }

// Blank overwrites items with spaces, newlines kept.
func Blank(code string, items []Item) string {
	b := []byte(code)
	for _, it := range items {
		for i := it.Start; i < min(it.End, len(b)); i++ {
			if b[i] != '\n' {
				b[i] = ' '
			}
		}
		// The separator goes too, or it would be an empty declaration.
		if it.Semicolon {
			for i := it.End; i < len(b); i++ {
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
