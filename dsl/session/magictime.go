package session

import (
	"fmt"
	"go/parser"
	"strings"
	"time"
)

func timed(s *Session, m magicCall) Outcome {
	if strings.TrimSpace(m.code) == "" {
		return Outcome{}
	}
	start := time.Now()
	o := m.execute(m.code)
	s.output.Write("stdout", fmt.Sprintf("time: %s\n", time.Since(start).Round(time.Microsecond)))
	return o
}

// benchmarked runs code as the body of a Go benchmark. The lines of an error are
// the cell's.
func benchmarked(s *Session, m magicCall) Outcome {
	code := strings.TrimRight(m.code, " \t\r\n;")
	if strings.TrimSpace(code) == "" {
		return failed(fmt.Errorf("%%timeit needs code to run"))
	}
	const open, close = "display.Benchmark(func(times int) {for range times {", "}});"
	if _, err := parser.ParseExpr(strings.TrimSpace(code)); err == nil {
		// A call without a value is a statement, all else needs its value taken.
		blank := len(code) - len(strings.TrimLeft(code, " \t\r\n"))
		o := m.execute(code[:blank] + open + "_ = " + code[blank:] + close)
		if o.Err == nil || !strings.Contains(o.Err.Message, "used as value") && !strings.Contains(o.Err.Message, "assignment mismatch") {
			return o
		}
	}
	blank := len(code) - len(strings.TrimLeft(code, " \t\r\n"))
	return m.execute(code[:blank] + open + code[blank:] + "\n" + close)
}
