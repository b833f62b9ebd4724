package syntax

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// dotted is a name, or several with dots between.
const dotted = `([\pL_][\pL\pN_]*(?:\.[\pL_][\pL\pN_]*)*)`

// question is how users of IPython ask for documentation.
var question = regexp.MustCompile(`^\s*(?:` + dotted + `\?\??|\?\??` + dotted + `)\s*$`)

// Questioned is the name that a cell asks about: that of Name? or ?Name, or "".
func Questioned(code string) string {
	if m := question.FindStringSubmatch(code); m != nil {
		return m[1] + m[2]
	}
	return ""
}

// ShellLines makes calls of the lines that begin with an exclamation mark where
// a statement can begin: !ls is display.Shell("ls"). A line that is a Go
// expression of names that known tells of stays one: !ok. Lines keep their
// numbers.
func ShellLines(code string, known func(name string) bool) string {
	if !strings.Contains(code, "!") {
		return code
	}
	lines := strings.Split(code, "\n")
	here := identifiers(lines)
	for i, line := range lines {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "!")
		if !ok || command == "" || isGo("!"+command, func(name string) bool { return here[name] || known(name) }) || !statementBegins(strings.Join(lines[:i], "\n")) {
			continue
		}
		indent := line[:strings.IndexByte(line, '!')]
		lines[i] = indent + "display.Shell(" + strconv.Quote(command) + ")"
	}
	return strings.Join(lines, "\n")
}

// identifiers are those of the lines that begin with no exclamation mark.
func identifiers(lines []string) map[string]bool {
	out := map[string]bool{}
	for _, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "!") {
			continue
		}
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			out[word] = true
		}
	}
	return out
}

// isGo tells whether text is an expression whose names are known.
func isGo(text string, known func(name string) bool) bool {
	x, err := parser.ParseExpr(text)
	if err != nil {
		return false
	}
	ok := true
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			ast.Inspect(n.X, visit)
			return false
		case *ast.FuncLit:
			return false
		case *ast.Ident:
			ok = ok && known(n.Name)
		}
		return true
	}
	ast.Inspect(x, visit)
	return ok
}

// statementBegins tells whether a statement of the top level may begin behind
// code.
func statementBegins(code string) bool {
	var s scanner.Scanner
	fset := token.NewFileSet()
	open := false // a string or comment over several lines
	s.Init(fset.AddFile("", fset.Base(), len(code)+1), []byte(code+"\n"), func(_ token.Position, msg string) {
		open = open || strings.HasPrefix(msg, "raw string") || strings.HasPrefix(msg, "comment")
	}, 0)
	depth, last := 0, token.SEMICOLON
	for {
		_, tok, _ := s.Scan()
		switch tok {
		case token.EOF:
			return !open && depth <= 0 && last == token.SEMICOLON
		case token.LPAREN, token.LBRACE, token.LBRACK:
			depth++
		case token.RPAREN, token.RBRACE, token.RBRACK:
			depth--
		}
		last = tok
	}
}
