package session

import (
	"go/token"
	"strconv"
	"strings"

	"sapf/dsl/session/lower"
	"sapf/dsl/session/machine"
)

// frames are the functions of a panic's trace, with the places in them.
func (s *Session) frames(trace []string) []traceFrame {
	var out []traceFrame
	for _, line := range trace {
		m := machine.TraceLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		f := traceFrame{pos: token.Position{Filename: m[1]}}
		f.pos.Line, _ = strconv.Atoi(m[2])
		f.pos.Column, _ = strconv.Atoi(m[3])
		symbol := strings.TrimPrefix(m[4], "main.")
		if i := strings.Index(symbol, ".func"); i >= 0 {
			// A literal: the innermost around the place.
			name := s.lowering.LiteralAt(f.pos)
			if name == "" {
				continue // one of our own making
			}
			f.place(s, name)
			symbol = symbol[:i] + ".func"
		} else {
			f.place(s, symbol)
		}
		if f.name = hashNumber.ReplaceAllString(symbol, ""); f.name == lower.BodyName || symbol == lower.BodyName+".func" {
			f.name = strings.TrimPrefix(strings.TrimPrefix(symbol, lower.BodyName), ".")
		}
		if n := len(out); n > 0 && out[n-1].name == f.name && out[n-1].pos == f.pos {
			continue
		}
		out = append(out, f)
	}
	return out
}

// place puts in where the function of that name has come to.
func (f *traceFrame) place(s *Session, name string) {
	if at := s.machine.Place(name); at > 0 {
		f.pos = s.fset.Position(token.Pos(at))
	}
}
