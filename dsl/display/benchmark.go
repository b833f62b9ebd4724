package display

import (
	"fmt"
	"testing"
)

// Benchmark measures body as Go's testing package does: it calls it with ever
// more times to repeat its work, until that takes a second, and writes how long
// one time took and what it allocated. In a cell it is written %timeit.
//
//	display.Benchmark(func(times int) {
//		for range times {
//			math.Sqrt(2)
//		}
//	})
func Benchmark(body func(times int)) testing.BenchmarkResult {
	ctx := Context()
	r := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		body(b.N)
		if ctx.Err() != nil {
			b.SkipNow()
		}
	})
	To().Stream("stdout", fmt.Sprintf("%s\t%s\n", r, r.MemString()))
	return r
}
