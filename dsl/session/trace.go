package session

import (
	"go/token"
	"strconv"
)

// frames are the functions of a panic's trace.
func (s *Session) frames(trace []string) []traceFrame {
	var out []traceFrame
	for _, line := range trace {
		m := traceLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		n, _ := strconv.Atoi(m[2])
		col, _ := strconv.Atoi(m[3])
		out = append(out, traceFrame{pos: token.Position{Filename: m[1], Line: n, Column: col}, name: plainName(m[4])})
	}
	return out
}
