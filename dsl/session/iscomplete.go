package session

import (
	"go/scanner"
	"go/token"
	"strings"
)

// IsComplete tells whether a cell may run as it is, is wrong whatever follows,
// or needs more: an open bracket, an operator without its right side, a block
// to come.
func (s *Session) IsComplete(code string) Completeness {
	if magicName(code) != "" {
		return Completeness{Status: "complete"}
	}
	depth, last, open := bracketsOf(code)
	indent := strings.Repeat("\t", max(depth, 0))
	switch {
	case depth < 0:
		return Completeness{Status: "invalid"}
	case open, depth > 0:
		return Completeness{"incomplete", indent}
	}
	src := &source{file: "cell", name: "cell", code: code}
	_, err := parse(token.NewFileSet(), src)
	if err == nil {
		return Completeness{Status: "complete"}
	}
	if list, ok := err.(scanner.ErrorList); ok && len(list) > 0 {
		// What is wrong is that the cell ends.
		atEnd := list[0].Pos.Line > strings.Count(code, "\n")+1 || wantsMore(last)
		if atEnd {
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
