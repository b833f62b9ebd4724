package session

import (
	"go/scanner"
	"go/token"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tokensOf splits source into its tokens' texts.
func tokensOf(code string) []string {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(code))
	s.Init(file, []byte(code), func(token.Position, string) {}, 0)
	var out []string
	for {
		_, tok, lit := s.Scan()
		switch {
		case tok == token.EOF:
			return out
		case tok == token.SEMICOLON:
			out = append(out, lit)
		case lit != "":
			out = append(out, lit)
		default:
			out = append(out, tok.String())
		}
	}
}

// TestMutatedCells damages good cells, a few tokens at a time: nothing that is
// almost Go may bring the front end down. The fuzz target does the same with
// bytes, for longer.
func TestMutatedCells(t *testing.T) {
	var cells []string
	files, _ := filepath.Glob("testdata/*.cells")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "\n+++\n") {
			code, _, _ := strings.Cut(part, "\n---\n")
			if _, after, ok := strings.Cut(code, "=== "); ok {
				_, code, _ = strings.Cut(after, "\n")
			}
			cells = append(cells, code)
		}
	}
	if len(cells) < 50 {
		t.Fatalf("%d cells", len(cells))
	}
	rounds := 20
	if os.Getenv("SAPF_LONG") != "" {
		rounds = 200
	}
	s, _ := newSession(t)
	s.Variables() // waits until it is ready
	r := rand.New(rand.NewPCG(1, 2))
	checked := 0
	for range rounds {
		for _, cell := range cells {
			toks := tokensOf(cell)
			for range 1 + r.IntN(2) {
				if len(toks) < 2 {
					break
				}
				i, j := r.IntN(len(toks)), r.IntN(len(toks))
				switch r.IntN(4) {
				case 0:
					toks = append(toks[:i:i], toks[i+1:]...)
				case 1:
					toks[i], toks[j] = toks[j], toks[i]
				case 2:
					toks[i] = toks[j]
				case 3:
					toks = append(toks[:i:i], append([]string{toks[j]}, toks[i:]...)...)
				}
			}
			code := strings.Join(toks, " ")
			func() {
				defer func() {
					if v := recover(); v != nil {
						t.Errorf("the front end panics: %v\n%s", v, code)
					}
				}()
				if s.lowerOnly(code) == nil {
					checked++
				}
				s.IsComplete(code)
			}()
		}
	}
	t.Logf("%d of the damaged cells still parsed", checked)
}
