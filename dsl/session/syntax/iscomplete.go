package syntax

import (
	"go/ast"
	"go/scanner"
	"go/token"
	"strings"
)

// IsComplete tells whether a cell may run as it is, is wrong whatever follows,
// or needs more: an open bracket, an operator without its right side, a block
// to come.
func IsComplete(code string) Completeness {
	depth, last, open := bracketsOf(code)
	indent := strings.Repeat("\t", max(depth, 0))
	switch {
	case depth < 0:
		return Completeness{Status: "invalid"}
	case open, depth > 0:
		return Completeness{"incomplete", indent}
	}
	src := &Source{File: "cell", Name: "cell", Code: code}
	p, err := Parse(token.NewFileSet(), src)
	if err == nil {
		if n := len(p.Parts); n > 0 && !p.Quiet {
			if fn, ok := p.Parts[n-1].decl.(*ast.FuncDecl); ok && fn.Body == nil {
				return Completeness{"incomplete", indent}
			}
		}
		return Completeness{Status: "complete"}
	}
	if list, ok := err.(scanner.ErrorList); ok && len(list) > 0 {
		// What is wrong is that the cell ends.
		text := strings.TrimRight(code, " \t\r\n")
		at := LineStart(code, list[0].Pos.Line) + list[0].Pos.Column - 1
		if (at >= len(text) || wantsMore(last)) && !strings.Contains(list[0].Msg, "string literal not terminated") {
			return Completeness{"incomplete", indent}
		}
	}
	return Completeness{Status: "invalid"}
}

// bracketsOf counts the brackets that are open at the end; open tells of a raw
// string or comment that does not end.
func bracketsOf(code string) (depth int, last token.Token, open bool) {
	var s scanner.Scanner
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", fset.Base(), len(code)), []byte(code), func(_ token.Position, msg string) {
		if strings.Contains(msg, "raw string literal not terminated") || strings.Contains(msg, "comment not terminated") {
			open = true
		}
	}, 0)
	lowest := 0
	for {
		_, tok, lit := s.Scan()
		switch tok {
		case token.EOF:
			if lowest < 0 {
				depth = lowest
			}
			return depth, last, open
		case token.LPAREN, token.LBRACE, token.LBRACK:
			depth++
		case token.RPAREN, token.RBRACE, token.RBRACK:
			depth--
			lowest = min(lowest, depth)
		}
		if tok != token.SEMICOLON || lit == ";" {
			last = tok
		}
	}
}

// wantsMore reports tokens after which a line must go on.
func wantsMore(t token.Token) bool {
	switch t {
	case token.RPAREN, token.RBRACE, token.RBRACK, token.INC, token.DEC, token.SEMICOLON:
		return false
	}
	return t.IsOperator() || t.IsKeyword() && t != token.BREAK && t != token.CONTINUE && t != token.RETURN && t != token.FALLTHROUGH
}

// Completeness is the answer to "may this cell run?": "complete",
// "incomplete" (Indent is what the next line should begin with) or "invalid".
type Completeness struct {
	Status, Indent string
}
