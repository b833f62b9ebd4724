package notebook

import (
	"fmt"
	"go/scanner"
	"go/token"
	"html"
	"strconv"
	"strings"
)

// highlight is Go source as HTML, its tokens in spans by Go's own scanner. What
// is no Go stays as it is.
func highlight(source string) string {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, []byte(source), func(token.Position, string) {}, scanner.ScanComments)
	var b strings.Builder
	done := 0
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			break
		}
		if text == "" || tok == token.SEMICOLON {
			continue // operators, and semicolons that are not there
		}
		at := file.Offset(pos)
		if at < done || at+len(text) > len(source) {
			continue
		}
		class := tokenClass(tok, text)
		if class == "" {
			continue
		}
		b.WriteString(html.EscapeString(source[done:at]))
		// The scanner drops carriage returns; what is shown is the source's own.
		done = at + len(text)
		fmt.Fprintf(&b, `<span class="%s">%s</span>`, class, html.EscapeString(source[at:done]))
	}
	b.WriteString(html.EscapeString(source[done:]))
	return b.String()
}

func tokenClass(tok token.Token, text string) string {
	switch {
	case tok == token.COMMENT:
		return "c"
	case tok == token.STRING || tok == token.CHAR:
		return "s"
	case tok == token.INT || tok == token.FLOAT || tok == token.IMAG:
		return "n"
	case tok.IsKeyword():
		return "k"
	case tok == token.IDENT && predeclared[text]:
		return "b"
	}
	return ""
}

var predeclared = func() map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(`any bool byte comparable complex64 complex128 error float32 float64 int int8
		int16 int32 int64 rune string uint uint8 uint16 uint32 uint64 uintptr true false iota nil append cap clear close
		complex copy delete imag len make max min new panic print println real recover`) {
		m[name] = true
	}
	return m
}()

// ansiHTML is terminal text as HTML: colours become spans, other escape
// sequences go, and a carriage return begins its line anew.
func ansiHTML(text string) string {
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if i := strings.LastIndexByte(line, '\r'); i >= 0 {
			line = line[i+1:]
		}
		lines = append(lines, line)
	}
	text = strings.Join(lines, "\n")
	var b strings.Builder
	open := false
	for len(text) > 0 {
		i := strings.IndexByte(text, 0x1b)
		if i < 0 {
			break
		}
		b.WriteString(html.EscapeString(text[:i]))
		text = text[i+1:]
		if !strings.HasPrefix(text, "[") {
			continue
		}
		end := strings.IndexFunc(text[1:], func(r rune) bool { return r >= '@' && r <= '~' })
		if end < 0 {
			text = ""
			break
		}
		codes, final := text[1:1+end], text[1+end]
		text = text[end+2:]
		if final != 'm' {
			continue
		}
		if open {
			b.WriteString("</span>")
			open = false
		}
		var classes []string
		for _, c := range strings.Split(codes, ";") {
			switch n, err := strconv.Atoi(c); {
			case err != nil || n == 0:
				classes = nil
			case n == 1:
				classes = append(classes, "bold")
			case n >= 30 && n <= 37 || n >= 90 && n <= 97:
				classes = append(classes, "fg"+strconv.Itoa(n%10))
			}
		}
		if len(classes) > 0 {
			fmt.Fprintf(&b, `<span class="%s">`, strings.Join(classes, " "))
			open = true
		}
	}
	b.WriteString(html.EscapeString(text))
	if open {
		b.WriteString("</span>")
	}
	return b.String()
}
